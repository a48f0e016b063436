//! Renders a score: synthesises all parts, balances and mixes them, and applies the recording chain.

use cantus_random::KeyedRng;

use super::draw::Draw;
use super::drums::Drum;
use super::effect::{Reverb, SurfaceNoise};
use super::elementary::{frequency, soft_clip};
use super::filter::Biquad;
use super::instrument::Tone;
use super::production::Production;
use super::score::{Part, Score};

/// Renders `n_samples` of a score.
pub(super) fn render(score: &Score, rng: &mut KeyedRng, n_samples: usize, sample_rate: u32) -> Vec<f32> {
    let rate = sample_rate as f32;
    let mut mix = vec![0.0; n_samples];
    let mut track = vec![0.0; n_samples];
    for part in &score.parts {
        track.fill(0.0);
        render_part(score, part, rng, &mut track, rate);
        add_balanced(&mut mix, &track, part.level * rng.around(1.0, 0.2));
    }
    if !score.drum_hits.is_empty() {
        track.fill(0.0);
        render_drums(score, rng, &mut track, rate);
        add_balanced(&mut mix, &track, score.drum_level * rng.around(1.0, 0.25));
    }
    apply_production(&score.production, rng, &mut mix, rate);
    mix
}

fn render_part(score: &Score, part: &Part, rng: &mut KeyedRng, track: &mut [f32], rate: f32) {
    for note in &part.notes {
        let late_s = f64::from(rng.uniform_in([0.0, 2.0 * score.feel.timing_jitter_s]));
        let velocity = note.velocity * rng.uniform_in([0.88, 1.12]);
        let seed = rng.next_u64() as u32;
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

fn render_drums(score: &Score, rng: &mut KeyedRng, track: &mut [f32], rate: f32) {
    // Two alternating samples of every drum, since identical hits sound mechanical.
    let mut take = |drum| score.kit.hit(drum, rate, rng.next_u64() as u32);
    let takes = Drum::ALL.map(|drum| [take(drum), take(drum)]);
    for (i, hit) in score.drum_hits.iter().enumerate() {
        let late_s = f64::from(rng.uniform_in([0.0, score.feel.timing_jitter_s]));
        let velocity = hit.velocity * rng.uniform_in([0.85, 1.1]);
        let start = ((score.seconds(hit.start) + late_s) * f64::from(rate)) as usize;
        let Some(out) = track.get_mut(start..) else { continue };
        let take = &takes[hit.drum as usize][i % 2];
        out.iter_mut().zip(take).for_each(|(sample, x)| *sample += velocity * x);
    }
}

/// Adds a part with a gain such that its RMS over the non-silent blocks is `level`.
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

/// Reverberation, equaliser, saturation, noise, band limits, in one pass so that the filters' recurrences overlap in the
/// processor; then peak normalisation.
fn apply_production(production: &Production, rng: &mut KeyedRng, mix: &mut [f32], rate: f32) {
    let Production { reverb: wet, saturation, hiss, crackles_per_s, .. } = *production;
    let mut room = Reverb::new(production.reverb_s, 4500.0, rate);
    let mut tilt = Biquad::high_shelf(1500.0, production.tilt_db, rate);
    let mut colour = Biquad::peaking(production.colour_hz, 0.9, production.colour_db, rate);
    let mut low_cut = Biquad::highpass(production.low_cut_hz, 0.7, rate);
    let mut surface = SurfaceNoise::new(hiss, crackles_per_s, rate, rng.next_u64() as u32);
    let mut high_cut = Biquad::lowpass(production.high_cut_hz, 0.7, rate);
    for sample in mix.iter_mut() {
        let reverberated = (1.0 - wet) * *sample + wet * 3.0 * room.process(*sample);
        let equalised = colour.process(tilt.process(reverberated));
        let saturated = soft_clip(saturation * equalised);
        // Band limits come last, since saturation adds high frequencies and DC.
        *sample = low_cut.process(high_cut.process(saturated + surface.sample()));
    }
    fade_ends(mix, rate);
    let peak = mix.iter().fold(0.0_f32, |peak, x| peak.max(x.abs()));
    let gain = production.peak / peak.max(1e-6);
    mix.iter_mut().for_each(|x| *x *= gain);
}

/// Fades of 10 ms at both ends prevent clicks.
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
    fn the_rms_of_the_non_silent_part_is_the_level() {
        let mut track = vec![0.0; 10_240];
        track[5120..].iter_mut().enumerate().for_each(|(i, x)| *x = if i % 2 == 0 { 5.0 } else { -5.0 });
        let mut mix = vec![0.0; 10_240];
        add_balanced(&mut mix, &track, 0.2);
        assert!(mix[..5120].iter().all(|x| *x == 0.0));
        assert!(mix[5120..].iter().all(|x| (x.abs() - 0.2).abs() < 1e-6));
    }

    #[test]
    fn a_silent_part_adds_nothing() {
        let mut mix = vec![0.0; 100];
        add_balanced(&mut mix, &[0.0; 100], 0.2);
        assert_eq!(mix, [0.0; 100]);
    }
}
