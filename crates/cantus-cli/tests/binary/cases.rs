//! The files of `../shared/data/cases` that concern commands other than decoding, with their right values; skipped where they are absent.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Ran, cantus_in};

/// The folder of the cases, and a temporary one; `None`, with a note, if it is absent.
fn cases() -> Option<(PathBuf, tempfile::TempDir)> {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/cases"));
    if !path.is_dir() {
        println!("skipped: {} is absent", path.display());
        return None;
    }
    Some((path.canonicalize().unwrap(), tempfile::tempdir().unwrap()))
}

/// Runs a command whose file is a case.
fn on_case(dir: &Path, before: &str, case: &Path, after: &str) -> Ran {
    let link = dir.join(case.file_name().unwrap());
    fs::copy(case, &link).unwrap();
    cantus_in(dir, &format!("{before} @/{} {after}", case.file_name().unwrap().to_str().unwrap()))
}

/// The values of a `.npy` file of little-endian f32, in the order in which they are stored, behind its header of version 1.
fn npy(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    let header_len = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let (values, _) = bytes[10 + header_len..].as_chunks::<4>();
    values.iter().map(|value| f32::from_le_bytes(*value)).collect()
}

/// Bands of the spectral contrast.
const N_BANDS: usize = 7;

#[test]
fn spectral_contrast_of_a_tone_is_librosas() {
    let Some((cases, dir)) = cases() else { return };
    let tone = cases.join("f32-fft-floor/t440.wav");
    on_case(dir.path(), "features -k spectral-contrast", &tone, "-o @/c.npy").ok();
    let (found, expected) =
        (npy(&dir.path().join("c.npy")), npy(&cases.join("f32-fft-floor/expected_librosa.npy")));
    assert_eq!(found.len(), expected.len());
    // librosa's array is in Fortran's order: a band after the other.
    let n_frames = found.len() / N_BANDS;
    let of_librosa = |i: usize| expected[(i % N_BANDS) * n_frames + i / N_BANDS];
    let worst = found.iter().enumerate().map(|(i, a)| (a - of_librosa(i)).abs()).fold(0.0, f32::max);
    assert!(worst < 0.1, "{worst} dB");
}

#[test]
fn settings_that_do_not_fit_the_signal_are_named() {
    let Some((cases, dir)) = cases() else { return };
    let short = cases.join("silent-edges/S_s500.wav");
    on_case(dir.path(), "features -k mfcc --center false", &short, "-o @/a.npy").exits(1).says(&["n_fft"]);
    let delta = cases.join("silent-edges/S_s3000.wav");
    let ran = on_case(dir.path(), "features -k mfcc-delta", &delta, "-o @/b.npy").ok();
    assert!(ran.stderr.contains("delta width 9") && ran.stderr.contains("6 frames"), "{}", ran.stderr);
}

#[test]
fn nan_and_divergence_are_named() {
    let Some((cases, dir)) = cases() else { return };
    on_case(dir.path(), "extract", &cases.join("misleading/nan.json"), "-o @/f").exits(1).says(&["NaN"]);
    on_case(dir.path(), "extract", &cases.join("nan-weights/data.json"), "-o @/g").ok();
    let train = "train @/g -m mlp --learning-rate 1e20 --epochs 4 --split segment -o @/run -q";
    let ran = cantus_in(dir.path(), train).exits(1);
    assert!(ran.stderr.contains("diverged"), "{}", ran.stderr);
}

#[test]
fn manifests_of_spreadsheets_and_of_windows_are_read() {
    let Some((cases, dir)) = cases() else { return };
    for name in ["semi", "tab", "back"] {
        fs::copy(cases.join(format!("manifests/{name}.csv")), dir.path().join(format!("{name}.csv")))
            .unwrap();
        // The recordings are not there; the manifest is understood if each of them is missed by its path.
        let ran = cantus_in(dir.path(), &format!("inspect @/{name}.csv")).exits(1);
        assert!(ran.stderr.contains("jazz.00000.wav: No such file"), "{name}: {}", ran.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_above_the_folder_and_back_adds_no_recording() {
    let Some((cases, dir)) = cases() else { return };
    let data = dir.path().join("above/data");
    for label in fs::read_dir(cases.join("symlink-cycle/data")).unwrap() {
        let label = label.unwrap();
        let copy = data.join(label.file_name());
        fs::create_dir_all(&copy).unwrap();
        for file in fs::read_dir(label.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    std::os::unix::fs::symlink("../..", data.join("jazz/up")).unwrap();
    let text = cantus_in(dir.path(), "inspect @/above/data").exits(3).stdout;
    assert!(text.contains("4 recordings") && text.contains("jazz 2, rock 2"), "{text}");
}
