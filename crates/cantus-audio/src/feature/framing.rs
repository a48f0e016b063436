//! Unweighted frames of the samples, for time-domain features.

use super::front_end::FrameInput;
use super::rows::Rows;

/// Writes one number per frame of the STFT, computed from the frame's unweighted samples.
///
/// # Shapes
/// - argument of `measure`: `[n_fft]`
/// - `rows`: `[n_frames, 1]`
pub(super) fn scalar_per_frame(
    input: &FrameInput<'_>,
    frame: &mut Vec<f32>,
    rows: &mut Rows<'_>,
    measure: impl Fn(&[f32]) -> f32,
) {
    for (t, row) in rows.iter_mut().enumerate() {
        row[0] = measure(frame_at(input, t, frame));
    }
}

/// Frame `t` of the STFT, unweighted.
///
/// `frame` is working space for frames that extend beyond the segment, which are padded by the specification's `pad_mode`;
/// the others are not copied.
///
/// # Shapes
/// - returns: `[n_fft]`
pub(super) fn frame_at<'a>(input: &FrameInput<'a>, t: usize, frame: &'a mut Vec<f32>) -> &'a [f32] {
    let (samples, stft) = (input.samples, &input.params.stft);
    let (n_fft, start, padding) = (stft.n_fft, t * stft.hop_length, stft.padding());
    if let Some(inside) = start.checked_sub(padding).and_then(|first| samples.get(first..first + n_fft)) {
        return inside;
    }
    frame.resize(n_fft, 0.0);
    let start = start as isize - padding as isize;
    let n_before = (-start).clamp(0, n_fft as isize) as usize;
    let inside = samples.get((start + n_before as isize) as usize..).unwrap_or_default();
    let n_inside = inside.len().min(n_fft - n_before);
    frame[n_before..n_before + n_inside].copy_from_slice(&inside[..n_inside]);
    for n in (0..n_before).chain(n_before + n_inside..n_fft) {
        frame[n] = stft.pad_mode.source(start + n as isize, samples.len()).map_or(0.0, |i| samples[i]);
    }
    frame
}
