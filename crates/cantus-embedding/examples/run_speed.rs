//! Time of one run of a model: `cargo run --release -p cantus-embedding --example run_speed -- MODEL.onnx [PER_RUN]`.
//!
//! Prints the median of five runs, in milliseconds, the time to plan the graph, and, if there are expected outputs, the
//! difference from them.

#![expect(clippy::print_stdout, reason = "an example prints its result")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use cantus_embedding::{check, check_path, from_parts, load};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or("which model?")?;
    let mut embedding = load(Path::new(path))?;
    let expected = check_path(Path::new(path));
    if expected.exists() {
        println!("{:?}", check(&embedding, &expected)?);
    }
    if let Some(per_run) = arguments.get(1) {
        embedding.description.patch.per_run = per_run.parse()?;
    }
    let bytes = embedding.graph.as_ref().map_or(&[][..], |graph| graph.bytes()).into();
    let start = Instant::now();
    let embedding = from_parts(bytes, embedding.description)?;
    let plan_ms = start.elapsed().as_secs_f64() * 1e3;
    let planned = embedding.graph.ok_or("no graph")?.plan(&embedding.description)?;
    let input = vec![0.5; embedding.description.input_shape().iter().product()];
    planned.run(&input);
    let mut times: Vec<f64> = (0..5)
        .map(|_| {
            let start = Instant::now();
            planned.run(&input);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("run {:.1} ms, plan {plan_ms:.0} ms", times[2]);
    Ok(())
}
