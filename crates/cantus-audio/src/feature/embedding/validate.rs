//! Validation of a description: done once, so that an embedding that is planned cannot fail.

use super::description::{
    Compression, EmbeddingDescription, EmbeddingInput, EmbeddingOutput, InputAxis, MelInput, Patch,
};
use crate::Error;
use crate::feature::range_check::require;

/// Maximum number of values of one run of a graph, input or output: 256 MiB of f32.
const MAX_VALUES: usize = 1 << 26;
/// Maximum sample rate, in Hz.
const MAX_SAMPLE_RATE: u32 = 768_000;

impl EmbeddingDescription {
    /// Checks every number and the shape of the input, so that an embedding that is planned cannot fail.
    ///
    /// # Errors
    /// [`Error::InvalidSpec`] names the parameter.
    pub fn validate(&self) -> Result<(), Error> {
        require(!self.name.trim().is_empty(), "embedding.name", "\"\"", || "a name".into())?;
        let EmbeddingInput { sample_rate, gain, preemphasis, .. } = self.input;
        require(
            (1..=MAX_SAMPLE_RATE).contains(&sample_rate),
            "embedding.input.sample_rate",
            sample_rate,
            || format!("from 1 to {MAX_SAMPLE_RATE} Hz"),
        )?;
        require(gain.is_finite() && gain != 0.0, "embedding.input.gain", gain, || "a finite number".into())?;
        require(preemphasis.abs() <= 1.0, "embedding.input.preemphasis", preemphasis, || {
            "from -1 to 1".into()
        })?;
        self.validate_shape()?;
        if let Some(mel) = &self.input.mel {
            mel.validate(sample_rate)?;
        }
        let Patch { length, hop, per_run } = self.patch;
        let at_least_one = || "at least 1".to_owned();
        require(length > 0, "embedding.patch.length", length, at_least_one)?;
        require(hop > 0, "embedding.patch.hop", hop, at_least_one)?;
        require(per_run > 0, "embedding.patch.per_run", per_run, at_least_one)?;
        let run_values = self.patch_values().saturating_mul(per_run);
        require(run_values <= MAX_VALUES, "embedding.patch.length", length, || {
            format!("at most {MAX_VALUES} values in a run of the graph; this one has {run_values}")
        })?;
        let EmbeddingOutput { size, pooling, .. } = &self.output;
        require((1..=MAX_VALUES / 4).contains(size), "embedding.output.size", size, at_least_one)?;
        let is_unique = pooling.iter().enumerate().all(|(i, pooled)| !pooling[..i].contains(pooled));
        require(!pooling.is_empty() && is_unique, "embedding.output.pooling", format!("{pooling:?}"), || {
            "mean, deviation and max, each at most once, and at least one".into()
        })
    }

    fn validate_shape(&self) -> Result<(), Error> {
        let shape = &self.input.shape;
        let count = |wanted: InputAxis| shape.iter().filter(|&&axis| axis == wanted).count();
        let is_mel = usize::from(self.input.mel.is_some());
        let has_axes = count(InputAxis::Sample) == 1 - is_mel
            && count(InputAxis::Frame) == is_mel
            && count(InputAxis::Band) == is_mel
            && count(InputAxis::Patch) <= 1
            && shape.iter().skip(1).all(|&axis| axis != InputAxis::Patch);
        let text = || {
            let names: Vec<&str> = shape.iter().map(|axis| axis.name()).collect();
            format!("[{}]", names.join(", "))
        };
        require(has_axes, "embedding.input.shape", text(), || {
            "[patch, frame, band] with a table [input.mel], [patch, sample] without, in any order after patch"
                .into()
        })?;
        let per_run = self.patch.per_run;
        require(per_run <= 1 || count(InputAxis::Patch) == 1, "embedding.patch.per_run", per_run, || {
            "1, as the shape of the input has no axis `patch`".into()
        })
    }
}

impl MelInput {
    fn validate(&self, sample_rate: u32) -> Result<(), Error> {
        self.stft_config().validate()?;
        let nyquist = sample_rate as f32 / 2.0;
        let f_max = self.f_max.unwrap_or(nyquist);
        require((1..=4096).contains(&self.n_mels), "embedding.input.mel.n_mels", self.n_mels, || {
            "from 1 to 4096".into()
        })?;
        require(f_max > 0.0 && f_max <= nyquist, "embedding.input.mel.f_max", f_max, || {
            format!("above 0 and at most half the sample rate, {nyquist} Hz")
        })?;
        require((0.0..f_max).contains(&self.f_min), "embedding.input.mel.f_min", self.f_min, || {
            format!("from 0 to below f_max = {f_max} Hz")
        })?;
        require(self.power > 0.0 && self.power.is_finite(), "embedding.input.mel.power", self.power, || {
            "a positive number".into()
        })?;
        require(
            self.deviation.is_finite() && self.deviation != 0.0 && self.mean.is_finite(),
            "embedding.input.mel.deviation",
            self.deviation,
            || "a finite mean, and a finite deviation other than 0".into(),
        )?;
        let is_valid = match self.compression {
            Compression::None => true,
            Compression::Log10 { factor, offset } | Compression::Ln { factor, offset } => {
                factor > 0.0 && factor.is_finite() && offset > 0.0 && offset.is_finite()
            }
            Compression::Db { amin, top_db } => {
                amin > 0.0 && amin.is_finite() && top_db.is_none_or(|top_db| top_db >= 0.0)
            }
        };
        require(is_valid, "embedding.input.mel.compression", format!("{:?}", self.compression), || {
            "positive factor, offset and amin, and top_db of at least 0".into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::PatchPooling;
    use super::super::testing::{MEL_MODEL, description};
    use super::*;

    #[test]
    fn an_error_names_the_invalid_parameter() {
        fn mel(described: &mut EmbeddingDescription) -> &mut MelInput {
            described.input.mel.as_mut().unwrap()
        }
        type Change = fn(&mut EmbeddingDescription);
        let cases: &[(Change, &str)] = &[
            (|d| d.name.clear(), "embedding.name"),
            (|d| d.input.sample_rate = 0, "embedding.input.sample_rate = 0"),
            (|d| d.input.gain = f32::NAN, "embedding.input.gain"),
            (|d| d.input.preemphasis = 2.0, "embedding.input.preemphasis"),
            (|d| d.input.shape.truncate(2), "embedding.input.shape = [patch, frame]"),
            (
                |d| d.input.shape = vec![InputAxis::Frame, InputAxis::Band, InputAxis::Patch],
                "embedding.input.shape",
            ),
            (|d| d.input.mel = None, "embedding.input.shape"),
            (|d| mel(d).n_mels = 0, "embedding.input.mel.n_mels"),
            (|d| mel(d).f_max = Some(9000.0), "embedding.input.mel.f_max"),
            (|d| mel(d).f_min = 8000.0, "embedding.input.mel.f_min"),
            (|d| mel(d).power = 0.0, "embedding.input.mel.power"),
            (|d| mel(d).deviation = 0.0, "embedding.input.mel.deviation"),
            (|d| mel(d).n_fft = 0, "n_fft"),
            (
                |d| {
                    mel(d).compression = Compression::Ln { factor: 1.0, offset: 0.0 };
                },
                "embedding.input.mel.compression",
            ),
            (|d| d.patch.length = 0, "embedding.patch.length"),
            (|d| d.patch.length = usize::MAX, "embedding.patch.length"),
            (|d| d.patch.hop = 0, "embedding.patch.hop"),
            (|d| d.patch.per_run = 0, "embedding.patch.per_run"),
            (|d| d.output.size = 0, "embedding.output.size"),
            (|d| d.output.size = usize::MAX, "embedding.output.size"),
            (|d| d.output.pooling.clear(), "embedding.output.pooling"),
            (|d| d.output.pooling = vec![PatchPooling::Max; 2], "embedding.output.pooling"),
        ];
        for (change, expected) in cases {
            let mut described = description(MEL_MODEL);
            change(&mut described);
            let message = described.validate().unwrap_err().to_string();
            assert!(message.contains(expected), "{expected}: {message}");
        }
    }
}
