//! Power spectra of several frames at once: a real Fourier transform whose loops run over the frames.
//!
//! Each lane of a vector is a frame, so that every operation vectorises without a shuffle, the order of the bins does not
//! matter, and the results are the same bits on every instruction set: IEEE operations in one order. (The transforms of
//! rustfft round differently with each.)
//!
//! # Reference
//! W. M. Gentleman, G. Sande, "Fast Fourier Transforms: for fun and profit", 1966 (decimation in frequency, here radix 4);
//! the transform of real samples from a complex one of half its length as in `crate::transform::real_fft_split`.

use std::f64::consts::PI;
use std::sync::LazyLock;

use cantus_simd::multiversion;

/// Number of frames that are transformed at once.
pub(super) const LANES: usize = 16;
/// Length of a frame.
pub(super) const FRAME: usize = 2048;
/// Length of the complex transform: a power of 4.
const HALF: usize = FRAME / 2;
const QUARTER: usize = HALF / 4;
/// Butterflies of the first pass whose inputs are transposed at once.
const N_TRANSPOSED: usize = 8;

/// One number of each frame.
pub(super) type Lanes = [f32; LANES];
/// Two successive samples of each frame.
type Pairs = [[f32; 2]; LANES];
type Complex = (f32, f32);

/// One complex number of each frame.
#[derive(Debug, Clone, Copy)]
struct ComplexLanes {
    re: Lanes,
    im: Lanes,
}

/// Transforms frames; holds the scratch.
pub(super) struct PowerSpectrum {
    rows: Vec<ComplexLanes>,
}

/// Window, cosines and sines.
struct Tables {
    /// Hamming's, in pairs.
    window: Vec<[f32; 2]>,
    /// `exp(-2πi k / HALF)`.
    twiddles: Vec<Complex>,
    /// `exp(-2πi k / FRAME)`, for `k` up to a quarter of it.
    split: Vec<Complex>,
    /// Row of each bin of the complex transform: its digits to base 4, reversed.
    rows: Vec<usize>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let unit = |k: usize, n: usize| {
        let (sin, cos) = (-2.0 * PI * k as f64 / n as f64).sin_cos();
        (cos as f32, sin as f32)
    };
    let hamming = |i: usize| (0.54 - 0.46 * (2.0 * PI * i as f64 / (FRAME - 1) as f64).cos()) as f32;
    let n_digits = HALF.ilog2() / 2;
    let reversed = |k: usize| (0..n_digits).fold(0, |row, digit| (row << 2) | ((k >> (2 * digit)) & 3));
    Tables {
        window: (0..HALF).map(|i| [hamming(2 * i), hamming(2 * i + 1)]).collect(),
        twiddles: (0..HALF).map(|k| unit(k, HALF)).collect(),
        split: (0..=HALF / 2).map(|k| unit(k, FRAME)).collect(),
        rows: (0..HALF).map(reversed).collect(),
    }
});

impl PowerSpectrum {
    /// Without memory for the frames, which short recordings do not have.
    pub(super) fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Four times the power of the bins of frames under a Hamming window, but for the first bin.
    ///
    /// # Shapes
    /// - `frames`: [`LANES`] frames of [`FRAME`] samples
    /// - `power`: `[FRAME / 2]`, [`LANES`] each
    pub(super) fn compute(&mut self, frames: &[&[f32]; LANES], power: &mut [Lanes]) {
        let tables = &*TABLES;
        self.rows.resize(HALF, ComplexLanes { re: [0.0; LANES], im: [0.0; LANES] });
        first_pass(&frames.map(|frame| frame.as_chunks().0), tables, &mut self.rows);
        later_passes(&mut self.rows, &tables.twiddles);
        split(&self.rows, tables, power);
    }
}

/// The window and the first pass: samples of even index are real parts, those of odd index imaginary parts.
#[multiversion]
fn first_pass(frames: &[&[[f32; 2]]; LANES], tables: &Tables, rows: &mut [ComplexLanes]) {
    let (first, second) = rows.split_at_mut(2 * QUARTER);
    let ((a, b), (c, d)) = (first.split_at_mut(QUARTER), second.split_at_mut(QUARTER));
    // Transposed, so that each lane is a frame: a few rows, which stay in the cache.
    let mut pairs = [[[[0.0_f32; 2]; LANES]; 4]; N_TRANSPOSED];
    for start in (0..QUARTER).step_by(N_TRANSPOSED) {
        for (lane, frame) in frames.iter().enumerate() {
            for quarter in 0..4 {
                let samples = &frame[start + quarter * QUARTER..][..N_TRANSPOSED];
                for (row, pair) in pairs.iter_mut().zip(samples) {
                    row[quarter][lane] = *pair;
                }
            }
        }
        for (j, pairs) in (start..).zip(&pairs) {
            let window = [0, 1, 2, 3].map(|quarter| tables.window[j + quarter * QUARTER]);
            let twiddles = [tables.twiddles[j], tables.twiddles[2 * j], tables.twiddles[3 * j]];
            windowed_butterfly(pairs, window, [&mut a[j], &mut b[j], &mut c[j], &mut d[j]], twiddles);
        }
    }
}

/// The other passes, in place: the bins are in digit-reversed order.
#[multiversion]
fn later_passes(rows: &mut [ComplexLanes], twiddles: &[Complex]) {
    for rows in rows.chunks_exact_mut(HALF / 4) {
        pass(rows, twiddles);
        for rows in rows.chunks_exact_mut(HALF / 16) {
            pass(rows, twiddles);
            for rows in rows.chunks_exact_mut(HALF / 64) {
                pass(rows, twiddles);
                for rows in rows.chunks_exact_mut(HALF / 256) {
                    pass(rows, twiddles);
                }
            }
        }
    }
}

#[inline(always)]
fn pass(rows: &mut [ComplexLanes], twiddles: &[Complex]) {
    let quarter = rows.len() / 4;
    let step = HALF / rows.len();
    let (first, second) = rows.split_at_mut(2 * quarter);
    let ((a, b), (c, d)) = (first.split_at_mut(quarter), second.split_at_mut(quarter));
    for (j, (((a, b), c), d)) in a.iter_mut().zip(b).zip(c).zip(d).enumerate() {
        butterfly(a, b, c, d, [twiddles[step * j], twiddles[2 * step * j], twiddles[3 * step * j]]);
    }
}

/// A butterfly of each frame. One loop over the lanes, so that this is the loop that is vectorised.
#[inline(always)]
fn butterfly(
    a: &mut ComplexLanes,
    b: &mut ComplexLanes,
    c: &mut ComplexLanes,
    d: &mut ComplexLanes,
    twiddles: [Complex; 3],
) {
    for lane in 0..LANES {
        let inputs = [
            (a.re[lane], a.im[lane]),
            (b.re[lane], b.im[lane]),
            (c.re[lane], c.im[lane]),
            (d.re[lane], d.im[lane]),
        ];
        let outputs = radix_4(inputs, twiddles);
        (a.re[lane], a.im[lane]) = outputs[0];
        (b.re[lane], b.im[lane]) = outputs[1];
        (c.re[lane], c.im[lane]) = outputs[2];
        (d.re[lane], d.im[lane]) = outputs[3];
    }
}

/// [`butterfly`] of windowed samples.
#[inline(always)]
fn windowed_butterfly(
    [first, second, third, fourth]: &[Pairs; 4],
    window: [[f32; 2]; 4],
    [a, b, c, d]: [&mut ComplexLanes; 4],
    twiddles: [Complex; 3],
) {
    for lane in 0..LANES {
        let inputs = [
            weighted(first[lane], window[0]),
            weighted(second[lane], window[1]),
            weighted(third[lane], window[2]),
            weighted(fourth[lane], window[3]),
        ];
        let outputs = radix_4(inputs, twiddles);
        (a.re[lane], a.im[lane]) = outputs[0];
        (b.re[lane], b.im[lane]) = outputs[1];
        (c.re[lane], c.im[lane]) = outputs[2];
        (d.re[lane], d.im[lane]) = outputs[3];
    }
}

#[inline(always)]
fn weighted(pair: [f32; 2], weights: [f32; 2]) -> Complex {
    (pair[0] * weights[0], pair[1] * weights[1])
}

/// Transform of length 4, with twiddle factors on the last three outputs.
#[inline(always)]
fn radix_4([a, b, c, d]: [Complex; 4], twiddles: [Complex; 3]) -> [Complex; 4] {
    let (sum_ac, sum_bd) = (add(a, c), add(b, d));
    let difference_ac = subtract(a, c);
    // The difference of b and d, times -i.
    let turned = (b.1 - d.1, d.0 - b.0);
    [
        add(sum_ac, sum_bd),
        multiply(add(difference_ac, turned), twiddles[0]),
        multiply(subtract(sum_ac, sum_bd), twiddles[1]),
        multiply(subtract(difference_ac, turned), twiddles[2]),
    ]
}

#[inline(always)]
fn add(a: Complex, b: Complex) -> Complex {
    (a.0 + b.0, a.1 + b.1)
}

#[inline(always)]
fn subtract(a: Complex, b: Complex) -> Complex {
    (a.0 - b.0, a.1 - b.1)
}

#[inline(always)]
fn multiply(a: Complex, b: Complex) -> Complex {
    (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0)
}

/// Power of the bins `k` and `HALF - k` of the real transform from these bins of the complex one, times 4.
#[multiversion]
fn split(rows: &[ComplexLanes], tables: &Tables, power: &mut [Lanes]) {
    for k in 1..=HALF / 2 {
        let (z, mirror) = (&rows[tables.rows[k]], &rows[tables.rows[HALF - k]]);
        let twiddle = tables.split[k];
        let (mut low, mut high) = ([0.0; LANES], [0.0; LANES]);
        for lane in 0..LANES {
            let even = (z.re[lane] + mirror.re[lane], z.im[lane] - mirror.im[lane]);
            let odd = (z.im[lane] + mirror.im[lane], mirror.re[lane] - z.re[lane]);
            let turned = multiply(odd, twiddle);
            let (sum, difference) = (add(even, turned), subtract(even, turned));
            low[lane] = sum.0 * sum.0 + sum.1 * sum.1;
            high[lane] = difference.0 * difference.0 + difference.1 * difference.1;
        }
        power[HALF - k] = high;
        power[k] = low;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::fourier::dft;

    #[test]
    fn the_power_of_each_frame_is_that_of_its_dft() {
        let noise = |seed: usize| -> Vec<f32> {
            (0..FRAME as u64)
                .map(|i| i.wrapping_mul(i + 77 * seed as u64) % 1009)
                .map(|x| x as f32 / 504.0 - 1.0)
                .collect()
        };
        let frames: [Vec<f32>; LANES] = std::array::from_fn(noise);
        let mut power = vec![[0.0; LANES]; FRAME / 2];
        PowerSpectrum::new().compute(&std::array::from_fn(|lane| &frames[lane][..]), &mut power);
        for (lane, frame) in frames.iter().enumerate() {
            let hamming = |i: usize| 0.54 - 0.46 * (2.0 * PI * i as f64 / (FRAME - 1) as f64).cos();
            let windowed: Vec<f32> = frame.iter().enumerate().map(|(i, x)| x * hamming(i) as f32).collect();
            for (k, bin) in dft(&windowed).iter().enumerate().take(FRAME / 2).skip(1) {
                let (found, expected) = (power[k][lane], 4.0 * bin.norm_sqr());
                assert!(
                    (found - expected).abs() < 1e-4 * (expected + 100.0),
                    "{lane}, {k}: {found}, {expected}"
                );
            }
        }
    }
}
