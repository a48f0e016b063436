//! Lecture 11: from the waveform to MFCCs, one picture at a time.
//!
//!     cargo run --example lesson_11_features

use cantus::lesson::Sheet;
use cantus::plot::{ColourRange, HeatMap, Rows, Spectrum, heat_map, spectrum, waveform};
use cantus_audio::feature::{FeatureKind, FeatureSpec, mel::mel_frequencies};
use cantus_audio::signal::decibel::{Decibel, Reference, amplitude_to_db};
use cantus_audio::signal::fourier::{Complex32, RealFft, fft_frequencies};
use cantus_audio::synth::{Genre, compose};

const SAMPLE_RATE: u32 = 22_050;

/// Three seconds of jazz: waveform, spectrum, spectrogram, mel spectrogram, MFCC.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let music = compose(Genre::Jazz, 3, 3.0, SAMPLE_RATE).samples;
    sheet.say("Three seconds of jazz are amplitude over time:");
    sheet.result("samples", music.len() as f64, "");
    sheet.picture("1-waveform", &waveform(&music, SAMPLE_RATE, "Waveform"))?;

    sheet.say(
        "The Fourier transform of all of it: frequencies, but no time. The right half mirrors the left, so",
    );
    sheet.say("only the left is kept.");
    let mut fft = RealFft::new(music.len());
    let mut bins = vec![Complex32::default(); fft.n_bins()];
    fft.forward(&mut music.clone(), &mut bins);
    let left: Vec<f32> = bins.iter().map(|bin| bin.norm()).collect();
    let all: Vec<f32> = left.iter().chain(left[1..left.len() - 1].iter().rev()).copied().collect();
    let hz: Vec<f64> = (0..all.len()).map(|k| k as f64 * f64::from(SAMPLE_RATE) / all.len() as f64).collect();
    for (name, title, n) in [("2-spectrum", "Spectrum", all.len()), ("3-left-half", "Left half", left.len())]
    {
        let (hz, values) = (&hz[..n], &all[..n]);
        let picture = Spectrum { title, hz, values, unit: "Magnitude", logarithmic: false };
        sheet.picture(name, &spectrum(&picture))?;
    }

    sheet.say(
        "A short-time Fourier transform keeps time: 2048 samples at once, then 512 further on. Most of what",
    );
    sheet.say("there is, is faint; in decibels it can be seen.");
    let features = |kind| {
        let spec = FeatureSpec { kinds: vec![kind], ..FeatureSpec::course() };
        Ok::<_, cantus::Error>(spec.extractor()?.extract(&music))
    };
    let mut stft = features(FeatureKind::Stft)?;
    amplitude_to_db(&mut stft.values, &Decibel { reference: Reference::Max, ..Decibel::AMPLITUDE });
    let (log_mel, mfcc) = (features(FeatureKind::LogMel)?, features(FeatureKind::Mfcc)?);
    sheet.result("frames", stft.n_frames as f64, "");
    sheet.result("frequency bins of a frame", stft.n_bins as f64, "");
    sheet.say(
        "Mel bands are as far apart as they sound, and the MFCCs are the shape of a frame's mel bands in",
    );
    sheet.say("few numbers: its timbre.");
    sheet.result("mel bands of a frame", log_mel.n_bins as f64, "");
    sheet.result("MFCCs of a frame", mfcc.n_bins as f64, "");
    let hz = fft_frequencies(SAMPLE_RATE, 2048);
    let mels = mel_frequencies(128, 0.0, f64::from(SAMPLE_RATE) / 2.0, false);
    let full = ColourRange::Full;
    for (name, title, features, rows, unit, range) in [
        ("4-spectrogram", "Spectrogram", &stft, Rows::Hertz(&hz), "dB", full),
        ("5-octaves", "Spectrogram, octave by octave", &stft, Rows::LogHertz(&hz), "dB", full),
        ("6-mel", "Mel spectrogram", &log_mel, Rows::Hertz(&mels), "dB", full),
        ("7-mfcc", "MFCC", &mfcc, Rows::Numbered("MFCC"), "", ColourRange::Standardised),
    ] {
        let (values, n_bins, frame_s) =
            (&features.values[..], features.n_bins, 512.0 / f64::from(SAMPLE_RATE));
        sheet.picture(name, &heat_map(&HeatMap { title, values, n_bins, frame_s, rows, unit, range }))?;
    }
    Ok(())
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/11", &mut std::io::stdout()))
}
