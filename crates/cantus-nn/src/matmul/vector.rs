//! The vectors of f32 of each instruction set, with the few operations that a matrix product needs.

#![expect(unsafe_code, reason = "vector instructions and pointers; see `Vector`")]

/// A vector of f32 in a register, with functions that may only be called on processors that have its instructions.
pub(super) trait Vector: Copy {
    /// Numbers in a vector.
    const N: usize;
    /// The largest number of rows of a tile that is 1, 2, 3 or 4 vectors wide, whose sums and factors fit into the registers; 0 if no
    /// tile is that wide.
    const MAX_ROWS: [usize; 4];

    /// `value` in all places.
    ///
    /// # Safety
    /// The processor has the instructions of the vector.
    unsafe fn splat(value: f32) -> Self;
    /// The `N` numbers at `from`.
    ///
    /// # Safety
    /// The processor has the instructions of the vector; `N` numbers at `from` may be read.
    unsafe fn load(from: *const f32) -> Self;
    /// The first `n ≤ N` numbers at `from`, and zeros; no others are read.
    ///
    /// # Safety
    /// The processor has the instructions of the vector; `n ≤ N`, and `n` numbers at `from` may be read.
    unsafe fn load_first(n: usize, from: *const f32) -> Self;
    /// Writes `N` numbers.
    ///
    /// # Safety
    /// The processor has the instructions of the vector; `N` numbers at `to` may be written.
    unsafe fn store(self, to: *mut f32);
    /// Writes the first `n ≤ N` numbers, and no others.
    ///
    /// # Safety
    /// The processor has the instructions of the vector; `n ≤ N`, and `n` numbers at `to` may be written.
    unsafe fn store_first(self, n: usize, to: *mut f32);
    /// `self · factor + sum`; rounded once if the instruction set has such an instruction.
    ///
    /// # Safety
    /// The processor has the instructions of the vector.
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self;

    /// Writes the transpose of 8 by 8 numbers, whose rows, and those of the result, start some numbers apart.
    ///
    /// # Safety
    /// The processor has the instructions of the vector; 8 numbers of each of 8 rows at `from` may be read, and at `to` written; the
    /// two do not overlap.
    #[inline(always)]
    unsafe fn transpose_8_by_8(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        for row in 0..8 {
            for column in 0..8 {
                // SAFETY: both places are in the 8 rows that the caller guarantees.
                unsafe { *to.add(column * to_stride + row) = *from.add(row * from_stride + column) };
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::*;

    use super::Vector;

    impl Vector for __m512 {
        const N: usize = 16;
        // Of 32 registers.
        const MAX_ROWS: [usize; 4] = [12, 12, 8, 6];

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: as the caller guarantees.
            unsafe { _mm512_set1_ps(value) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: as the caller guarantees.
            unsafe { _mm512_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn load_first(n: usize, from: *const f32) -> Self {
            // SAFETY: as the caller guarantees; only the `n` numbers of the mask are read.
            unsafe { _mm512_maskz_loadu_ps(first(n), from) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as the caller guarantees.
            unsafe { _mm512_storeu_ps(to, self) }
        }

        #[inline(always)]
        unsafe fn store_first(self, n: usize, to: *mut f32) {
            // SAFETY: as the caller guarantees; only the `n` numbers of the mask are written.
            unsafe { _mm512_mask_storeu_ps(to, first(n), self) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: as the caller guarantees.
            unsafe { _mm512_fmadd_ps(self, factor, sum) }
        }

        #[inline(always)]
        unsafe fn transpose_8_by_8(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
            // SAFETY: as the caller guarantees; a processor with these vectors has AVX.
            unsafe { transpose_8_by_8(from, from_stride, to, to_stride) }
        }
    }

    /// The mask of the first `n` of 16 numbers.
    #[inline(always)]
    fn first(n: usize) -> __mmask16 {
        ((1_u32 << n) - 1) as __mmask16
    }

    impl Vector for __m256 {
        const N: usize = 8;
        // Of 16 registers.
        const MAX_ROWS: [usize; 4] = [10, 6, 0, 0];

        #[inline(always)]
        unsafe fn splat(value: f32) -> Self {
            // SAFETY: as the caller guarantees.
            unsafe { _mm256_set1_ps(value) }
        }

        #[inline(always)]
        unsafe fn load(from: *const f32) -> Self {
            // SAFETY: as the caller guarantees.
            unsafe { _mm256_loadu_ps(from) }
        }

        #[inline(always)]
        unsafe fn load_first(n: usize, from: *const f32) -> Self {
            // SAFETY: as the caller guarantees; only the `n` numbers of the mask are read.
            unsafe { _mm256_maskload_ps(from, mask(n)) }
        }

        #[inline(always)]
        unsafe fn store(self, to: *mut f32) {
            // SAFETY: as the caller guarantees.
            unsafe { _mm256_storeu_ps(to, self) }
        }

        #[inline(always)]
        unsafe fn store_first(self, n: usize, to: *mut f32) {
            // SAFETY: as the caller guarantees; only the `n` numbers of the mask are written.
            unsafe { _mm256_maskstore_ps(to, mask(n), self) }
        }

        #[inline(always)]
        unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
            // SAFETY: as the caller guarantees.
            unsafe { _mm256_fmadd_ps(self, factor, sum) }
        }

        #[inline(always)]
        unsafe fn transpose_8_by_8(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
            // SAFETY: as the caller guarantees; a processor with these vectors has AVX.
            unsafe { transpose_8_by_8(from, from_stride, to, to_stride) }
        }
    }

    /// By exchange of numbers within pairs of rows, then of pairs, then of halves.
    ///
    /// # Safety
    /// As for [`Vector::transpose_8_by_8`], on a processor with AVX.
    #[inline(always)]
    unsafe fn transpose_8_by_8(from: *const f32, from_stride: usize, to: *mut f32, to_stride: usize) {
        // SAFETY: each load and store is of the 8 numbers of one of the 8 rows, which the caller guarantees; neither needs alignment.
        unsafe {
            let mut rows = [_mm256_setzero_ps(); 8];
            for (i, row) in rows.iter_mut().enumerate() {
                *row = _mm256_loadu_ps(from.add(i * from_stride));
            }
            // Columns 0 | 4, 1 | 5, 2 | 6 and 3 | 7 of each four rows.
            let mut fours = [[_mm256_setzero_ps(); 4]; 2];
            for (four, rows) in fours.iter_mut().zip(rows.as_chunks::<4>().0) {
                let (low, high) =
                    (_mm256_unpacklo_ps(rows[0], rows[1]), _mm256_unpackhi_ps(rows[0], rows[1]));
                let (low_2, high_2) =
                    (_mm256_unpacklo_ps(rows[2], rows[3]), _mm256_unpackhi_ps(rows[2], rows[3]));
                four[0] = _mm256_shuffle_ps::<0x44>(low, low_2);
                four[1] = _mm256_shuffle_ps::<0xee>(low, low_2);
                four[2] = _mm256_shuffle_ps::<0x44>(high, high_2);
                four[3] = _mm256_shuffle_ps::<0xee>(high, high_2);
            }
            let [upper, lower] = fours;
            for (i, (upper, lower)) in upper.into_iter().zip(lower).enumerate() {
                let (first, second) = (
                    _mm256_permute2f128_ps::<0x20>(upper, lower),
                    _mm256_permute2f128_ps::<0x31>(upper, lower),
                );
                _mm256_storeu_ps(to.add(i * to_stride), first);
                _mm256_storeu_ps(to.add((i + 4) * to_stride), second);
            }
        }
    }

    /// The mask of the first `n` of 8 numbers.
    ///
    /// # Safety
    /// The processor has AVX; `n ≤ 8`.
    #[inline(always)]
    unsafe fn mask(n: usize) -> __m256i {
        const MASKS: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
        // SAFETY: 8 of the 16 numbers are read, from 8 - n on, with 8 - n in 0..=8.
        unsafe { _mm256_loadu_si256(MASKS.as_ptr().add(8 - n).cast()) }
    }
}

/// Four numbers: a register of SSE2 or NEON, and plain numbers elsewhere.
#[derive(Clone, Copy)]
pub(super) struct Four([f32; 4]);

impl Vector for Four {
    const N: usize = 4;
    // Of 32 registers on aarch64, of 16 on x86-64.
    const MAX_ROWS: [usize; 4] = if cfg!(target_arch = "aarch64") { [12, 12, 8, 6] } else { [10, 6, 0, 0] };

    #[inline(always)]
    unsafe fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller guarantees; the read needs no alignment.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn load_first(n: usize, from: *const f32) -> Self {
        let mut values = [0.0; 4];
        // SAFETY: i < n, and `n` numbers may be read.
        (0..n).for_each(|i| values[i] = unsafe { *from.add(i) });
        Self(values)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as the caller guarantees; the write needs no alignment.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn store_first(self, n: usize, to: *mut f32) {
        // SAFETY: i < n, and `n` numbers may be written.
        (0..n).for_each(|i| unsafe { *to.add(i) = self.0[i] });
    }

    #[inline(always)]
    unsafe fn mul_add(self, factor: Self, sum: Self) -> Self {
        let of = |i: usize| {
            // SSE2 has no such instruction, and a call of a function would take a hundred times as long.
            if cfg!(target_arch = "x86_64") {
                self.0[i] * factor.0[i] + sum.0[i]
            } else {
                self.0[i].mul_add(factor.0[i], sum.0[i])
            }
        };
        Self([of(0), of(1), of(2), of(3)])
    }
}
