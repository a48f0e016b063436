//! Decoding of a recording, with the promises for its samples, warnings and errors.

use std::path::Path;

use cantus_audio::decode::{Decoder, ResampledDecoder};

use crate::files::check_message;

/// Samples after which decoding stops: a valid file of some bytes can declare hours of silence.
const MAX_SAMPLES: usize = 1 << 23;

/// Decodes the bytes of a file, block by block, as they are and resampled.
pub fn decode(bytes: &[u8]) {
    let path = Path::new("recording");
    let mut decoder = match Decoder::from_bytes(path, bytes.to_vec()) {
        Ok(decoder) => decoder,
        Err(error) => return check_message(&error),
    };
    assert!(decoder.source().n_channels > 0 && decoder.source().sample_rate > 0);
    let mut n_samples = 0;
    while n_samples < MAX_SAMPLES {
        let n = match decoder.next_block() {
            Ok(Some(block)) => {
                assert!(!block.is_empty() && block.iter().all(|sample| sample.is_finite()));
                block.len()
            }
            Ok(None) => break,
            Err(error) => return check_message(&error),
        };
        let (frames, n_channels) = decoder.frames();
        assert!(frames.len().is_multiple_of(n_channels.max(1)));
        n_samples += n;
    }
    decoder.warnings().iter().for_each(check_message);
    resample(path, bytes.to_vec());
}

/// Decodes to another sample rate; not to the end, since that takes as long as the file declares to be.
fn resample(path: &Path, bytes: Vec<u8>) {
    let Ok(decoder) = Decoder::from_bytes(path, bytes) else { return };
    let mut resampled = ResampledDecoder::new(decoder, 22_050);
    let mut n_samples = 0;
    while n_samples < 1 << 16 {
        match resampled.next_block() {
            Ok(Some(block)) => n_samples += block.len(),
            _ => break,
        }
    }
}
