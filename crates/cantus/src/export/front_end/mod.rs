//! The feature front end as ONNX nodes: from samples of segments to the model's features.
//!
//! Programs that run the graph need no code for STFT, mel filters, decibels and cosine transform. Linear steps (mel filters,
//! chroma filters, cosine transform with its lifter, deltas) are constant matrices computed by the extractor's own code. The
//! remaining differences from the extractor are the order of summation and the runtime's Fourier transform. Each segment is
//! padded on its own, and `top_db` and the tuning are those of the segment, as in
//! [`FeatureExtractor`](cantus_audio::feature::FeatureExtractor).

mod chroma;
mod onset;
mod samples;
mod sound;
mod spectral;

use cantus_audio::feature::{FeatureKind, FeatureSpec};
use cantus_audio::transform::PadMode;

use self::sound::Sound;
use super::graph::{Graph, Value};
use crate::Error;

/// A function that adds one kind of feature to the graph: `[batch, n_frames, n_bins]`.
type Form = fn(&mut Sound<'_>) -> Value;

/// The ONNX form of a feature kind; `None` if it cannot be exported.
fn form(kind: FeatureKind) -> Option<Form> {
    Some(match kind {
        FeatureKind::Mfcc => |sound| sound.mfcc(),
        FeatureKind::Mel => |sound| sound.mel(),
        FeatureKind::LogMel => |sound| sound.log_mel(),
        FeatureKind::Stft => |sound| sound.magnitude(),
        FeatureKind::Spectrogram => |sound| sound.strength(),
        FeatureKind::SpectrogramDb => spectral::level,
        FeatureKind::MfccDelta => |sound| spectral::mfcc_delta(sound, 1),
        FeatureKind::MfccDelta2 => |sound| spectral::mfcc_delta(sound, 2),
        FeatureKind::AmplitudeEnvelope => samples::amplitude_envelope,
        FeatureKind::Rms => samples::rms,
        FeatureKind::ZeroCrossingRate => samples::zero_crossing_rate,
        FeatureKind::SpectralCentroid => spectral::centroid,
        FeatureKind::SpectralBandwidth => spectral::bandwidth,
        FeatureKind::SpectralRolloff => spectral::rolloff,
        FeatureKind::SpectralFlatness => spectral::flatness,
        FeatureKind::SpectralFlux => spectral::flux,
        FeatureKind::ChromaStft => chroma::chroma,
        FeatureKind::OnsetStrength => onset::strength,
        FeatureKind::Pcen
        | FeatureKind::SpectralContrast
        | FeatureKind::ChromaCqt
        | FeatureKind::Cqt
        | FeatureKind::Tonnetz
        | FeatureKind::Tempogram
        | FeatureKind::Harmonic
        | FeatureKind::Percussive => return None,
    })
}

/// `samples` `[batch, segment_samples]` → features `[batch, n_frames, n_bins]`.
///
/// # Errors
/// If a kind of feature, or the padding, cannot be exported.
pub(super) fn features(graph: &mut Graph, spec: &FeatureSpec, samples: &Value) -> Result<Value, Error> {
    let forms = forms(spec)?;
    check_padding(spec)?;
    let mut sound = Sound::new(graph, spec, samples);
    let kinds = forms.into_iter().map(|form| form(&mut sound)).collect();
    Ok(graph.concat(kinds, 2))
}

fn forms(spec: &FeatureSpec) -> Result<Vec<Form>, Error> {
    let of_kind = |&kind: &FeatureKind| form(kind).ok_or_else(|| unsupported(kind));
    spec.kinds.iter().map(of_kind).collect()
}

fn unsupported(kind: FeatureKind) -> Error {
    let exportable = FeatureKind::ALL.iter().filter(|&&kind| form(kind).is_some()).map(|kind| kind.name());
    let reason = format!(
        "there is no ONNX form of the feature {}; without --with-features the graph takes features; these can be exported: {}",
        kind.name(),
        exportable.collect::<Vec<_>>().join(", ")
    );
    Error::Export { reason }
}

/// Refuses padding that ONNX lacks: it reflects a signal at most once, without repeating the end sample.
fn check_padding(spec: &FeatureSpec) -> Result<(), Error> {
    let (padding, n_samples) = (spec.n_fft / 2, spec.segment_samples());
    let reason = match spec.pad_mode {
        PadMode::Symmetric => "ONNX has no padding as pad_mode = \"symmetric\" has it".to_owned(),
        PadMode::Reflect if padding >= n_samples => {
            format!("ONNX cannot mirror a segment of {n_samples} samples to pad it with {padding}")
        }
        PadMode::Constant | PadMode::Edge | PadMode::Reflect => return Ok(()),
    };
    if !spec.center {
        return Ok(());
    }
    Err(Error::Export { reason: format!("{reason}; without --with-features the graph takes features") })
}
