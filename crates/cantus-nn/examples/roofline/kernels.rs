//! Loops that do nothing but compute in registers, read, write or update, for each instruction set.

use std::error::Error;

/// Numbers that a loop accesses in one iteration, the same for all instruction sets.
pub(crate) const STRIDE: usize = 128;

/// A loop over numbers.
pub(crate) type Access = fn(&mut [f32]);

/// The loops of one instruction set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kernels {
    pub(crate) isa: &'static str,
    /// That many multiply-adds of every sum; returns the number of floating-point operations.
    pub(crate) fma: fn(usize) -> f64,
    pub(crate) read: Access,
    pub(crate) write: Access,
    /// x ← x a + b
    pub(crate) update: Access,
}

impl Kernels {
    /// The instruction set that `CANTUS_ISA` names, or the best of this processor.
    pub(crate) fn of_environment() -> Result<Self, Box<dyn Error>> {
        let name = std::env::var("CANTUS_ISA").ok().filter(|name| !name.is_empty());
        let available = available();
        match name {
            None => available.first().copied().ok_or_else(|| "no instruction set is known here".into()),
            Some(name) => available.iter().find(|kernels| kernels.isa == name).copied().ok_or_else(|| {
                let names: Vec<_> = available.iter().map(|kernels| kernels.isa).collect();
                format!("CANTUS_ISA={name}: this processor has {}", names.join(", ")).into()
            }),
        }
    }
}

/// The kernels of one instruction set, in a module of their own. `$sums` independent sums hide the latency of an addition.
macro_rules! kernels {
    ($isa:ident, $arch:ident, $feature:literal, $width:literal, $sums:literal, $unroll:literal,
     $set:expr, $load:expr, $store:expr, $fma:expr, $add:expr) => {
        mod $isa {
            use std::arch::$arch::*;
            use std::hint::black_box;

            const _: () = assert!($unroll * $width == super::STRIDE);

            pub(super) const KERNELS: super::Kernels =
                super::Kernels { isa: stringify!($isa), fma, read, write, update };

            #[expect(
                unsafe_code,
                reason = "a function for an instruction set that the compiler does not assume"
            )]
            fn fma(n: usize) -> f64 {
                // SAFETY: `available` lists these kernels only where the processor has the instructions.
                unsafe { fma_inside(n) }
            }

            #[expect(
                unsafe_code,
                reason = "a function for an instruction set that the compiler does not assume"
            )]
            fn read(values: &mut [f32]) {
                // SAFETY: as for `fma`.
                unsafe { read_inside(values) }
            }

            #[expect(
                unsafe_code,
                reason = "a function for an instruction set that the compiler does not assume"
            )]
            fn write(values: &mut [f32]) {
                // SAFETY: as for `fma`.
                unsafe { write_inside(values) }
            }

            #[expect(
                unsafe_code,
                reason = "a function for an instruction set that the compiler does not assume"
            )]
            fn update(values: &mut [f32]) {
                // SAFETY: as for `fma`.
                unsafe { update_inside(values) }
            }

            /// # Safety
            /// The processor has the instructions.
            #[target_feature(enable = $feature)]
            fn fma_inside(n: usize) -> f64 {
                // The sums converge to b / (1 - a) and stay normal numbers.
                let (a, b) = ($set(black_box(0.5)), $set(black_box(1.0)));
                let mut sums = [$set(black_box(0.0)); $sums];
                for _ in 0..n {
                    for sum in &mut sums {
                        *sum = $fma(*sum, a, b);
                    }
                }
                black_box(sums);
                (2 * n * $sums * $width) as f64
            }

            /// # Safety
            /// The processor has the instructions.
            #[target_feature(enable = $feature)]
            #[expect(unsafe_code, reason = "vectors are loaded from pointers")]
            fn read_inside(values: &[f32]) {
                // SAFETY: every load is inside a chunk of STRIDE = $unroll · $width numbers; loads need no alignment.
                unsafe {
                    let mut sums = [$set(0.0); $unroll];
                    for chunk in values.as_chunks::<{ super::STRIDE }>().0 {
                        for (i, sum) in sums.iter_mut().enumerate() {
                            *sum = $add(*sum, $load(chunk.as_ptr().add(i * $width)));
                        }
                    }
                    black_box(sums);
                }
            }

            /// # Safety
            /// The processor has the instructions.
            #[target_feature(enable = $feature)]
            #[expect(unsafe_code, reason = "vectors are stored to pointers")]
            fn write_inside(values: &mut [f32]) {
                // SAFETY: as in `read_inside`, for stores.
                unsafe {
                    let value = $set(black_box(1.0));
                    for chunk in values.as_chunks_mut::<{ super::STRIDE }>().0 {
                        for i in 0..$unroll {
                            $store(chunk.as_mut_ptr().add(i * $width), value);
                        }
                    }
                }
                black_box(values);
            }

            /// # Safety
            /// The processor has the instructions.
            #[target_feature(enable = $feature)]
            #[expect(unsafe_code, reason = "vectors are loaded from and stored to pointers")]
            fn update_inside(values: &mut [f32]) {
                // SAFETY: as in `read_inside`, for loads and stores.
                unsafe {
                    let (a, b) = ($set(black_box(0.5)), $set(black_box(1.0)));
                    for chunk in values.as_chunks_mut::<{ super::STRIDE }>().0 {
                        for i in 0..$unroll {
                            let at = chunk.as_mut_ptr().add(i * $width);
                            $store(at, $fma($load(at), a, b));
                        }
                    }
                }
                black_box(values);
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
kernels!(
    avx512,
    x86_64,
    "avx512f",
    16,
    24,
    8,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps
);
#[cfg(target_arch = "x86_64")]
kernels!(
    avx2,
    x86_64,
    "avx2,fma",
    8,
    12,
    16,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps
);
#[cfg(target_arch = "x86_64")]
kernels!(
    baseline,
    x86_64,
    "sse2",
    4,
    14,
    32,
    _mm_set1_ps,
    _mm_loadu_ps,
    _mm_storeu_ps,
    (|x, a, b| _mm_add_ps(_mm_mul_ps(x, a), b)),
    _mm_add_ps
);
#[cfg(target_arch = "aarch64")]
kernels!(
    neon,
    aarch64,
    "neon",
    4,
    24,
    32,
    vdupq_n_f32,
    vld1q_f32,
    vst1q_f32,
    (|x, a, b| vfmaq_f32(b, x, a)),
    vaddq_f32
);

/// The kernels that this processor can execute, the best first.
#[cfg(target_arch = "x86_64")]
fn available() -> Vec<Kernels> {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    let avx512 = avx2 && is_x86_feature_detected!("avx512f");
    let known = [(avx512, avx512::KERNELS), (avx2, avx2::KERNELS), (true, baseline::KERNELS)];
    known.into_iter().filter_map(|(present, kernels)| present.then_some(kernels)).collect()
}

/// AArch64 has NEON always, which is its baseline, too.
#[cfg(target_arch = "aarch64")]
fn available() -> Vec<Kernels> {
    vec![neon::KERNELS, Kernels { isa: "baseline", ..neon::KERNELS }]
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn available() -> Vec<Kernels> {
    Vec::new()
}
