//! The files of `../shared/data/cases` that concern decoding, with their right values; skipped where they are absent.

#![expect(clippy::print_stdout, reason = "a test that skips says so")]

use std::path::{Path, PathBuf};

use cantus_audio::decode::{CHANNELS_CANCEL, Recording, decode, decode_bytes};
use serde::Deserialize;

/// Tested by itself.
const RATE_CHANGE: &str = "mp3-rate-change/m14_22k_then_44k.mp3";

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    file: String,
    n_samples: Option<usize>,
    first_samples: Option<Vec<f32>>,
    error_names: Option<String>,
}

/// The folder of the cases; prints a line and returns `None` if it is absent.
fn folder() -> Option<PathBuf> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cases"));
    if !path.is_dir() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path.into())
}

fn reasons(recording: &Recording) -> Vec<(u64, &str)> {
    recording.warnings.iter().map(|warning| (warning.position, warning.reason.as_str())).collect()
}

#[test]
fn files_have_their_lengths_and_samples_and_what_is_unsupported_is_named() {
    let Some(folder) = folder() else { return };
    let cases: Cases = toml::from_str(&std::fs::read_to_string(folder.join("cases.toml")).unwrap()).unwrap();
    let (mut n_lengths, mut n_names, mut wrong) = (0, 0, Vec::new());
    for case in cases.case.into_iter().filter(|case| case.file != RATE_CHANGE) {
        match (case.n_samples, &case.error_names, decode(&folder.join(&case.file))) {
            (Some(n), _, found) => {
                n_lengths += 1;
                match found {
                    Ok(found) if found.audio.samples.len() == n => {
                        let expected = case.first_samples.unwrap_or_default();
                        let first = &found.audio.samples[..expected.len()];
                        if first.iter().zip(&expected).any(|(a, b)| (a - b).abs() > 1e-6) {
                            wrong.push(format!("{}: begins with {first:?}", case.file));
                        }
                    }
                    Ok(found) => wrong.push(format!(
                        "{}: {} instead of {n} samples, {:?}",
                        case.file,
                        found.audio.samples.len(),
                        found.warnings
                    )),
                    Err(error) => wrong.push(error.to_string()),
                }
            }
            (None, Some(name), Err(error)) if case.file.starts_with("wav-unsupported") => {
                n_names += 1;
                if !error.to_string().contains(name) {
                    wrong.push(format!("{}: {error}", case.file));
                }
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(n_lengths >= 10 && n_names >= 2);
}

#[test]
fn sizes_that_are_wrong_give_one_warning_each() {
    let Some(folder) = folder() else { return };
    for (file, position, part) in [
        ("wav-riff-size/w01_riffsize_short8.wav", 0, "all samples are read"),
        ("wav-riff-size/w29_data_plus8.wav", 44_100, "data ends early"),
        ("wav-riff-size/w03_data0.wav", 0, "declared size 0"),
    ] {
        let recording = decode(&folder.join(file)).unwrap();
        let found = reasons(&recording);
        assert!(found.len() == 1 && found[0].0 == position && found[0].1.contains(part), "{file}: {found:?}");
    }
}

#[test]
fn a_hole_is_named_and_replaced_by_silence_of_its_length() {
    let Some(folder) = folder() else { return };
    let whole = decode(&folder.join("mp3-hole/m04_raw.mp3")).unwrap();
    let holed = decode(&folder.join("mp3-hole/m19_hole.mp3")).unwrap();
    assert_eq!((whole.audio.samples.len(), holed.audio.samples.len()), (45_504, 45_504));
    assert!(whole.warnings.is_empty(), "{:?}", whole.warnings);
    let hole =
        holed.warnings.iter().find(|warning| warning.reason.starts_with("frames are missing")).unwrap();
    assert!((22_000..24_500).contains(&hole.position), "{hole:?}");
    assert!((6_000..9_000).contains(&hole.n_samples), "{hole:?}");
    let start = hole.position as usize + 1152;
    assert!(holed.audio.samples[start..start + 4000].iter().all(|x| x.abs() < 1e-4));
    assert_eq!(holed.audio.samples[..22_000], whole.audio.samples[..22_000]);
    assert_eq!(holed.audio.samples[36_000..], whole.audio.samples[36_000..]);
}

#[test]
fn a_picture_behind_an_mp3_is_no_sound() {
    let Some(folder) = folder() else { return };
    let whole = decode(&folder.join("mp3-hole/m04_raw.mp3")).unwrap();
    let tagged = decode(&folder.join("mp3-trailing-id3/m20_trailing_id3_jpeg.mp3")).unwrap();
    assert_eq!(reasons(&tagged), []);
    assert_eq!(tagged.audio, whole.audio);
}

#[test]
fn a_later_part_of_another_rate_is_resampled_to_the_first() {
    let Some(folder) = folder() else { return };
    let found = decode(&folder.join(RATE_CHANGE)).unwrap();
    assert_eq!((found.source.sample_rate, found.audio.sample_rate), (22_050, 22_050));
    assert_eq!(reasons(&found), [(45_504, "the sample rate changes to 44100 Hz; the output has 22050 Hz")]);
    // 79 frames of 576 samples at 22 050 Hz, then 78 of 1152 at 44 100 Hz. `cases.toml` has 576 more: ffmpeg inserts them
    // where the rate changes, at 22 050 Hz.
    assert_eq!(found.audio.samples.len(), 79 * 576 + 78 * 576);
    let first = decode(&folder.join("mp3-hole/m04_raw.mp3")).unwrap().audio.samples;
    assert_eq!(found.audio.samples[..45_504], first);
    let bytes = std::fs::read(folder.join(RATE_CHANGE)).unwrap();
    let second = decode_bytes("second.mp3".as_ref(), bytes[16_509..].to_vec()).unwrap().audio.samples;
    assert_eq!(found.audio.samples[45_504..], cantus_audio::resample::resample(&second, 44_100, 22_050));
}

#[test]
fn aac_begins_where_the_edit_list_says() {
    let Some(folder) = folder() else { return };
    let source = decode(&folder.join("m4a-priming/base.wav")).unwrap().audio.samples;
    let found = decode(&folder.join("m4a-priming/a01.m4a")).unwrap().audio.samples;
    let difference = |shift: usize| -> f32 {
        found[..40_000].iter().zip(&source[shift..]).map(|(a, b)| (a - b).powi(2)).sum::<f32>()
    };
    let best = (0..2000).min_by(|a, b| difference(*a).total_cmp(&difference(*b)));
    assert_eq!((best, found.len()), (Some(0), source.len()));
}

#[test]
fn nan_and_cancelled_channels_are_reported_for_what_they_are() {
    let Some(folder) = folder() else { return };
    let nan = decode(&folder.join("nan-position/w36_nan.wav")).unwrap();
    assert_eq!(reasons(&nan)[0], (1000, "samples are NaN or infinite"));
    let antiphase = decode(&folder.join("misleading/antiphase.wav")).unwrap();
    assert_eq!(reasons(&antiphase), [(0, CHANNELS_CANCEL)]);
    assert!(antiphase.audio.is_silent());
}
