//! Lecture 4: vectors and matrices, the language of everything that follows.
//!
//!     cargo run --example lesson_04_matrices

use cantus::lesson::Sheet;
use cantus::plot::{Axis, LineChart, Series, Style, line_chart};

/// The matrix product, from its definition: rows of `a` times columns of `b`.
fn product<const M: usize, const N: usize, const K: usize>(
    a: [[f64; N]; M],
    b: [[f64; K]; N],
) -> [[f64; K]; M] {
    a.map(|row| std::array::from_fn(|k| (0..N).map(|n| row[n] * b[n][k]).sum()))
}

fn transposed<const M: usize, const N: usize>(a: [[f64; N]; M]) -> [[f64; M]; N] {
    std::array::from_fn(|n| std::array::from_fn(|m| a[m][n]))
}

/// Sums, dot products, matrix products, and what a layer of neurons has to do with them.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let (a, b) = ([3.0, 1.0], [1.0, 2.0]);
    let sum = [a[0] + b[0], a[1] + b[1]];
    sheet.say(format_args!("Vectors are added element by element: {a:?} + {b:?} = {sum:?}."));
    sheet.say("Their dot product multiplies element by element and adds up; a neuron's net input is one:");
    sheet.result("[3, 1] · [1, 2]", a[0] * b[0] + a[1] * b[1], "");

    let (x, w) = ([[0.5, 0.3, 0.2]], [[0.4, -1.0], [0.7, 0.5], [0.2, 2.0]]);
    let h = product(x, w);
    sheet
        .say("A matrix product is a table of dot products: (1 × 3) times (3 × 2) is 1 × 2. With the weights");
    sheet.say("of two neurons as columns, it is what a whole layer adds up at once:");
    sheet.result("net input of the first neuron", h[0][0], "");
    sheet.result("net input of the second", h[0][1], "");

    let difference = transposed(h)[1][0] - product(transposed(w), transposed(x))[1][0];
    sheet.say("Transposing swaps rows and columns, and the order of a product: (x W)ᵀ = Wᵀ xᵀ.");
    sheet.result("difference between the two sides", difference, "");

    let arrow = |from: [f64; 2], to: [f64; 2]| [(from[0], from[1]), (to[0], to[1])];
    let (first, second, both) = (arrow([0.0; 2], a), arrow(a, sum), arrow([0.0; 2], sum));
    let series = [
        Series::new("a", Style::LineAndDots, &first),
        Series::new("b", Style::LineAndDots, &second),
        Series::new("a + b", Style::LineAndDots, &both),
    ];
    let (x, y) =
        (Axis::new("First element").from_to(0.0, 5.0), Axis::new("Second element").from_to(0.0, 5.0));
    let (title, subtitle) = ("Adding vectors", "one after the other");
    sheet.picture("vectors", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: true }))
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/04", &mut std::io::stdout()))
}
