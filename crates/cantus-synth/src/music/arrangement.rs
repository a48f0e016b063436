//! Arrangement: mutes parts in some sections, for intros and breaks.

use std::ops::Range;

use cantus_random::KeyedRng;

use super::draw::Draw;
use super::score::{Role, Score};

/// Parts that are muted in a section.
#[derive(Debug, Clone, Copy)]
struct MutedParts {
    drums: bool,
    roles: &'static [Role],
}

const NONE: MutedParts = MutedParts { drums: false, roles: &[] };
const LEAD: MutedParts = MutedParts { drums: false, roles: &[Role::Lead] };
const DRUMS: MutedParts = MutedParts { drums: true, roles: &[] };
const ALL_BUT_HARMONY: MutedParts = MutedParts { drums: true, roles: &[Role::Bass, Role::Lead] };
const HARMONY: MutedParts = MutedParts { drums: false, roles: &[Role::Harmony] };
const BASS: MutedParts = MutedParts { drums: false, roles: &[Role::Bass] };

/// Mutes parts in random sections of four or eight bars, unless that would leave half a second of silence.
pub(super) fn arrange(score: &mut Score, rng: &mut KeyedRng) {
    let n_bars = rng.pick([4, 4, 8]);
    for bar in (0..score.chart.n_bars).step_by(n_bars) {
        let section = score.chart.bar_start(bar)..score.chart.bar_start(bar + n_bars);
        let muted = if bar == 0 && rng.bernoulli(0.4) {
            rng.pick([LEAD, LEAD, DRUMS, ALL_BUT_HARMONY])
        } else if bar > 0 && rng.bernoulli(0.4) {
            rng.pick([LEAD, LEAD, DRUMS, BASS, HARMONY])
        } else {
            NONE
        };
        if longest_silence_s(score, &section, muted) < 0.5 {
            mute(score, &section, muted);
        }
    }
}

fn mute(score: &mut Score, section: &Range<f64>, muted: MutedParts) {
    if muted.drums {
        score.drum_hits.retain(|hit| !section.contains(&hit.start));
    }
    for part in score.parts.iter_mut().filter(|part| muted.roles.contains(&part.role)) {
        part.notes.retain(|note| !section.contains(&note.start));
    }
}

/// Longest silence in the section if these parts are muted, in seconds.
fn longest_silence_s(score: &Score, section: &Range<f64>, muted: MutedParts) -> f64 {
    const HIT_BEATS: f64 = 0.25;
    const DECAY_BEATS: f64 = 1.5; // a struck or plucked note counts as silent afterwards
    let playing = score.parts.iter().filter(|part| !muted.roles.contains(&part.role));
    let notes = playing.flat_map(|part| {
        let max_duration = if part.instrument.sustains() { f64::INFINITY } else { DECAY_BEATS };
        part.notes.iter().map(move |note| (note.start, note.start + note.duration.min(max_duration)))
    });
    let drum_hits = score.drum_hits.iter().filter(|_| !muted.drums);
    let drum_hits = drum_hits.map(|hit| (hit.start, hit.start + HIT_BEATS));
    let mut sounds: Vec<(f64, f64)> = notes.chain(drum_hits).collect();
    sounds.retain(|(start, _)| section.contains(start));
    sounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut sound_end, mut longest) = (section.start, 0.0_f64);
    for (start, end) in sounds.into_iter().chain([(section.end, section.end)]) {
        longest = longest.max(start - sound_end);
        sound_end = sound_end.max(end);
    }
    longest * 60.0 / f64::from(score.chart.tempo_bpm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Genre;

    #[test]
    fn parts_are_muted_but_never_all_at_once() {
        let mut n_muted = 0;
        for genre in Genre::ALL {
            for seed in 0..10 {
                let mut score = genre.score(&mut KeyedRng::new([seed, 0]), 30.0);
                let whole = 0.0..score.chart.bar_start(score.chart.n_bars);
                let n_before: usize = score.parts.iter().map(|part| part.notes.len()).sum();
                let before = longest_silence_s(&score, &whole, NONE);
                arrange(&mut score, &mut KeyedRng::new([seed, 1]));
                let n_after: usize = score.parts.iter().map(|part| part.notes.len()).sum();
                let after = longest_silence_s(&score, &whole, NONE);
                n_muted += usize::from(n_after < n_before);
                assert!(after < before.max(1.0), "{genre} {seed}: {after} s of silence");
                assert!(after < 1.0, "{genre} {seed}: {after} s of silence");
            }
        }
        assert!(n_muted > 30, "{n_muted} of 100 scores have rests");
    }
}
