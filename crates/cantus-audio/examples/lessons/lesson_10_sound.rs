//! Lecture 10: sound as numbers, and the Fourier transform.
//!
//!     cargo run --example lesson_10_sound

use cantus::lesson::Sheet;
use cantus::plot::{Axis, LineChart, Series, Style, line_chart};
use cantus_audio::sound::conversion::{expected_signal_to_noise_db, quantize, sample, signal_to_noise_db};
use cantus_audio::sound::partials::take_apart;
use cantus_audio::sound::{Sine, aliasing::heard_frequency};

/// A sine, its conversion to numbers, aliasing, and a sum of sines taken apart.
pub fn lesson(sheet: &mut Sheet<'_>) -> Result<(), cantus::Error> {
    let a4 = Sine::new(1.0, 440.0);
    sheet.say("A tone is y(t) = A sin(2π f t + φ). The A above middle C turns 440 times a second:");
    sheet.result("its period 1 / f", 1000.0 * a4.period_s(), "ms");

    sheet.say("A converter looks at it many times a second and rounds each value to one of 2ⁿ levels. What rounding");
    sheet.say("adds is noise; every further bit brings 6 dB (the formula says 6.02 n + 1.76):");
    let samples = sample(|t| a4.at(t), 44_100.0, 44_100);
    for bits in [3, 8, 16] {
        let measured = signal_to_noise_db(&samples, &quantize(&samples, bits));
        let expected = expected_signal_to_noise_db(bits);
        sheet.result(
            &format!("signal to noise at {bits} bits (by the formula {expected:.2} dB)"),
            measured,
            "dB",
        );
    }
    stair(sheet, &a4)?;

    sheet.say("A tone above half the sample rate comes out as another one. 5000 Hz, sampled at 8000 Hz:");
    let high = sample(|t| Sine::new(1.0, 5000.0).at(t), 8000.0, 8000);
    sheet.result("heard, by the formula", heard_frequency(5000.0, 8000.0), "Hz");
    sheet.result("heard, by the Fourier transform", take_apart(&high, 8000.0, 1)[0].frequency, "Hz");

    let chord = [Sine::new(0.5, 440.0), Sine::new(0.3, 550.0), Sine::new(0.2, 660.0)];
    let mixed = sample(|t| Sine::sum_at(&chord, t), 8000.0, 8000);
    sheet.say("A chord of three sines is one wave. The Fourier transform takes it apart again:");
    let partials = take_apart(&mixed, 8000.0, 3);
    for wave in &partials {
        sheet.result(&format!("amplitude at {:.0} Hz", wave.frequency), wave.amplitude, "");
    }
    let over_time: Vec<_> = (0..160).map(|n| (1000.0 * n as f64 / 8000.0, mixed[n])).collect();
    let series = [Series::new("", Style::Line, &over_time)];
    let (x, y) = (Axis::new("Time (ms)"), Axis::new("Amplitude"));
    let (title, subtitle) = ("A chord over time", "440, 550 and 660 Hz together");
    sheet.picture(
        "chord",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )?;
    let over_frequency: Vec<_> = partials.iter().map(|wave| (wave.frequency, wave.amplitude)).collect();
    let series = [Series::new("", Style::Stems, &over_frequency)];
    let (x, y) = (Axis::new("Frequency (Hz)").from_to(0.0, 1000.0), Axis::new("Amplitude"));
    let (title, subtitle) = ("The same chord over frequency", "what was mixed can be read off again");
    sheet.picture(
        "spectrum",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )
}

/// One turn of the wave, sampled and rounded to three bits.
fn stair(sheet: &mut Sheet<'_>, wave: &Sine) -> Result<(), cantus::Error> {
    let milliseconds = |rate: f64, values: Vec<f64>| -> Vec<(f64, f64)> {
        values.into_iter().enumerate().map(|(n, y)| (1000.0 * n as f64 / rate, y)).collect()
    };
    let smooth = milliseconds(200_000.0, sample(|t| wave.at(t), 200_000.0, 500));
    let coarse = milliseconds(8000.0, quantize(&sample(|t| wave.at(t), 8000.0, 20), 3));
    let series =
        [Series::new("sound", Style::Line, &smooth), Series::new("8000 Hz, 3 bits", Style::Steps, &coarse)];
    let (x, y) = (Axis::new("Time (ms)"), Axis::new("Amplitude"));
    let (title, subtitle) = ("From sound to numbers", "sampled in time, rounded in amplitude");
    sheet.picture(
        "conversion",
        &line_chart(&LineChart { title, subtitle, x, y, series: &series, square: false }),
    )
}

fn main() -> Result<(), cantus::Error> {
    lesson(&mut Sheet::new("cantus-lessons/10", &mut std::io::stdout()))
}
