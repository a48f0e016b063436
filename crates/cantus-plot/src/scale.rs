//! Axis scales: values to positions, and round tick values.

/// Maps a range of values to a range of positions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Position of `low`.
    from: f32,
    /// Position of `high`; before `from` on a vertical axis, whose positions count downwards.
    to: f32,
}

/// Ends beyond this are cut to it; sums and quotients of values below never overflow.
const LARGEST: f64 = 1e100;

/// A labelled value on an axis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub value: f64,
    pub label: String,
}

impl Scale {
    /// An empty or non-finite range is widened upwards, so that a constant series can be drawn.
    pub fn linear(low: f64, high: f64, from: f32, to: f32) -> Self {
        let low = if low.is_finite() { low.clamp(-LARGEST, LARGEST) } else { 0.0 };
        let high = if high.is_finite() { high.clamp(-LARGEST, LARGEST) } else { low };
        // Below this span, neighbouring ticks would be the same number.
        let least = low.abs().max(high.abs()) * 1e-9 + 1e-30;
        let high = if high - low > least { high } else { low + low.abs().max(1.0) };
        Scale { low, high, logarithmic: false, from, to }
    }

    /// A logarithmic range; where `low` is not above zero, the scale is linear.
    pub fn logarithmic(low: f64, high: f64, from: f32, to: f32) -> Self {
        let linear = Scale::linear(low, high, from, to);
        Scale { logarithmic: linear.low > 1.0 / LARGEST, ..linear }
    }

    pub fn at(&self, value: f64) -> f32 {
        let share = if self.logarithmic {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + (self.to - self.from) * share as f32
    }

    /// About `n` round values within the range.
    pub fn ticks(&self, n: usize) -> Vec<Tick> {
        if self.logarithmic {
            return decades(self.low, self.high, n);
        }
        multiples(self.low, self.high, round_step(self.high - self.low, n))
    }

    /// About `n` whole numbers within the range.
    pub fn integer_ticks(&self, n: usize) -> Vec<Tick> {
        multiples(self.low, self.high, round_step(self.high - self.low, n).max(1.0))
    }
}

/// The smallest of 1, 2, 5 · 10ᵏ that goes into `span` at most `n` times.
pub(super) fn round_step(span: f64, n: usize) -> f64 {
    let raw = (span / n.max(1) as f64).max(f64::MIN_POSITIVE);
    let magnitude = 10f64.powf(raw.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * magnitude >= raw * (1.0 - 1e-9)).unwrap_or(10.0);
    factor * magnitude
}

fn multiples(low: f64, high: f64, step: f64) -> Vec<Tick> {
    let slack = 1e-6;
    let first = (low / step - slack).ceil();
    let n = ((high / step + slack).floor() - first).clamp(-1.0, 100.0);
    let values = (0..(n + 1.0) as usize).map(|i| (first + i as f64) * step);
    values.map(|value| Tick { value, label: label(value, step) }).collect()
}

/// 1, 2 and 5 of every power of ten where there is room for them, else the powers alone.
fn decades(low: f64, high: f64, n: usize) -> Vec<Tick> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let is_short = 3.0 * (high / low).log10() <= 1.4 * n as f64;
    let factors: &[f64] = if is_short { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let stride = usize::try_from((last - first) / 8).unwrap_or(0) + 1;
    let values = (first..=last).step_by(stride).flat_map(|k| factors.iter().map(move |f| (f, k)));
    let values = values.map(|(f, k)| (f * 10f64.powi(k), 10f64.powi(k)));
    let ticks: Vec<_> = values.filter(|(value, _)| (low..=high).contains(value)).collect();
    // One notation for the whole axis: where one label needs a power of ten, all are written so.
    let needs_power = |&(value, step): &(f64, f64)| value >= PLAIN_BELOW || step < PLAIN_STEP_FROM;
    let in_powers = ticks.iter().any(needs_power);
    let text = |value, step| if in_powers { power_of_ten(value) } else { label(value, step) };
    ticks.into_iter().map(|(value, step)| Tick { value, label: text(value, step) }).collect()
}

/// Numbers from here on are written with a power of ten.
const PLAIN_BELOW: f64 = 1e6;
/// So are numbers with finer steps than this.
const PLAIN_STEP_FROM: f64 = 1e-5;

fn power_of_ten(value: f64) -> String {
    format!("{value:.1e}").replace(".0e", "e").replace('-', "−")
}

/// With as many decimals as `step` needs, a true minus sign, and powers of ten for the very large and small.
pub(super) fn label(value: f64, step: f64) -> String {
    let value = if value.abs() < step.abs() * 1e-6 { 0.0 } else { value };
    if value != 0.0 && (value.abs() >= PLAIN_BELOW || step < PLAIN_STEP_FROM) {
        return power_of_ten(value);
    }
    let decimals = (-step.log10() - 1e-9).ceil().clamp(0.0, 6.0) as usize;
    format!("{value:.decimals$}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<Tick>) -> Vec<String> {
        ticks.into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn ends_of_the_range_are_at_the_ends_of_the_axis() {
        for scale in [Scale::linear(2.0, 4.0, 100.0, 0.0), Scale::logarithmic(2.0, 4.0, 100.0, 0.0)] {
            assert_eq!((scale.at(2.0), scale.at(4.0)), (100.0, 0.0));
        }
        assert_eq!(Scale::linear(2.0, 4.0, 100.0, 0.0).at(3.0), 50.0);
        assert!((Scale::logarithmic(1.0, 100.0, 0.0, 100.0).at(10.0) - 50.0).abs() < 1e-4);
    }

    #[test]
    fn ticks_are_round_and_inside() {
        assert_eq!(
            labels(Scale::linear(0.0, 1.0, 0.0, 1.0).ticks(5)),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(labels(Scale::linear(-80.0, 0.0, 0.0, 1.0).ticks(4)), ["−80", "−60", "−40", "−20", "0"]);
        assert_eq!(labels(Scale::linear(0.9, 4.1, 0.0, 1.0).integer_ticks(10)), ["1", "2", "3", "4"]);
        assert_eq!(labels(Scale::logarithmic(0.5, 300.0, 0.0, 1.0).ticks(5)), ["1", "10", "100"]);
    }

    #[test]
    fn a_logarithmic_axis_has_one_notation() {
        let ticks = Scale::logarithmic(1e-9, 2.0, 0.0, 1.0).ticks(6);
        assert_eq!(labels(ticks), ["1e−9", "1e−7", "1e−5", "1e−3", "1e−1"]);
    }

    #[test]
    fn any_range_has_few_ticks_at_finite_places() {
        let ends = [0.0, -1.0, 1e-300, 1e300, f64::MAX, f64::MIN, f64::NAN, f64::INFINITY, 0.3, 0.1 + 0.2];
        for low in ends {
            for high in ends {
                for scale in [Scale::linear(low, high, 0.0, 9.0), Scale::logarithmic(low, high, 0.0, 9.0)] {
                    let ticks = scale.ticks(6);
                    assert!(ticks.len() <= 24, "{low} {high}");
                    for tick in ticks {
                        assert!(scale.at(tick.value).is_finite(), "{low} {high} {tick:?}");
                    }
                }
            }
        }
    }
}
