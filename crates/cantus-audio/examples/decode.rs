//! What each file is: codec, rate, channels, duration, faults.
use std::time::Instant;
fn main() {
    for path in std::env::args().skip(1) {
        let start = Instant::now();
        match cantus_audio::decode::decode(path.as_ref()) {
            Ok(r) => {
                let s = &r.audio.samples;
                let rms = (s.iter().map(|x| (x * x) as f64).sum::<f64>() / s.len() as f64).sqrt();
                println!("{path}: {:?} n={} rms={rms:.4} {:?}", r.source, s.len(), start.elapsed());
                for f in r.faults {
                    println!("    {f}");
                }
            }
            Err(e) => println!("ERR {e}"),
        }
    }
}
