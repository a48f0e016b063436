//! A reference trainer, slow and plain, against which whole trainings of the engine are held.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod case;
mod compare;
mod convolution;
mod cost;
mod data;
mod fixed;
mod function;
mod generate;
mod images;
mod layers;
mod losses;
mod number;
mod random;
mod reductions;
mod sequences;
mod statistics;
mod tape;
mod trainer;
mod updates;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

#[test]
fn survey() {
    let last: u64 = std::env::var("ORACLE_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(300);
    let first: u64 = std::env::var("ORACLE_SEED").ok().and_then(|n| n.parse().ok()).unwrap_or(0);
    let next = AtomicU64::new(first);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= last {
                        return;
                    }
                    let start = Instant::now();
                    let case = case::Case::new(number);
                    let all = case.comparisons();
                    let time = start.elapsed().as_secs_f64();
                    println!("CASE {number} {time:.3} s cost {} {}", case.plan.cost(), case.name);
                    for c in &all {
                        println!(
                            "C {number} {} {:.2e} own {:.2e} size {:.2e} all {:.2e} kink {:.1e} ratio {:.3} | {}",
                            if c.agrees() { "ok" } else { "BAD" },
                            c.apart,
                            c.own,
                            c.size,
                            c.size_of_all,
                            c.nearest_kink,
                            c.apart / c.allowed(),
                            c.what
                        );
                    }
                    if all.iter().any(|c| !c.agrees()) {
                        println!("ARCH {number} {:?}", case.plan);
                    }
                }
            });
        }
    });
}
