//! The commands of the README's first half, as they stand, on recordings of other kinds than its songs: words, notes, drum hits,
//! and field recordings of an hour.

use std::fs;
use std::path::{Path, PathBuf};

use cantus_audio::{Audio, write_wav};

use crate::run::cantus_in;

const SAMPLE_RATE: u32 = 16_000;
/// Recordings of each label, but for field recordings.
const N_RECORDINGS: u64 = 8;

/// A linear congruential generator (Knuth's MMIX), good enough for noise.
struct Rng(u64);

impl Rng {
    /// In [0, 1).
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f64 / (1 << 24) as f64
    }

    /// Of mean 0 and deviation 1, nearly normal.
    fn normal(&mut self) -> f64 {
        (0..4).map(|_| self.uniform() - 0.5).sum::<f64>() * 3.0_f64.sqrt()
    }
}

/// The lines `$ cantus …` of the README before its section "More commands", without those of a server or of another data set.
fn commands() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = fs::read_to_string(readme).unwrap();
    let (first_half, _) = text.split_once("## More commands").unwrap();
    let lines = first_half.lines().filter_map(|line| line.strip_prefix("$ cantus "));
    let lines = lines.map(|line| line.split(" #").next().unwrap().trim());
    lines
        .filter(|line| !line.starts_with("serve") && !line.to_lowercase().contains("gtzan"))
        .map(str::to_owned)
        .collect()
}

/// Runs the commands on the folder `MUSIC` of `dir`; a song of the README is replaced by a recording of the folder.
fn run_commands(dir: &Path) {
    let commands = commands();
    assert!(commands.len() >= 5, "{commands:?}");
    let recording = first_recording(&dir.join("MUSIC"));
    for line in commands {
        let words = line.split(' ').map(|word| match word {
            song if song.starts_with("MUSIC/") => recording.display().to_string(),
            "MUSIC" | "features" | "run" => format!("@/{word}"),
            other => other.to_owned(),
        });
        let line = words.collect::<Vec<_>>().join(" ");
        cantus_in(dir, &line).ok();
    }
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(dir.join("run/report.json")).unwrap()).unwrap();
    assert!(report["n_tracks"].as_u64().unwrap() > 0, "{report}");
    assert!(report["left_out"].is_null(), "recordings are left out: {}", report["left_out"]);
}

fn first_recording(folder: &Path) -> PathBuf {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    match paths.into_iter().next().unwrap() {
        path if path.is_dir() => first_recording(&path),
        path => path,
    }
}

/// Writes eight recordings of each label; `sample` gives sample `i` of `n` of a recording.
fn write(
    dir: &Path,
    labels: &[&str],
    seconds: [f64; 2],
    sample: impl Fn(usize, u64, usize, usize, &mut Rng) -> f64,
) {
    for (label, name) in labels.iter().enumerate() {
        let folder = dir.join("MUSIC").join(name);
        fs::create_dir_all(&folder).unwrap();
        for number in 0..N_RECORDINGS {
            let mut rng = Rng(1000 * label as u64 + number);
            let duration = seconds[0] + (seconds[1] - seconds[0]) * rng.uniform();
            let n = (duration * f64::from(SAMPLE_RATE)) as usize;
            let samples = (0..n).map(|i| sample(label, number, i, n, &mut rng) as f32).collect();
            write_wav(folder.join(format!("{number}.wav")), &Audio { samples, sample_rate: SAMPLE_RATE })
                .unwrap();
        }
    }
}

fn sine(hz: f64, i: usize) -> f64 {
    (std::f64::consts::TAU * hz * i as f64 / f64::from(SAMPLE_RATE)).sin()
}

#[test]
fn the_commands_work_on_words() {
    let dir = tempfile::tempdir().unwrap();
    // Two formants over a voice of 100 to 170 Hz.
    let formants = [[300.0, 2300.0], [700.0, 1200.0], [400.0, 800.0]];
    write(dir.path(), &["one", "two", "three"], [0.15, 0.6], |label, number, i, n, rng| {
        let voice = 100.0 + 10.0 * number as f64;
        let harmonics = (1..20).map(|k| {
            let hz = voice * f64::from(k);
            let gain: f64 =
                formants[label].iter().map(|formant| (-((hz - formant) / 150.0).powi(2)).exp()).sum();
            gain * sine(hz, i)
        });
        let envelope = (std::f64::consts::PI * i as f64 / n as f64).sin();
        0.1 * envelope * harmonics.sum::<f64>() + 0.001 * rng.normal()
    });
    run_commands(dir.path());
}

#[test]
fn the_commands_work_on_notes() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &["clarinet", "flute", "oboe"], [0.1, 4.0], |label, number, i, n, rng| {
        let hz = 220.0 * (f64::from(number as u32) / 12.0).exp2();
        let step = if label == 0 { 2 } else { 1 };
        let decay = [0.9, 0.3, 0.8][label];
        let harmonics = (0..8).map(|k| f64::powi(decay, k) * sine(hz * f64::from(1 + k * step), i));
        let envelope = (1.0 - i as f64 / n as f64) * (i as f64 / 400.0).min(1.0);
        0.15 * envelope * harmonics.sum::<f64>() + 0.001 * rng.normal()
    });
    run_commands(dir.path());
}

#[test]
fn the_commands_work_on_drum_hits() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &["hat", "kick", "snare"], [0.05, 0.35], |label, number, i, _, rng| {
        let t = i as f64 / f64::from(SAMPLE_RATE);
        let decay = (-t * (20.0 + number as f64)).exp();
        let tone = sine(60.0 + 10.0 * number as f64, i);
        let [tonal, noisy] = [[0.0, 0.5], [0.9, 0.02], [0.4, 0.3]][label];
        decay * (tonal * tone + noisy * rng.normal()).clamp(-0.99, 0.99)
    });
    run_commands(dir.path());
}

/// Wind, and a call of half a second every twenty seconds or so, at 8 kHz and 8 bits.
#[test]
fn the_commands_work_on_field_recordings_of_an_hour() {
    const RATE: u32 = 8000;
    let dir = tempfile::tempdir().unwrap();
    for (label, hz) in [("cuckoo", 600.0), ("warbler", 2500.0)] {
        let folder = dir.path().join("MUSIC").join(label);
        fs::create_dir_all(&folder).unwrap();
        for number in 0..3_u64 {
            let mut rng = Rng(1000 * hz as u64 + number);
            let (mut wind, mut next_call) = (0.0_f64, 0_usize);
            let n = 3600 * RATE as usize;
            let mut bytes = header(n as u32, RATE);
            for i in 0..n {
                wind = 0.995 * wind + 0.02 * (rng.uniform() - 0.5);
                if i >= next_call + RATE as usize / 2 {
                    next_call = i + (RATE as f64 * 40.0 * rng.uniform()) as usize;
                }
                let t = i.saturating_sub(next_call) as f64 / f64::from(RATE);
                let call = if i > next_call {
                    0.3 * (std::f64::consts::TAU * hz * t * (1.0 + 0.2 * t)).sin()
                } else {
                    0.0
                };
                bytes.push((128.0 + 127.0 * (wind + call).clamp(-1.0, 1.0)) as u8);
            }
            fs::write(folder.join(format!("{number}.wav")), bytes).unwrap();
        }
    }
    run_commands(dir.path());
}

/// The header of a WAV file of `n` samples of 8 bits.
fn header(n: u32, rate: u32) -> Vec<u8> {
    let mut bytes = [b"RIFF", &(n + 36).to_le_bytes()[..], b"WAVEfmt ", &16_u32.to_le_bytes()].concat();
    for number in [1_u16, 1] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(rate.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    for number in [1_u16, 8] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(b"data");
    bytes.extend(n.to_le_bytes());
    bytes
}
