//! Progress bars on standard error, hidden unless it is a terminal.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of `n_steps`, or an invisible one if `quiet` or if standard error is no terminal.
pub fn bar(what: &str, n_steps: usize, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(n_steps as u64), target(quiet));
    bar.set_style(style());
    bar.set_prefix(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// The same for the epochs of a training, whose scores have a line of their own: beside the bar, most terminals would
/// truncate them.
pub fn training_bar(what: &str, n_epochs: usize, quiet: bool) -> ProgressBar {
    let bar = bar(what, n_epochs, quiet);
    bar.set_style(styled("{prefix:>10} {bar:30.cyan/dim} epoch {pos}/{len}  {elapsed} elapsed, at most {eta} left\n           {wide_msg}"));
    bar
}

/// A bar of bytes, whose length and prefix are set later; invisible in the same cases as [`bar`].
pub fn bytes(quiet: bool) -> ProgressBar {
    let template = "{prefix:>10} {bar:30.cyan/dim} {bytes}/{total_bytes}  {bytes_per_sec}  ⏱ {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(None, target(quiet));
    bar.set_style(style.progress_chars("━╸─"));
    bar
}

fn target(quiet: bool) -> ProgressDrawTarget {
    if quiet || !std::io::stderr().is_terminal() {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    }
}

fn style() -> ProgressStyle {
    styled("{prefix:>10} {bar:30.cyan/dim} {pos:>5}/{len} {elapsed:>4} ⏱ {eta:>4}  {wide_msg}")
}

fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
