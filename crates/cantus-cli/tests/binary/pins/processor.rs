//! The kind of a processor, as far as sums of floating-point numbers depend on it.

/// Whether products are rounded together with the addition that follows (AVX2, AVX-512 and NEON), or before it: the only difference that
/// instruction sets make in products of matrices. Fourier transforms and logarithms depend on the architecture.
pub fn kind() -> String {
    format!("{}-{} {}", std::env::consts::OS, std::env::consts::ARCH, instructions())
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> &'static str {
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") { "FMA" } else { "SSE2" }
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> &'static str {
    "FMA"
}
