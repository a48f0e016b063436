//! Ctrl-C handling: the first press requests a clean stop, the second exits at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Exit code of a process ended by Ctrl-C, by the convention of shells: 128 + SIGINT.
pub const EXIT_CODE: u8 = 130;

/// Installs the handler of Ctrl-C.
pub fn listen() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(EXIT_CODE));
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        tracing::warn!("Ctrl-C will end cantus without cleaning up: {error}");
    }
}

/// The cancellation flag that long computations check between units of work.
pub fn flag() -> Arc<AtomicBool> {
    Arc::clone(&INTERRUPTED)
}

/// Whether Ctrl-C was pressed.
pub fn requested() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}
