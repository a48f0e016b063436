#![doc = include_str!("../README.md")]

pub mod music;
pub mod sound;

pub use music::{Corpus, Genre, Track, UnknownGenre, compose};
