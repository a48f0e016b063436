//! Kills commands by SIGKILL: the same command again ends with the bytes of a run that was not killed.
//!
//! The ordinary test kills 20 times; `just crash` runs [`many_kills`] 600 times, or `CANTUS_CRASH_KILLS` times. Half of the moments
//! are drawn uniformly over the time that the command takes, and a bit beyond it, the other half among its system calls that rename,
//! create, remove or sync (if strace is there), by a seed, `CANTUS_CRASH_SEED`. Every third case kills the second attempt as well.

use std::path::Path;
use std::time::{Duration, Instant};

use cantus_audio::augment::KeyedRng;

use crate::number;
use crate::scenario::{
    Files, PROGRAM, SCENARIOS, Scenario, command, configured, differing, prepared, repeated, run,
};
use crate::trace::{self, Moment};

/// Kills of the ordinary test, and of the long one unless the environment says otherwise.
const FEW: u64 = 20;
const MANY: u64 = 600;

#[test]
fn commands_killed_at_random_moments_end_with_the_same_bytes() {
    kill(FEW);
}

#[test]
#[ignore = "takes an hour; `just crash`"]
fn many_kills() {
    kill(number("CANTUS_CRASH_KILLS", MANY));
}

/// What a command does where it is not killed.
struct Uninterrupted {
    files: Files,
    duration: Duration,
    /// None without strace.
    moments: Vec<Moment>,
}

/// Kills `n_kills` times, in turn in each scenario, and prints how often each was killed before its end.
fn kill(n_kills: u64) {
    let shared = prepared();
    let seed = number("CANTUS_CRASH_SEED", 1);
    let has_strace = trace::is_available();
    if !has_strace {
        println!(
            "strace is not there or may not trace: no command is killed at a system call, only at moments of time"
        );
    }
    let expected: Vec<Uninterrupted> =
        SCENARIOS.iter().map(|scenario| scenario.whole(shared.path(), has_strace)).collect();
    let mut n_killed = [0; SCENARIOS.len()];
    for case in 0..n_kills {
        let i = case as usize % SCENARIOS.len();
        let (scenario, whole) = (&SCENARIOS[i], &expected[i]);
        let mut rng = KeyedRng::new([seed, case]);
        let folder = scenario.prepare(shared.path());
        let n_attempts = if case % 3 == 2 { 2 } else { 1 };
        for _ in 0..n_attempts {
            let moment = whole.moments.get((2.0 * rng.uniform() * whole.moments.len() as f64) as usize);
            let was_killed = match moment {
                Some(moment) => scenario.run_killed_at(folder.path(), moment),
                None => {
                    scenario.run_killed_after(folder.path(), whole.duration.mul_f64(1.05 * rng.uniform()))
                }
            };
            n_killed[i] += usize::from(was_killed);
        }
        let error = repeated(folder.path(), scenario.command);
        assert!(error.is_none(), "{}, seed {seed}, case {case}: {error:?}", scenario.name);
        let found = scenario.files(folder.path());
        let differing = differing(&whole.files, &found);
        assert!(differing.is_empty(), "{}, seed {seed}, case {case}: {differing:?}", scenario.name);
    }
    for (scenario, n_killed) in SCENARIOS.iter().zip(n_killed) {
        println!("{}: killed {n_killed} times before its end", scenario.name);
    }
}

impl Scenario {
    fn whole(&self, shared: &Path, has_strace: bool) -> Uninterrupted {
        let folder = self.prepare(shared);
        let start = Instant::now();
        run(folder.path(), self.command);
        let duration = start.elapsed();
        let files = self.files(folder.path());
        assert!(!files.is_empty(), "{}", self.name);
        let moments = if has_strace { self.moments(shared) } else { Vec::new() };
        Uninterrupted { files, duration, moments }
    }

    fn moments(&self, shared: &Path) -> Vec<Moment> {
        let folder = self.prepare(shared);
        trace::moments(&trace::of(PROGRAM, |command| configured(command, folder.path(), self.command)))
    }

    /// Kills the command after `delay`; whether it had not ended before.
    fn run_killed_after(&self, dir: &Path, delay: Duration) -> bool {
        let mut child = command(dir, self.command).spawn().unwrap();
        std::thread::sleep(delay);
        let has_ended = child.try_wait().unwrap().is_some();
        let _ = child.kill();
        child.wait().unwrap();
        !has_ended
    }

    /// Kills the command at a system call; whether it had not ended before.
    fn run_killed_at(&self, dir: &Path, moment: &Moment) -> bool {
        !configured(trace::killed_at(PROGRAM, moment), dir, self.command).status().unwrap().success()
    }
}
