//! A picture of one kind of feature: colours over time, or a line.

use cantus_audio::feature::{
    self, Bins, FeatureKind, FeatureSpec, Features, Quantity, TrackFeature, TrackFeatureKind,
};
use cantus_audio::transform::decibel::{Decibel, Reference, amplitude_to_db, power_to_db};
use cantus_plot::{Axis, ColourRange, HeatMap, LineChart, Picture, Rows, Series, Style, Theme};

use super::content::Content;
use crate::output;

/// Options of a picture.
#[derive(Debug, Clone, Copy)]
pub struct PictureOptions {
    pub theme: Theme,
    /// Whether the axis of frequencies is logarithmic.
    pub log_axis: bool,
    /// The values as they were computed, not in dB and not standardised.
    pub raw: bool,
}

/// The picture of the one requested kind.
pub fn draw(content: &Content<'_>, options: PictureOptions) -> Picture {
    match (&content.framed, content.spec.kinds.first(), content.whole.first()) {
        (Some(features), Some(&kind), _) if features.n_bins == 1 => {
            let points: Vec<(f64, f64)> =
                content.times_s().into_iter().zip(features.values.iter().map(|&v| f64::from(v))).collect();
            line(kind.title(), kind.unit(), "Time (s)", &points)
        }
        (Some(features), Some(&kind), _) => colours(features, kind, content.spec, options),
        (_, _, Some((TrackFeatureKind::Waveform, _))) => cantus_plot::waveform(
            content.samples,
            content.spec.sample_rate,
            TrackFeatureKind::Waveform.title(),
        ),
        (_, _, Some((kind, whole))) => line_of(*kind, whole),
        _ => line("", "", "", &[]),
    }
}

fn line_of(kind: TrackFeatureKind, whole: &TrackFeature) -> Picture {
    let axis = match kind.axis() {
        feature::Axis::TimeS => "Time (s)",
        feature::Axis::FrequencyHz => "Frequency (Hz)",
        feature::Axis::Count => "Number",
    };
    let position = |i: usize| whole.positions.get(i).copied().unwrap_or(i as f64);
    let points: Vec<_> = whole.values.iter().enumerate().map(|(i, &v)| (position(i), f64::from(v))).collect();
    line(kind.title(), kind.unit(), axis, &points)
}

/// Up to this number of values, each is marked by a dot, so that a single one is visible.
const MOST_DOTS: usize = 100;

fn line(title: &str, unit: &str, x: &str, points: &[(f64, f64)]) -> Picture {
    let y = if unit.is_empty() { title.to_owned() } else { format!("{title} ({unit})") };
    let style = if points.len() <= MOST_DOTS { Style::LineAndDots } else { Style::Line };
    let series = [Series::new("", style, points)];
    let subtitle = match points {
        [(_, value)] => format!("{value:.2} {unit}").trim_end().to_owned(),
        _ => output::count(points.len(), "value"),
    };
    let (x, y) = (Axis::new(x), Axis::new(&y));
    cantus_plot::line_chart(&LineChart { title, subtitle: &subtitle, x, y, series: &series, square: false })
}

/// Features over time as a heat map.
fn colours(features: &Features, kind: FeatureKind, spec: &FeatureSpec, options: PictureOptions) -> Picture {
    let bins = kind.bins(spec);
    let names: Vec<&str> = match &bins {
        Bins::Named(_, names) => names.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let tempos = tempos(features.n_bins, spec);
    let rows = match &bins {
        _ if kind == FeatureKind::Tempogram => Rows::Tempo(&tempos),
        Bins::Hertz(hertz) if kind == FeatureKind::Cqt => Rows::Pitches(hertz),
        Bins::Hertz(hertz) if options.log_axis => Rows::LogHertz(hertz),
        Bins::Hertz(hertz) => Rows::Hertz(hertz),
        Bins::One => Rows::Numbered(""),
        Bins::Numbered(what) => Rows::Numbered(what),
        Bins::Named(what, _) => Rows::Named(what, &names),
    };
    let scale = Scale::of(kind, spec, options);
    let range = if scale == Scale::Standardised { ColourRange::Standardised } else { ColourRange::Full };
    cantus_plot::heat_map(&HeatMap {
        title: &scale.title(kind),
        values: &scale.applied_to(&features.values),
        n_bins: features.n_bins,
        frame_s: spec.hop_length as f64 / f64::from(spec.sample_rate),
        rows,
        unit: scale.unit(kind),
        range,
    })
}

/// The tempo of each lag of a tempogram, in beats per minute; that of no lag is infinite.
fn tempos(n_lags: usize, spec: &FeatureSpec) -> Vec<f64> {
    let frames_per_minute = 60.0 * f64::from(spec.sample_rate) / spec.hop_length as f64;
    (0..n_lags).map(|lag| frames_per_minute / lag as f64).collect()
}

/// Scale of the values of a kind in a picture, named in its title and its colour bar.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Scale {
    /// The values as they were computed, in the unit of the kind.
    Computed,
    /// Each bin minus its mean and divided by its standard deviation.
    Standardised,
    /// Amplitudes raised to this exponent: for most sounds, all but a few values are near zero.
    Linear(f32),
    /// The same in dB relative to the largest value.
    Decibels(f32),
}

impl Scale {
    fn of(kind: FeatureKind, spec: &FeatureSpec, options: PictureOptions) -> Self {
        match kind.quantity(spec) {
            Quantity::Coefficients if !options.raw => Self::Standardised,
            Quantity::Plain | Quantity::Coefficients => Self::Computed,
            Quantity::Strength(exponent) if options.raw => Self::Linear(exponent),
            Quantity::Strength(exponent) => Self::Decibels(exponent),
        }
    }

    fn title(self, kind: FeatureKind) -> String {
        match self {
            Self::Computed if kind.unit() == "dB" => format!("{} in decibels", kind.title()),
            Self::Computed => kind.title().to_owned(),
            Self::Standardised => format!("{}, standardised", kind.title()),
            Self::Linear(_) => format!("{}, linear {}", kind.title(), self.unit(kind)),
            Self::Decibels(_) => format!("{} in decibels", kind.title()),
        }
    }

    fn unit(self, kind: FeatureKind) -> &'static str {
        match self {
            Self::Computed | Self::Standardised => kind.unit(),
            Self::Linear(1.0) => "magnitude",
            Self::Linear(2.0) => "power",
            Self::Linear(_) => "magnitude to the power",
            Self::Decibels(_) => "dB re largest value",
        }
    }

    fn applied_to(self, values: &[f32]) -> Vec<f32> {
        let mut values = values.to_vec();
        let reference = Reference::Max;
        match self {
            Self::Computed | Self::Standardised | Self::Linear(_) => {}
            Self::Decibels(2.0) => power_to_db(&mut values, &Decibel { reference, ..Decibel::POWER }),
            Self::Decibels(_) => amplitude_to_db(&mut values, &Decibel { reference, ..Decibel::AMPLITUDE }),
        }
        values
    }
}
