//! Rows of a heat map: which bins each row shows, and the axis beside them.

use std::ops::Range;

use super::scale::{Scale, Tick, label, round_step};

/// Quantity of the bins of a feature.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rows<'a> {
    /// Counted from 0, with the name of the axis, such as "MFCC".
    Numbered(&'a str),
    /// Frequencies in Hz, one per bin, ascending; every bin is as high as the others: a linear axis for FFT bins, a mel axis
    /// for mel bands.
    Hertz(&'a [f64]),
    /// The same on a logarithmic axis, an octave being as high as every other, from 20 Hz.
    LogHertz(&'a [f64]),
    /// Frequencies in Hz, one per bin, ascending and evenly spaced by pitch (CQT); labelled with the names of pitches.
    Pitches(&'a [f64]),
    /// Tempos in beats per minute, one per bin, in falling order (the lags of a tempogram; the first may be infinite), on a
    /// logarithmic axis.
    Tempo(&'a [f64]),
    /// With a name each: the axis's and the bins', such as pitch classes.
    Named(&'a str, &'a [&'a str]),
}

/// Rows of the picture, from the lowest up, and the axis beside them.
pub(super) struct Layout<'a> {
    /// Name of the axis, with its unit.
    pub title: &'a str,
    /// The bins whose mean each row shows.
    pub bins: Vec<Range<usize>>,
    /// Ends of the axis, in whatever `ticks` count.
    ends: (f64, f64),
    logarithmic: bool,
    pub ticks: Vec<Tick>,
}

/// Lowest audible frequency, in Hz.
const LOWEST_HZ: f64 = 20.0;
/// Range of the tempo axis, in beats per minute.
const TEMPO_BPM: (f64, f64) = (20.0, 600.0);

impl<'a> Layout<'a> {
    /// At most `most_rows` rows; where there are more bins, neighbours share a row.
    pub fn new(rows: &Rows<'a>, n_bins: usize, most_rows: usize) -> Self {
        let known = |values: &'a [f64]| &values[..values.len().min(n_bins)];
        let placed = match *rows {
            Rows::LogHertz(hz) => logarithmic(known(hz), "Frequency (Hz)", hz_range(known(hz)), most_rows),
            Rows::Tempo(bpm) => logarithmic(known(bpm), "Tempo (BPM)", bpm_range(known(bpm)), most_rows),
            _ => None,
        };
        placed.unwrap_or_else(|| even(rows, n_bins, most_rows))
    }

    /// From values of `ticks` to places on the page.
    pub fn scale(&self, from: f32, to: f32) -> Scale {
        let scale = if self.logarithmic { Scale::logarithmic } else { Scale::linear };
        scale(self.ends.0, self.ends.1, from, to)
    }
}

/// All bins equally high; ticks count bins from the lower edge of the lowest.
fn even<'a>(rows: &Rows<'a>, n_bins: usize, most_rows: usize) -> Layout<'a> {
    let per_row = n_bins.div_ceil(most_rows).max(1);
    let bins = (0..n_bins.div_ceil(per_row)).map(|row| row * per_row..((row + 1) * per_row).min(n_bins));
    let (title, ticks) = bin_ticks(rows, n_bins);
    Layout { title, bins: bins.collect(), ends: (0.0, n_bins as f64), logarithmic: false, ticks }
}

/// Bins at the places of their values; `None` if too few of them have one.
fn logarithmic<'a>(
    values: &[f64],
    title: &'a str,
    (low, high): (f64, f64),
    n_rows: usize,
) -> Option<Layout<'a>> {
    if !(low > 0.0 && high > low && high.is_finite()) {
        return None;
    }
    let edge = |row: usize| low * (high / low).powf(row as f64 / n_rows as f64);
    let bins = (0..n_rows).map(|row| bins_within(values, edge(row), edge(row + 1))).collect();
    let scale = Scale::logarithmic(low, high, 0.0, 1.0);
    let doublings = || (0..6).map(|k| 30.0 * f64::from(1 << k)).filter(|bpm| (low..=high).contains(bpm));
    let ticks = match title.starts_with("Tempo") {
        true => doublings().map(|value| Tick { value, label: label(value, 1.0) }).collect(),
        false => scale.ticks(8),
    };
    Some(Layout { title, bins, ends: (low, high), logarithmic: true, ticks })
}

/// The bins whose values lie within two edges, or the one nearest to their middle. Values ascend or descend.
fn bins_within(values: &[f64], low: f64, high: f64) -> Range<usize> {
    let inside = |value: &f64| (low..high).contains(value);
    if let Some(first) = values.iter().position(inside) {
        let n = values[first..].iter().take_while(|value| inside(value)).count();
        return first..first + n;
    }
    let middle = (low + high) / 2.0;
    let distance = |bin: &usize| (values[*bin] - middle).abs();
    let nearest = (0..values.len()).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(0);
    nearest..nearest + 1
}

fn hz_range(hz: &[f64]) -> (f64, f64) {
    let lowest = hz.iter().copied().find(|&hz| hz > 0.0).unwrap_or(0.0);
    (lowest.max(LOWEST_HZ), hz.last().copied().unwrap_or(0.0))
}

fn bpm_range(bpm: &[f64]) -> (f64, f64) {
    let finite = || bpm.iter().copied().filter(|bpm| bpm.is_finite());
    let (slowest, fastest) = (finite().fold(f64::INFINITY, f64::min), finite().fold(0.0, f64::max));
    (slowest.max(TEMPO_BPM.0), fastest.min(TEMPO_BPM.1))
}

/// Where even bins are labelled.
fn bin_ticks<'a>(rows: &Rows<'a>, n_bins: usize) -> (&'a str, Vec<Tick>) {
    let centre = |bin: usize| bin as f64 + 0.5;
    match *rows {
        Rows::Numbered(name) => {
            let step = round_step(n_bins as f64, 14).max(1.0) as usize;
            let ticks = (0..n_bins).step_by(step);
            (name, ticks.map(|bin| Tick { value: centre(bin), label: bin.to_string() }).collect())
        }
        Rows::Named(axis, names) => {
            let named = names.iter().take(n_bins).enumerate();
            (axis, named.map(|(bin, &name)| Tick { value: centre(bin), label: name.to_owned() }).collect())
        }
        Rows::Hertz(hz) | Rows::LogHertz(hz) => ("Frequency (Hz)", hertz_ticks(&hz[..hz.len().min(n_bins)])),
        Rows::Pitches(hz) => ("Pitch", pitch_ticks(&hz[..hz.len().min(n_bins)])),
        Rows::Tempo(_) => ("Tempo (BPM)", Vec::new()),
    }
}

/// Round frequencies where bins are evenly spaced, octaves where they are not (mel), as far apart as labels need.
fn hertz_ticks(hz: &[f64]) -> Vec<Tick> {
    let (Some(&low), Some(&high)) = (hz.first(), hz.last()) else { return Vec::new() };
    let even = hz.len() < 3 || (hz[1] - low) * 1.5 > high - hz[hz.len() - 2];
    let candidates: Vec<f64> = if even {
        Scale::linear(low, high, 0.0, 1.0).ticks(8).into_iter().map(|t| t.value).collect()
    } else {
        (4..18).map(|octave| f64::from(1u32 << octave)).collect()
    };
    let placed = candidates.into_iter().filter_map(|frequency| {
        bin_of(hz, frequency).map(|value| Tick { value, label: label(frequency, 1.0) })
    });
    apart(placed, hz.len())
}

/// The C of every octave, and the other natural tones where there are few octaves.
fn pitch_ticks(hz: &[f64]) -> Vec<Tick> {
    /// Semitones above C, and names, the rarest label last to yield to the others.
    const NATURALS: [(i32, &str); 7] =
        [(0, "C"), (2, "D"), (4, "E"), (5, "F"), (7, "G"), (9, "A"), (11, "B")];
    let n_octaves = match (hz.first(), hz.last()) {
        (Some(&low), Some(&high)) if low > 0.0 => (high / low).log2(),
        _ => return Vec::new(),
    };
    let names = if n_octaves < 2.5 { &NATURALS[..] } else { &NATURALS[..1] };
    let pitches = (0..=9).flat_map(|octave| names.iter().map(move |(above, name)| (octave, above, name)));
    let placed = pitches.filter_map(|(octave, above, name)| {
        // A4 = 440 Hz is 57 semitones above C0.
        let frequency = 440.0 * 2f64.powf(f64::from(12 * octave + above - 57) / 12.0);
        Some(Tick { value: bin_near(hz, frequency)?, label: format!("{name}{octave}") })
    });
    apart(placed, hz.len())
}

/// Without those that would stand too close to the one before.
fn apart(ticks: impl Iterator<Item = Tick>, n_bins: usize) -> Vec<Tick> {
    let mut kept: Vec<Tick> = Vec::new();
    for tick in ticks {
        let crowded = kept.last().is_some_and(|last| (tick.value - last.value) / (n_bins as f64) < 0.06);
        if !crowded {
            kept.push(tick);
        }
    }
    kept
}

/// The position of a frequency between the centres of ascending bins.
fn bin_of(hz: &[f64], frequency: f64) -> Option<f64> {
    let above = hz.iter().position(|&bin| bin >= frequency)?;
    if hz[above] == frequency {
        return Some(above as f64 + 0.5);
    }
    let below = above.checked_sub(1)?;
    Some(below as f64 + 0.5 + (frequency - hz[below]) / (hz[above] - hz[below]))
}

/// The same where a bin's frequency may be a rounding error away from the one at the end of the axis.
fn bin_near(hz: &[f64], frequency: f64) -> Option<f64> {
    let same = |bin: &f64| (bin / frequency - 1.0).abs() < 1e-6;
    match hz.iter().position(same) {
        Some(bin) => Some(bin as f64 + 0.5),
        None => bin_of(hz, frequency),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|t| t.label.as_str()).collect()
    }

    /// The bins of librosa's default STFT.
    fn fft_hz() -> Vec<f64> {
        (0..=1024).map(|k| f64::from(k) * 22_050.0 / 2048.0).collect()
    }

    #[test]
    fn frequencies_stand_between_the_bins_they_lie_between() {
        assert_eq!(bin_of(&[100.0, 200.0, 400.0], 200.0), Some(1.5));
        assert_eq!(bin_of(&[100.0, 200.0, 400.0], 300.0), Some(2.0));
        assert_eq!(bin_of(&[100.0, 200.0, 400.0], 50.0), None);
        assert_eq!(bin_of(&[100.0, 200.0, 400.0], 500.0), None);
    }

    #[test]
    fn evenly_spaced_bins_get_round_frequencies_and_others_octaves() {
        assert_eq!(labels(&hertz_ticks(&fft_hz())), ["0", "2000", "4000", "6000", "8000", "10000"]);
        let warped: Vec<f64> = (0..64).map(|k| 100.0 * 1.08f64.powi(k)).collect();
        assert_eq!(labels(&hertz_ticks(&warped)), ["128", "256", "512", "1024", "2048", "4096", "8192"]);
    }

    #[test]
    fn on_a_logarithmic_axis_every_octave_is_as_high_as_every_other() {
        let hz = fft_hz();
        let layout = Layout::new(&Rows::LogHertz(&hz), hz.len(), 500);
        assert_eq!(layout.bins.len(), 500);
        let scale = layout.scale(0.0, 500.0);
        let octave = scale.at(200.0) - scale.at(100.0);
        assert!((scale.at(6400.0) - scale.at(3200.0) - octave).abs() < 1e-3);
        let row = scale.at(1000.0) as usize;
        assert!((hz[layout.bins[row].start] - 1000.0).abs() < 11.0, "{:?}", layout.bins[row]);
        assert_eq!(labels(&layout.ticks), ["20", "50", "100", "200", "500", "1000", "2000", "5000", "10000"]);
    }

    #[test]
    fn tempos_descend_and_the_infinite_one_has_no_place() {
        let bpm: Vec<f64> = (0..384).map(|lag| 60.0 * 22_050.0 / 512.0 / f64::from(lag)).collect();
        let layout = Layout::new(&Rows::Tempo(&bpm), bpm.len(), 400);
        assert_eq!(labels(&layout.ticks), ["30", "60", "120", "240", "480"]);
        let row = layout.scale(0.0, 400.0).at(120.0) as usize;
        let shown = bpm[layout.bins[row].start];
        assert!((shown - 120.0).abs() < 3.0, "{shown}");
        assert!(layout.bins.iter().all(|bins| bins.start > 0 && bins.end <= 384));
    }

    #[test]
    fn pitches_are_named_by_their_octaves() {
        let cqt: Vec<f64> = (0..84).map(|k| 32.703_195_662_574_83 * 2f64.powf(f64::from(k) / 12.0)).collect();
        assert_eq!(labels(&pitch_ticks(&cqt)), ["C1", "C2", "C3", "C4", "C5", "C6", "C7"]);
        assert_eq!(pitch_ticks(&cqt)[3].value, 36.5);
        assert_eq!(labels(&pitch_ticks(&cqt[..13])), ["C1", "D1", "E1", "F1", "G1", "A1", "B1", "C2"]);
    }

    #[test]
    fn more_bins_than_rows_share_rows_and_none_is_left_out() {
        let layout = Layout::new(&Rows::Numbered("Bin"), 1025, 500);
        let mut next = 0;
        for bins in &layout.bins {
            assert_eq!(bins.start, next);
            next = bins.end;
        }
        assert_eq!((next, layout.bins.len()), (1025, 342));
    }
}
