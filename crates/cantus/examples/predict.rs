//! Predicts the label of each song with one model file, and prints the first song's predictions segment by segment.
//!
//!     cargo run --example predict -- model.safetensors song.mp3 …

#![expect(clippy::print_stdout, reason = "an example prints to the terminal")]

use std::env::args_os;
use std::path::PathBuf;

use cantus::Model;

fn main() -> Result<(), cantus::Error> {
    let mut paths = args_os().skip(1).map(PathBuf::from);
    let model = Model::load(paths.next().unwrap_or_else(|| "model.safetensors".into()))?;
    // The feature extraction is planned once for all songs.
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
