//! Lecture 4: operations on vectors and matrices.
//!
//! Run it with `cantus lesson 4`.

use crate::output::LessonOutput;
use cantus_plot::{Axis, LineChart, Series, Style, line_chart};

/// A matrix of M rows and N columns.
type Matrix<const M: usize, const N: usize> = [[f64; N]; M];

/// An operation on two matrices of the same dimensions, element by element.
fn element_wise<const M: usize, const N: usize>(
    a: Matrix<M, N>,
    b: Matrix<M, N>,
    operation: fn(f64, f64) -> f64,
) -> Matrix<M, N> {
    std::array::from_fn(|m| std::array::from_fn(|n| operation(a[m][n], b[m][n])))
}

/// The matrix product from its definition: element (m, k) is the dot product of row m of `a` and column k of `b`.
fn product<const M: usize, const N: usize, const K: usize>(a: Matrix<M, N>, b: Matrix<N, K>) -> Matrix<M, K> {
    a.map(|row| std::array::from_fn(|k| (0..N).map(|n| row[n] * b[n][k]).sum()))
}

fn transposed<const M: usize, const N: usize>(a: Matrix<M, N>) -> Matrix<N, M> {
    std::array::from_fn(|n| std::array::from_fn(|m| a[m][n]))
}

/// Vectors, then matrices: scalar operations, addition, subtraction, products.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    vectors(out)?;
    matrices(out);
    Ok(())
}

fn vectors(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let (a, b) = ([3.0, 1.0], [1.0, 2.0]);
    out.say("A vector is a list of numbers; how many, is its dimension. Two vectors of dimension 2:");
    out.say(format_args!("  a = {a:?}, b = {b:?}"));
    out.say("An operation with a single number (a scalar) is applied to every element:");
    out.say(format_args!("  a + 2 = {:?}", a.map(|x| x + 2.0)));
    out.say(format_args!("  a - 2 = {:?}", a.map(|x| x - 2.0)));
    out.say(format_args!("  a · 2 = {:?}", a.map(|x| x * 2.0)));
    out.say(format_args!("  a / 2 = {:?}", a.map(|x| x / 2.0)));
    let (sum, difference) = ([a[0] + b[0], a[1] + b[1]], [a[0] - b[0], a[1] - b[1]]);
    out.say("Vectors of the same dimension are added and subtracted element by element:");
    out.say(format_args!("  a + b = {sum:?}"));
    out.say(format_args!("  a - b = {difference:?}"));
    out.say(
        "The dot product multiplies element by element and adds the products: two vectors give one number.",
    );
    out.result("a · b = 3·1 + 1·2", a[0] * b[0] + a[1] * b[1], "");

    let arrow = |from: [f64; 2], to: [f64; 2]| [(from[0], from[1]), (to[0], to[1])];
    let zero = [0.0, 0.0];
    let (from_0, moved, total) = (arrow(zero, a), arrow(a, sum), arrow(zero, sum));
    let series = [("a", &from_0), ("b, from the tip of a", &moved), ("a + b", &total)];
    draw(out, "sum", "Vector addition", series)?;
    let (first, second, between) = (arrow(zero, a), arrow(zero, b), arrow(b, a));
    let series = [("a", &first), ("b", &second), ("a − b, from b to a", &between)];
    draw(out, "difference", "Vector subtraction", series)
}

fn draw(
    out: &mut LessonOutput<'_>,
    name: &str,
    title: &str,
    arrows: [(&str, &[(f64, f64); 2]); 3],
) -> Result<(), cantus::Error> {
    let series = arrows.map(|(name, points)| Series::new(name, Style::Arrows, points));
    let (x, y) = (
        Axis::new("First element").from_to(0.0, 5.0).whole(),
        Axis::new("Second element").from_to(0.0, 5.0).whole(),
    );
    let subtitle = "a = [3, 1], b = [1, 2]";
    out.picture(name, &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: true }))
}

fn matrices(out: &mut LessonOutput<'_>) {
    let (p, q) = ([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[0.5, 0.0], [1.0, -1.0], [0.0, 2.0]]);
    out.say("A matrix is a table of numbers; its dimensions are (rows, columns). Two matrices of (3, 2), row by row:");
    out.say(format_args!("  P = {p:?}\n  Q = {q:?}"));
    out.say("An operation with a scalar is applied to every element:");
    out.say(format_args!("  P + 2 = {:?}", p.map(|row| row.map(|x| x + 2.0))));
    out.say(format_args!("  P - 2 = {:?}", p.map(|row| row.map(|x| x - 2.0))));
    out.say(format_args!("  P · 2 = {:?}", p.map(|row| row.map(|x| x * 2.0))));
    out.say(format_args!("  P / 2 = {:?}", p.map(|row| row.map(|x| x / 2.0))));
    out.say("Matrices of the same dimensions are added and subtracted element by element:");
    out.say(format_args!("  P + Q = {:?}", element_wise(p, q, |a, b| a + b)));
    out.say(format_args!("  P - Q = {:?}", element_wise(p, q, |a, b| a - b)));
    out.say("Transposition swaps rows and columns: (3, 2) becomes (2, 3).");
    out.say(format_args!("  Pᵀ = {:?}", transposed(p)));

    let (x, w) = ([[0.5, 0.3, 0.2]], [[0.4, -1.0], [0.7, 0.5], [0.2, 2.0]]);
    out.say("Matrix multiplication: (m, n) times (n, k) gives (m, k). The first has as many columns as the second has");
    out.say("rows; each element of the product is the dot product of a row of the first and a column of the second.");
    out.say(format_args!("  x = {x:?}, three inputs as a matrix of (1, 3)"));
    out.say(format_args!("  W = {w:?}, weights of (3, 2): a column for each of two neurons"));
    let h = product(x, w);
    out.say("The product x W has (1, 2): the net inputs of both neurons at once.");
    out.result("net input of neuron 1 = 0.5·0.4 + 0.3·0.7 + 0.2·0.2", h[0][0], "");
    out.result("net input of neuron 2 = 0.5·(-1) + 0.3·0.5 + 0.2·2", h[0][1], "");
    out.say(
        "A transposed product is the product of the transposed matrices in reverse order: (x W)ᵀ = Wᵀ xᵀ.",
    );
    let difference = element_wise(transposed(h), product(transposed(w), transposed(x)), |a, b| (a - b).abs());
    let largest = difference.iter().flatten().fold(0.0, |largest, d| f64::max(largest, *d));
    out.result("largest difference between the elements of both sides", largest, "");
}
