//! The kind of a processor, as far as sums of floating-point numbers depend on it.

use std::fs;

/// The widest instructions and the size of each cache: the kernel and the block sizes of matrix products depend on them.
pub fn kind() -> String {
    let caches = (0..4).filter_map(|index| {
        let folder = format!("/sys/devices/system/cpu/cpu0/cache/index{index}");
        let read = |name: &str| fs::read_to_string(format!("{folder}/{name}")).ok();
        let (level, size) = (read("level")?, read("size")?);
        (read("type")?.trim() != "Instruction").then(|| format!("L{} {}", level.trim(), size.trim()))
    });
    let caches: Vec<String> = caches.collect();
    format!("{}-{} {}, {}", std::env::consts::OS, std::env::consts::ARCH, instructions(), caches.join(", "))
}

#[cfg(target_arch = "x86_64")]
fn instructions() -> &'static str {
    if is_x86_feature_detected!("avx512f") {
        "AVX-512"
    } else if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        "AVX2"
    } else {
        "SSE"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn instructions() -> &'static str {
    "NEON"
}
