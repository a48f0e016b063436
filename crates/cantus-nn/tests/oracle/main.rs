//! A reference trainer, slow and plain, against which whole trainings of the engine are held.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

mod case;
mod compare;
mod convolution;
mod cost;
mod data;
mod differences;
mod fixed;
mod function;
mod generate;
mod images;
mod kinds;
mod layers;
mod losses;
mod number;
mod random;
mod reductions;
mod sequences;
mod statistics;
mod tape;
mod thresholds;
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
                    if std::env::var("ORACLE_SHOW").is_ok() { println!("{:?}", case.plan); }
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

#[test]
fn table() {
    let mut counts = vec![[0; 2]; thresholds::ALL.len()];
    for number in 0..400 {
        let plan = case::Case::new(number).plan;
        let sizes = thresholds::Sizes::new(&plan);
        for (count, threshold) in counts.iter_mut().zip(thresholds::ALL) {
            let sides = (threshold.sides)(&sizes);
            count.iter_mut().zip(sides).for_each(|(count, is)| *count += usize::from(is));
        }
    }
    for (count, threshold) in counts.iter().zip(thresholds::ALL) {
        println!("{:4} {:4} {} | {}", count[0], count[1], threshold.question, threshold.source);
    }
}
