//! The frames of a sound as they are, before any transform: for features of the samples themselves.

use super::kind::Rows;
use super::shared::Sound;

/// Writes one number for each frame of the STFT, unweighted.
///
/// # Shapes
/// - given to `number`: `[n_fft]`
/// - `rows`: `[n_frames, 1]`
pub(super) fn number_of_each_frame(
    sound: &Sound<'_>,
    frame: &mut Vec<f32>,
    rows: &mut Rows<'_>,
    number: impl Fn(&[f32]) -> f32,
) {
    for (t, row) in rows.iter_mut().enumerate() {
        row[0] = number(frame_at(sound, t, frame));
    }
}

/// Frame `t` of the STFT, unweighted.
///
/// `frame` is working space for frames that reach over the ends, where the specification's `pad_mode` says what is heard;
/// the others are not copied.
///
/// # Shapes
/// - returns: `[n_fft]`
pub(super) fn frame_at<'a>(sound: &Sound<'a>, t: usize, frame: &'a mut Vec<f32>) -> &'a [f32] {
    let (samples, n_fft) = (sound.samples, sound.spec.n_fft);
    let (start, padding) = (t * sound.spec.hop_length, sound.spec.stft_config().padding());
    if let Some(inside) = start.checked_sub(padding).and_then(|first| samples.get(first..first + n_fft)) {
        return inside;
    }
    frame.resize(n_fft, 0.0);
    for (n, slot) in frame.iter_mut().enumerate() {
        let position = (start + n) as isize - padding as isize;
        *slot = sound.spec.pad_mode.source(position, samples.len()).map_or(0.0, |i| samples[i]);
    }
    frame
}
