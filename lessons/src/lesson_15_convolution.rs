//! Lecture 15: convolution (size, stride, padding, depth) and pooling by hand, and how many weights they save.
//!
//! Run it with `cantus lesson 15`.

use crate::output::LessonOutput;
use cantus_audio::feature::{FeatureKind, FeatureSpec, Segments};
use cantus_nn::layer::{AveragePool2D, Conv2D, Dense, Flatten, MaxPool2D, Padding};
use cantus_nn::{Activation, Architecture, LayerSpec, Network, Tensor};
use cantus_plot::{Tile, tiles};

const SIZE: usize = 8;
type Image = [[f32; SIZE]; SIZE];
type Kernel = [[f32; 3]; 3];

/// Convolution: the kernel is applied every `stride` pixels, with `padding` zeros around the image. Each output is the sum
/// of the pixels below the kernel, each times its weight.
fn convolve(image: &Image, kernel: &Kernel, stride: usize, padding: usize) -> Vec<f32> {
    let pixel = |row: usize, column: usize| match (row.checked_sub(padding), column.checked_sub(padding)) {
        (Some(row), Some(column)) if row < SIZE && column < SIZE => image[row][column],
        _ => 0.0,
    };
    let cells: Vec<(usize, usize)> = (0..3).flat_map(|i| (0..3).map(move |j| (i, j))).collect();
    let output = |row: usize, column: usize| -> f32 {
        cells.iter().map(|&(i, j)| pixel(row + i, column + j) * kernel[i][j]).sum()
    };
    let places = || (0..=SIZE + 2 * padding - 3).step_by(stride);
    places().flat_map(|row| places().map(move |column| (row, column))).map(|(r, c)| output(r, c)).collect()
}

/// One number for every two by two pixels.
fn pool(image: &[f32], of_window: fn([f32; 4]) -> f32) -> Vec<f32> {
    let windows = (0..SIZE / 2).flat_map(|row| (0..SIZE / 2).map(move |column| (2 * row, 2 * column)));
    let at = |row: usize, column: usize| image[row * SIZE + column];
    windows.map(|(r, c)| of_window([at(r, c), at(r, c + 1), at(r + 1, c), at(r + 1, c + 1)])).collect()
}

fn maximum(window: [f32; 4]) -> f32 {
    window.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

fn average(window: [f32; 4]) -> f32 {
    window.iter().sum::<f32>() / 4.0
}

/// The output of the library's layers for an image of `depth` channels; the first layer has `kernel`.
fn library(
    layers: &[LayerSpec],
    depth: usize,
    kernel: &[f32],
    image: &[f32],
) -> Result<Vec<f32>, cantus::Error> {
    let architecture = Architecture { input_shape: vec![SIZE, SIZE, depth], layers: layers.to_vec() };
    let mut network = Network::new(&architecture, 0)?;
    let tensor = |values| Tensor { name: "layers.0.kernel".into(), shape: vec![3, 3, depth, 1], values };
    network.set_weights(&[tensor(kernel.to_vec())])?;
    Ok(network.predict(image)?)
}

fn difference(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max)
}

/// One kernel of 3 × 3 × `depth` weights.
fn one_kernel(strides: [usize; 2], padding: Padding) -> LayerSpec {
    LayerSpec::Conv2D(Conv2D { strides, padding, ..Conv2D::new(1, [3, 3], Activation::Linear) })
}

/// Convolution and pooling on a square, the sizes of both, and the input of a network for MFCCs.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    convolution(out)?;
    depth(out)?;
    weights(out)?;
    audio(out);
    Ok(())
}

fn convolution(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let inside = |i: usize| (2..6).contains(&i);
    let square: Image =
        std::array::from_fn(|r| std::array::from_fn(|c| if inside(r) && inside(c) { 1.0 } else { 0.0 }));
    let vertical: Kernel = [[-1.0, 0.0, 1.0]; 3];
    let horizontal: Kernel = [[-1.0; 3], [0.0; 3], [1.0; 3]];
    out.say("A kernel is a small grid of weights. Placed over a pixel, it gives the sum of the pixels below it, each times");
    out.say("its weight. Kernel A (−1 0 1 in each row) detects edges from left to right; B, its transpose, from top down.");
    out.say(
        "Padding: zeros around the image keep its size. The image is a square of ones, 8 × 8 pixels in all:",
    );
    let (of_a, of_b) = (convolve(&square, &vertical, 1, 1), convolve(&square, &horizontal, 1, 1));
    out.result("output of A at the square's left edge, its largest", f64::from(of_a[4 * SIZE + 2]), "");
    out.result(
        "output of A in the middle of the square, where nothing changes",
        f64::from(of_a[3 * SIZE + 4]),
        "",
    );
    let strided = convolve(&square, &vertical, 2, 0);
    out.say("Stride: the pixels that the kernel moves by. A stride of 2 without padding fits (8 - 3) / 2 + 1 = 3 times a side:");
    out.result("outputs with stride 2", strided.len() as f64, "");
    out.say("Pooling: one number for every 2 × 2 outputs, moved by 2, without any weights: their maximum, or their average:");
    let (max_pooled, average_pooled) = (pool(&of_a, maximum), pool(&of_a, average));
    let at = 4 + 1;
    out.result("maximum of the four outputs at the left edge", f64::from(max_pooled[at]), "");
    out.result("their average", f64::from(average_pooled[at]), "");

    let (same, stride_2) = (one_kernel([1, 1], Padding::Same), one_kernel([2, 2], Padding::Valid));
    let (pool_size, strides, padding) = ([2, 2], None, Padding::Valid);
    let max = LayerSpec::MaxPool2D(MaxPool2D { pool_size, strides, padding });
    let mean = LayerSpec::AveragePool2D(AveragePool2D { pool_size, strides, padding });
    let output_of = |layers: &[LayerSpec]| library(layers, 1, &vertical.concat(), &square.concat());
    let differences = [
        difference(&output_of(std::slice::from_ref(&same))?, &of_a),
        difference(&output_of(&[stride_2])?, &strided),
        difference(&output_of(&[same.clone(), max])?, &max_pooled),
        difference(&output_of(&[same, mean])?, &average_pooled),
    ];
    out.result(
        "largest difference of these four from the library's layers",
        differences.into_iter().fold(0.0, f64::max),
        "",
    );
    let named = [
        ("image", SIZE, square.concat()),
        ("kernel A: left to right", 3, vertical.concat()),
        ("output of A", SIZE, of_a),
        ("output of A with stride 2", 3, strided),
        ("output of A, max pooled", SIZE / 2, max_pooled),
        ("output of A, average pooled", SIZE / 2, average_pooled),
        ("kernel B: top down", 3, horizontal.concat()),
        ("output of B", SIZE, of_b),
    ];
    let shown =
        named.each_ref().map(|(name, n_columns, values)| Tile { name, n_columns: *n_columns, values });
    let subtitle = "a square, two kernels of 3 × 3, a stride, and two kinds of pooling";
    out.picture("convolution", &tiles("Convolution by hand", subtitle, &shown))
}

/// Convolution of an image with three channels.
fn depth(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let channel = |shift: usize| -> Image {
        std::array::from_fn(|r| std::array::from_fn(|c| ((r * SIZE + c) * (shift + 3) % 7) as f32 / 7.0))
    };
    let channels = [0, 1, 2].map(channel);
    let kernels: [Kernel; 3] = std::array::from_fn(|depth| [[0.5, -1.0, depth as f32]; 3]);
    let mut by_hand = vec![0.0; SIZE * SIZE];
    for (channel, kernel) in channels.iter().zip(&kernels) {
        by_hand.iter_mut().zip(convolve(channel, kernel, 1, 1)).for_each(|(sum, value)| *sum += value);
    }
    // The library keeps channels last, in images and in kernels.
    let pixels = (0..SIZE * SIZE)
        .flat_map(|i| channels.map(|channel| channel[i / SIZE][i % SIZE]))
        .collect::<Vec<_>>();
    let kernel = (0..9).flat_map(|i| kernels.map(|kernel| kernel[i / 3][i % 3])).collect::<Vec<_>>();
    let found = library(&[one_kernel([1, 1], Padding::Same)], 3, &kernel, &pixels)?;
    out.say("Depth: a colour image has 3 channels, red, green and blue, and a kernel has a grid for each; outputs are added,");
    out.say("so one kernel gives one image of outputs, whatever its depth:");
    out.result("weights of a kernel of 3 × 3 pixels and depth 3", kernel.len() as f64, "");
    out.result(
        "largest difference between the sum over channels and the library's layer",
        difference(&found, &by_hand),
        "",
    );
    Ok(())
}

fn weights(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let count = |input_shape: Vec<usize>, layers| {
        Ok::<_, cantus::Error>(Network::new(&Architecture { input_shape, layers }, 0)?.n_parameters() as f64)
    };
    let convolution = LayerSpec::Conv2D(Conv2D::new(32, [3, 3], Activation::Relu));
    let n_convolution = count(vec![130, 13, 1], vec![convolution])?;
    let n_outputs = (130 - 2) * (13 - 2) * 32;
    // Counted on one output and multiplied: the whole layer would take 300 MB.
    let one = LayerSpec::Dense(Dense::new(1, Activation::Relu));
    let n_dense = n_outputs as f64 * count(vec![130, 13], vec![LayerSpec::Flatten(Flatten::default()), one])?;
    out.say("Number of kernels: 32 kernels of 3 × 3 over MFCCs of 130 × 13 × 1 give 32 images of 128 × 11. A dense layer");
    out.say("with as many outputs has a weight from every input to every output; both have a bias for each kernel or output:");
    out.result("outputs, 128 × 11 × 32", n_outputs as f64, "");
    out.result("weights of the convolution, 32 × (3 × 3 + 1)", n_convolution, "");
    out.result("weights of the dense layer, 45056 × (1690 + 1)", n_dense / 1e6, "million");
    out.result("times as many", (n_dense / n_convolution).round(), "");
    Ok(())
}

fn audio(out: &mut LessonOutput<'_>) {
    let segments = Segments { track_duration_s: 51_200.0 / 22_050.0, n_segments: 1 };
    let spec = FeatureSpec { segments, ..FeatureSpec::course() };
    out.say("A recording as an image: time × coefficient, depth 1. Of 51 200 samples with a hop of 512, 13 MFCCs each:");
    out.result("frames by division, 51200 / 512", 51_200.0 / spec.hop_length as f64, "");
    out.result(
        "frames of librosa and of Cantus, which centre frame 0 on the first sample",
        spec.frames_per_segment() as f64,
        "",
    );
    out.say("By the lecture's count, the input of a network is 100 × 13 × 1.");
    let both = FeatureSpec { kinds: vec![FeatureKind::Mfcc, FeatureKind::LogMel], ..FeatureSpec::course() };
    out.say("Can MFCCs be combined with the spectrogram? Yes: as one image, coefficients and mel bands side by side.");
    out.result("bins of a frame, 13 MFCCs and 128 mel bands", both.n_bins() as f64, "");
    out.say("Is it useful? On 198 tracks, with other artists in training than in test: no gain (table in docs/accuracy.md).");
    out.say("MFCCs are a linear map of the mel bands, so they add nothing that the bands do not have.");
}
