//! Waveform: amplitude over time.
//!
//! If a pixel column covers many samples, their extremes and RMS are drawn as in audio editors; otherwise the samples are
//! joined by a line.

use super::{
    Picture,
    mark::{Ink, Mark, Rect},
    panel::Panel,
    picture::{HEADER, MARGIN},
    scale::Scale,
};

const WIDTH: f32 = 960.0;
const HEIGHT: f32 = 300.0;
const LEFT: f32 = 84.0;
const FOOTER: f32 = 56.0;
/// Two to a picture unit: one per pixel of a PNG.
const N_COLUMNS: usize = ((WIDTH - LEFT - MARGIN) * 2.0) as usize;

/// Draws mono samples against time in seconds.
///
/// The amplitude axis spans −1 to 1, or the peak where it is beyond; samples that are not finite are left out.
#[must_use]
pub fn waveform(samples: &[f32], sample_rate: u32, title: &str) -> Picture {
    let duration_s = samples.len() as f64 / f64::from(sample_rate.max(1));
    let peak = samples.iter().filter(|v| v.is_finite()).fold(0f32, |peak, v| peak.max(v.abs()));
    let subtitle = format!("{duration_s:.2} s · {sample_rate} Hz · peak {peak:.3}");
    let mut picture = Picture::new(WIDTH, HEIGHT, title, &subtitle);
    let rect = Rect { x: LEFT, y: HEADER, width: WIDTH - LEFT - MARGIN, height: HEIGHT - HEADER - FOOTER };
    let limit = f64::from(peak).max(1.0);
    let panel = Panel {
        rect,
        x: Scale::linear(0.0, duration_s, rect.x, rect.right()),
        y: Scale::linear(-limit, limit, rect.bottom(), rect.y),
    };
    panel.draw_y_axis(&mut picture, &panel.y.ticks(4), "Amplitude");
    if samples.is_empty() {
        panel.draw_note(&mut picture, "no samples");
    } else if samples.len() <= 2 * N_COLUMNS {
        let points = samples.iter().enumerate();
        let points: Vec<_> =
            points.map(|(i, &v)| (i as f64 / f64::from(sample_rate.max(1)), f64::from(v))).collect();
        panel.draw_line(&mut picture, &points, Ink::First, false);
    } else {
        draw_envelope(&mut picture, &panel, samples, duration_s);
    }
    panel.draw_x_axis(&mut picture, &panel.x.ticks(10), Some("Time (s)"));
    picture
}

fn draw_envelope(picture: &mut Picture, panel: &Panel, samples: &[f32], duration_s: f64) {
    let columns: Vec<Column> =
        (0..N_COLUMNS).map(|i| Column::of(&samples[column_range(i, samples.len())])).collect();
    let time = |i: usize| (i as f64 + 0.5) / N_COLUMNS as f64 * duration_s;
    let mut band = |upper: fn(&Column) -> f64, lower: fn(&Column) -> f64, opacity| {
        let there = columns.iter().enumerate().map(|(i, c)| panel.at(time(i), upper(c)));
        let back = columns.iter().enumerate().rev().map(|(i, c)| panel.at(time(i), lower(c)));
        picture.push(Mark::Area { points: there.chain(back).collect(), fill: Ink::First, opacity });
    };
    band(|c| c.high, |c| c.low, 0.5);
    band(|c| c.rms, |c| -c.rms, 1.0);
}

/// The samples under a column: every sample under exactly one.
fn column_range(column: usize, n_samples: usize) -> std::ops::Range<usize> {
    let start = |i: usize| (i as u128 * n_samples as u128 / N_COLUMNS as u128) as usize;
    start(column)..start(column + 1)
}

/// Extremes and root mean square of the samples under one column of the picture.
struct Column {
    low: f64,
    high: f64,
    rms: f64,
}

impl Column {
    fn of(samples: &[f32]) -> Self {
        let finite = || samples.iter().filter(|v| v.is_finite()).map(|&v| f64::from(v));
        let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        if low > high {
            return Column { low: 0.0, high: 0.0, rms: 0.0 };
        }
        let rms = (finite().map(|v| v * v).sum::<f64>() / finite().count() as f64).sqrt();
        Column { low, high, rms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;

    #[test]
    fn every_sample_is_under_exactly_one_column() {
        for n in [2 * N_COLUMNS + 1, 661_500, 44_100 * 3600] {
            let mut next = 0;
            for column in 0..N_COLUMNS {
                let range = column_range(column, n);
                assert_eq!(range.start, next);
                next = range.end;
            }
            assert_eq!(next, n);
        }
    }

    #[test]
    fn a_column_has_the_extremes_and_the_rms_of_its_samples() {
        let column = Column::of(&[3.0, -4.0, f32::NAN]);
        assert_eq!((column.low, column.high), (-4.0, 3.0));
        assert!((column.rms - 12.5f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn non_finite_samples_are_drawn_without_panic() {
        for samples in
            [vec![], vec![f32::NAN; 5], vec![f32::INFINITY; 20_000], vec![0.5], vec![f32::MAX; 10_000]]
        {
            for sample_rate in [0, 8000] {
                let _ = waveform(&samples, sample_rate, "x").to_svg(Theme::Dark);
            }
        }
    }
}
