//! Draws a network that is described in TOML, or the perceptron of the sixth lecture.
//!
//!     cargo run -p cantus-nn --example drawing [ARCHITECTURE.toml] > network.svg

#![expect(clippy::print_stdout, reason = "the drawing is the output of the program")]

use cantus_nn::{Architecture, Network};

const LECTURE: &str = r#"
    input_shape = [3]
    layers = [
        { type = "Dense", units = 3, activation = "sigmoid" },
        { type = "Dense", units = 5, activation = "sigmoid" },
        { type = "Dense", units = 2, activation = "sigmoid" },
    ]"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = match std::env::args().nth(1) {
        Some(path) => std::fs::read_to_string(path)?,
        None => LECTURE.to_owned(),
    };
    let architecture: Architecture = toml::from_str(&text)?;
    print!("{}", Network::new(&architecture, 0)?.drawing().to_svg());
    Ok(())
}
