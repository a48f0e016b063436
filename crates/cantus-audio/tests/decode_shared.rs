//! Real music and conformance streams, which are not in the repository; skipped if `../shared/data` is absent.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test, which says when it skips")]

use std::path::{Path, PathBuf};

use cantus_audio::decode::{DecodeWarning, decode};

/// A folder of the shared data; prints a line and returns `None` if it is absent.
fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")).join(folder);
    if !path.is_dir() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}

/// The files of a folder with this extension, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == extension)).collect();
    files.sort();
    files
}

fn rms(samples: impl ExactSizeIterator<Item = f32>) -> f64 {
    let n = samples.len() as f64;
    (samples.map(|x| f64::from(x) * f64::from(x)).sum::<f64>() / n).sqrt()
}

#[test]
fn gtzan_au_files_start_with_the_samples_of_their_clips() {
    let Some((au, clips)) = shared("gtzan-au").zip(shared("gtzan-clips")) else { return };
    let tracks = files(&au, "au");
    assert_eq!(tracks.len(), 10);
    for track in tracks {
        let name = track.file_stem().unwrap().to_str().unwrap();
        let clip = clips.join(name.split('.').next().unwrap()).join(format!("{name}.wav"));
        let (track, clip) = (decode(&track).unwrap(), decode(&clip).unwrap());
        assert_eq!((track.warnings.len(), clip.warnings.len()), (0, 0), "{name}");
        assert!(track.audio.samples.len() > 29 * 22_050, "{name}");
        assert!(track.audio.samples.starts_with(&clip.audio.samples), "{name}");
    }
}

/// Streams that are decoded differently than by minimp3, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("l2-nonstandard-fl1_fl2_ff", "free format: not supported by Symphonia"),
    ("l2-nonstandard-free_format", "free format"),
    (
        "l2-nonstandard-test32-size",
        "minimp3 drops a damaged frame; here it is replaced by silence of its length",
    ),
    ("l3-he_free", "free format"),
    ("l3-he_mode", "mono and stereo alternate, and so does the reference's interleaving; see below"),
    ("l3-nonstandard-compl-sideinfo-bigvalues", "a damaged frame"),
    ("l3-nonstandard-compl-sideinfo-blocktype", "a damaged frame"),
    ("l3-nonstandard-compl-sideinfo-size", "a damaged frame"),
    ("l3-nonstandard-vbrtag-corrupted", "a damaged Xing header is decoded as a silent frame"),
    ("l3-si_block", "amplitudes 60 dB beyond full scale"),
    ("l3-test45", "MPEG 2 intensity stereo, where mpg123 also differs from minimp3"),
    ("l3-test46", "MPEG 2 intensity stereo"),
];

#[test]
fn mpeg_streams_equal_minimp3s_output() {
    let Some(folder) = shared("codecs/minimp3/vectors") else { return };
    let (mut n_streams, mut worst, mut wrong) = (0, (0.0, String::new()), Vec::new());
    for stream in files(&folder, "bit") {
        let name = stream.file_stem().unwrap().to_str().unwrap().to_owned();
        let Ok(pcm) = std::fs::read(stream.with_extension("pcm")) else { continue };
        n_streams += 1;
        match compare(&stream, &pcm) {
            Ok(error) if error < 1e-4 => worst = if error > worst.0 { (error, name) } else { worst },
            Ok(error) => wrong.push((name, format!("rms error {error:.2e}"))),
            Err(error) => wrong.push((name, error)),
        }
    }
    println!("{n_streams} streams, worst rms error {:.2e} ({})", worst.0, worst.1);
    for (name, what) in &wrong {
        println!("{name}: {what}");
    }
    let expected: Vec<_> = DIFFERENT.iter().map(|(name, _)| *name).collect();
    assert_eq!(wrong.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected);
}

/// RMS error against interleaved 16-bit PCM, at the best of a few alignments.
fn compare(stream: &Path, pcm: &[u8]) -> Result<f64, String> {
    let recording = match decode(stream) {
        Ok(recording) => recording,
        // Tags and headers only: empty there, an error here.
        Err(_) if pcm.is_empty() => return Ok(0.0),
        Err(error) => return Err(error.to_string()),
    };
    let pcm: Vec<f32> =
        pcm.as_chunks().0.iter().map(|&bytes| f32::from(i16::from_le_bytes(bytes)) / 32_768.0).collect();
    let n_channels = usize::from(recording.source.n_channels);
    let expected: Vec<f32> =
        pcm.chunks_exact(n_channels).map(|frame| frame.iter().sum::<f32>() / n_channels as f32).collect();
    // The reference is clipped to 16 bits.
    let found: Vec<f32> = recording.audio.samples.iter().map(|x| x.clamp(-1.0, 1.0)).collect();
    // ISO's references continue after the end of their streams; others lack a frame or two at the ends.
    let error = |a: &[f32], b: &[f32]| rms(a.iter().zip(b).map(|(a, b)| a - b));
    let errors =
        [0, 576, 1152, 2304].map(|n| found.get(n..).map_or(f64::INFINITY, |found| error(found, &expected)));
    Ok(errors.into_iter().fold(f64::INFINITY, f64::min))
}

#[test]
fn mono_and_stereo_may_alternate_and_another_sample_rate_gives_a_warning() {
    let Some(folder) = shared("codecs/minimp3/vectors") else { return };
    let modes = decode(&folder.join("l3-he_mode.bit")).unwrap();
    assert_eq!(modes.audio.samples.len(), 147_456);
    // Two changes; the bit reservoir of a new decoder is empty, which affects up to two frames each.
    assert!(
        modes.warnings.iter().map(|warning| warning.n_samples).sum::<u64>() <= 4 * 1152,
        "{:?}",
        modes.warnings
    );
    let silent = modes.audio.samples.chunks(1152).filter(|frame| frame.iter().all(|&x| x == 0.0)).count();
    assert!(silent <= 6, "{silent} silent frames");
    let rates = decode(&folder.join("l3-nonstandard-he_44_48khz.bit")).unwrap();
    assert_eq!(rates.warnings.len(), 1);
    assert_eq!(rates.warnings[0].reason, "the sample rate changes to 48000 Hz; the output has 44100 Hz");
}

#[test]
fn minimp3s_fuzzed_streams_do_not_panic() {
    let Some(folder) = shared("codecs/minimp3/vectors/fuzz") else { return };
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match decode(&path) {
            Ok(recording) => {
                assert!(recording.audio.samples.iter().all(|x| x.is_finite()), "{}", path.display())
            }
            Err(error) => assert!(!error.to_string().contains('\n')),
        }
    }
}

#[test]
fn odd_wav_headers_are_read_and_malformed_ones_are_errors() {
    let Some(folder) = shared("codecs/hound/testsamples") else { return };
    let good = files(&folder, "wav");
    assert_eq!(good.len(), 16);
    for path in good {
        let recording = decode(&path).unwrap();
        assert!(!recording.audio.samples.is_empty(), "{}", path.display());
        // The sizes in some of their headers are wrong.
        let is_harmless = |warning: &DecodeWarning| warning.reason.ends_with("all samples are read");
        assert!(recording.warnings.iter().all(is_harmless), "{}: {:?}", path.display(), recording.warnings);
    }
    for path in files(&folder.join("fuzz"), "wav") {
        assert!(decode(&path).is_err(), "{}", path.display());
    }
}

#[test]
fn emotify_mp3s_have_their_full_length() {
    let Some(folder) = shared("emotify") else { return };
    for label in ["classical", "electronic", "pop", "rock"] {
        for path in files(&folder.join(label), "mp3").iter().take(3) {
            let recording = decode(path).unwrap();
            assert_eq!((recording.source.sample_rate, recording.source.n_channels), (44_100, 2));
            // 1150 frames less the encoder's delay, as soundfile 0.14 (libsndfile 1.2.2, mpg123) reads them.
            assert_eq!(recording.audio.samples.len(), 1_324_271, "{}", path.display());
            assert_eq!(recording.warnings, [], "{}", path.display());
        }
    }
}
