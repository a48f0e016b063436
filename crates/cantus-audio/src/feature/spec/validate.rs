//! Validation of a feature specification: done once, so that extraction cannot fail.
//!
//! Errors name the parameter, the value and the valid range. The limits are far above practical values; they turn typing
//! errors and hostile model files into errors instead of exhausted memory.

use super::{FeatureSpec, SegmentWindows, Segments};
use crate::Error;
use crate::feature::dct::DctType;
use crate::feature::embedding::Embedding;
use crate::feature::front_end::{self, Intermediate};
use crate::feature::range_check::require;
use crate::feature::registry::FeatureKind;
use crate::resample::output_length;

/// Maximum sample rate, in Hz: twice the highest of common recordings.
const MAX_SAMPLE_RATE: u32 = 768_000;
/// Maximum number of mel bands.
const MAX_N_MELS: usize = 4096;
/// Maximum duration of a track, in seconds: a day.
const MAX_DURATION_S: f64 = 86_400.0;
/// Maximum number of scales of a summary.
const MAX_SCALES: usize = 32;
/// Maximum number of windows of a track.
const MAX_SEGMENTS: usize = 1_000_000;

impl FeatureSpec {
    /// Checks that the features can be computed: an extractor of a valid specification cannot fail.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the first parameter out of range.
    pub fn validate(&self) -> Result<(), Error> {
        self.validate_kinds()?;
        let sr = self.sample_rate;
        require((1..=MAX_SAMPLE_RATE).contains(&sr), "sample_rate", sr, || {
            format!("from 1 to {MAX_SAMPLE_RATE} Hz")
        })?;
        self.stft_config().validate()?;
        self.validate_mel()?;
        self.validate_mfcc()?;
        self.segments.validate()?;
        let params = self.frame_params();
        self.kinds.iter().try_for_each(|kind| kind.validate(self, &params))?;
        self.validate_summary()?;
        self.validate_embeddings()?;
        self.validate_size()
    }

    fn validate_summary(&self) -> Result<(), Error> {
        let has_embedding = self.kinds.contains(&FeatureKind::Embedding);
        let has_frames = self.kinds.iter().any(|&kind| kind != FeatureKind::Embedding);
        let Some(summary) = &self.summary else {
            return require(!(has_embedding && has_frames), "summary", "absent", || {
                "a table [features.summary], since an embedding has one row per segment and the other kinds one per frame".into()
            });
        };
        require(has_frames, "summary", "present", || "absent, as no kind has frames".into())?;
        require(
            summary.epsilon > 0.0 && summary.epsilon.is_finite(),
            "summary.epsilon",
            summary.epsilon,
            || "a positive number".into(),
        )?;
        let n_frames = self.stft_config().n_frames(self.segment_samples());
        require(summary.scales.len() <= MAX_SCALES, "summary.scales", summary.scales.len(), || {
            format!("at most {MAX_SCALES} scales")
        })?;
        summary.scales.iter().try_for_each(|&scale| {
            require(scale > 0 && scale < n_frames.div_ceil(2), "summary.scales", scale, || {
                format!("at least 1 and less than half of the {n_frames} frames of a segment")
            })
        })
    }

    fn validate_embeddings(&self) -> Result<(), Error> {
        let has_kind = self.kinds.contains(&FeatureKind::Embedding);
        let n = self.embeddings.len();
        require(has_kind == (n > 0), "embeddings", n, || match has_kind {
            true => "an embedding model, as kinds contain `embedding`".into(),
            false => "none, as kinds do not contain `embedding`".into(),
        })?;
        for (i, Embedding { description, .. }) in self.embeddings.iter().enumerate() {
            description.validate()?;
            let is_new = self.embeddings[..i].iter().all(|other| other.description != *description);
            require(is_new, "embeddings", &description.name, || "each model once".into())?;
            let n_samples =
                output_length(self.segment_samples(), self.sample_rate, description.input.sample_rate);
            let segment_s = self.segment_samples() as f64 / f64::from(self.sample_rate);
            require(
                n_samples >= description.patch_samples(),
                "segments",
                format!("{segment_s:.2} s"),
                || format!("at least the {:.2} s of a patch of {}", description.patch_s(), description.name),
            )?;
        }
        Ok(())
    }

    fn validate_kinds(&self) -> Result<(), Error> {
        let names = || FeatureKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
        let expected = || format!("at least one of {}", names());
        require(!self.kinds.is_empty(), "kinds", "[]", expected)?;
        for (i, kind) in self.kinds.iter().enumerate() {
            require(!self.kinds[..i].contains(kind), "kinds", kind.name(), || "each kind once".into())?;
        }
        Ok(())
    }

    fn validate_mel(&self) -> Result<(), Error> {
        let positive = || "a positive number".to_string();
        require(is_non_negative(self.power) && self.power > 0.0, "power", self.power, positive)?;
        let top_db = self.top_db.unwrap_or(0.0);
        require(is_non_negative(top_db), "top_db", top_db, || "0 or more dB, or \"none\"".into())?;
        require((1..=MAX_N_MELS).contains(&self.n_mels), "n_mels", self.n_mels, || {
            format!("from 1 to {MAX_N_MELS}")
        })?;
        let nyquist = self.sample_rate as f32 / 2.0;
        let f_max = self.f_max.unwrap_or(nyquist);
        require(f_max > 0.0 && f_max <= nyquist, "f_max", f_max, || {
            format!("above 0 and at most half the sample rate, {nyquist} Hz")
        })?;
        require(is_non_negative(self.f_min) && self.f_min < f_max, "f_min", self.f_min, || {
            format!("from 0 to below f_max = {f_max} Hz")
        })
    }

    /// `n_mels` limits `n_mfcc` only if MFCCs are computed: the default `n_mfcc` does not reject ten mel bands.
    fn validate_mfcc(&self) -> Result<(), Error> {
        let needs_mfcc = self.required_intermediates().contains(&Intermediate::Mfcc);
        let (name, limit) = if needs_mfcc { ("n_mels = ", self.n_mels) } else { ("", MAX_N_MELS) };
        require((1..=limit).contains(&self.n_mfcc), "n_mfcc", self.n_mfcc, || {
            format!("from 1 to {name}{limit}")
        })?;
        let enough_for_type = self.dct_type != DctType::I || self.n_mels > 1 || !needs_mfcc;
        require(enough_for_type, "dct_type", 1, || "type 1 needs at least two mel bands".into())?;
        require(is_non_negative(self.lifter), "lifter", self.lifter, || {
            "0 for none, or a positive number".into()
        })
    }

    fn validate_size(&self) -> Result<(), Error> {
        let n_frames = self.frames_per_segment();
        let (name, value) = match self.segments {
            Segments::Parts { n_segments, .. } => ("n_segments", n_segments as f64),
            Segments::Windows(windows) => ("duration_s", windows.duration_s),
        };
        require(n_frames > 0, name, value, || {
            let samples = self.segment_samples();
            format!(
                "segments long enough for a frame of n_fft = {}; these have {samples} samples",
                self.n_fft
            )
        })?;
        if let Segments::Windows(windows) = &self.segments {
            // Windows at every sample would take hours and all memory.
            require(self.segment_hop() >= self.hop_length, "hop_s", windows.hop_s, || {
                format!("at least the {} samples from one frame to the next", self.hop_length)
            })?;
        }
        // The intermediates count too: few coefficients may be computed from many bands.
        let params = self.frame_params();
        let intermediates = self.required_intermediates().into_iter();
        let widest = intermediates.map(|intermediate| intermediate.n_bins(&params)).max();
        let n_frame_bins = self.kinds.iter().map(|kind| kind.n_frame_bins(self)).sum::<usize>();
        params.validate_size(n_frame_bins.max(widest.unwrap_or(0)))
    }

    /// The outputs of the front end that the kinds need, directly or indirectly.
    pub(super) fn required_intermediates(&self) -> Vec<Intermediate> {
        let needs: Vec<_> = self.kinds.iter().flat_map(|kind| kind.needs()).copied().collect();
        front_end::required(&needs)
    }
}

impl Segments {
    fn validate(&self) -> Result<(), Error> {
        let is_duration = |seconds: f64| seconds > 0.0 && seconds <= MAX_DURATION_S;
        let expected = || format!("above 0 and at most {MAX_DURATION_S} s");
        match *self {
            Self::Parts { track_duration_s, n_segments } => {
                require(is_duration(track_duration_s), "track_duration_s", track_duration_s, expected)?;
                require(n_segments > 0, "n_segments", n_segments, || "at least 1".into())
            }
            Self::Windows(SegmentWindows { duration_s, hop_s, max_segments, .. }) => {
                require(is_duration(duration_s), "duration_s", duration_s, expected)?;
                require(is_duration(hop_s), "hop_s", hop_s, expected)?;
                require((1..=MAX_SEGMENTS).contains(&max_segments), "max_segments", max_segments, || {
                    format!("from 1 to {MAX_SEGMENTS}")
                })
            }
        }
    }
}

fn is_non_negative(x: f32) -> bool {
    x.is_finite() && x >= 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::embedding::testing::{MEL_MODEL, embedding};
    use crate::feature::summary::Summary;

    fn refused(change: impl FnOnce(&mut FeatureSpec)) -> &'static str {
        let mut spec = FeatureSpec::course();
        change(&mut spec);
        match spec.validate() {
            Err(Error::InvalidSpec { parameter, .. }) => parameter,
            other => panic!("{spec:?}: {other:?}"),
        }
    }

    fn parts(track_duration_s: f64, n_segments: usize) -> Segments {
        Segments::Parts { track_duration_s, n_segments }
    }

    #[test]
    fn librosas_defaults_and_the_course_are_valid() {
        FeatureSpec::default().validate().unwrap();
        FeatureSpec::course().validate().unwrap();
    }

    #[test]
    fn an_error_names_the_invalid_parameter() {
        assert_eq!(refused(|s| s.kinds.clear()), "kinds");
        assert_eq!(refused(|s| s.kinds = vec![FeatureKind::Mel, FeatureKind::Mel]), "kinds");
        assert_eq!(refused(|s| s.sample_rate = 0), "sample_rate");
        assert_eq!(refused(|s| s.sample_rate = u32::MAX), "sample_rate");
        assert_eq!(refused(|s| s.n_fft = 0), "n_fft");
        assert_eq!(refused(|s| s.n_fft = usize::MAX), "n_fft");
        assert_eq!(refused(|s| s.hop_length = 0), "hop_length");
        assert_eq!(refused(|s| s.win_length = Some(4096)), "win_length");
        assert_eq!(refused(|s| s.power = 0.0), "power");
        assert_eq!(refused(|s| s.power = f32::NAN), "power");
        assert_eq!(refused(|s| s.n_mels = 0), "n_mels");
        assert_eq!(refused(|s| s.n_mels = usize::MAX), "n_mels");
        assert_eq!(refused(|s| s.f_min = -1.0), "f_min");
        assert_eq!(refused(|s| s.f_min = 12_000.0), "f_min");
        assert_eq!(refused(|s| s.f_max = Some(11_025.1)), "f_max");
        assert_eq!(refused(|s| s.f_max = Some(f32::NAN)), "f_max");
        assert_eq!(refused(|s| s.top_db = Some(-1.0)), "top_db");
        assert_eq!(refused(|s| s.top_db = Some(f32::INFINITY)), "top_db");
        assert_eq!(refused(|s| s.n_mfcc = 0), "n_mfcc");
        assert_eq!(refused(|s| s.n_mfcc = 129), "n_mfcc");
        assert_eq!(refused(|s| s.lifter = f32::NAN), "lifter");
        assert_eq!(refused(|s| s.segments = parts(30.0, 0)), "n_segments");
        assert_eq!(refused(|s| s.segments = parts(30.0, usize::MAX)), "n_segments");
        assert_eq!(refused(|s| s.segments = parts(f64::NAN, 10)), "track_duration_s");
        assert_eq!(refused(|s| s.segments = parts(f64::INFINITY, 10)), "track_duration_s");
        let windows = SegmentWindows::adjacent;
        assert_eq!(refused(|s| s.segments = Segments::Windows(windows(-1.0))), "duration_s");
        assert_eq!(
            refused(|s| s.segments = Segments::Windows(SegmentWindows { hop_s: 0.0, ..windows(1.0) })),
            "hop_s"
        );
        assert_eq!(
            refused(|s| s.segments = Segments::Windows(SegmentWindows { max_segments: 0, ..windows(1.0) })),
            "max_segments"
        );
        assert_eq!(
            refused(|s| s.segments = Segments::Windows(SegmentWindows { hop_s: 1e-6, ..windows(1.0) })),
            "hop_s"
        );
        assert_eq!(
            refused(|s| (s.center, s.segments) = (false, Segments::Windows(windows(0.01)))),
            "duration_s"
        );
    }

    #[test]
    fn invalid_combinations_are_errors() {
        assert_eq!(refused(|s| (s.n_mels, s.n_mfcc, s.dct_type) = (1, 1, DctType::I)), "dct_type");
        assert_eq!(refused(|s| (s.center, s.segments) = (false, parts(30.0, 1000))), "n_segments");
        assert_eq!(refused(|s| (s.hop_length, s.segments) = (1, parts(86_400.0, 10))), "hop_length");
        let centroid = vec![FeatureKind::SpectralCentroid];
        assert_eq!(refused(|s| (s.kinds, s.n_fft, s.hop_length) = (centroid, 1 << 20, 1)), "hop_length");
    }

    #[test]
    fn embeddings_and_summaries_that_do_not_fit_are_errors() {
        let model = embedding(MEL_MODEL);
        let with = |kinds: &[FeatureKind], embeddings: Vec<Embedding>, summary: Option<Summary>| {
            refused(move |s| {
                s.kinds = kinds.to_vec();
                s.embeddings = embeddings;
                s.summary = summary;
            })
        };
        let (only, both) = ([FeatureKind::Embedding], [FeatureKind::Mfcc, FeatureKind::Embedding]);
        let scales = |scale: usize| Some(Summary { scales: vec![scale], ..Summary::default() });
        assert_eq!(with(&only, Vec::new(), None), "embeddings");
        assert_eq!(with(&[FeatureKind::Mfcc], vec![model.clone()], None), "embeddings");
        assert_eq!(with(&only, vec![model.clone(), model.clone()], None), "embeddings");
        assert_eq!(with(&both, vec![model.clone()], None), "summary");
        assert_eq!(with(&only, vec![model.clone()], scales(1)), "summary");
        assert_eq!(with(&[FeatureKind::Mfcc], Vec::new(), scales(65)), "summary.scales");
        assert_eq!(with(&[FeatureKind::Mfcc], Vec::new(), scales(0)), "summary.scales");
        let short = Segments::Windows(SegmentWindows::adjacent(0.25));
        assert_eq!(
            refused(|s| (s.kinds, s.embeddings, s.segments) = (only.to_vec(), vec![model.clone()], short)),
            "segments"
        );
        let valid = FeatureSpec {
            kinds: both.to_vec(),
            embeddings: vec![model],
            summary: scales(64),
            ..FeatureSpec::course()
        };
        valid.validate().unwrap();
        let written = toml::to_string(&valid).unwrap();
        assert_eq!(toml::from_str::<FeatureSpec>(&written).unwrap(), valid, "{written}");
    }

    #[test]
    fn mel_bands_without_mfccs_may_be_fewer_than_n_mfcc() {
        let spec = FeatureSpec { kinds: vec![FeatureKind::Mel], n_mels: 10, ..FeatureSpec::default() };
        spec.validate().unwrap();
    }

    #[test]
    fn the_error_is_one_line_with_the_valid_range() {
        let spec = FeatureSpec { n_mfcc: 200, ..FeatureSpec::default() };
        let message = spec.validate().unwrap_err().to_string();
        assert_eq!(message, "feature specification: n_mfcc = 200: from 1 to n_mels = 128");
    }
}
