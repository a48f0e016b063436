//! Damaged, truncated and non-audio files give an error of one line or a warning, never a panic, in bounded memory.

#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};

use cantus_audio::Error;
use cantus_audio::decode::{Recording, decode, decode_bytes};
use cantus_random::KeyedRng;

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "sh"));
    paths.sort();
    assert!(paths.len() > 25);
    paths
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

fn from_memory(bytes: Vec<u8>) -> Result<Recording, Error> {
    decode_bytes("song.mp3".as_ref(), bytes)
}

fn message(bytes: Vec<u8>) -> String {
    from_memory(bytes).unwrap_err().to_string()
}

/// A RIFF chunk.
fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [name.as_slice(), &(data.len() as u32).to_le_bytes(), data].concat()
}

/// A 16-bit wav with this header.
fn wav(n_channels: u16, sample_rate: u32, data: &[u8]) -> Vec<u8> {
    let block = n_channels.wrapping_mul(2);
    let mut format = [1u16.to_le_bytes(), n_channels.to_le_bytes()].concat();
    format.extend(sample_rate.to_le_bytes());
    format.extend(sample_rate.wrapping_mul(u32::from(block)).to_le_bytes());
    format.extend([block.to_le_bytes(), 16u16.to_le_bytes()].concat());
    chunk(b"RIFF", &[b"WAVE".to_vec(), chunk(b"fmt ", &format), chunk(b"data", data)].concat())
}

/// A Sun .au with this header.
fn au(size: u32, encoding: u32, sample_rate: u32, n_channels: u32, data: &[u8]) -> Vec<u8> {
    let words = [28, size, encoding, sample_rate, n_channels, 0].map(u32::to_be_bytes);
    [b".snd", words.as_flattened(), data].concat()
}

#[test]
fn files_that_are_not_audio_are_rejected_by_type() {
    assert!(message(Vec::new()).starts_with("song.mp3: not audio: an empty file; supported formats: wav,"));
    assert!(
        message(b"These are the lyrics.\n".repeat(500)).starts_with("song.mp3: not audio: a text file; ")
    );
    assert!(message(vec![0; 100_000]).starts_with("song.mp3: not audio: an unknown format; "));
    assert!(message(b"\x89PNG\r\n\x1a\n".to_vec()).starts_with("song.mp3: not audio: a PNG image; "));
    let mut noise = vec![0; 500_000];
    let mut rng = KeyedRng::new([1]);
    noise.fill_with(|| rng.next_u64() as u8);
    assert!(message(noise).starts_with("song.mp3: not audio: an unknown format; "));
    let tag = [b"ID3\x04\0\0\0\0\x01\x02".as_slice(), &[0; 130]].concat();
    assert!(message(tag).starts_with("song.mp3: not audio: a tag without audio; "));
    assert!(matches!(from_memory(vec![0; 100]), Err(Error::NotAudio { .. })));
    assert!(
        matches!(from_memory(b"wvpk".to_vec()), Err(Error::Unsupported { name, .. }) if name.contains("WavPack"))
    );
}

#[test]
fn a_folder_and_a_missing_file_are_io_errors() {
    for path in [env!("CARGO_MANIFEST_DIR"), "no such file.wav"] {
        let error = decode(path.as_ref()).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }
}

#[test]
fn headers_over_the_limits_are_rejected() {
    for (bytes, expected) in [
        (wav(105, 44_100, &[0; 21_000]), "song.mp3: number of channels is 105, over the limit of 64"),
        (
            au(u32::MAX, 3, 44_100, 105, &[0; 21_000]),
            "song.mp3: number of channels is 105, over the limit of 64",
        ),
        (wav(2, 1_000_000_000, &[0; 400]), "song.mp3: sample rate is 1000000000, over the limit of 768000"),
        (
            au(400, 3, 4_000_000_000, 1, &[0; 400]),
            "song.mp3: sample rate is 4000000000, over the limit of 768000",
        ),
        (
            au(400, 3, 7, 1, &[0; 400]),
            "song.mp3: malformed au: the sample rate is 7 Hz, below the limit of 1000 Hz",
        ),
    ] {
        assert_eq!(message(bytes), expected);
    }
    assert_eq!(from_memory(wav(64, 8000, &[0; 1280])).unwrap().audio.samples.len(), 10);
    assert_eq!(from_memory(au(u32::MAX, 3, 8000, 64, &[0; 1280])).unwrap().audio.samples.len(), 10);
}

#[test]
fn malformed_sun_au_headers_are_errors() {
    let expect = |bytes: Vec<u8>, expected: &str| {
        assert!(message(bytes.clone()).contains(expected), "{}", message(bytes))
    };
    expect(au(8, 99, 8000, 1, &[0; 8]), "an encoding other than");
    expect(au(8, 3, 8000, 0, &[0; 8]), "no channels");
    expect(au(0, 3, 8000, 1, &[]), "no audio follows the header");
    expect(au(8, 3, 8000, 1, &[0; 8])[..20].to_vec(), "the file ends inside its header");
    let mut early = au(8, 3, 8000, 1, &[0; 8]);
    early[7] = 23;
    expect(early, "the samples begin inside the header");
}

#[test]
fn sun_au_of_unknown_or_wrong_length_is_decoded_to_the_end() {
    let data: Vec<u8> = [0x4000u16, 0xC000, 0x2000].iter().flat_map(|x| x.to_be_bytes()).collect();
    let unknown = from_memory(au(u32::MAX, 3, 8000, 1, &data)).unwrap();
    assert_eq!((unknown.audio.samples.as_slice(), unknown.warnings.len()), ([0.5, -0.5, 0.25].as_slice(), 0));
    let longer = from_memory(au(0x7FFF_FFFF, 3, 8000, 1, &data)).unwrap();
    assert_eq!(longer.audio.samples, [0.5, -0.5, 0.25]);
    assert_eq!((longer.warnings.len(), longer.warnings[0].position), (1, 3));
}

#[test]
fn non_finite_samples_become_zero_with_a_warning() {
    let samples = [0.5, f32::NAN, f32::INFINITY, -0.25].map(f32::to_be_bytes);
    let recording = from_memory(au(16, 6, 8000, 1, samples.as_flattened())).unwrap();
    assert_eq!(recording.audio.samples, [0.5, 0.0, 0.0, -0.25]);
    assert_eq!(recording.warnings.len(), 1);
    assert_eq!(
        (recording.warnings[0].n_samples, recording.warnings[0].reason.as_str()),
        (2, "samples are NaN or infinite")
    );
}

#[test]
fn a_truncated_file_is_decoded_to_its_end_with_a_warning() {
    for (name, n) in [("pcm_s16be.au", 240), ("flac.flac", 1600), ("pcm_s16le.wav", 240), ("mp3.mp3", 3200)] {
        let mut bytes = fixture(name);
        bytes.truncate(bytes.len() * 7 / 10);
        let recording = from_memory(bytes).unwrap();
        assert!(!recording.audio.samples.is_empty() && recording.audio.samples.len() < n, "{name}");
        assert!(!recording.warnings.is_empty(), "{name}: {} samples", recording.audio.samples.len());
    }
}

#[test]
fn a_damaged_frame_affects_only_itself() {
    let whole = from_memory(fixture("mp3.mp3")).unwrap().audio.samples;
    let mut bytes = fixture("mp3.mp3");
    // Invalid big_values in the side information of the fifth frame.
    let frame = bytes.len() / 9;
    bytes[4 * frame + 4..4 * frame + 21].fill(0xFF);
    let damaged = from_memory(bytes).unwrap();
    assert_eq!(damaged.audio.samples.len(), whole.len());
    assert!(!damaged.warnings.is_empty());
    assert_eq!(damaged.audio.samples[..500], whole[..500]);
    let differing = damaged.audio.samples.iter().zip(&whole).filter(|(a, b)| (*a - *b).abs() > 1e-3).count();
    assert!(differing > 100 && differing < 4 * 576, "{differing}");
}

#[test]
fn random_damage_gives_audio_or_an_error_but_no_panic() {
    let mut rng = KeyedRng::new([7]);
    for path in fixtures() {
        let whole = std::fs::read(&path).unwrap();

        for i in 0..N_DAMAGES {
            let mut bytes = whole.clone();
            match i % 3 {
                0 => bytes.truncate(rng.below(whole.len())),
                // Mostly the header.
                1 => damage(&mut bytes[..whole.len().min(200)], &mut rng),
                _ => damage(&mut bytes, &mut rng),
            }
            match from_memory(bytes) {
                Ok(recording) => {
                    assert!(recording.audio.samples.iter().all(|x| x.is_finite()), "{}", path.display())
                }
                Err(error) => assert!(!error.to_string().contains('\n'), "{error}"),
            }
        }
    }
}

/// Number of damaged copies of each fixture; `FUZZ=10000 cargo test` for more.
const N_DAMAGES: usize = match option_env!("FUZZ") {
    Some(n) => match usize::from_str_radix(n, 10) {
        Ok(n) => n,
        Err(_) => 0,
    },
    None => 300,
};

fn damage(bytes: &mut [u8], rng: &mut KeyedRng) {
    for _ in 0..1 + rng.below(7) {
        let i = rng.below(bytes.len());
        bytes[i] = match rng.below(3) {
            0 => bytes[i] ^ 1 << rng.below(8),
            1 => 0xFF,
            _ => rng.next_u64() as u8,
        };
    }
}
