//! Energy of the twelve pitch classes of a frame, smoothed over five frames, as Chromaprint computes it.

use std::sync::LazyLock;

use cantus_simd::multiversion;

use super::low_rate::{PASS_HZ, TWICE_RATE};
use super::power_spectrum::{FRAME, LANES, Lanes};

/// Number of pitch classes.
pub(super) const N_CLASSES: usize = 12;
/// Lowest frequency, in Hz.
const MIN_HZ: f64 = 28.0;
/// Lower end of the first pitch class, an A, in Hz.
const BASE_HZ: f64 = 27.5;
/// Weights of successive frames.
const SMOOTHING: [f64; 5] = [0.25, 0.75, 1.0, 0.75, 0.25];
/// Norm of the energies below which a frame is silent. Chromaprint's: half of its rate and four times the power give its energies.
const SILENCE: f64 = 0.01;

/// Bins of one note: the first, the end, and the pitch class.
struct Note {
    start: usize,
    end: usize,
    class: usize,
}

/// All notes, by frequency.
static NOTES: LazyLock<Vec<Note>> = LazyLock::new(|| {
    let bin_hz = TWICE_RATE as f64 / 2.0 / FRAME as f64;
    let (first, end) = ((MIN_HZ / bin_hz).round() as usize, (PASS_HZ / bin_hz).round() as usize);
    let class_of = |bin: usize| {
        let octave = (bin as f64 * bin_hz / BASE_HZ).log2();
        (N_CLASSES as f64 * octave.rem_euclid(1.0)) as usize
    };
    let mut notes: Vec<Note> = Vec::new();
    for bin in first..end {
        let class = class_of(bin);
        match notes.last_mut() {
            Some(note) if note.class == class => note.end = bin + 1,
            _ => notes.push(Note { start: bin, end: bin + 1, class }),
        }
    }
    notes
});

/// Energies of the pitch classes of each frame.
pub(super) fn energies(power: &[Lanes]) -> [Lanes; N_CLASSES] {
    let mut classes = [[0.0; LANES]; N_CLASSES];
    for note in NOTES.iter() {
        add_rows(&power[note.start..note.end], &mut classes[note.class]);
    }
    classes
}

#[multiversion]
fn add_rows(rows: &[Lanes], sum: &mut Lanes) {
    let mut total = *sum;
    for row in rows {
        for lane in 0..LANES {
            total[lane] += row[lane];
        }
    }
    *sum = total;
}

/// Smooths the energies of successive frames.
#[derive(Default)]
pub(super) struct Smoothing {
    /// The last frames, the newest at the end.
    frames: [[f64; N_CLASSES]; SMOOTHING.len()],
    n_frames: usize,
}

impl Smoothing {
    /// Adds a frame; returns the weighted sum of the last ones with norm 1, or zeros if they are silent, and `None` while
    /// there are too few.
    pub(super) fn push(&mut self, frame: [f64; N_CLASSES]) -> Option<[f64; N_CLASSES]> {
        self.frames.rotate_left(1);
        self.frames[SMOOTHING.len() - 1] = frame;
        self.n_frames = (self.n_frames + 1).min(SMOOTHING.len());
        (self.n_frames == SMOOTHING.len()).then(|| {
            let mut sum = [0.0; N_CLASSES];
            for (frame, weight) in self.frames.iter().zip(SMOOTHING) {
                sum.iter_mut().zip(frame).for_each(|(sum, energy)| *sum += weight * energy);
            }
            let norm = sum.iter().map(|x| x * x).sum::<f64>().sqrt();
            sum.map(|x| if norm < SILENCE { 0.0 } else { x / norm })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_power_of_a_bin_is_in_the_pitch_class_above_whose_lower_end_it_is() {
        let bin_hz = TWICE_RATE as f64 / 2.0 / FRAME as f64;
        // A2, C4, E5 and G sharp 6, a quarter tone higher.
        for (hz, class) in [(113.2, 0), (269.3, 3), (678.6, 7), (1709.9, 11)] {
            let mut power = vec![[0.0; LANES]; FRAME / 2];
            power[(hz / bin_hz).round() as usize] = [2.0; LANES];
            let found = energies(&power);
            assert_eq!(found.iter().position(|lanes| lanes[0] == 2.0), Some(class), "{hz} Hz");
        }
        let mut power = vec![[1.0; LANES]; FRAME / 2];
        power[..10].fill([7.0; LANES]);
        power[(PASS_HZ / bin_hz).round() as usize..].fill([7.0; LANES]);
        assert_eq!(energies(&power).iter().map(|lanes| lanes[3]).sum::<f32>(), 892.0 - 10.0);
    }

    #[test]
    fn five_frames_are_weighted_and_normalised_and_silence_is_zero() {
        let frame = |class: usize| std::array::from_fn(|i| f64::from(u8::from(i == class)));
        let mut smoothing = Smoothing::default();
        assert!((0..4).all(|class| smoothing.push(frame(class)).is_none()));
        let found = smoothing.push(frame(4)).unwrap();
        let norm = (0.25_f64.powi(2) * 2.0 + 0.75_f64.powi(2) * 2.0 + 1.0).sqrt();
        let expected = [0.25, 0.75, 1.0, 0.75, 0.25];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found * norm - expected).abs() < 1e-12));
        let mut smoothing = Smoothing::default();
        let silent = (0..5).filter_map(|_| smoothing.push([1e-4; N_CLASSES])).next().unwrap();
        assert_eq!(silent, [0.0; N_CLASSES]);
    }
}
