//! The start of a target: its panic hook, its limit of memory, and the macro that defines it.

use std::backtrace::Backtrace;
use std::path::Path;
use std::process::{abort, exit};
use std::{env, fs, panic};

use cantus_audio::panic_guard;

use crate::memory;

/// Names the folder that [`start`] writes the composed seeds of a target into, instead of fuzzing.
const SEEDS: &str = "CANTUS_FUZZ_SEEDS";

/// Defines a target: a function of the input that may hold this many MiB at a time. The input is `&[u8]`, or a type that implements
/// `Arbitrary`. Seeds are inputs to begin with that are composed, and so need not be in the repository.
#[macro_export]
macro_rules! target {
    ($mib:literal, |$bytes:ident| $body:expr) => {
        $crate::target!($mib, seeds: Vec::new(), |$bytes| $body);
    };
    ($mib:literal, seeds: $seeds:expr, |$bytes:ident| $body:expr) => {
        ::libfuzzer_sys::fuzz_target!(init: $crate::start::start($mib, || $seeds), |$bytes: &[u8]| { $body });
    };
    ($mib:literal, |$input:ident: $type:ty| $body:expr) => {
        ::libfuzzer_sys::fuzz_target!(init: $crate::start::start($mib, Vec::new), |$input: $type| { $body });
    };
}

/// Installs the panic hook and sets the limit of memory.
///
/// A panic aborts, in any thread, so that libFuzzer saves the input. One of a third-party parser that `panic_guard` converts to an
/// error does not: the promise is that it costs one file.
pub fn start(max_mib: usize, seeds: impl FnOnce() -> Vec<Vec<u8>>) {
    if let Some(folder) = env::var_os(SEEDS) {
        for (number, seed) in seeds().iter().enumerate() {
            fs::write(Path::new(&folder).join(format!("composed-{number}")), seed).expect("a seed");
        }
        exit(0);
    }
    memory::set_limit(max_mib << 20);
    panic::set_hook(Box::new(|info| {
        if !panic_guard::is_active() {
            eprintln!("{info}\n{}", Backtrace::force_capture());
            abort();
        }
    }));
}
