//! Intermediate values of the front end that several features share: padded samples, STFT, mel bands and their levels.

use std::collections::BTreeMap;

use cantus_audio::feature::FeatureSpec;
use cantus_audio::feature::mel::MelFilterBank;
use cantus_audio::feature::mfcc::Mfcc;
use cantus_audio::transform::decibel::Decibel;
use cantus_audio::transform::{PadMode, fourier};

use crate::export::graph::{Attribute, Graph, Value};

/// The samples of segments and the intermediate values computed so far.
pub(super) struct Sound<'a> {
    pub(super) graph: &'a mut Graph,
    pub(super) spec: &'a FeatureSpec,
    /// `[batch, segment_samples]`
    pub(super) samples: &'a Value,
    made: BTreeMap<&'static str, Value>,
}

impl<'a> Sound<'a> {
    pub(super) fn new(graph: &'a mut Graph, spec: &'a FeatureSpec, samples: &'a Value) -> Self {
        Self { graph, spec, samples, made: BTreeMap::new() }
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
        self.once("magnitude", |sound| {
            let power = sound.power();
            sound.graph.node("Sqrt", [&power])
        })
    }

    /// |STFT| to the specification's power, `[batch, n_frames, n_fft / 2 + 1]`
    pub(super) fn strength(&mut self) -> Value {
        self.once("strength", |sound| sound.raised(sound.spec.power))
    }

    /// Mel bands of that, `[batch, n_frames, n_mels]`
    pub(super) fn mel(&mut self) -> Value {
        self.once("mel", mel)
    }

    /// Their levels in dB, `[batch, n_frames, n_mels]`
    pub(super) fn log_mel(&mut self) -> Value {
        self.once("log_mel", |sound| {
            let mel = sound.mel();
            sound.decibel(&mel)
        })
    }

    /// `[batch, n_frames, n_mfcc]`
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

    pub(super) fn raise(&mut self, value: &Value, exponent: f32) -> Value {
        if exponent == 1.0 {
            return value.clone();
        }
        let exponent = self.graph.number(exponent);
        self.graph.node("Pow", [value, &exponent])
    }

    /// 10 log₁₀ of powers, clipped at `top_db` below the segment's maximum.
    pub(super) fn decibel(&mut self, power: &Value) -> Value {
        let audible = self.graph.at_least(power, Decibel::POWER.amin);
        let logarithm = self.graph.node("Log", [&audible]);
        let level = self.graph.times(&logarithm, 10.0 / std::f32::consts::LN_10);
        let Some(top_db) = self.spec.top_db else { return level };
        let loudest = self.graph.max(&level, &[1, 2]);
        let range = self.graph.number(top_db);
        let floor = self.graph.node("Sub", [&loudest, &range]);
        self.graph.node("Max", [&level, &floor])
    }

    fn once(&mut self, name: &'static str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if let Some(made) = self.made.get(name) {
            return made.clone();
        }
        let value = make(self);
        self.made.insert(name, value.clone());
        value
    }
}

fn pad(sound: &mut Sound<'_>) -> Value {
    let padding = sound.padding() as i64;
    if padding == 0 {
        return sound.samples.clone();
    }
    let mode = match sound.spec.pad_mode {
        PadMode::Edge => "edge",
        PadMode::Reflect => "reflect",
        // Symmetric padding was refused before.
        PadMode::Constant | PadMode::Symmetric => "constant",
    };
    let pads = sound.graph.integers(&[0, padding, 0, padding]);
    sound.graph.node_with("Pad", [sound.samples, &pads], &[("mode", Attribute::Text(mode))])
}

fn power(sound: &mut Sound<'_>) -> Value {
    let padded = sound.padded();
    let FeatureSpec { n_fft, hop_length, win_length, window, .. } = *sound.spec;
    let graph = &mut *sound.graph;
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

fn mel(sound: &mut Sound<'_>) -> Value {
    let strength = sound.strength();
    let (n_mels, n_bins) = (sound.spec.n_mels, sound.n_bins());
    let rows = MelFilterBank::new(&sound.spec.mel_config()).to_dense(); // [n_mels, n_bins]
    let columns: Vec<f32> =
        (0..n_bins).flat_map(|bin| rows.iter().skip(bin).step_by(n_bins).copied()).collect();
    let filters = sound.graph.floats(&[n_bins, n_mels], &columns);
    sound.graph.node("MatMul", [&strength, &filters])
}

/// The rows of the matrix are the transform's responses to unit vectors.
fn cosine_transform(sound: &mut Sound<'_>) -> Value {
    let log_mel = sound.log_mel();
    let FeatureSpec { n_mels, n_mfcc, dct_type, dct_norm, lifter, .. } = *sound.spec;
    let plan = Mfcc::new(n_mels, n_mfcc, dct_type, dct_norm, lifter);
    let mut matrix = vec![0.0; n_mels * n_mfcc];
    for (band, row) in matrix.chunks_exact_mut(n_mfcc).enumerate() {
        let mut unit = vec![0.0; n_mels];
        unit[band] = 1.0;
        plan.apply(&unit, row);
    }
    let matrix = sound.graph.floats(&[n_mels, n_mfcc], &matrix);
    sound.graph.node("MatMul", [&log_mel, &matrix])
}
