//! The binary itself, as a user meets it: one file for each kind of promise.

mod bad_input;
mod contract;
mod real_music;
mod run;
mod settings;
