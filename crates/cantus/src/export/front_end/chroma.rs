//! Chroma of the STFT in the graph, with the tuning of each segment estimated as in `cantus_audio`: a histogram of the louder
//! half of all spectral peaks by their deviation from the nearest note. The filters of all hundred tunings are constants.

use std::ops::Range;

use cantus_audio::feature::chroma_stft::{ChromaConfig, ChromaFilterBank};
use cantus_audio::feature::tuning::{A0_HZ, N_STEPS, THRESHOLD, TuningEstimator, edge};
use cantus_audio::transform::Norm;

use super::builder::FrontEndBuilder;
use crate::export::graph::{Attribute, Graph, Value};

/// Tuning steps are counted by their decimal digits, tens and units; this is the number of values of each.
const DIGITS: usize = 10;

/// `[batch, n_frames, n_chroma]`
pub(super) fn chroma(builder: &mut FrontEndBuilder<'_>) -> Value {
    let power = builder.power();
    let config = builder.spec.chroma_stft_config();
    let shape = [builder.n_bins(), config.n_chroma];
    let filters = match (config.tuning, peaks(builder, &config)) {
        (None, Some(peaks)) => {
            let step = tuning(builder, &config, &peaks);
            let banks: Vec<f32> =
                (0..N_STEPS).flat_map(|step| ChromaFilterBank::new(&config, edge(step)).to_dense()).collect();
            let banks = builder.graph.floats(&[&[N_STEPS], &shape[..]].concat(), &banks);
            builder.graph.node_with("Gather", [&banks, &step], &[("axis", Attribute::Int(0))]) // [batch, n_bins, n_chroma]
        }
        (tuning, _) => {
            let bank = ChromaFilterBank::new(&config, tuning.unwrap_or(0.0)).to_dense();
            builder.graph.floats(&shape, &bank)
        }
    };
    let chroma = builder.graph.node("MatMul", [&power, &filters]);
    normalised(builder, config.norm, &chroma)
}

/// Frames divided by their norm, unless that is zero.
fn normalised(builder: &mut FrontEndBuilder<'_>, norm: Norm, chroma: &Value) -> Value {
    let graph = &mut *builder.graph;
    let length = match norm {
        Norm::None => return chroma.clone(),
        Norm::Max => graph.max(chroma, &[2]),
        Norm::L1 => graph.sum(chroma),
        Norm::L2 => {
            let squares = graph.node("Mul", [chroma, chroma]);
            let sum = graph.sum(&squares);
            graph.node("Sqrt", [&sum])
        }
    };
    let (least, one) = (graph.number(f32::MIN_POSITIVE), graph.number(1.0));
    let is_long = graph.node("GreaterOrEqual", [&length, &least]);
    let divisor = graph.node("Where", [&is_long, &length, &one]);
    graph.node("Div", [chroma, &divisor])
}

/// Candidate positions of peaks, `[batch, n_places]` each: all bins of all frames, flattened.
struct Peaks {
    /// Whether the position is a peak.
    is_peak: Value,
    pitch_hz: Value,
    height: Value,
    /// Maximum number of peaks, as no two are adjacent.
    n_most: usize,
}

/// Peaks of the power spectrum with parabolic interpolation between bins; `None` if the spectrum has too few bins.
fn peaks(builder: &mut FrontEndBuilder<'_>, config: &ChromaConfig) -> Option<Peaks> {
    let bins = TuningEstimator::new(config.sample_rate, config.n_fft, config.n_chroma).bins();
    if config.tuning.is_some() || bins.is_empty() {
        return None;
    }
    let (power, bin_hz, n_frames) = (builder.power(), builder.bin_hz(), builder.spec.frames_per_segment());
    let graph = &mut *builder.graph;
    let loudest = graph.max(&power, &[2]);
    let threshold = graph.times(&loudest, THRESHOLD);
    let is_audible = graph.node("Greater", [&power, &threshold]);
    let is_audible = graph.as_float(&is_audible);
    let audible = graph.node("Mul", [&power, &is_audible]);
    let [a, b, c] = neighbours(graph, &audible, &bins);
    let (rises, falls) = (graph.node("Greater", [&b, &a]), graph.node("GreaterOrEqual", [&b, &c]));
    let is_peak = graph.node("And", [&rises, &falls]);

    let [before, here, after] = neighbours(graph, &power, &bins);
    let twice = graph.times(&here, -2.0);
    let both = graph.node("Add", [&before, &after]);
    let curvature = graph.node("Add", [&both, &twice]);
    let difference = graph.node("Sub", [&after, &before]);
    let slope = graph.times(&difference, 0.5);
    let (steep, curved) = (graph.node("Abs", [&slope]), graph.node("Abs", [&curvature]));
    let is_outside = graph.node("GreaterOrEqual", [&steep, &curved]);
    let vertex = graph.node("Div", [&slope, &curvature]);
    let (vertex, zero) = (graph.node("Neg", [&vertex]), graph.number(0.0));
    let shift = graph.node("Where", [&is_outside, &zero, &vertex]);

    let lifted = graph.node("Mul", [&slope, &shift]);
    let lifted = graph.times(&lifted, 0.5);
    let height = graph.node("Add", [&here, &lifted]);
    let numbers: Vec<f32> = bins.clone().map(|bin| bin as f32).collect();
    let numbers = graph.floats(&[bins.len()], &numbers);
    let place = graph.node("Add", [&numbers, &shift]);
    let pitch_hz = graph.times(&place, bin_hz as f32);
    let n_places = (n_frames * bins.len()) as i64;
    let [is_peak, pitch_hz, height] =
        [is_peak, pitch_hz, height].map(|value| graph.reshape(&value, &[-1, n_places]));
    Some(Peaks { is_peak, pitch_hz, height, n_most: n_frames * bins.len().div_ceil(2) })
}

/// The values before, at and after each of these bins.
fn neighbours(graph: &mut Graph, spectrum: &Value, bins: &Range<usize>) -> [Value; 3] {
    [bins.start - 1..bins.end - 1, bins.clone(), bins.start + 1..bins.end + 1]
        .map(|bins| graph.slice(spectrum, 2, bins))
}

/// The tuning step, out of a hundred, with most of the louder peaks, `[batch]`; the step of no deviation without peaks.
fn tuning(builder: &mut FrontEndBuilder<'_>, config: &ChromaConfig, peaks: &Peaks) -> Value {
    let is_in_louder_half = louder_half(builder, peaks);
    let step = step(builder, config, &peaks.pitch_hz);
    let graph = &mut *builder.graph;
    let tens = graph.times(&step, 1.0 / DIGITS as f32);
    let tens = graph.node("Floor", [&tens]);
    let whole = graph.times(&tens, DIGITS as f32);
    let units = graph.node("Sub", [&step, &whole]);
    let digits: Vec<f32> = (0..DIGITS).map(|digit| digit as f32).collect();
    // One-hot matrices of both digits; their product counts the peaks with each pair of digits.
    let (upright, flat) = (graph.floats(&[DIGITS, 1], &digits), graph.floats(&[DIGITS], &digits));
    let (tens, units) = (graph.unsqueeze(&tens, 1), graph.unsqueeze(&units, 2));
    let (tens, units) = (graph.node("Equal", [&tens, &upright]), graph.node("Equal", [&units, &flat]));
    let (tens, units) = (graph.as_float(&tens), graph.as_float(&units));
    let is_in_louder_half = graph.unsqueeze(&is_in_louder_half, 1);
    let selected_tens = graph.node("Mul", [&tens, &is_in_louder_half]); // [batch, 10, n_places]
    let counts = graph.node("MatMul", [&selected_tens, &units]); // [batch, 10, 10]
    let counts = graph.reshape(&counts, &[-1, N_STEPS as i64]);
    let first = graph.node_with(
        "ArgMax",
        [&counts],
        &[("axis", Attribute::Int(1)), ("keepdims", Attribute::flag(false))],
    );
    let all = graph.mean(&counts, &[1], false);
    let (none, in_tune) = (graph.number(0.0), graph.integer((N_STEPS / 2) as i64));
    let is_any = graph.node("Greater", [&all, &none]);
    graph.node("Where", [&is_any, &first, &in_tune])
}

/// 1 for each peak that is at least as high as the median peak, 0 at all other positions.
fn louder_half(builder: &mut FrontEndBuilder<'_>, peaks: &Peaks) -> Value {
    let graph = &mut *builder.graph;
    let peak = graph.as_float(&peaks.is_peak);
    let n = graph.sum(&peak); // [batch, 1]
    let nothing = graph.number(-1.0);
    let height = graph.node("Where", [&peaks.is_peak, &peaks.height, &nothing]);
    let highest = graph.greatest(&height, peaks.n_most / 2 + 1);
    // Indices of the one or two middle values: ⌊(n - 1) / 2⌋ and ⌊n / 2⌋; 0 without peaks.
    let minus_one = graph.number(-1.0);
    let n_less = graph.node("Add", [&n, &minus_one]);
    let both = graph.concat(vec![n_less, n], 1);
    let both = graph.at_least(&both, 0.0);
    let halves = graph.times(&both, 0.5);
    let halves = graph.node("Floor", [&halves]);
    let places = graph.as_integer(&halves);
    let middle = graph.node_with("GatherElements", [&highest, &places], &[("axis", Attribute::Int(1))]);
    let median = graph.mean(&middle, &[1], true);
    let is_high = graph.node("GreaterOrEqual", [&height, &median]);
    let is_high = graph.as_float(&is_high);
    graph.node("Mul", [&peak, &is_high])
}

/// The tuning step of each pitch: its position between half a note below and half a note above the nearest note.
fn step(builder: &mut FrontEndBuilder<'_>, config: &ChromaConfig, pitch_hz: &Value) -> Value {
    let graph = &mut *builder.graph;
    let octaves = graph.times(pitch_hz, 1.0 / A0_HZ);
    let octaves = graph.node("Log", [&octaves]);
    let notes = graph.times(&octaves, config.n_chroma as f32 / std::f32::consts::LN_2);
    let half = graph.number(0.5);
    let raised = graph.node("Add", [&notes, &half]);
    let floor = graph.node("Floor", [&raised]);
    let within = graph.node("Sub", [&raised, &floor]);
    let steps = graph.times(&within, N_STEPS as f32);
    let step = graph.node("Floor", [&steps]);
    let last = graph.number((N_STEPS - 1) as f32);
    graph.node("Min", [&step, &last])
}
