//! Entry point of the `cantus` command.

use std::process::ExitCode;

use cantus_audio::panic_guard;

fn main() -> ExitCode {
    hide_caught_panics();
    ExitCode::from(cantus_cli::run(std::env::args_os()))
}

/// Prints no panic of a third-party parser that becomes the error of a file; its line would contain a path of the build.
fn hide_caught_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !panic_guard::is_active() {
            print(panic);
        }
    }));
}
