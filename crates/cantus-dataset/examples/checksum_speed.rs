//! Speed of the CRC-32 of a feature store and of SHA-256, in GB/s on one thread, over 256 MB.

#![expect(clippy::print_stdout, reason = "an example that prints its result")]

use std::time::Instant;

use sha2::{Digest, Sha256};

fn main() {
    let bytes: Vec<u8> = (0..256_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    measure("crc32", &bytes, |bytes| u64::from(crc32fast::hash(bytes)));
    measure("sha256", &bytes, |bytes| u64::from(Sha256::digest(bytes)[0]));
}

fn measure(name: &str, bytes: &[u8], hash: impl Fn(&[u8]) -> u64) {
    let start = Instant::now();
    std::hint::black_box(hash(bytes));
    println!("{name}: {:.2} GB/s", bytes.len() as f64 / 1e9 / start.elapsed().as_secs_f64());
}
