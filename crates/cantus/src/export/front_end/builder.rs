//! Builder of the front end's part of a graph: adds padded samples, STFT, mel bands and their levels once for all features.

use std::collections::BTreeMap;

use cantus_audio::feature::FeatureSpec;
use cantus_audio::feature::mel::MelFilterBank;
use cantus_audio::feature::mfcc::Mfcc;
use cantus_audio::transform::decibel::Decibel;
use cantus_audio::transform::{PadMode, fourier};

use crate::export::graph::{Attribute, Graph, Value};

/// A graph with the samples of segments, and the intermediate values that it contains already.
pub(super) struct FrontEndBuilder<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) spec: &'a FeatureSpec,
    /// `[batch, segment_samples]`
    pub(super) samples: &'a Value,
    values: BTreeMap<&'static str, Value>,
}

impl<'a> FrontEndBuilder<'a> {
    pub(super) fn new(graph: &'a mut Graph, spec: &'a FeatureSpec, samples: &'a Value) -> Self {
        Self { graph, spec, samples, values: BTreeMap::new() }
    }

    /// Number of bins of the spectrum.
    pub(super) fn n_bins(&self) -> usize {
        fourier::n_bins(self.spec.n_fft)
    }

    /// Spacing of the spectrum's bins, in Hz.
    pub(super) fn bin_hz(&self) -> f64 {
        f64::from(self.spec.sample_rate) / self.spec.n_fft as f64
    }

    /// Number of padding samples at each end.
    pub(super) fn padding(&self) -> usize {
        if self.spec.center { self.spec.n_fft / 2 } else { 0 }
    }

    /// The padded samples, `[batch, segment_samples + 2 · padding]`
    pub(super) fn padded(&mut self) -> Value {
        self.once("padded", pad)
    }

    /// |STFT|², `[batch, n_frames, n_fft / 2 + 1]`
    pub(super) fn power(&mut self) -> Value {
        self.once("power", power)
    }

    /// |STFT|, `[batch, n_frames, n_fft / 2 + 1]`
    pub(super) fn magnitude(&mut self) -> Value {
        self.once("magnitude", |builder| {
            let power = builder.power();
            builder.graph.node("Sqrt", [&power])
        })
    }

    /// |STFT| to the specification's power, `[batch, n_frames, n_fft / 2 + 1]`
    pub(super) fn spectrogram(&mut self) -> Value {
        self.once("spectrogram", |builder| builder.raised(builder.spec.power))
    }

    /// Mel bands of the spectrogram, `[batch, n_frames, n_mels]`
    pub(super) fn mel(&mut self) -> Value {
        self.once("mel", mel)
    }

    /// Mel bands in dB, `[batch, n_frames, n_mels]`
    pub(super) fn log_mel(&mut self) -> Value {
        self.once("log_mel", |builder| {
            let mel = builder.mel();
            builder.decibel(&mel)
        })
    }

    /// MFCCs, `[batch, n_frames, n_mfcc]`
    pub(super) fn mfcc(&mut self) -> Value {
        self.once("mfcc", cosine_transform)
    }

    /// |STFT|^exponent
    pub(super) fn raised(&mut self, exponent: f32) -> Value {
        if exponent == 2.0 {
            return self.power();
        }
        let magnitude = self.magnitude();
        self.raise(&magnitude, exponent)
    }

    /// value^exponent, element by element.
    pub(super) fn raise(&mut self, value: &Value, exponent: f32) -> Value {
        if exponent == 1.0 {
            return value.clone();
        }
        let exponent = self.graph.number(exponent);
        self.graph.node("Pow", [value, &exponent])
    }

    /// 10 log₁₀ of powers, clipped at the specification's `top_db` below the segment's maximum.
    pub(super) fn decibel(&mut self, power: &Value) -> Value {
        self.decibel_within(power, self.spec.top_db)
    }

    /// 10 log₁₀ of powers, clipped at `top_db` below the segment's maximum.
    pub(super) fn decibel_within(&mut self, power: &Value, top_db: Option<f32>) -> Value {
        let clamped = self.graph.at_least(power, Decibel::POWER.amin);
        let logarithm = self.graph.node("Log", [&clamped]);
        let level = self.graph.times(&logarithm, 10.0 / std::f32::consts::LN_10);
        let Some(top_db) = top_db else { return level };
        let loudest = self.graph.max(&level, &[1, 2]);
        let range = self.graph.number(top_db);
        let floor = self.graph.node("Sub", [&loudest, &range]);
        self.graph.node("Max", [&level, &floor])
    }

    /// The value of this name, which `add` adds to the graph unless it contains it.
    fn once(&mut self, name: &'static str, add: impl FnOnce(&mut Self) -> Value) -> Value {
        if let Some(value) = self.values.get(name) {
            return value.clone();
        }
        let value = add(self);
        self.values.insert(name, value.clone());
        value
    }
}

fn pad(builder: &mut FrontEndBuilder<'_>) -> Value {
    let padding = builder.padding() as i64;
    if padding == 0 {
        return builder.samples.clone();
    }
    let mode = match builder.spec.pad_mode {
        PadMode::Edge => "edge",
        PadMode::Reflect => "reflect",
        // Symmetric padding was rejected before.
        PadMode::Constant | PadMode::Symmetric => "constant",
    };
    let pads = builder.graph.integers(&[0, padding, 0, padding]);
    builder.graph.node_with("Pad", [builder.samples, &pads], &[("mode", Attribute::Text(mode))])
}

fn power(builder: &mut FrontEndBuilder<'_>) -> Value {
    let padded = builder.padded();
    let FeatureSpec { n_fft, hop_length, win_length, window, .. } = *builder.spec;
    let graph = &mut *builder.graph;
    let signal = graph.unsqueeze(&padded, 2);
    let window = graph.floats(&[n_fft], &window.frame_weights(win_length.unwrap_or(n_fft), n_fft));
    let (hop_length, n_fft) = (graph.integer(hop_length as i64), graph.integer(n_fft as i64));
    let attributes = [("onesided", Attribute::flag(true))];
    // Runtimes' f32 transforms are less exact than ours: a roll-off may fall on another bin, which f64 prevents.
    let (signal, window) = (graph.as_double(&signal), graph.as_double(&window));
    let bins = graph.node_with("STFT", [&signal, &hop_length, &window, &n_fft], &attributes); // [batch, frames, bins, 2]
    let bins = graph.as_float(&bins);
    let squares = graph.node("Mul", [&bins, &bins]);
    let axis = graph.integers(&[3]);
    graph.node_with("ReduceSum", [&squares, &axis], &[("keepdims", Attribute::flag(false))])
}

fn mel(builder: &mut FrontEndBuilder<'_>) -> Value {
    let spectrogram = builder.spectrogram();
    let (n_mels, n_bins) = (builder.spec.n_mels, builder.n_bins());
    let rows = MelFilterBank::new(&builder.spec.mel_config()).to_dense(); // [n_mels, n_bins]
    let columns: Vec<f32> =
        (0..n_bins).flat_map(|bin| rows.iter().skip(bin).step_by(n_bins).copied()).collect();
    let filters = builder.graph.floats(&[n_bins, n_mels], &columns);
    builder.graph.node("MatMul", [&spectrogram, &filters])
}

/// The rows of the matrix are the transform's responses to unit vectors.
fn cosine_transform(builder: &mut FrontEndBuilder<'_>) -> Value {
    let log_mel = builder.log_mel();
    let FeatureSpec { n_mels, n_mfcc, dct_type, dct_norm, lifter, .. } = *builder.spec;
    let plan = Mfcc::new(n_mels, n_mfcc, dct_type, dct_norm, lifter);
    let mut matrix = vec![0.0; n_mels * n_mfcc];
    for (band, row) in matrix.chunks_exact_mut(n_mfcc).enumerate() {
        let mut unit = vec![0.0; n_mels];
        unit[band] = 1.0;
        plan.apply(&unit, row);
    }
    let matrix = builder.graph.floats(&[n_mels, n_mfcc], &matrix);
    builder.graph.node("MatMul", [&log_mel, &matrix])
}
