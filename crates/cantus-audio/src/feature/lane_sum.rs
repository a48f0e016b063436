//! Sums in parallel lanes, in a fixed order of additions that vectorises.
//!
//! Inlined into functions marked `#[multiversion]`, which are compiled for several instruction sets, one of which is
//! selected at run time. Additions are never fused or reordered, so that all give the same bits.

/// Number of parallel partial sums.
pub(super) const LANES: usize = 32;

/// Reduces the lanes to one number, pairwise; in fixed steps, so that they stay in registers.
#[inline(always)]
pub(super) fn join_lanes(lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let lanes: [f32; 16] = std::array::from_fn(|i| join(lanes[i], lanes[i + 16]));
    let lanes: [f32; 8] = std::array::from_fn(|i| join(lanes[i], lanes[i + 8]));
    let lanes: [f32; 4] = std::array::from_fn(|i| join(lanes[i], lanes[i + 4]));
    join(join(lanes[0], lanes[2]), join(lanes[1], lanes[3]))
}

/// The sum of the lanes.
#[inline(always)]
pub(super) fn sum_lanes(lanes: [f32; LANES]) -> f32 {
    join_lanes(lanes, |a, b| a + b)
}

/// `Σ values`.
#[inline(always)]
pub(super) fn sum(values: &[f32]) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, x)| *lane += x);
    }
    sum_lanes(lanes) + rest.iter().sum::<f32>()
}

/// `Σ term(a, b)` over two slices of equal length.
#[inline(always)]
pub(super) fn sum_of(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let ((a_chunks, a_rest), (b_chunks, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for ((lane, x), y) in lanes.iter_mut().zip(a).zip(b) {
            *lane += term(*x, *y);
        }
    }
    sum_lanes(lanes) + a_rest.iter().zip(b_rest).map(|(x, y)| term(*x, *y)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lane_sums_equal_plain_sums_of_any_length() {
        for n in [0, 1, 15, 16, 17, 100] {
            let values: Vec<f32> = (1..=n).map(|i| i as f32).collect();
            let expected = (n * (n + 1) / 2) as f32;
            assert_eq!(sum(&values), expected);
            assert_eq!(sum_of(&values, &values, |x, _| 2.0 * x), 2.0 * expected);
        }
    }
}
