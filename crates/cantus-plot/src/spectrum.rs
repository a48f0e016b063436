//! Magnitude spectrum of a signal or a frame.

use super::{Axis, LineChart, Picture, Series, Style, line_chart};

/// A spectrum and its axes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spectrum<'a> {
    /// Heading of the picture.
    pub title: &'a str,
    /// Of each bin, ascending.
    pub hz: &'a [f64],
    /// Magnitude or level of each bin.
    pub values: &'a [f32],
    /// Title of the y axis: "Magnitude", "Level (dB)".
    pub unit: &'a str,
    /// Whether the frequency axis is logarithmic, from 20 Hz.
    pub logarithmic: bool,
}

/// Draws magnitude over frequency.
#[must_use]
pub fn spectrum(spectrum: &Spectrum<'_>) -> Picture {
    let points = spectrum.hz.iter().zip(spectrum.values).map(|(&hz, &value)| (hz, f64::from(value)));
    let points: Vec<(f64, f64)> = points.collect();
    let highest = spectrum.hz.last().copied().unwrap_or(0.0);
    let x = Axis::new("Frequency (Hz)");
    let x = if spectrum.logarithmic && highest > 20.0 { x.from_to(20.0, highest).logarithmic() } else { x };
    // The lowest of equal ones, since a two-sided spectrum has each peak twice.
    let finite = points.iter().rev().filter(|p| p.1.is_finite());
    let strongest = finite.max_by(|a, b| a.1.total_cmp(&b.1));
    let subtitle = match strongest {
        Some((hz, _)) => format!("{} bins · strongest at {hz:.0} Hz", points.len()),
        None => "no bins".to_owned(),
    };
    let series = [Series::new("", Style::Line, &points)];
    let y = Axis::new(spectrum.unit);
    line_chart(&LineChart {
        title: spectrum.title,
        subtitle: &subtitle,
        x,
        y,
        series: &series,
        square: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Theme, mark::Mark};

    fn of<'a>(hz: &'a [f64], values: &'a [f32], logarithmic: bool) -> Spectrum<'a> {
        Spectrum { title: "Spectrum", hz, values, unit: "Magnitude", logarithmic }
    }

    #[test]
    fn the_strongest_bin_is_labelled_and_the_lower_of_two_equal_ones() {
        let picture = spectrum(&of(&[0.0, 100.0, 200.0, 300.0], &[0.0, 5.0, f32::NAN, 5.0], false));
        let says = |m: &Mark| matches!(m, Mark::Text(text) if text.text == "4 bins · strongest at 100 Hz");
        assert!(picture.marks.iter().any(says));
    }

    #[test]
    fn no_bins_and_low_bins_are_drawn_without_panic() {
        for (hz, values) in [(&[][..], &[][..]), (&[0.0], &[1.0]), (&[0.0, 5.0], &[1.0, 2.0])] {
            for logarithmic in [true, false] {
                let _ = spectrum(&of(hz, values, logarithmic)).to_svg(Theme::Dark);
            }
        }
    }
}
