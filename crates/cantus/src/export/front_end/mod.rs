//! The feature front end as ONNX nodes: from samples of segments to the model's features.
//!
//! Programs that run the graph need no code for STFT, mel filters, decibels and cosine transform. Linear steps (mel filters,
//! chroma filters, cosine transform with its lifter, deltas) are constant matrices computed by the extractor's own code. The
//! remaining differences from the extractor are the order of summation and the runtime's Fourier transform. Each segment is
//! padded on its own, and `top_db` and the tuning are those of the segment, as in
//! [`FeatureExtractor`](cantus_audio::feature::FeatureExtractor).

mod builder;
mod chroma;
mod contrast;
mod embedding;
mod onset;
mod spectral;
mod time_domain;

use cantus_audio::feature::{FeatureKind, FeatureSpec, Summary};
use cantus_audio::transform::PadMode;
use cantus_nn::layer::StatisticsPooling1D;

use self::builder::FrontEndBuilder;
use super::graph::{Graph, Value};
use super::operator_versions::OPSET;
use super::{ExportError, embedded_graph, statistics};

/// A function that adds one kind of feature to the graph and returns its value, `[batch, n_frames, n_bins]`.
type AddFeature = fn(&mut FrontEndBuilder<'_>) -> Value;

/// The function of a feature kind; `None` if it cannot be exported.
fn add_feature(kind: FeatureKind) -> Option<AddFeature> {
    Some(match kind {
        FeatureKind::Mfcc => |builder| builder.mfcc(),
        FeatureKind::Mel => |builder| builder.mel(),
        FeatureKind::LogMel => |builder| builder.log_mel(),
        FeatureKind::Stft => |builder| builder.magnitude(),
        FeatureKind::Spectrogram => |builder| builder.spectrogram(),
        FeatureKind::SpectrogramDb => spectral::spectrogram_db,
        FeatureKind::MfccDelta => |builder| spectral::mfcc_delta(builder, 1),
        FeatureKind::MfccDelta2 => |builder| spectral::mfcc_delta(builder, 2),
        FeatureKind::AmplitudeEnvelope => time_domain::amplitude_envelope,
        FeatureKind::Rms => time_domain::rms,
        FeatureKind::ZeroCrossingRate => time_domain::zero_crossing_rate,
        FeatureKind::SpectralCentroid => spectral::centroid,
        FeatureKind::SpectralBandwidth => spectral::bandwidth,
        FeatureKind::SpectralRolloff => spectral::rolloff,
        FeatureKind::SpectralFlatness => spectral::flatness,
        FeatureKind::SpectralFlux => spectral::flux,
        FeatureKind::ChromaStft => chroma::chroma,
        FeatureKind::SpectralContrast => contrast::contrast,
        FeatureKind::OnsetStrength => onset::strength,
        FeatureKind::Embedding
        | FeatureKind::Pcen
        | FeatureKind::ChromaCqt
        | FeatureKind::Cqt
        | FeatureKind::Tonnetz
        | FeatureKind::Tempogram
        | FeatureKind::Harmonic
        | FeatureKind::Percussive => return None,
    })
}

/// The operator set of a graph from samples: [`OPSET`], or the latest of the embedding models'.
pub(super) fn operator_set(spec: &FeatureSpec) -> i64 {
    spec.embeddings.iter().filter_map(embedded_graph::operator_set).fold(OPSET, i64::max)
}

/// `samples` `[batch, segment_samples]` → features `[batch, n_frames, n_bins]`, with one row for each segment where the
/// features are statistics over its frames or embeddings.
///
/// # Errors
/// If a kind of feature, an embedding model, or the padding cannot be exported.
pub(super) fn features(graph: &mut Graph, spec: &FeatureSpec, samples: &Value) -> Result<Value, ExportError> {
    let is_embedding = |kind: &FeatureKind| *kind == FeatureKind::Embedding;
    if let Some(&kind) = spec.kinds.iter().find(|kind| !is_embedding(kind) && add_feature(**kind).is_none()) {
        return Err(unsupported(kind));
    }
    if !spec.kinds.iter().all(is_embedding) {
        check_padding(spec, spec.segment_samples())?;
    }
    let has_embeddings = spec.kinds.iter().any(is_embedding);
    let embeddings = has_embeddings.then(|| embedding::values(graph, spec, samples)).transpose()?;
    // Frames have their own number, also where a segment has one row.
    let kinds = spec.kinds.iter().copied().filter(|kind| !is_embedding(kind)).collect();
    let of_frames = FeatureSpec { kinds, summary: None, ..spec.clone() };
    let mut builder = FrontEndBuilder::new(graph, &of_frames, samples);
    let values = spec.kinds.iter().filter_map(|&kind| match add_feature(kind) {
        Some(add) => Some(summarized(&mut builder, spec.summary.as_ref(), add)),
        None => embeddings.clone(),
    });
    let values = values.collect();
    Ok(graph.concat(values, 2))
}

/// The frames of a kind of feature, or the statistics over them that a specification has in place of them, `[batch, 1, n]`.
fn summarized(builder: &mut FrontEndBuilder<'_>, summary: Option<&Summary>, add: AddFeature) -> Value {
    let frames = add(builder);
    let Some(Summary { scales, logarithm, epsilon }) = summary.cloned() else { return frames };
    let layer = StatisticsPooling1D { scales, logarithm, epsilon };
    let n_frames = builder.spec.frames_per_segment();
    let values = statistics::pooling(builder.graph, &layer, n_frames, &frames);
    builder.graph.reshape(&values, &[0, 1, -1])
}

fn unsupported(kind: FeatureKind) -> ExportError {
    let supported = FeatureKind::ALL.iter().copied().filter(|&kind| add_feature(kind).is_some());
    ExportError::UnsupportedFeature { kind, supported: supported.collect() }
}

/// Rejects padding that ONNX lacks: it reflects a signal at most once, without repeating the end sample.
fn check_padding(spec: &FeatureSpec, segment_samples: usize) -> Result<(), ExportError> {
    let padding = spec.n_fft / 2;
    match spec.pad_mode {
        _ if !spec.center => Ok(()),
        PadMode::Symmetric => Err(ExportError::SymmetricPadding),
        PadMode::Reflect if padding >= segment_samples => {
            Err(ExportError::ReflectPaddingTooLong { segment_samples, padding })
        }
        PadMode::Constant | PadMode::Edge | PadMode::Reflect => Ok(()),
    }
}
