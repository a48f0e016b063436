//! Lecture 11: from the waveform to MFCCs, one picture at a time, and four features that are computed by hand.
//!
//! Run it with `cantus lesson 11`.

use std::f64::consts::TAU;

use crate::output::LessonOutput;
use cantus_audio::feature::{FeatureKind, FeatureSpec, Features, mel::mel_frequencies};
use cantus_audio::transform::decibel::{Decibel, Reference, amplitude_to_db};
use cantus_audio::transform::fourier::{Complex32, RealFft, fft_frequencies};
use cantus_plot::{Axis, ColourRange, HeatMap, LineChart, Rows, Series, Spectrum, Style};
use cantus_plot::{heat_map, line_chart, spectrum, waveform};
use cantus_synth::{Genre, compose};

const SAMPLE_RATE: u32 = 22_050;
/// Samples of a frame, and from the start of one frame to the start of the next: those of the lecture.
const N_FFT: usize = 2048;
const HOP_LENGTH: usize = 512;

/// Three seconds of composed jazz: waveform, spectrum, spectrograms, mel spectrogram, MFCCs, features by hand.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let music = compose(Genre::Jazz, 3, 3.0, SAMPLE_RATE).samples;
    out.say(
        "Three seconds of jazz, composed by the program, as amplitude over time: 22 050 samples a second.",
    );
    out.result("samples", music.len() as f64, "");
    out.picture("1-waveform", &waveform(&music, SAMPLE_RATE, "Waveform"))?;
    whole_spectrum(out, &music)?;
    spectrograms(out, &music)?;
    mel_and_mfcc(out, &music)?;
    by_hand(out, &music)
}

/// The Fourier transform of all samples at once, whose right half mirrors its left.
fn whole_spectrum(out: &mut LessonOutput<'_>, music: &[f32]) -> Result<(), cantus::Error> {
    let n = music.len();
    out.say("The Fourier transform of all samples gives a magnitude for each of as many frequencies (bins), from 0 Hz to");
    out.say("the sample rate. The samples are real numbers, so bin N - k has the magnitude of bin k: the right half");
    out.say(
        "mirrors the left, and half the sample rate (the Nyquist frequency) is the highest that is kept.",
    );
    let mut fft = RealFft::new(n);
    let mut bins = vec![Complex32::default(); fft.n_bins()];
    fft.forward(&mut music.to_vec(), &mut bins);
    let left: Vec<f32> = bins.iter().map(|bin| bin.norm()).collect();
    let strongest = left.iter().copied().fold(0.0, f32::max);
    let difference = |k: usize| (magnitude_by_definition(music, n - k) - f64::from(left[k])).abs();
    let largest = (1..=20).map(|i| difference(i * 1000)).fold(0.0, f64::max);
    out.result("bins of the whole transform, N", n as f64, "");
    out.result("bins that are kept, N / 2 + 1", left.len() as f64, "");
    out.result(
        "largest difference of 20 bins N - k from bins k, as a share of the largest magnitude",
        largest / f64::from(strongest),
        "",
    );
    let mirrored = left[1..left.len() - 1].iter().rev();
    let all: Vec<f32> = left.iter().chain(mirrored).copied().collect();
    let hz: Vec<f64> = (0..n).map(|k| k as f64 * f64::from(SAMPLE_RATE) / n as f64).collect();
    let halves = [
        ("2-spectrum", "Spectrum up to the sample rate: the right half mirrors the left", n),
        ("3-left-half", "Spectrum up to the Nyquist frequency", left.len()),
    ];
    for (name, title, n) in halves {
        let (hz, values) = (&hz[..n], &all[..n]);
        let picture = Spectrum { title, hz, values, unit: "Magnitude", logarithmic: false };
        out.picture(name, &spectrum(&picture))?;
    }
    Ok(())
}

/// Magnitude of one bin of the Fourier transform by its definition, `|Σₙ x[n] e^(−2πi k n / N)|`.
fn magnitude_by_definition(samples: &[f32], k: usize) -> f64 {
    let n_samples = samples.len();
    let angle = |n: usize| TAU * ((k * n) % n_samples) as f64 / n_samples as f64;
    let sum = |part: fn(f64) -> f64| -> f64 {
        samples.iter().enumerate().map(|(n, x)| f64::from(*x) * part(angle(n))).sum()
    };
    sum(f64::cos).hypot(sum(f64::sin))
}

/// The short-time Fourier transform, linear first, then in decibels.
fn spectrograms(out: &mut LessonOutput<'_>, music: &[f32]) -> Result<(), cantus::Error> {
    let stft = features(music, FeatureKind::Stft)?;
    out.say("The spectrum has no time. The short-time Fourier transform takes frames of 2048 samples (93 ms), each 512");
    out.say("samples (23 ms) after the one before, so that frames overlap. Magnitude over time and frequency is a");
    out.say("spectrogram:");
    out.result("frames", stft.n_frames as f64, "");
    out.result("frequency bins of a frame, 2048 / 2 + 1", stft.n_bins as f64, "");
    let hz = fft_frequencies(SAMPLE_RATE, N_FFT);
    map(out, "4-spectrogram", "Spectrogram, linear magnitude", &stft, Rows::Hertz(&hz), "magnitude")?;
    out.say(
        "On a linear scale it is almost black, since a few low frequencies have nearly all of the magnitude:",
    );
    let below = |values: &[f32], limit: f32| {
        100.0 * values.iter().filter(|value| **value < limit).count() as f64 / values.len() as f64
    };
    let strongest = stft.values.iter().copied().fold(0.0, f32::max);
    out.result("values in the lowest tenth of the linear scale", below(&stft.values, 0.1 * strongest), "%");
    out.say("Decibels are logarithmic, 20 log10(magnitude / largest magnitude), and are closer to perceived loudness:");
    let mut db = stft;
    amplitude_to_db(&mut db.values, &Decibel { reference: Reference::Max, ..Decibel::AMPLITUDE });
    let lowest = db.values.iter().copied().fold(0.0, f32::min);
    out.result("lowest level (lower ones are raised to it)", f64::from(lowest), "dB");
    out.result("values in the lowest tenth of the decibel scale", below(&db.values, 0.9 * lowest), "%");
    let unit = "dB re largest magnitude";
    map(out, "5-decibels", "Spectrogram in decibels", &db, Rows::Hertz(&hz), unit)?;
    let title = "Spectrogram in decibels, logarithmic frequency axis";
    map(out, "6-octaves", title, &db, Rows::LogHertz(&hz), unit)
}

fn mel_and_mfcc(out: &mut LessonOutput<'_>, music: &[f32]) -> Result<(), cantus::Error> {
    let (log_mel, mfcc) = (features(music, FeatureKind::LogMel)?, features(music, FeatureKind::Mfcc)?);
    out.say(
        "Mel bands sum the bins of a frame into bands that are evenly spaced in perceived pitch: narrow for",
    );
    out.say("low frequencies, wide for high ones. In decibels:");
    out.result("mel bands of a frame", log_mel.n_bins as f64, "");
    let mels = mel_frequencies(128, 0.0, f64::from(SAMPLE_RATE) / 2.0, false);
    map(out, "7-mel", "Mel spectrogram in decibels", &log_mel, Rows::Hertz(&mels), "dB")?;
    out.say("MFCCs (mel-frequency cepstral coefficients) are the first terms of a cosine transform of a frame's mel bands:");
    out.say("the coarse shape of its spectrum, which is perceived as timbre. Coefficient 0 follows the level. The");
    out.say("first coefficients are much larger than the last, whose changes hardly show in the picture of the raw values:");
    out.result("MFCCs of a frame", mfcc.n_bins as f64, "");
    let mean_size = |c: usize| {
        let values = mfcc.values.iter().skip(c).step_by(mfcc.n_bins);
        values.map(|v| f64::from(v.abs())).sum::<f64>() / mfcc.n_frames as f64
    };
    for c in [0, 1, 12] {
        out.result(&format!("mean absolute value of coefficient {c}"), mean_size(c), "");
    }
    let rows = Rows::Numbered("MFCC (coefficient)");
    map(out, "8-mfcc", "MFCCs, raw values", &mfcc, rows, "MFCC value")?;
    out.say("To make all of them visible, each coefficient is also drawn minus its mean, divided by its deviation.");
    let title = "MFCCs, standardised";
    let range = ColourRange::Standardised;
    out.picture("9-mfcc-standardised", &heat_map(&HeatMap { title, range, ..heat(&mfcc, rows, "") }))
}

/// Four features that were designed by hand, before networks were trained on spectrograms.
fn by_hand(out: &mut LessonOutput<'_>, music: &[f32]) -> Result<(), cantus::Error> {
    out.say("Before networks were trained on spectrograms, the inputs of classifiers were features that were designed by");
    out.say("hand, one number per frame. Four of them, and their means over the three seconds:");
    for (name, kind, axis, meaning) in [
        (
            "10-amplitude-envelope",
            FeatureKind::AmplitudeEnvelope,
            "Amplitude envelope",
            "the largest sample of the frame: level",
        ),
        (
            "11-zero-crossing-rate",
            FeatureKind::ZeroCrossingRate,
            "Crossings per sample",
            "share of samples at which the sign changes: noise and high tones have more",
        ),
        (
            "12-spectral-centroid",
            FeatureKind::SpectralCentroid,
            "Spectral centroid (Hz)",
            "mean frequency, weighted by magnitude: brightness",
        ),
        (
            "13-spectral-flux",
            FeatureKind::SpectralFlux,
            "Spectral flux",
            "change of the magnitudes since the frame before: large where a note begins",
        ),
    ] {
        let feature = features(music, kind)?;
        let seconds = |t: usize| t as f64 * frame_s();
        let points: Vec<(f64, f64)> =
            feature.values.iter().enumerate().map(|(t, &v)| (seconds(t), f64::from(v))).collect();
        let mean = points.iter().map(|(_, value)| value).sum::<f64>() / points.len() as f64;
        out.say(format_args!("  {}: {meaning}.", kind.title()));
        out.result(&format!("  mean of {}", kind.name().replace('_', " ")), mean, kind.unit());
        let series = [Series::new("", Style::Line, &points)];
        let (title, subtitle) = (kind.title(), meaning);
        let (x, y) = (
            Axis::new("Time (s)").from_to(0.0, music.len() as f64 / f64::from(SAMPLE_RATE)),
            Axis::new(axis),
        );
        let chart = LineChart { title, subtitle, x, y, series: &series, square: false };
        out.picture(name, &line_chart(&chart))?;
    }
    Ok(())
}

fn features(music: &[f32], kind: FeatureKind) -> Result<Features, cantus::Error> {
    let spec = FeatureSpec { kinds: vec![kind], ..FeatureSpec::course() };
    Ok(spec.extractor()?.extract(music))
}

/// Time from one frame to the next, in seconds.
fn frame_s() -> f64 {
    HOP_LENGTH as f64 / f64::from(SAMPLE_RATE)
}

fn heat<'a>(features: &'a Features, rows: Rows<'a>, unit: &'a str) -> HeatMap<'a> {
    let (values, n_bins, frame_s) = (&features.values[..], features.n_bins, frame_s());
    HeatMap { title: "", values, n_bins, frame_s, rows, unit, range: ColourRange::Full }
}

fn map(
    out: &mut LessonOutput<'_>,
    name: &str,
    title: &str,
    features: &Features,
    rows: Rows<'_>,
    unit: &str,
) -> Result<(), cantus::Error> {
    out.picture(name, &heat_map(&HeatMap { title, ..heat(features, rows, unit) }))
}
