//! Copies of transposed blocks.

#![expect(unsafe_code, reason = "raw pointers; `matmul` has checked every extent")]

use super::vector::Vector;

/// Rows and columns that are transposed at once.
const SIDE: usize = 8;

/// Writes `n_rows` rows of `n_columns` numbers, whose rows start `to_stride` apart, from a matrix whose strides are arbitrary.
///
/// # Safety
/// The processor has the instructions of `V`. All elements may be read or written, and the two matrices do not overlap.
#[inline(always)]
pub(super) unsafe fn transpose<V: Vector>(
    from: *const f32,
    row_stride: usize,
    column_stride: usize,
    to: *mut f32,
    to_stride: usize,
    n_rows: usize,
    n_columns: usize,
) {
    // SAFETY: every place is an element of one of the matrices: rows are less than `n_rows` and columns less than `n_columns`, blocks of
    // `SIDE` included, since they begin at multiples of it below the largest one. Blocks are only read where rows are adjacent numbers.
    unsafe {
        let (whole_rows, whole_columns) =
            if row_stride == 1 { (n_rows / SIDE * SIDE, n_columns / SIDE * SIDE) } else { (0, 0) };
        for column in (0..whole_columns).step_by(SIDE) {
            for row in (0..whole_rows).step_by(SIDE) {
                let (from, to) = (from.add(row + column * column_stride), to.add(row * to_stride + column));
                V::transpose_8_by_8(from, column_stride, to, to_stride);
            }
        }
        for row in 0..n_rows {
            let first = if row < whole_rows { whole_columns } else { 0 };
            for column in first..n_columns {
                *to.add(row * to_stride + column) = *from.add(row * row_stride + column * column_stride);
            }
        }
    }
}
