//! Matrix products, where most of the time is spent.
//!
//! The product is computed by the `gemm` crate, which selects a kernel for the processor at run time; only its f32 crate is
//! built, which takes a fifth of the build time. It takes raw pointers; [`matmul`] checks once that every element is inside
//! its slice, and is safe to call. Its kernels require columns to be contiguous, so it is called for cᵀ = bᵀ aᵀ. A call runs on
//! one thread: training is parallelised above this level.

use gemm_common::Parallelism;
use gemm_f32::gemm::f32::get_gemm_fn;
use multiversion::multiversion;

/// A matrix in a slice: element (i, j) is `values[i * row_stride + j * column_stride]`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows` rows of `columns` numbers, one after another.
    pub(crate) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    /// Rows that start `row_stride` numbers apart; they may overlap or have gaps.
    pub(crate) fn strided(values: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        Self { values, rows, columns, row_stride, column_stride: 1 }
    }

    /// The transpose, as a view.
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// Whether the last element is inside the slice; false if its index overflows.
    fn fits(&self) -> bool {
        if self.rows == 0 || self.columns == 0 {
            return true;
        }
        let row = (self.rows - 1).checked_mul(self.row_stride);
        let column = (self.columns - 1).checked_mul(self.column_stride);
        let last = row.zip(column).and_then(|(row, column)| row.checked_add(column));
        last.is_some_and(|last| last < self.values.len())
    }
}

/// What a product does with the previous contents of its destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accumulate {
    Overwrite,
    Add,
}

/// `c = a · b`, or `c += a · b`; the rows of `c` start `c_row_stride` numbers apart.
///
/// # Panics
/// If the inner sizes differ or a matrix extends beyond its slice: an error in this crate, not in its input.
#[expect(unsafe_code, reason = "the gemm crate takes raw pointers; every extent is checked here")]
pub(crate) fn matmul(
    c: &mut [f32],
    c_row_stride: usize,
    a: Matrix<'_>,
    b: Matrix<'_>,
    accumulate: Accumulate,
) {
    let (m, k, n) = (a.rows, a.columns, b.columns);
    assert_eq!(k, b.rows, "inner sizes of a matrix product");
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= c_row_stride || m == 1, "rows of a product overlap");
    let c_len = (m - 1).checked_mul(c_row_stride).and_then(|start| start.checked_add(n));
    assert!(c_len.is_some_and(|len| len <= c.len()), "a product reaches beyond its slice");
    assert!(a.fits() && b.fits(), "a factor reaches beyond its slice");
    if k == 0 {
        // An empty sum; the slices may be empty.
        if accumulate == Accumulate::Overwrite {
            c.chunks_mut(c_row_stride.max(1)).take(m).for_each(|row| row[..n].fill(0.0));
        }
        return;
    }
    // The stride of a single row is never used, and may be less than its length: that of a transposed column is 1.
    let b_row_stride = if k == 1 { n } else { b.row_stride };
    if m == 1 && a.column_stride == 1 && b.column_stride == 1 && b_row_stride >= n {
        let c = &mut c[..n];
        if accumulate == Accumulate::Overwrite {
            c.fill(0.0);
        }
        return row_times_matrix(c, &a.values[..k], b.values, b_row_stride);
    }
    // SAFETY: element (i, j) of each matrix is at i * row_stride + j * column_stride; the checks above show
    // that the last one, and so every one, is inside its slice. `c` is borrowed mutably, so it overlaps
    // neither `a` nor `b`. Strides come from lengths of slices, which never exceed isize::MAX. With
    // `read_dst` false, `c` is only written.
    unsafe {
        get_gemm_fn()(
            n,
            m,
            k,
            c.as_mut_ptr(),
            c_row_stride as isize,
            1,
            accumulate == Accumulate::Add,
            b.values.as_ptr(),
            b.row_stride as isize,
            b.column_stride as isize,
            a.values.as_ptr(),
            a.row_stride as isize,
            a.column_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Size of a matrix that stays in the first- or second-level cache.
const CACHED: usize = 32_768;

/// `c += a · b` for a single row `a`, where each element of `b` is used once. A large `b` is read in the order of memory; a
/// small one in blocks of as many columns as fit into registers. Either way, each sum is taken in the order of `a`.
#[multiversion(targets = "simd")]
fn row_times_matrix(c: &mut [f32], a: &[f32], b: &[f32], b_row_stride: usize) {
    let (mut at, n) = (0, c.len());
    if a.len() * n <= CACHED {
        while n - at >= 16 {
            at += match n - at {
                96 => columns::<96>(&mut c[at..], a, &b[at..], b_row_stride),
                64.. => columns::<64>(&mut c[at..], a, &b[at..], b_row_stride),
                32.. => columns::<32>(&mut c[at..], a, &b[at..], b_row_stride),
                _ => columns::<16>(&mut c[at..], a, &b[at..], b_row_stride),
            };
        }
    }
    if at < n {
        rows(&mut c[at..], a, &b[at..], b_row_stride);
    }
}

/// `N` columns, summed in registers.
#[inline(always)]
fn columns<const N: usize>(c: &mut [f32], a: &[f32], b: &[f32], b_row_stride: usize) -> usize {
    if let Some(c) = c.first_chunk_mut::<N>() {
        let mut sums = *c;
        for (a, b) in a.iter().zip(b.chunks(b_row_stride)) {
            if let Some(b) = b.first_chunk::<N>() {
                sums.iter_mut().zip(b).for_each(|(sum, b)| *sum = a.mul_add(*b, *sum));
            }
        }
        *c = sums;
    }
    N
}

/// All columns, eight rows at a time to reduce reads and writes of `c`.
#[inline(always)]
fn rows(c: &mut [f32], a: &[f32], b: &[f32], b_row_stride: usize) {
    let n = c.len();
    let row = |i: usize| &b[i * b_row_stride..i * b_row_stride + n];
    let (eights, rest) = a.as_chunks::<8>();
    for (i, a) in eights.iter().enumerate() {
        let at = 8 * i;
        let first = row(at).iter().zip(row(at + 1)).zip(row(at + 2).iter().zip(row(at + 3)));
        let second = row(at + 4).iter().zip(row(at + 5)).zip(row(at + 6).iter().zip(row(at + 7)));
        for ((c, ((b0, b1), (b2, b3))), ((b4, b5), (b6, b7))) in c.iter_mut().zip(first).zip(second) {
            let low = a[3].mul_add(*b3, a[2].mul_add(*b2, a[1].mul_add(*b1, a[0].mul_add(*b0, *c))));
            *c = a[7].mul_add(*b7, a[6].mul_add(*b6, a[5].mul_add(*b5, a[4].mul_add(*b4, low))));
        }
    }
    for (i, a) in (8 * eights.len()..).zip(rest) {
        c.iter_mut().zip(row(i)).for_each(|(c, b)| *c = a.mul_add(*b, *c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_close, noise};

    /// The definition: c[i][j] = Σ a[i][l] · b[l][j].
    fn naive(a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
        let at =
            |m: &Matrix<'_>, i: usize, j: usize| f64::from(m.values[i * m.row_stride + j * m.column_stride]);
        let mut c = Vec::new();
        for i in 0..a.rows {
            for j in 0..b.columns {
                c.push((0..a.columns).map(|l| at(&a, i, l) * at(&b, l, j)).sum::<f64>() as f32);
            }
        }
        c
    }

    #[test]
    fn products_of_all_shapes_equal_the_definition() {
        let mut shapes = vec![(32, 130, 10), (1, 169, 51), (1, 400, 96), (65, 70, 48)];
        // Empty, one, and on both sides of the widths of `columns`.
        let sizes = [0, 1, 2, 3, 15, 16, 17, 33, 64, 65, 96, 97];
        for m in [0, 1, 2, 17] {
            shapes.extend(sizes.iter().flat_map(|&k| sizes.map(|n| (m, k, n))));
        }
        for (m, k, n) in shapes {
            let (a, b) = (noise(m * k, 1), noise(k * n, 2));
            let lefts = [Matrix::new(&a, m, k), Matrix::new(&a, k, m).transposed()];
            let rights = [Matrix::new(&b, k, n), Matrix::new(&b, n, k).transposed()];
            for (a, b) in lefts.into_iter().flat_map(|a| rights.map(|b| (a, b))) {
                let mut c = vec![f32::NAN; m * n];
                matmul(&mut c, n, a, b, Accumulate::Overwrite);
                assert_close(&c, &naive(a, b), 1e-5);
                matmul(&mut c, n, a, b, Accumulate::Add);
                assert_close(&c, &naive(a, b).iter().map(|x| 2.0 * x).collect::<Vec<_>>(), 1e-5);
            }
        }
    }

    #[test]
    fn gaps_between_rows_are_not_written() {
        let (a, b) = (noise(40, 3), noise(12, 4));
        let (a, b) = (Matrix::strided(&a, 4, 3, 10), Matrix::new(&b, 3, 4));
        let mut c = vec![7.0; 4 * 6];
        matmul(&mut c, 6, a, b, Accumulate::Overwrite);
        let expected = naive(a, b);
        for row in 0..4 {
            assert_close(&c[row * 6..row * 6 + 4], &expected[row * 4..row * 4 + 4], 1e-5);
            assert_eq!(c[row * 6 + 4..row * 6 + 6], [7.0, 7.0]);
        }
    }
}
