//! Unweighted frames of the samples, for time-domain features.

use super::front_end::FrameInput;
use super::rows::Rows;

/// Working space of [`scalar_of_hops`].
#[derive(Debug, Clone, Default)]
pub(super) struct HopBuffers {
    frame: Vec<f32>,
    /// The number of each whole hop of the segment.
    hops: Vec<f32>,
    /// Those of one frame with padding.
    pieces: Vec<f32>,
}

/// Writes one number per frame of the STFT, of which frames that overlap share the work: `measure` computes a number for each of
/// the successive pieces of a given length, and `join` one for a frame from those of its pieces.
///
/// The pieces are the hops, if frames consist of whole ones, so that each sample is read once; otherwise whole frames.
///
/// # Shapes
/// - arguments of `measure`: samples, at least `[n_pieces * length]`; length; result, `[n_pieces]`
/// - `rows`: `[n_frames, 1]`
pub(super) fn scalar_of_hops(
    input: &FrameInput<'_>,
    buffers: &mut HopBuffers,
    rows: &mut Rows<'_>,
    measure: impl Fn(&[f32], usize, &mut [f32]),
    join: impl Fn(&[f32]) -> f32,
) {
    let stft = &input.params.stft;
    let (n_fft, hop_length, padding) = (stft.n_fft, stft.hop_length, stft.padding());
    let has_whole_hops = n_fft.is_multiple_of(hop_length) && padding.is_multiple_of(hop_length);
    let length = if has_whole_hops { hop_length } else { n_fft };
    let HopBuffers { frame, hops, pieces } = buffers;
    hops.clear();
    if has_whole_hops {
        hops.resize(input.samples.len() / length, 0.0);
        measure(input.samples, length, hops);
    }
    pieces.resize(n_fft / length, 0.0);
    for (t, row) in rows.iter_mut().enumerate() {
        let first = t.checked_sub(padding / hop_length);
        let inside = first.and_then(|first| hops.get(first..first + n_fft / length));
        row[0] = match inside {
            Some(hops) => join(hops),
            None => {
                measure(frame_at(input, t, frame), length, pieces);
                join(pieces)
            }
        };
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
