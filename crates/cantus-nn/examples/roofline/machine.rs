//! The data caches of the first processor, from Linux's `/sys`.

use std::fs;
use std::path::Path;

use serde::Serialize;

/// A data cache.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Cache {
    level: u32,
    bytes: usize,
    /// Number of processors that share it.
    shared_by: usize,
}

impl Cache {
    /// L1, L2, …
    pub(crate) fn name(&self) -> String {
        format!("L{}", self.level)
    }

    /// Bytes that all caches of this level hold which `n_threads` threads use, one thread on each processor from the first on.
    pub(crate) fn capacity(&self, n_threads: usize) -> usize {
        self.bytes * n_threads.div_ceil(self.shared_by)
    }
}

/// From the first level to the last. Typical sizes where the system does not say.
pub(crate) fn caches() -> Vec<Cache> {
    let mut found: Vec<Cache> = (0..8).filter_map(read).collect();
    if found.is_empty() {
        let typical = [(1, 32 << 10, 1), (2, 512 << 10, 1), (3, 8 << 20, usize::MAX)];
        found = typical.map(|(level, bytes, shared_by)| Cache { level, bytes, shared_by }).to_vec();
    }
    found.sort_by_key(|cache| cache.level);
    found
}

fn read(index: usize) -> Option<Cache> {
    let folder = Path::new("/sys/devices/system/cpu/cpu0/cache").join(format!("index{index}"));
    let text = |name: &str| Some(fs::read_to_string(folder.join(name)).ok()?.trim().to_owned());
    if text("type")? == "Instruction" {
        return None;
    }
    let size = text("size")?;
    let kib: usize = size.strip_suffix('K')?.parse().ok()?;
    let shared_by = text("shared_cpu_list")?.split(',').filter_map(n_processors).sum::<usize>().max(1);
    Some(Cache { level: text("level")?.parse().ok()?, bytes: kib << 10, shared_by })
}

/// Of a range such as `0-3`, or a single number.
fn n_processors(range: &str) -> Option<usize> {
    match range.split_once('-') {
        Some((first, last)) => Some(last.parse::<usize>().ok()?.checked_sub(first.parse().ok()?)? + 1),
        None => range.parse::<usize>().ok().map(|_| 1),
    }
}
