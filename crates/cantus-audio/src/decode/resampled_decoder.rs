//! Block-wise decoding and resampling of one file, in memory that does not depend on its length.

use std::path::Path;

use super::{AudioSource, DecodeWarning, Decoder};
use crate::Error;
use crate::resample::{ResampleStream, Resampler};

/// Decodes a file and resamples it block by block; the blocks together equal [`load`](super::load) bit for bit.
pub struct ResampledDecoder {
    decoder: Decoder,
    /// `None` if the file has the target rate, and after its end.
    resampler: Option<ResampleStream>,
    block: Vec<f32>,
}

impl ResampledDecoder {
    /// Opens a file.
    ///
    /// # Errors
    /// If the file cannot be read or decoded.
    ///
    /// # Panics
    /// If `sample_rate` is 0.
    pub fn open(path: &Path, sample_rate: u32) -> Result<Self, Error> {
        Ok(Self::new(Decoder::open(path)?, sample_rate))
    }

    /// Resamples the output of `decoder` to `sample_rate` Hz.
    ///
    /// # Panics
    /// If `sample_rate` is 0.
    #[must_use]
    pub fn new(decoder: Decoder, sample_rate: u32) -> Self {
        let resampler = Resampler::if_needed(decoder.source().sample_rate, sample_rate);
        Self { decoder, resampler: resampler.map(ResampleStream::new), block: Vec::new() }
    }

    /// Codec, sample rate and channels of the file.
    #[must_use]
    pub fn source(&self) -> &AudioSource {
        self.decoder.source()
    }

    /// The next samples, or `None` at the end.
    ///
    /// # Shapes
    /// - returns: `[n_samples]`, mono; may be empty before the end
    ///
    /// # Errors
    /// If the operating system cannot read the file. Damage is not an error, but a [`DecodeWarning`].
    pub fn next_block(&mut self) -> Result<Option<&[f32]>, Error> {
        self.block.clear();
        match (self.decoder.next_block()?, &mut self.resampler) {
            (Some(samples), Some(resampler)) => resampler.push(samples, &mut self.block),
            (Some(samples), None) => self.block.extend_from_slice(samples),
            (None, resampler) => match resampler.take() {
                Some(resampler) => resampler.finish(&mut self.block),
                None => return Ok(None),
            },
        }
        Ok(Some(&self.block))
    }

    /// All warnings about damage, at the end of decoding.
    #[must_use]
    pub fn into_warnings(self) -> Vec<DecodeWarning> {
        self.decoder.into_warnings()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::{decode_bytes, load};

    /// A WAV file of 16-bit mono samples.
    fn wav(n_samples: u32, sample_rate: u32) -> Vec<u8> {
        let n_bytes = 2 * n_samples;
        let mut bytes = b"RIFF".to_vec();
        bytes.extend((36 + n_bytes).to_le_bytes());
        bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        bytes.extend(sample_rate.to_le_bytes());
        bytes.extend((2 * sample_rate).to_le_bytes());
        bytes.extend(b"\x02\0\x10\0data");
        bytes.extend(n_bytes.to_le_bytes());
        bytes.extend(
            (0..n_samples).flat_map(|n| (((f64::from(n) * 0.1).sin() * 9000.0) as i16).to_le_bytes()),
        );
        bytes
    }

    #[test]
    fn blocks_equal_the_whole_bit_for_bit() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tone.wav");
        for sample_rate in [44_100, 22_050] {
            std::fs::write(&path, wav(100_000, sample_rate)).unwrap();
            let (mut stream, mut found) = (ResampledDecoder::open(&path, 22_050).unwrap(), Vec::new());
            while let Some(block) = stream.next_block().unwrap() {
                found.extend_from_slice(block);
            }
            assert_eq!(stream.next_block().unwrap(), None);
            assert!(found == load(&path, 22_050).unwrap().audio.samples, "from {sample_rate} Hz");
        }
    }

    #[test]
    fn a_wav_with_an_open_length_is_decoded_to_the_end_of_the_file() {
        let mut bytes = wav(50_000, 22_050);
        for at in [4, 40] {
            bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        }
        let recording = decode_bytes(Path::new("-"), bytes).unwrap();
        assert_eq!((recording.audio.samples.len(), recording.warnings.len()), (50_000, 1));
        assert!(recording.warnings[0].reason.contains("declared size 4294967295"));
    }
}
