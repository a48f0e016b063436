//! Lecture 10: sound as numbers, and the Fourier transform.
//!
//! Run it with `cantus lesson 10`.

use std::f64::consts::FRAC_PI_2;

use crate::output::LessonOutput;
use cantus_plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_synth::sound::conversion::{expected_signal_to_noise_db, quantize, sample, signal_to_noise_db};
use cantus_synth::sound::partials::decompose;
use cantus_synth::sound::{Sine, aliasing::alias_frequency};

/// Sample rate in Hz, of all signals except the quantised ones.
const SAMPLE_RATE: f64 = 8000.0;

/// A sine and its parameters, analogue-to-digital conversion, the Fourier transform, and the short-time Fourier transform.
pub fn lesson(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let a4 = Sine::new(1.0, 440.0);
    parameters(out, a4)?;
    conversion(out, a4)?;
    chord(out)?;
    two_notes(out)
}

/// Amplitude, frequency and phase: one of them is changed and then measured from the samples.
fn parameters(out: &mut LessonOutput<'_>, a4: Sine) -> Result<(), cantus::Error> {
    out.say(
        "A pure tone is a sine wave, y(t) = A sin(2π f t + φ), with amplitude A, frequency f and phase φ.",
    );
    out.say("The tone A4 has f = 440 Hz, 440 periods a second. A period lasts T = 1 / f:");
    out.result("period of 440 Hz", 1000.0 * a4.period_s(), "ms");
    out.say("One parameter is changed at a time, beside A = 1, f = 440 Hz, φ = 0. One second of each wave is sampled at");
    out.say("8000 Hz, and a Fourier transform of the samples measures the parameter:");
    let measured = |wave: Sine| decompose(&sample(|t| wave.at(t), SAMPLE_RATE, 8000), SAMPLE_RATE, 1)[0];
    let softer = Sine { amplitude: 0.5, ..a4 };
    out.say("  a smaller amplitude is softer:");
    out.result("measured amplitude of A = 0.5", measured(softer).amplitude, "");
    let higher = Sine { frequency: 880.0, ..a4 };
    out.say("  a higher frequency is a higher pitch:");
    out.result("measured frequency of f = 880 Hz", measured(higher).frequency, "Hz");
    let shifted = a4.with_phase(FRAC_PI_2);
    out.say("  a positive phase shifts the wave to the left, φ = π/2 = 1.571 by a quarter of a period; a tone sounds the same:");
    out.result("measured phase of φ = π/2", measured(shifted).phase, "rad");
    for (name, title, subtitle, changed, label) in [
        ("amplitude", "Amplitude", "half the amplitude: softer, same pitch", softer, "A = 0.5"),
        ("frequency", "Frequency", "twice the frequency: an octave higher", higher, "f = 880 Hz"),
        ("phase", "Phase", "shifted by a quarter of a period: same loudness, same pitch", shifted, "φ = π/2"),
    ] {
        let (reference, changed) = (curve(5.0, |t| a4.at(t)), curve(5.0, |t| changed.at(t)));
        let series = [
            Series::new("A = 1, f = 440 Hz, φ = 0", Style::Line, &reference),
            Series::new(label, Style::Line, &changed),
        ];
        over_time(out, name, title, subtitle, &series)?;
    }
    Ok(())
}

/// Sampling, quantisation and its error by bit depth, and aliasing.
fn conversion(out: &mut LessonOutput<'_>, a4: Sine) -> Result<(), cantus::Error> {
    out.say("An analogue-to-digital converter samples the wave at equal intervals (sample rate) and rounds each sample");
    out.say("to one of 2ⁿ levels (bit depth n). A CD has 44 100 samples a second of 16 bits. The rounding error is noise;");
    out.say("the signal-to-noise ratio should be 6.02 n + 1.76 dB. More decibels are less error:");
    let samples = sample(|t| a4.at(t), 44_100.0, 44_100);
    for bits in [3, 8, 16] {
        let measured = signal_to_noise_db(&samples, &quantize(&samples, bits));
        let expected = expected_signal_to_noise_db(bits);
        let name = format!("measured signal-to-noise ratio at {bits} bits (by the formula {expected:.2} dB)");
        out.result(&name, measured, "dB");
    }
    let mut held = quantize(&sample(|t| a4.at(t), SAMPLE_RATE, 20), 3);
    // The last sample is held until the next one would come.
    held.extend(held.last().copied());
    let coarse = milliseconds(SAMPLE_RATE, &held);
    let smooth = curve(2.5, |t| a4.at(t));
    let series = [
        Series::new("sound", Style::Line, &smooth),
        Series::new("8000 Hz, 3 bits (8 levels)", Style::Steps, &coarse),
    ];
    over_time(out, "conversion", "From sound to numbers", "440 Hz, sampled and quantised", &series)?;

    out.say("Sampling is exact for frequencies below half the sample rate (the Nyquist frequency). A higher tone appears");
    out.say("as a lower one, its alias, at the distance to the nearest multiple of the rate. 5000 Hz sampled at 8000 Hz:");
    let high = sample(|t| Sine::new(1.0, 5000.0).at(t), SAMPLE_RATE, 8000);
    out.result(
        "frequency of the alias by the formula, 8000 - 5000",
        alias_frequency(5000.0, SAMPLE_RATE),
        "Hz",
    );
    let found = decompose(&high, SAMPLE_RATE, 1)[0];
    out.result("frequency measured from the samples", found.frequency, "Hz");
    Ok(())
}

/// Fourier transform of a sum of three sines.
fn chord(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let chord = [Sine::new(0.5, 440.0), Sine::new(0.3, 550.0), Sine::new(0.2, 660.0)];
    let mixed = sample(|t| Sine::sum_at(&chord, t), SAMPLE_RATE, 8000);
    out.say("Any sound is a sum of sines. This one has the amplitudes 0.5 at 440 Hz, 0.3 at 550 Hz and 0.2 at 660 Hz. The");
    out.say("Fourier transform of one second of it, from time to frequency, has these amplitudes:");
    let partials = decompose(&mixed, SAMPLE_RATE, 3);
    for wave in &partials {
        out.result(&format!("amplitude found at {:.0} Hz", wave.frequency), wave.amplitude, "");
    }
    let waveform = curve(20.0, |t| Sine::sum_at(&chord, t));
    let series = [Series::new("", Style::Line, &waveform)];
    over_time(out, "chord", "A chord over time", "440, 550 and 660 Hz added", &series)?;
    let over_frequency: Vec<_> = partials.iter().map(|wave| (wave.frequency, wave.amplitude)).collect();
    let series = [Series::new("", Style::Stems, &over_frequency)];
    let (x, y) = (Axis::new("Frequency (Hz)").from_to(0.0, 1000.0), Axis::new("Amplitude"));
    let (title, subtitle) = ("The same chord over frequency", "the amplitude of each sine in the sum");
    out.picture("spectrum", &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }))
}

/// Two notes in sequence: only the transform of short frames shows their order.
fn two_notes(out: &mut LessonOutput<'_>) -> Result<(), cantus::Error> {
    let note = |hz: f64| sample(|t| Sine::new(1.0, hz).at(t), SAMPLE_RATE, 4000);
    let up = [note(440.0), note(660.0)].concat();
    let down = [note(660.0), note(440.0)].concat();
    out.say("The transform of a whole sound has no time: half a second of 440 Hz and then half a second of 660 Hz have the");
    out.say("same amplitudes as the notes in reverse order.");
    for (order, sound) in [("440 Hz first", &up), ("660 Hz first", &down)] {
        let mut notes = decompose(sound, SAMPLE_RATE, 2);
        notes.sort_by(|a, b| a.frequency.total_cmp(&b.frequency));
        for wave in notes {
            out.result(&format!("amplitude at {:.0} Hz, {order}", wave.frequency), wave.amplitude, "");
        }
    }
    out.say("The short-time Fourier transform (STFT) cuts the sound into short frames and transforms each. In a frame of");
    out.say("0.1 s the strongest frequency is that of the note:");
    for (order, sound) in [("440 Hz first", &up), ("660 Hz first", &down)] {
        let strongest = |frame: &[f64]| decompose(frame, SAMPLE_RATE, 1)[0].frequency;
        out.result(&format!("strongest in the first frame, {order}"), strongest(&sound[..800]), "Hz");
        out.result(&format!("strongest in the last frame, {order}"), strongest(&sound[7200..]), "Hz");
    }
    Ok(())
}

/// Times in milliseconds, and the values at them.
fn milliseconds(sample_rate: f64, values: &[f64]) -> Vec<(f64, f64)> {
    values.iter().enumerate().map(|(n, &y)| (1000.0 * n as f64 / sample_rate, y)).collect()
}

/// The first milliseconds of a wave, sampled finely enough for a smooth curve.
fn curve(duration_ms: f64, wave: impl Fn(f64) -> f64) -> Vec<(f64, f64)> {
    let n_samples = (200.0 * duration_ms) as usize + 1;
    milliseconds(200_000.0, &sample(wave, 200_000.0, n_samples))
}

fn over_time(
    out: &mut LessonOutput<'_>,
    name: &str,
    title: &str,
    subtitle: &str,
    series: &[Series<'_>],
) -> Result<(), cantus::Error> {
    let (x, y) = (Axis::new("Time (ms)"), Axis::new("Amplitude").from_to(-1.05, 1.05));
    out.picture(name, &line_chart(&LineChart { title, subtitle, x, y, series, square: false }))
}
