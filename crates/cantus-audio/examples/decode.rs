//! Decodes a file to raw little-endian f32 samples, mono: `decode IN OUT`; used by `tests/reference/mp3_alignment.py`.

use std::error::Error;
use std::path::Path;

use cantus_audio::decode::decode;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, input, output] = arguments.as_slice() else {
        return Err("usage: decode IN OUT".into());
    };
    let samples = decode(Path::new(input))?.audio.samples;
    std::fs::write(output, samples.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())?;
    Ok(())
}
