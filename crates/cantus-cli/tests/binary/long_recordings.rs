//! Memory for a recording of three hours does not depend on its length.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::run::cantus_with_limit;

/// Address space of a command, in KiB: 700 MiB. The samples of the long recording have 909 MiB in memory.
const MEMORY_KIB: u64 = 700 << 10;
const SAMPLE_RATE: u32 = 22_050;
const LONG_S: u32 = 3 * 3600;
const SHORT_S: u32 = 20;

/// A WAV file of 16 bits that begins with a second of a square wave, and repeats it every ten minutes; the rest takes no space
/// on the disk.
pub fn write_recording(path: &Path, duration_s: u32, period: usize) {
    let (bytes_per_s, n_bytes) = (2 * SAMPLE_RATE, 2 * SAMPLE_RATE * duration_s);
    let mut header =
        [b"RIFF", &(n_bytes + 36).to_le_bytes()[..], b"WAVEfmt ", &16_u32.to_le_bytes()].concat();
    header.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    header.extend([SAMPLE_RATE, bytes_per_s].map(u32::to_le_bytes).concat());
    header.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    header.extend([b"data", &n_bytes.to_le_bytes()[..]].concat());
    let mut file = File::create(path).unwrap();
    file.write_all(&header).unwrap();
    let sample = |n: usize| if n % period < period / 2 { 8000_i16 } else { -8000 };
    let sound: Vec<u8> = (0..SAMPLE_RATE as usize).flat_map(|n| sample(n).to_le_bytes()).collect();
    for second in (0..duration_s).step_by(600) {
        file.seek(SeekFrom::Start(u64::from(44 + second * bytes_per_s))).unwrap();
        file.write_all(&sound).unwrap();
    }
    file.set_len(u64::from(n_bytes) + 44).unwrap();
}

#[test]
fn recordings_of_three_hours_are_processed_in_bounded_memory() {
    let dir = tempfile::tempdir().unwrap();
    for (label, period) in [("high", 20), ("low", 90)] {
        let folder = dir.path().join("MUSIC").join(label);
        fs::create_dir_all(&folder).unwrap();
        for number in 0..6 {
            write_recording(&folder.join(format!("{number}.wav")), SHORT_S, period + number);
        }
        write_recording(&folder.join("night.wav"), LONG_S, period);
    }
    let limit = format!("-v {MEMORY_KIB}");
    let in_limited_memory = |line: &str| cantus_with_limit(dir.path(), &limit, line);
    in_limited_memory("inspect MUSIC/high/night.wav");
    in_limited_memory("extract MUSIC -m logistic-regression --segment 1 -o features --jobs 2");
    // 30 windows of each long recording, the last of which ends with it, and the 20 of each short one.
    let info = in_limited_memory("store info features --json");
    assert!(info.stdout.contains("\"n_segments\": 300"), "{}", info.stdout);
    in_limited_memory("search features MUSIC/low/night.wav -k 3");
    in_limited_memory("train features -m logistic-regression -o run");
    let predicted = in_limited_memory("predict run MUSIC/high/night.wav MUSIC/low/night.wav");
    assert_eq!(predicted.stdout.lines().count(), 2, "{}", predicted.stdout);
}
