//! Lecture 15: convolution and pooling by hand.
//!
//!     cargo run --example lesson_15_convolution

use cantus::lesson::Sheet;
use cantus::plot::{Tile, tiles};
use cantus_nn::layer::{Conv2D, MaxPool2D, Padding};
use cantus_nn::{Activation, Architecture, LayerSpec, Network, Tensor};

const SIZE: usize = 8;
type Image = [[f32; SIZE]; SIZE];
type Kernel = [[f32; 3]; 3];

/// The kernel is laid over every pixel in turn; beyond the border there are zeros.
fn convolve(image: &Image, kernel: &Kernel) -> Image {
    let pixel = |row: usize, column: usize| match (row.checked_sub(1), column.checked_sub(1)) {
        (Some(row), Some(column)) if row < SIZE && column < SIZE => image[row][column],
        _ => 0.0,
    };
    let mut out = [[0.0; SIZE]; SIZE];
    for (row, column) in (0..SIZE).flat_map(|row| (0..SIZE).map(move |column| (row, column))) {
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            out[row][column] += pixel(row + i, column + j) * kernel[i][j];
        }
    }
    out
}

/// The greatest number of every two by two.
fn max_pool(image: &Image) -> Vec<f32> {
    let greatest = |row: usize, column: usize| {
        let window =
            [image[row][column], image[row][column + 1], image[row + 1][column], image[row + 1][column + 1]];
        window.into_iter().fold(f32::NEG_INFINITY, f32::max)
    };
    (0..SIZE / 2).flat_map(|row| (0..SIZE / 2).map(move |column| greatest(2 * row, 2 * column))).collect()
}

/// A square, two kernels, and what they see.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let inside = |i: usize| (2..6).contains(&i);
    let square: Image =
        std::array::from_fn(|r| std::array::from_fn(|c| if inside(r) && inside(c) { 1.0 } else { 0.0 }));
    let vertical: Kernel = [[-1.0, 0.0, 1.0]; 3];
    let horizontal: Kernel = [[-1.0; 3], [0.0; 3], [1.0; 3]];
    sheet.say("A kernel is a small grid of weights. Laid over a pixel, it answers with the sum of what lies under it, each");
    sheet.say("pixel times its weight. This one answers to edges from left to right, its transpose to edges downwards:");
    let (edges_v, edges_h) = (convolve(&square, &vertical), convolve(&square, &horizontal));
    sheet.result("strongest answer at the square's left edge", f64::from(edges_v[4][2]), "");
    sheet.result("answer in the middle of the square", f64::from(edges_v[3][4]), "");
    sheet.say("Pooling keeps the greatest answer of every two by two: a quarter of the numbers, hardly less knowledge.");
    let pooled = max_pool(&edges_v);

    let conv = Conv2D { padding: Padding::Same, ..Conv2D::new(1, [3, 3], Activation::Linear) };
    let pool = MaxPool2D { pool_size: [2, 2], strides: None, padding: Padding::Valid };
    let layers = vec![LayerSpec::Conv2D(conv), LayerSpec::MaxPool2D(pool)];
    let mut network = Network::new(&Architecture { input_shape: vec![SIZE, SIZE, 1], layers }, 0)?;
    let values = vertical.concat();
    network.set_weights(&[Tensor { name: "layers.0.kernel".into(), shape: vec![3, 3, 1, 1], values }])?;
    let found = network.predict(&square.concat())?;
    let difference = found.iter().zip(&pooled).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    sheet.result("largest difference from the library's layers", f64::from(difference), "");

    sheet.say("A layer has many kernels, and each is learnt. 32 of 3 × 3 over one channel have few weights:");
    sheet.result("weights of the convolution, biases included", f64::from(32 * (3 * 3 + 1)), "");
    sheet.result(
        "weights of a dense layer from 130 × 13 to as many outputs",
        1690.0 * (128.0 * 11.0 * 32.0),
        "",
    );
    let named = [
        ("image", SIZE, square.concat()),
        ("kernel: left to right", 3, vertical.concat()),
        ("its answer", SIZE, edges_v.concat()),
        ("its answer, pooled", SIZE / 2, pooled),
        ("kernel: downwards", 3, horizontal.concat()),
        ("its answer", SIZE, edges_h.concat()),
    ];
    let sheet_of_tiles =
        named.each_ref().map(|(name, n_columns, values)| Tile { name, n_columns: *n_columns, values });
    sheet.picture(
        "convolution",
        &tiles("Convolution by hand", "a square, two kernels, and pooling", &sheet_of_tiles),
    )
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/15", &mut std::io::stdout()))
}
