//! Predictions from one model file: for songs, and as time goes on in the first of them.
//!
//!     cargo run --example predict -- model.safetensors song.mp3 …

#![expect(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::env::args_os;
use std::path::PathBuf;

use cantus::Model;

fn main() -> Result<(), cantus::Error> {
    let mut paths = args_os().skip(1).map(PathBuf::from);
    let model = Model::load(paths.next().unwrap_or_else(|| "model.safetensors".into()))?;
    // The plan of the features is made once for all songs.
    let mut predictor = model.predictor()?;
    for (number, song) in paths.enumerate() {
        let prediction = predictor.predict_file(&song)?;
        println!("{}: {} ({:.0} %)", song.display(), prediction.label, 100.0 * prediction.probability);
        for segment in prediction.segments.iter().filter(|_| number == 0) {
            println!(
                "  from {:5.1} s to {:5.1} s: {}",
                segment.start_s,
                segment.end_s,
                model.labels[segment.best()]
            );
        }
    }
    Ok(())
}
