//! Audio decoding, resampling, augmentation, transforms and features, equal to librosa's.
//!
//! ```text
//! file ─▶ decode ─▶ resample ─▶ (augment) ─▶ transform ─▶ feature [n_frames, n_bins]
//! ```
//!
//! File access is limited to [`decode`], the planning of [`augment`], [`write_wav`], [`atomic_file`] and [`staging`].

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod assert_close;
pub mod atomic_file;
mod audio;
pub mod augment;
pub mod decode;
mod error;
pub mod feature;
pub mod fingerprint;
pub mod folder_lock;
pub mod level;
pub mod noise;
pub mod panic_guard;
pub mod regular_file;
pub mod resample;
pub mod staging;
pub mod transform;
mod wav;

pub use audio::Audio;
pub use error::Error;
pub use wav::write_wav;

#[cfg(test)]
mod tests {
    fn assert_send_sync<T: Send + Sync>() {}

    #[test]
    fn public_types_are_send_and_sync() {
        use crate::{augment, decode, level, resample, transform};
        assert_send_sync::<crate::Audio>();
        assert_send_sync::<crate::Error>();
        assert_send_sync::<crate::atomic_file::AtomicFile>();
        assert_send_sync::<crate::staging::Staging>();
        assert_send_sync::<augment::AugmentSpec>();
        assert_send_sync::<augment::Augmenter>();
        assert_send_sync::<augment::time_stretch::PhaseVocoder>();
        assert_send_sync::<decode::Recording>();
        assert_send_sync::<level::LevelMeter>();
        assert_send_sync::<crate::noise::NoiseKind>();
        assert_send_sync::<resample::Resampler>();
        assert_send_sync::<resample::ResampleStream>();
        assert_send_sync::<transform::fourier::RealFft>();
        assert_send_sync::<transform::Cqt>();
        assert_send_sync::<transform::Hpss>();
        assert_send_sync::<transform::Stft>();
    }

    #[test]
    fn decoders_are_send_and_sync() {
        assert_send_sync::<crate::decode::Decoder>();
        assert_send_sync::<crate::decode::ResampledDecoder>();
    }
}
