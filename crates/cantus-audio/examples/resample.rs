//! Resamples raw little-endian f32 samples: `resample FROM_HZ TO_HZ IN OUT`; used by `tests/reference/resample_mfcc.py`.

use std::error::Error;

use cantus_audio::resample::resample;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, from, to, input, output] = arguments.as_slice() else {
        return Err("usage: resample FROM_HZ TO_HZ IN OUT".into());
    };
    let bytes = std::fs::read(input)?;
    let samples: Vec<f32> = bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let resampled = resample(&samples, from.parse()?, to.parse()?);
    std::fs::write(output, resampled.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())?;
    Ok(())
}
