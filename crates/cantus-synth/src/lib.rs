#![doc = include_str!("../README.md")]

pub mod music;
pub mod sound;

pub use music::{Corpus, Genre, TrackSpec, UnknownGenre, compose};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_types_can_be_shared_between_threads() {
        fn is_send_and_sync<T: Send + Sync>() {}
        is_send_and_sync::<Corpus>();
        is_send_and_sync::<Genre>();
        is_send_and_sync::<TrackSpec>();
        is_send_and_sync::<UnknownGenre>();
        is_send_and_sync::<sound::Sine>();
    }
}
