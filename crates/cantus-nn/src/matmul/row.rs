//! The product of one row and a matrix, each number of which is used once.

use cantus_simd::multiversion;

/// Size of a matrix that stays in the first- or second-level cache.
const CACHED: usize = 32_768;

/// `c += a · b` for a single row `a`, where each element of `b` is used once. A large `b` is read in the order of memory; a
/// small one in blocks of as many columns as fit into registers. Either way, each sum is taken in the order of `a`.
#[multiversion]
pub(super) fn row_times_matrix(c: &mut [f32], a: &[f32], b: &[f32], b_row_stride: usize) {
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
