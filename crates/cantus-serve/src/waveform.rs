//! Minimum and maximum of the samples per screen column, for the web page.
//!
//! Computed on the server, since the browser may be unable to decode the recording's format.

use serde::Serialize;

/// Largest number of columns, which is about the width of a screen in pixels.
const MAX_COLUMNS: usize = 1000;

/// Smallest and largest sample in each of up to 1000 intervals of equal length.
#[derive(Debug, Serialize)]
pub(crate) struct Waveform {
    min: Vec<f32>,
    max: Vec<f32>,
}

impl Waveform {
    pub(crate) fn of(samples: &[f32]) -> Self {
        let n_columns = samples.len().min(MAX_COLUMNS);
        let column = |i: usize| {
            let of_column = &samples[i * samples.len() / n_columns..(i + 1) * samples.len() / n_columns];
            let fold = |from: f32, pick: fn(f32, f32) -> f32| of_column.iter().copied().fold(from, pick);
            // Three decimals are finer than a pixel.
            [fold(f32::MAX, f32::min), fold(f32::MIN, f32::max)]
                .map(|value| (value * 1000.0).round() / 1000.0)
        };
        let (min, max) = (0..n_columns).map(column).map(|[min, max]| (min, max)).unzip();
        Self { min, max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_has_the_extremes_of_its_interval() {
        let mut samples = vec![0.0; 10_000];
        samples[5005] = 0.75;
        samples[5009] = -0.25;
        let waveform = Waveform::of(&samples);
        assert_eq!((waveform.min.len(), waveform.max[500], waveform.min[500]), (MAX_COLUMNS, 0.75, -0.25));
        assert!(waveform.max.iter().enumerate().all(|(i, &max)| i == 500 || max == 0.0));
        assert_eq!(Waveform::of(&samples[5000..5006]).max, [0.0, 0.0, 0.0, 0.0, 0.0, 0.75]);
    }

    #[test]
    fn the_number_of_columns_does_not_grow_with_the_duration() {
        assert_eq!(Waveform::of(&vec![0.5; 22_050 * 60]).min.len(), MAX_COLUMNS);
    }
}
