//! A file at the wanted rate, block by block, in memory that does not depend on its length.

use std::path::Path;

use super::{Decoder, Fault, Source};
use crate::Error;
use crate::resample::{ResampleStream, Resampler};

/// What [`load`](super::load) gives, in pieces and to the same bit.
pub struct Stream {
    decoder: Decoder,
    /// None where the file has the wanted rate already, and none behind its end.
    resampler: Option<ResampleStream>,
    block: Vec<f32>,
}

impl Stream {
    /// Opens a file.
    ///
    /// # Errors
    /// If the file cannot be read, or holds no sound that can be decoded.
    ///
    /// # Panics
    /// If `sample_rate` is 0.
    pub fn open(path: &Path, sample_rate: u32) -> Result<Self, Error> {
        Ok(Self::new(Decoder::open(path)?, sample_rate))
    }

    /// The sound of a decoder, mono and at `sample_rate` Hz.
    ///
    /// # Panics
    /// If `sample_rate` is 0.
    pub fn new(decoder: Decoder, sample_rate: u32) -> Self {
        let own_rate = decoder.source().sample_rate;
        let resampler =
            (own_rate != sample_rate).then(|| ResampleStream::new(Resampler::new(own_rate, sample_rate)));
        Self { decoder, resampler, block: Vec::new() }
    }

    /// What the file says of itself.
    pub fn source(&self) -> &Source {
        self.decoder.source()
    }

    /// The next samples, or `None` at the end.
    ///
    /// # Shapes
    /// - returns: `[n_samples]`, mono; may be empty in the middle of a file
    ///
    /// # Errors
    /// If the operating system does not let the file be read any further. Damage is no error, but a [`Fault`].
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

    /// Damage that was passed over, when there is nothing more to decode.
    pub fn into_faults(self) -> Vec<Fault> {
        self.decoder.into_faults()
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
    fn blocks_are_the_bits_of_the_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tone.wav");
        for sample_rate in [44_100, 22_050] {
            std::fs::write(&path, wav(100_000, sample_rate)).unwrap();
            let (mut stream, mut found) = (Stream::open(&path, 22_050).unwrap(), Vec::new());
            while let Some(block) = stream.next_block().unwrap() {
                found.extend_from_slice(block);
            }
            assert_eq!(stream.next_block().unwrap(), None);
            assert!(found == load(&path, 22_050).unwrap().audio.samples, "from {sample_rate} Hz");
        }
    }

    #[test]
    fn a_wav_of_unknown_length_as_pipes_have_it_is_heard_to_its_end() {
        let mut bytes = wav(50_000, 22_050);
        for at in [4, 40] {
            bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
        }
        let recording = decode_bytes(Path::new("-"), bytes).unwrap();
        assert_eq!((recording.audio.samples.len(), recording.faults), (50_000, vec![]));
    }
}
