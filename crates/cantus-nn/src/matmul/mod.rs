//! Matrix products, where most of the time is spent.
//!
//! [`matmul`] checks once that every element is inside its slice, and selects the kernel for the instruction set in use; a product with
//! one row has a kernel of its own, since each number of its right factor is used once. A call runs on one thread: training is
//! parallelised above this level.

mod row;
mod tiles;
mod transpose;
mod vector;

use cantus_simd::InstructionSet;

use row::row_times_matrix;
use tiles::{Sizes, Strided, product};

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

    fn strides(&self) -> Strided {
        Strided {
            start: self.values.as_ptr(),
            row_stride: self.row_stride,
            column_stride: self.column_stride,
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
#[expect(unsafe_code, reason = "kernels take raw pointers; every extent is checked here")]
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
    // neither `a` nor `b`.
    unsafe {
        multiply(Sizes { m, n, k }, c.as_mut_ptr(), c_row_stride, accumulate, a.strides(), b.strides());
    }
}

/// [`product`] with the vectors of the instruction set in use.
///
/// # Safety
/// As for [`product`], but for the instructions.
#[expect(unsafe_code, reason = "raw pointers, and instructions that not every processor has")]
unsafe fn multiply(
    sizes: Sizes,
    c: *mut f32,
    c_row_stride: usize,
    accumulate: Accumulate,
    a: Strided,
    b: Strided,
) {
    /// # Safety
    /// As for [`product`].
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,bmi1,bmi2")]
    unsafe fn avx512(sizes: Sizes, c: *mut f32, c_row_stride: usize, add: bool, a: Strided, b: Strided) {
        // SAFETY: as the caller guarantees.
        unsafe { product::<std::arch::x86_64::__m512>(sizes, c, c_row_stride, add, a, b) }
    }

    /// # Safety
    /// As for [`product`].
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,fma,bmi1,bmi2")]
    unsafe fn avx2(sizes: Sizes, c: *mut f32, c_row_stride: usize, add: bool, a: Strided, b: Strided) {
        // SAFETY: as the caller guarantees.
        unsafe { product::<std::arch::x86_64::__m256>(sizes, c, c_row_stride, add, a, b) }
    }

    let add = accumulate == Accumulate::Add;
    // SAFETY: as for this function; the processor has the instructions of the current set.
    unsafe {
        match InstructionSet::current() {
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx512 => avx512(sizes, c, c_row_stride, add, a, b),
            #[cfg(target_arch = "x86_64")]
            InstructionSet::Avx2 => avx2(sizes, c, c_row_stride, add, a, b),
            _ => product::<vector::Four>(sizes, c, c_row_stride, add, a, b),
        }
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
        // Empty, one, and on both sides of the widths of `columns`. Fewer in Miri, which takes a thousand times as long.
        let mut sizes = vec![0, 1, 2, 3, 15, 16, 17, 33, 64, 65, 96, 97];
        if cfg!(miri) {
            (shapes, sizes) = (vec![(1, 60, 97), (13, 9, 66)], vec![0, 1, 3, 17]);
        }
        for m in [0, 1, 2, 17] {
            shapes.extend(sizes.iter().flat_map(|&k| sizes.iter().map(move |&n| (m, k, n))));
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

    /// Sizes of which a part goes through each way to copy and divide: several blocks of terms and of columns, tiles of all heights
    /// and widths, rows near and far.
    #[test]
    fn products_at_real_sizes_have_the_bits_of_the_sums_in_order() {
        let mut sizes = vec![
            (32, 1690, 64),
            (32, 64, 512),
            (208, 13, 256),
            (16, 64, 256),
            (96, 62, 32),
            (150, 300, 200),
            (7, 513, 321),
        ];
        if cfg!(miri) {
            // The least that needs two blocks of each kind, and the copy of rows that are far apart.
            sizes = vec![(7, 20, 66), (50, 2, 66)];
        }
        for (m, k, n) in sizes {
            for (right_stride, transposed) in [(0, false), (300, false), (0, true)] {
                let right_stride = if transposed { k } else { n + right_stride };
                let (a, b) = (noise(m * k, 1), noise(right_stride * k.max(n), 2));
                let lefts = [Matrix::new(&a, m, k), Matrix::new(&a, k, m).transposed()];
                let right = if transposed {
                    Matrix::strided(&b, n, k, right_stride).transposed()
                } else {
                    Matrix::strided(&b, k, n, right_stride)
                };
                for left in lefts {
                    let mut c = noise(m * n, 3);
                    let expected = in_order(&c, left, right);
                    matmul(&mut c, n, left, right, Accumulate::Add);
                    assert!(
                        c == expected,
                        "{m} x {k} x {n}, rows {right_stride} apart, transposed: {transposed}"
                    );
                }
            }
        }
    }

    /// c + a · b, each sum in order, and each term rounded once where the instruction set can.
    fn in_order(c: &[f32], a: Matrix<'_>, b: Matrix<'_>) -> Vec<f32> {
        let fused = InstructionSet::current() > InstructionSet::Baseline || !cfg!(target_arch = "x86_64");
        let term = |sum: f32, i: usize, j: usize, l: usize| {
            let x = a.values[i * a.row_stride + l * a.column_stride];
            let y = b.values[l * b.row_stride + j * b.column_stride];
            if fused { x.mul_add(y, sum) } else { x * y + sum }
        };
        let sum =
            |at: usize| (0..a.columns).fold(c[at], |sum, l| term(sum, at / b.columns, at % b.columns, l));
        (0..c.len()).map(sum).collect()
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
