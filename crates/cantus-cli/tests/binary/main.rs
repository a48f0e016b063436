//! End-to-end tests of the `cantus` binary, one file per command or property.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests may; clippy exempts only #[test] fns"
)]

mod audit;
mod augmentation;
mod automatic;
mod background;
mod bad_input;
mod book;
mod browser;
mod browser_layout;
mod cases;
#[cfg(target_os = "linux")]
mod changing_files;
#[cfg(target_os = "linux")]
mod concurrent;
mod contract;
mod cross_validation;
mod divergence;
#[cfg(unix)]
mod embedding;
mod export;
mod features;
mod fetch;
mod fetch_command;
mod fine_tuning;
#[cfg(target_os = "linux")]
mod full_disk;
mod groups;
mod hostile_numbers;
mod hostile_text;
mod http;
mod interruption;
mod kaggle;
#[cfg(target_os = "linux")]
mod long_recordings;
mod memory;
mod model_file;
mod pictures;
mod pins;
mod prediction;
mod readme;
mod real_music;
mod report;
mod run;
mod search;
mod segments;
mod serve;
mod settings;
#[cfg(target_os = "linux")]
mod signals;
#[cfg(target_os = "linux")]
mod small_disk;
#[cfg(unix)]
mod special_files;
#[cfg(target_os = "linux")]
mod standard_output;
mod store;
mod tagging;
#[cfg(target_os = "linux")]
mod threads;
#[cfg(target_os = "linux")]
mod unwritable;
mod webdriver;
#[cfg(unix)]
mod write_tags;
