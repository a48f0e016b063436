//! The subcommands, one file each: arguments and implementation.

mod byte_size;
pub mod compare;
pub mod completions;
pub mod compose;
pub mod demo;
pub mod evaluate;
pub mod export;
pub mod extract;
pub mod features;
pub mod fetch;
pub mod inspect;
mod inspect_table;
mod kind_options;
pub mod lesson;
pub mod man;
mod output_path;
mod pitch_options;
pub mod plot;
mod port;
pub mod predict;
mod segment_choice;
mod segment_options;
pub mod serve;
mod spec;
mod theme;
pub mod train;
pub mod undo_tags;
