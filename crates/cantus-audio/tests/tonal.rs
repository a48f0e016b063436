//! Pitch and rhythm compared with librosa 0.11: the numbers in `reference/tonal.json`, of a synthetic tune, and in
//! `reference/tonal_music.json`, of real music. `reference/tonal.py` made them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may panic, and print differences with --nocapture"
)]

#[path = "../src/assert_close.rs"]
mod assert_close;
mod music;

use std::f64::consts::TAU;

use assert_close::assert_close;
use cantus_audio::feature::beat::{BeatConfig, BeatTracker};
use cantus_audio::feature::chroma_cqt::{ChromaCqt, ChromaCqtConfig};
use cantus_audio::feature::chroma_stft::{ChromaConfig, ChromaStft};
use cantus_audio::feature::onset::{Aggregate, OnsetConfig, OnsetStrength};
use cantus_audio::feature::tempo::{Tempo, TempoConfig};
use cantus_audio::feature::tempogram::{Tempogram, TempogramConfig};
use cantus_audio::feature::tonnetz::Tonnetz;
use cantus_audio::feature::tuning::TuningEstimator;
use cantus_audio::feature::{FeatureKind, FeatureSpec, TrackFeatureKind};
use cantus_audio::transform::hpss::hpss;
use cantus_audio::transform::{Cqt, CqtConfig, Hpss, HpssConfig, Norm, PadMode, Stft, StftConfig, Window};
use serde::Deserialize;
use serde_json::Value;

const TUNE: [i32; 8] = [0, 7, 12, 3, 15, 10, 8, 5];

/// Some rows of a long result.
#[derive(Deserialize)]
struct Rows {
    n_frames: usize,
    frames: Vec<usize>,
    rows: Vec<Vec<f64>>,
}

impl Rows {
    /// Keeps only the frames for which `is_kept` is true.
    fn keep(&mut self, is_kept: impl Fn(usize) -> bool) {
        let frames = self.frames.clone();
        let mut kept = frames.iter().map(|t| is_kept(*t));
        self.rows.retain(|_| kept.next().unwrap_or(false));
        self.frames.retain(|t| is_kept(*t));
    }
}

#[derive(Deserialize)]
struct Case {
    name: String,
    options: Value,
    #[serde(flatten)]
    rows: Option<Rows>,
    values: Option<Vec<f64>>,
}

fn reference<T: serde::de::DeserializeOwned>(key: &str) -> T {
    let all: Value = serde_json::from_str(include_str!("reference/tonal.json")).unwrap();
    serde_json::from_value(all[key].clone()).unwrap()
}

/// The signal of `tonal.py`: plucked notes, and a click at the beginning of each.
fn signal() -> Vec<f32> {
    let mut state = 1u32;
    (0..6 * 22_050)
        .map(|n| {
            let (since, beat) = (f64::from(n % 12_250), n as usize / 12_250);
            let note = f64::from(TUNE[beat % TUNE.len()]) / 12.0 + 17.0 / 1200.0;
            let overtone = |k: f64| {
                let turns = 220.0 * note.exp2() * k * since / 22_050.0;
                6000.0 / k * (TAU * turns).sin() * (-since / 6000.0).exp()
            };
            let tone: f64 = [1.0, 2.0, 3.0, 4.0].map(overtone).iter().sum();
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = f64::from(state >> 16) / 32_768.0 - 1.0;
            let sound = tone + 8000.0 * noise * (-since / 300.0).exp() + 20.0 * noise;
            (sound.round_ties_even() / 32_768.0) as f32
        })
        .collect()
}

/// Compares some rows of a matrix with librosa's.
#[track_caller]
fn assert_rows_close(what: &str, found: &[f32], expected: &Rows, tolerance: f64) {
    let n_bins = expected.rows[0].len();
    assert_eq!(found.len(), expected.n_frames * n_bins, "{what}: number of values");
    let mut worst = 0.0f64;
    for (t, row) in expected.frames.iter().zip(&expected.rows) {
        let found = &found[t * n_bins..(t + 1) * n_bins];
        for (found, expected) in found.iter().zip(row) {
            worst = worst.max((f64::from(*found) - expected).abs());
        }
        if worst > tolerance {
            println!("{what}, frame {t}");
            assert_close(found, row, tolerance);
        }
    }
    println!("{what}: at worst {:.1e} of the largest value", worst / largest(expected));
}

fn largest(rows: &Rows) -> f64 {
    rows.rows.iter().flatten().fold(0.0, |largest, x| x.abs().max(largest))
}

fn norm(options: &Value, default: Norm) -> Norm {
    match options.get("norm") {
        None => default,
        Some(Value::Null) => Norm::None,
        Some(Value::Number(p)) if p.as_f64() == Some(1.0) => Norm::L1,
        Some(Value::Number(_)) => Norm::L2,
        Some(other) => panic!("{other}"),
    }
}

fn usize_of(options: &Value, key: &str, default: usize) -> usize {
    options[key].as_u64().map_or(default, |x| x as usize)
}

fn log_mel(samples: &[f32]) -> Vec<f32> {
    let spec = FeatureSpec { kinds: vec![FeatureKind::LogMel], ..FeatureSpec::default() };
    spec.extractor().unwrap().extract(samples).values
}

fn onset_strength(config: OnsetConfig, samples: &[f32]) -> Vec<f32> {
    let log_mel = log_mel(samples);
    let mut strength = vec![0.0; log_mel.len() / 128];
    OnsetStrength::new(config).unwrap().apply(&log_mel, 128, &mut strength);
    strength
}

#[test]
fn the_test_signal_equals_that_of_the_script() {
    let found: Vec<f64> = signal().iter().step_by(6007).map(|x| f64::from(*x) * 32_768.0).collect();
    assert_eq!(found, reference::<Vec<f64>>("samples_1_32768"));
}

#[test]
fn tuning_equals_librosas() {
    let magnitude = Stft::new(StftConfig::default()).unwrap().magnitude(&signal());
    for (bins_per_octave, key) in [(12, "tuning"), (36, "tuning_36")] {
        let mut estimator = TuningEstimator::new(22_050, 2048, bins_per_octave);
        magnitude.chunks_exact(1025).for_each(|frame| estimator.add(frame));
        assert_close(&[estimator.tuning()], &[reference::<f64>(key)], 1e-12);
    }
}

#[test]
fn constant_q_transforms_equal_librosas() {
    let samples = signal();
    for case in reference::<Vec<Case>>("cqt") {
        let (o, default) = (&case.options, CqtConfig::default());
        let config = CqtConfig {
            n_bins: usize_of(o, "n_bins", 84),
            bins_per_octave: usize_of(o, "bins_per_octave", 12),
            hop_length: usize_of(o, "hop_length", 512),
            f_min: o["fmin"].as_f64().unwrap_or(default.f_min),
            tuning: o["tuning"].as_f64().unwrap_or(0.0),
            filter_scale: o["filter_scale"].as_f64().unwrap_or(1.0),
            sparsity: o["sparsity"].as_f64().unwrap_or(0.01) as f32,
            scale: o["scale"].as_bool().unwrap_or(true),
            norm: norm(o, Norm::L1),
            window: if o.get("window").is_some() { Window::Hamming } else { Window::Hann },
            pad_mode: if o.get("pad_mode").is_some() { PadMode::Reflect } else { PadMode::Constant },
            ..default
        };
        let mut expected = case.rows.unwrap();
        if config.n_bins <= 24 {
            // The rate is lowered beforehand, and soxr's first and last samples are off where it does so by more than
            // 2 : 1 at once.
            expected.keep(|t| (20..240).contains(&t));
        }
        let found = Cqt::new(config).unwrap().magnitude(&samples);
        assert_rows_close(&case.name, &found, &expected, 2e-5 * largest(&expected));
    }
}

#[test]
fn phases_of_the_constant_q_transform_equal_librosas() {
    let expected = reference::<Rows>("cqt_phase");
    let found = Cqt::new(CqtConfig { n_bins: 60, ..CqtConfig::default() }).unwrap().transform(&signal());
    let row = &found[100 * 60..101 * 60];
    let loudest = row.iter().map(|bin| bin.norm()).fold(0.0, f32::max);
    let mut n_compared = 0;
    for (bin, angle) in row.iter().zip(&expected.rows[0]).filter(|(bin, _)| bin.norm() > 0.01 * loudest) {
        let difference = (f64::from(bin.arg()) - angle + TAU / 2.0).rem_euclid(TAU) - TAU / 2.0;
        assert!(difference.abs() < 1e-3, "{} instead of {angle}", bin.arg());
        n_compared += 1;
    }
    assert!(n_compared > 5);
}

#[test]
fn chroma_by_the_stft_equals_librosas() {
    let samples = signal();
    for case in reference::<Vec<Case>>("chroma_stft") {
        let o = &case.options;
        let config = ChromaConfig {
            n_fft: usize_of(o, "n_fft", 2048),
            n_chroma: usize_of(o, "n_chroma", 12),
            tuning: o["tuning"].as_f64(),
            ctroct: o["ctroct"].as_f64().unwrap_or(5.0),
            octwidth: if o.get("octwidth").is_some() { o["octwidth"].as_f64().unwrap_or(0.0) } else { 2.0 },
            base_c: o["base_c"].as_bool().unwrap_or(true),
            norm: norm(o, Norm::Max),
            ..ChromaConfig::default()
        };
        let expected = case.rows.unwrap();
        let stft = StftConfig { n_fft: config.n_fft, ..StftConfig::default() };
        let power = Stft::new(stft).unwrap().power(&samples);
        let mut found = vec![0.0; expected.n_frames * config.n_chroma];
        ChromaStft::new(config).apply(&power, &mut found);
        assert_rows_close(&case.name, &found, &expected, 1e-5 * largest(&expected).max(1.0));
    }
}

#[test]
fn chroma_by_the_constant_q_transform_equals_librosas() {
    let samples = signal();
    for case in reference::<Vec<Case>>("chroma_cqt") {
        let o = &case.options;
        let config = ChromaCqtConfig {
            bins_per_octave: usize_of(o, "bins_per_octave", 36),
            f_min: o["fmin"].as_f64().unwrap_or(CqtConfig::default().f_min),
            n_octaves: usize_of(o, "n_octaves", 7),
            tuning: o["tuning"].as_f64(),
            threshold: o["threshold"].as_f64().unwrap_or(0.0) as f32,
            norm: norm(o, Norm::Max),
            ..ChromaCqtConfig::default()
        };
        let expected = case.rows.unwrap();
        let mut found = vec![0.0; expected.n_frames * 12];
        ChromaCqt::new(config).unwrap().apply(&samples, &mut found);
        assert_rows_close(&case.name, &found, &expected, 1e-4);
    }
}

fn tonnetz(samples: &[f32]) -> Vec<f32> {
    let mut plan = ChromaCqt::new(ChromaCqtConfig::default()).unwrap();
    let mut chroma = vec![0.0; plan.n_frames(samples.len()) * 12];
    plan.apply(samples, &mut chroma);
    let mut centroids = vec![0.0; chroma.len() / 2];
    for (chroma, centroid) in chroma.chunks_exact(12).zip(centroids.chunks_exact_mut(6)) {
        Tonnetz::new(12).apply(chroma, centroid);
    }
    centroids
}

#[test]
fn tonal_centroids_equal_librosas() {
    assert_rows_close("tonnetz", &tonnetz(&signal()), &reference("tonnetz"), 1e-4);
}

#[test]
fn onset_strength_equals_librosas() {
    let samples = signal();
    for case in reference::<Vec<Case>>("onset") {
        let o = &case.options;
        let is_median = o["aggregate"].as_str() == Some("median");
        let config = OnsetConfig {
            lag: usize_of(o, "lag", 1),
            max_size: usize_of(o, "max_size", 1),
            detrend: o["detrend"].as_bool().unwrap_or(false),
            center: o["center"].as_bool().unwrap_or(true),
            aggregate: if is_median { Aggregate::Median } else { Aggregate::Mean },
            ..OnsetConfig::default()
        };
        println!("{}", case.name);
        assert_close(&onset_strength(config, &samples), &case.values.unwrap(), 1e-4);
    }
}

#[test]
fn tempograms_equal_librosas() {
    let strength = onset_strength(OnsetConfig::default(), &signal());
    let not_centred =
        TempogramConfig { center: false, win_length: 101, norm: Norm::L1, ..TempogramConfig::default() };
    for (key, config) in [("tempogram", TempogramConfig::default()), ("tempogram_not_centred", not_centred)] {
        let mut plan = Tempogram::new(config).unwrap();
        let mut found = vec![0.0; plan.n_rows(strength.len()) * plan.config().win_length];
        plan.apply(&strength, &mut found);
        assert_rows_close(key, &found, &reference(key), 1e-5);
    }
}

#[test]
fn tempi_equal_librosas() {
    let strength = onset_strength(OnsetConfig::default(), &signal());
    let found = Tempo::new(TempoConfig::default()).unwrap().estimate(&strength);
    assert_close(&[found], &[reference::<f64>("tempo")], 1e-9);
    let slow = TempoConfig { start_bpm: 40.0, std_bpm: 0.2, ac_size: 5.0, ..TempoConfig::default() };
    let found = Tempo::new(slow).unwrap().estimate(&strength);
    assert_close(&[found], &[reference::<f64>("tempo_slow")], 1e-9);
}

#[derive(Deserialize)]
struct BeatsReference {
    bpm: f64,
    frames: Vec<usize>,
}

#[test]
fn beats_are_librosas() {
    let config = OnsetConfig { aggregate: Aggregate::Median, ..OnsetConfig::default() };
    let strength = onset_strength(config, &signal());
    let loose = BeatConfig {
        tightness: 10.0,
        trim: false,
        tempo: TempoConfig { start_bpm: 60.0, ..TempoConfig::default() },
        ..BeatConfig::default()
    };
    for (key, config) in [("beats", BeatConfig::default()), ("beats_loose", loose)] {
        let expected = reference::<BeatsReference>(key);
        let found = BeatTracker::new(config).unwrap().track(&strength);
        assert_close(&[found.bpm], &[expected.bpm], 1e-9);
        assert_eq!(found.frames, expected.frames, "{key}");
    }
}

#[test]
fn masks_of_harmonic_and_percussive_equal_librosas() {
    let magnitude = Stft::new(StftConfig::default()).unwrap().magnitude(&signal());
    for case in reference::<Vec<Case>>("hpss") {
        let (o, default) = (&case.options, HpssConfig::default());
        let config = HpssConfig {
            kernel_frames: o["kernel_size"][0].as_u64().map_or(31, |x| x as usize),
            kernel_bins: o["kernel_size"][1].as_u64().map_or(31, |x| x as usize),
            power: if o["power"] == "inf" {
                f32::INFINITY
            } else {
                o["power"].as_f64().unwrap_or(2.0) as f32
            },
            margin_harmonic: o["margin"][0].as_f64().map_or(default.margin_harmonic, |x| x as f32),
            margin_percussive: o["margin"][1].as_f64().map_or(default.margin_percussive, |x| x as f32),
        };
        let mut plan = Hpss::new(config).unwrap();
        let (harmonic, percussive) = plan.masks(&magnitude, 1025);
        let rows = harmonic.chunks_exact(1025).zip(percussive.chunks_exact(1025));
        let found: Vec<f32> =
            rows.flat_map(|(h, p)| h.iter().step_by(7).chain(p.iter().step_by(7))).copied().collect();
        // Where the signal is nearly silent, the masks depend on the rounding errors of the STFT.
        assert_rows_close(&case.name, &found, &case.rows.unwrap(), 1e-3);
    }
}

#[test]
fn a_tune_is_separated_as_librosa_does() {
    let samples = signal();
    let (harmonic, percussive) = hpss(&samples, &HpssConfig::default(), &StftConfig::default()).unwrap();
    for (key, found) in [("harmonic", harmonic), ("percussive", percussive)] {
        let found: Vec<f32> = found[3000..3000 + 61 * 2000].iter().step_by(61 * 20).copied().collect();
        assert_close(&found, &reference::<Vec<f64>>(key), 1e-6);
    }
}

#[derive(Deserialize)]
struct Track {
    tuning: f64,
    cqt: Rows,
    chroma_stft: Rows,
    chroma_cqt: Rows,
    tonnetz: Rows,
    onset: Vec<f64>,
    tempogram: Rows,
    tempo: f64,
    bpm: f64,
    beats: Vec<usize>,
}

#[test]
fn pitch_and_rhythm_of_real_music_equal_librosas() {
    if !music::is_available() {
        return;
    }
    let tracks: std::collections::BTreeMap<String, Track> =
        serde_json::from_str(include_str!("reference/tonal_music.json")).unwrap();
    assert_eq!(tracks.len(), 19);
    for (name, expected) in tracks {
        println!("{name}");
        compare(&music::read_wav(&name).unwrap(), &expected);
    }
}

fn compare(samples: &[f32], expected: &Track) {
    let mut stft = Stft::new(StftConfig::default()).unwrap();
    let mut estimator = TuningEstimator::new(22_050, 2048, 12);
    stft.magnitude(samples).chunks_exact(1025).for_each(|frame| estimator.add(frame));
    assert_close(&[estimator.tuning()], &[expected.tuning], 1e-12);

    let cqt = Cqt::new(CqtConfig::default()).unwrap().magnitude(samples);
    assert_rows_close("cqt", &cqt, &expected.cqt, 2e-5 * largest(&expected.cqt));
    let mut chroma = vec![0.0; expected.chroma_stft.n_frames * 12];
    ChromaStft::new(ChromaConfig::default()).apply(&stft.power(samples), &mut chroma);
    assert_rows_close("chroma_stft", &chroma, &expected.chroma_stft, 1e-5);
    ChromaCqt::new(ChromaCqtConfig::default()).unwrap().apply(samples, &mut chroma);
    assert_rows_close("chroma_cqt", &chroma, &expected.chroma_cqt, 1e-4);
    assert_rows_close("tonnetz", &tonnetz(samples), &expected.tonnetz, 1e-4);

    let strength = onset_strength(OnsetConfig::default(), samples);
    let some: Vec<f32> = expected.tempogram.frames.iter().map(|t| strength[*t]).collect();
    assert_close(&some, &expected.onset, 1e-4);
    let mut tempogram = vec![0.0; strength.len() * 384];
    Tempogram::new(TempogramConfig::default()).unwrap().apply(&strength, &mut tempogram);
    let some: Vec<f32> = tempogram.iter().step_by(16).copied().collect();
    assert_rows_close("tempogram", &some, &expected.tempogram, 1e-5);
    let tempo = Tempo::new(TempoConfig::default()).unwrap().estimate(&strength);
    assert_close(&[tempo], &[expected.tempo], 1e-9);

    let config = OnsetConfig { aggregate: Aggregate::Median, ..OnsetConfig::default() };
    let found = BeatTracker::new(BeatConfig::default()).unwrap().track(&onset_strength(config, samples));
    assert_close(&[found.bpm], &[expected.bpm], 1e-9);
    assert_eq!(found.frames, expected.beats);
}

/// The same results through a specification, side by side.
#[test]
fn kinds_of_a_specification_equal_librosas() {
    let kinds = vec![
        FeatureKind::Cqt,
        FeatureKind::ChromaStft,
        FeatureKind::ChromaCqt,
        FeatureKind::Tonnetz,
        FeatureKind::OnsetStrength,
        FeatureKind::Tempogram,
    ];
    let spec = FeatureSpec { kinds, ..FeatureSpec::default() };
    let features = spec.extractor().unwrap().extract(&signal());
    let columns: Vec<_> = spec.columns().map(|(_, columns)| columns).collect();
    let of_kind = |i: usize| -> Vec<f32> {
        let rows = features.values.chunks_exact(features.n_bins);
        rows.flat_map(|row| &row[columns[i].clone()]).copied().collect()
    };
    let default_of = |key| reference::<Vec<Case>>(key).remove(0);
    for (i, key) in ["cqt", "chroma_stft", "chroma_cqt"].into_iter().enumerate() {
        assert_rows_close(key, &of_kind(i), &default_of(key).rows.unwrap(), 1e-4);
    }
    assert_rows_close("tonnetz", &of_kind(3), &reference("tonnetz"), 1e-4);
    assert_close(&of_kind(4), &default_of("onset").values.unwrap(), 1e-4);
    assert_rows_close("tempogram", &of_kind(5), &reference("tempogram"), 1e-5);
}

#[test]
fn tempo_and_beats_of_a_whole_sound_equal_librosas() {
    let compute = |name| {
        let kind = TrackFeatureKind::ALL.iter().find(|kind| kind.name() == name).unwrap();
        kind.compute(&signal(), &FeatureSpec::default()).unwrap().values
    };
    assert_close(&compute("tempo"), &[reference::<f64>("tempo")], 1e-4);
    let beats = reference::<BeatsReference>("beats").frames;
    let times: Vec<f64> = beats.iter().map(|frame| (frame * 512) as f64 / 22_050.0).collect();
    assert_close(&compute("beats"), &times, 1e-5);
}
