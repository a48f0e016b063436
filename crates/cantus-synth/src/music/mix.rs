//! From score to samples: every part is played, balanced, and sent through the studio of its day.

use cantus_random::KeyedRng;

use super::drums::Drum;
use super::effect::{Reverb, SurfaceNoise};
use super::elementary::{amplitude, frequency, soft_clip};
use super::filter::Biquad;
use super::instrument::Tone;
use super::score::{Part, Score};
use crate::music::draw::Draw;

/// The recording: what a track owes to the studio and the medium rather than to the music.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Production {
    /// Bandwidth, Hz.
    pub low_cut_hz: f32,
    pub high_cut_hz: f32,
    /// Treble against bass, dB.
    pub tilt_db: f32,
    /// A resonance or hole of the room or microphone: centre in Hz and dB.
    pub colour_hz: f32,
    pub colour_db: f32,
    /// Share of reverberation, and its length in seconds.
    pub reverb: f32,
    pub reverb_s: f32,
    /// Saturation of the tape, 1 for none to speak of.
    pub saturation: f32,
    /// Level of hiss, and clicks per second.
    pub hiss: f32,
    pub crackles_per_s: f32,
    /// Highest sample of the finished track.
    pub peak: f32,
}

impl Production {
    /// A studio whose best tape reaches `bandwidth_hz`.
    pub fn draw(dice: &mut KeyedRng, bandwidth_hz: f32) -> Production {
        let noisy = dice.bernoulli(0.35);
        Production {
            low_cut_hz: dice.around(42.0, 0.5),
            high_cut_hz: dice.around(bandwidth_hz, 0.25),
            tilt_db: dice.uniform_in([-2.5, 2.5]),
            colour_hz: dice.around(900.0, 2.0),
            colour_db: dice.uniform_in([-3.0, 3.0]),
            reverb: dice.uniform_in([0.02, 0.3]),
            reverb_s: dice.around(0.9, 0.9),
            saturation: dice.around(1.2, 0.5),
            hiss: if noisy { amplitude(dice.uniform_in([-65.0, -46.0])) } else { amplitude(-72.0) },
            crackles_per_s: 0.0,
            peak: dice.uniform_in([0.25, 0.93]),
        }
    }
}

/// Plays the score for `n_samples`.
pub(super) fn render(score: &Score, dice: &mut KeyedRng, n_samples: usize, sample_rate: u32) -> Vec<f32> {
    let rate = sample_rate as f32;
    let mut mix = vec![0.0; n_samples];
    let mut track = vec![0.0; n_samples];
    for part in &score.parts {
        track.fill(0.0);
        play(score, part, dice, &mut track, rate);
        add_balanced(&mut mix, &track, part.level * dice.around(1.0, 0.2));
    }
    if !score.strokes.is_empty() {
        track.fill(0.0);
        drum(score, dice, &mut track, rate);
        add_balanced(&mut mix, &track, score.drum_level * dice.around(1.0, 0.25));
    }
    record(&score.production, dice, &mut mix, rate);
    mix
}

fn play(score: &Score, part: &Part, dice: &mut KeyedRng, track: &mut [f32], rate: f32) {
    for note in &part.notes {
        let late_s = f64::from(dice.uniform_in([0.0, 2.0 * score.feel.looseness_s]));
        let velocity = note.velocity * dice.uniform_in([0.88, 1.12]);
        let seed = dice.next_u64() as u32;
        let start_s = score.seconds(note.start) + late_s;
        let end_s = score.seconds(note.start + note.duration);
        let start = (start_s * f64::from(rate)) as usize;
        let Some(out) = track.get_mut(start..) else { continue };
        let tone = Tone {
            frequency: frequency(note.pitch as f32),
            duration_s: (end_s - start_s).max(0.02) as f32,
            velocity: velocity.min(1.0),
            bend: note.bend,
            seed,
            sample_rate: rate,
        };
        part.instrument.play(&tone, out);
    }
    if let Some(amplifier) = part.amplifier {
        amplifier.run(track, rate);
    }
}

fn drum(score: &Score, dice: &mut KeyedRng, track: &mut [f32], rate: f32) {
    // Two takes of every drum, struck in turn: no machine gun.
    let mut take = |drum| score.kit.stroke(drum, rate, dice.next_u64() as u32);
    let takes = Drum::ALL.map(|drum| [take(drum), take(drum)]);
    for (i, stroke) in score.strokes.iter().enumerate() {
        let late_s = f64::from(dice.uniform_in([0.0, score.feel.looseness_s]));
        let velocity = stroke.velocity * dice.uniform_in([0.85, 1.1]);
        let start = ((score.seconds(stroke.start) + late_s) * f64::from(rate)) as usize;
        let Some(out) = track.get_mut(start..) else { continue };
        let take = &takes[stroke.drum as usize][i % 2];
        out.iter_mut().zip(take).for_each(|(sample, x)| *sample += velocity * x);
    }
}

/// Adds a part so that its RMS, where it sounds at all, is `level`.
fn add_balanced(mix: &mut [f32], track: &[f32], level: f32) {
    const SILENCE: f32 = 1e-3;
    let (mut power, mut n_sounding) = (0.0_f64, 0_usize);
    for block in track.chunks(256) {
        let sum: f32 = block.iter().map(|x| x * x).sum();
        if sum > SILENCE * SILENCE * 256.0 {
            power += f64::from(sum);
            n_sounding += block.len();
        }
    }
    if n_sounding > 0 {
        let gain = level / (power / n_sounding as f64).sqrt() as f32;
        mix.iter_mut().zip(track).for_each(|(sample, x)| *sample += gain * x);
    }
}

/// Room, equaliser, tape, medium, level: one pass, so that the filters' recurrences overlap in the processor.
fn record(production: &Production, dice: &mut KeyedRng, mix: &mut [f32], rate: f32) {
    let Production { reverb: wet, saturation, hiss, crackles_per_s, .. } = *production;
    let mut room = Reverb::new(production.reverb_s, 4500.0, rate);
    let mut tilt = Biquad::high_shelf(1500.0, production.tilt_db, rate);
    let mut colour = Biquad::peaking(production.colour_hz, 0.9, production.colour_db, rate);
    let mut low_cut = Biquad::highpass(production.low_cut_hz, 0.7, rate);
    let mut surface = SurfaceNoise::new(hiss, crackles_per_s, rate, dice.next_u64() as u32);
    let mut high_cut = Biquad::lowpass(production.high_cut_hz, 0.7, rate);
    for sample in mix.iter_mut() {
        let roomy = (1.0 - wet) * *sample + wet * 3.0 * room.process(*sample);
        let equalised = colour.process(tilt.process(roomy));
        let taped = soft_clip(saturation * equalised);
        // The medium's limits come last: saturation makes treble and DC anew.
        *sample = low_cut.process(high_cut.process(taped + surface.sample()));
    }
    fade_ends(mix, rate);
    let peak = mix.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
    let gain = production.peak / peak.max(1e-6);
    mix.iter_mut().for_each(|x| *x *= gain);
}

/// A hundredth of a second at either end, so that a file neither begins nor ends with a click.
fn fade_ends(mix: &mut [f32], rate: f32) {
    let n_fade = ((0.01 * rate) as usize).min(mix.len() / 2);
    for i in 0..n_fade {
        let gain = i as f32 / n_fade as f32;
        let last = mix.len() - 1 - i;
        mix[i] *= gain;
        mix[last] *= gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_added_at_its_level_wherever_it_sounds() {
        let mut track = vec![0.0; 10_240];
        track[5120..].iter_mut().enumerate().for_each(|(i, x)| *x = if i % 2 == 0 { 5.0 } else { -5.0 });
        let mut mix = vec![0.0; 10_240];
        add_balanced(&mut mix, &track, 0.2);
        assert!(mix[..5120].iter().all(|x| *x == 0.0));
        assert!(mix[5120..].iter().all(|x| (x.abs() - 0.2).abs() < 1e-6));
    }

    #[test]
    fn silence_stays_silence() {
        let mut mix = vec![0.0; 100];
        add_balanced(&mut mix, &[0.0; 100], 0.2);
        assert_eq!(mix, [0.0; 100]);
    }
}
