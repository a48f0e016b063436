//! Times matrix products of the shapes of training and inference, ours and the gemm crate's in turn, on one thread; JSON lines.

use std::time::{Duration, Instant};

use cantus_simd::InstructionSet;
use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;
use matmul::{Accumulate, Matrix, matmul};
use serde_json::json;

#[path = "../../../crates/cantus-nn/src/matmul/mod.rs"]
#[allow(dead_code)]
mod matmul;

/// Rounds of each; the shortest time counts.
const ROUNDS: usize = 20;
/// What a round lasts at least.
const ROUND: Duration = Duration::from_millis(10);

/// c (+)= a · b, with `m` rows, `n` columns and `k` terms in each sum.
struct Product {
    name: &'static str,
    m: usize,
    k: usize,
    n: usize,
    a: Factor,
    b: Factor,
    /// Distance between the rows of c.
    c_row_stride: usize,
    adds: bool,
}

/// A factor as it lies in memory: its rows, or its columns if `transposed`, start `stride` apart.
#[derive(Clone, Copy)]
struct Factor {
    stride: usize,
    transposed: bool,
}

fn rows(stride: usize) -> Factor {
    Factor { stride, transposed: false }
}

fn columns(stride: usize) -> Factor {
    Factor { stride, transposed: true }
}

/// Those of the lecture course's networks, and larger ones.
fn products() -> Vec<Product> {
    let product = |name, [m, k, n]: [usize; 3], a, b, c_row_stride, adds| Product { name, m, k, n, a, b, c_row_stride, adds };
    vec![
        product("dense, 64 columns of 512", [32, 1690, 64], rows(1690), rows(64), 64, true),
        product("dense, gradient of 64 x 64 weights", [64, 32, 64], columns(1690), rows(512), 64, false),
        product("dense, gradient of 64 inputs", [32, 64, 64], rows(512), columns(64), 64, true),
        product("dense 64-10", [32, 64, 10], rows(64), rows(10), 10, false),
        product("dense 64-10, gradient of weights", [64, 32, 10], columns(64), rows(10), 10, true),
        product("dense 64-10, gradient of inputs", [32, 10, 64], rows(10), columns(10), 64, false),
        product("convolution 3 x 3, 1-32, windows", [1408, 9, 32], rows(9), rows(32), 32, false),
        product("convolution 3 x 3, 32-32, a line", [62, 96, 32], rows(160), rows(32), 128, true),
        product("convolution 3 x 3, gradient of kernel", [96, 62, 32], columns(160), rows(128), 32, true),
        product("convolution 3 x 3, gradient of image", [62, 32, 96], rows(128), rows(96), 160, true),
        product("LSTM 64, inputs of 13 steps", [208, 13, 256], rows(13), rows(256), 256, false),
        product("LSTM 64, state", [16, 64, 256], rows(64), rows(256), 256, true),
        product("LSTM 64, gradient of state", [16, 256, 64], rows(256), rows(64), 64, false),
        product("LSTM 64, gradient of recurrent kernel", [64, 208, 256], columns(64), rows(256), 256, true),
        product("LSTM 64, gradient of kernel", [13, 208, 256], columns(13), rows(256), 256, true),
        product("GRU 64, state", [16, 64, 192], rows(64), rows(192), 192, false),
        product("inference, 32 examples, dense 512", [32, 1690, 512], rows(1690), rows(512), 512, false),
        product("inference, 256 examples, dense 512", [256, 1690, 512], rows(1690), rows(512), 512, false),
        product("kernel machine, 2048 features", [32, 354, 2048], rows(354), rows(2048), 2048, false),
        product("512 x 512 x 512", [512, 512, 512], rows(512), rows(512), 512, false),
        product("1024 x 1024 x 1024", [1024, 1024, 1024], rows(1024), rows(1024), 1024, false),
    ]
}

/// `n` numbers around 0.
fn numbers(n: usize, step: f32) -> Vec<f32> {
    (0..n).map(|i| (i as f32 * step).sin()).collect()
}

/// The matrix of `n_rows` by `n_columns`, and the numbers it needs.
fn len(factor: Factor, n_rows: usize, n_columns: usize) -> usize {
    factor.stride * if factor.transposed { n_columns } else { n_rows } + n_rows.max(n_columns)
}

fn matrix(values: &[f32], factor: Factor, n_rows: usize, n_columns: usize) -> Matrix<'_> {
    if factor.transposed {
        Matrix::strided(values, n_columns, n_rows, factor.stride).transposed()
    } else {
        Matrix::strided(values, n_rows, n_columns, factor.stride)
    }
}

/// The strides of columns and rows.
fn strides(factor: Factor) -> (isize, isize) {
    let stride = factor.stride as isize;
    if factor.transposed { (stride, 1) } else { (1, stride) }
}

/// The product by the gemm crate, of the transposes, as its kernels require columns of c to be contiguous.
fn gemm(product: &Product, c: &mut [f32], a: &[f32], b: &[f32]) {
    let ((a_column, a_row), (b_column, b_row)) = (strides(product.a), strides(product.b));
    // SAFETY: `len` gives all elements of the factors, and `measure` those of c.
    unsafe {
        get_gemm_fn()(
            product.n,
            product.m,
            product.k,
            c.as_mut_ptr(),
            product.c_row_stride as isize,
            1,
            product.adds,
            b.as_ptr(),
            b_row,
            b_column,
            a.as_ptr(),
            a_row,
            a_column,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The shortest time of one call in seconds, of rounds in which both alternate.
fn measure(mut ours: impl FnMut(), mut theirs: impl FnMut()) -> [f64; 2] {
    let mut shortest = [f64::MAX; 2];
    let mut round = |shortest: &mut f64, call: &mut dyn FnMut()| {
        let (start, mut calls) = (Instant::now(), 0_u32);
        while start.elapsed() < ROUND {
            (0..16).for_each(|_| call());
            calls += 16;
        }
        *shortest = shortest.min(start.elapsed().as_secs_f64() / f64::from(calls));
    };
    for _ in 0..ROUNDS {
        round(&mut shortest[0], &mut ours);
        round(&mut shortest[1], &mut theirs);
    }
    shortest
}

fn main() {
    for product in products() {
        let Product { name, m, k, n, a, b, c_row_stride, adds } = product;
        let (a_values, b_values) = (numbers(len(a, m, k), 0.37), numbers(len(b, k, n), 0.73));
        let (mut ours, mut theirs) = (vec![0.0; m * c_row_stride], vec![0.0; m * c_row_stride]);
        let (left, right) = (matrix(&a_values, a, m, k), matrix(&b_values, b, k, n));
        let accumulate = if adds { Accumulate::Add } else { Accumulate::Overwrite };
        let [ours, theirs] = measure(
            || matmul(&mut ours, c_row_stride, left, right, accumulate),
            || gemm(&product, &mut theirs, &a_values, &b_values),
        );
        let gflops = |seconds: f64| (2e-8 * (m * k * n) as f64 / seconds).round() / 10.0;
        let line = json!({
            "product": name,
            "m": m,
            "k": k,
            "n": n,
            "instruction_set": InstructionSet::current().name(),
            "ours_gflops": gflops(ours),
            "gemm_gflops": gflops(theirs),
            "ratio": (100.0 * theirs / ours).round() / 100.0,
        });
        println!("{line}");
    }
}
