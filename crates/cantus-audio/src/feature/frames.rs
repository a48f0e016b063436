//! The frames of a sound as they are, before any transform: for features of the samples themselves.

use super::shared::Sound;
use crate::signal::PadMode;

/// Visits the frames of the STFT, unweighted: frame after frame, with its number.
///
/// `frame` is working space for the frames that reach over the ends, where `pad_mode` says what is heard; the others
/// are not copied.
///
/// # Shapes
/// - visited: `[n_fft]`
pub(super) fn for_each_frame(
    sound: &Sound<'_>,
    pad_mode: PadMode,
    frame: &mut Vec<f32>,
    mut visit: impl FnMut(usize, &[f32]),
) {
    let (samples, n_fft) = (sound.samples, sound.spec.n_fft);
    let padding = sound.spec.stft_config().padding();
    frame.resize(n_fft, 0.0);
    for t in 0..sound.n_frames {
        let start = t * sound.spec.hop_length;
        let inside = start.checked_sub(padding).and_then(|first| samples.get(first..first + n_fft));
        if let Some(inside) = inside {
            visit(t, inside);
        } else {
            for (n, slot) in frame.iter_mut().enumerate() {
                let position = (start + n) as isize - padding as isize;
                *slot = pad_mode.source(position, samples.len()).map_or(0.0, |i| samples[i]);
            }
            visit(t, frame);
        }
    }
}
