//! Who rests when: intros, breaks, a verse without the soloist.

use cantus_random::KeyedRng;

use crate::music::draw::Draw;
use std::ops::Range;

use super::score::{Role, Score};

/// Who rests in a section.
#[derive(Debug, Clone, Copy)]
struct Rest {
    drums: bool,
    roles: &'static [Role],
}

const NOBODY: Rest = Rest { drums: false, roles: &[] };
const SOLOIST: Rest = Rest { drums: false, roles: &[Role::Lead] };
const DRUMMER: Rest = Rest { drums: true, roles: &[] };
const RHYTHM_SECTION: Rest = Rest { drums: true, roles: &[Role::Bass, Role::Lead] };
const ACCOMPANIST: Rest = Rest { drums: false, roles: &[Role::Harmony] };
const BASSIST: Rest = Rest { drums: false, roles: &[Role::Bass] };

/// Lets players rest in some sections of four or eight bars, unless that would leave a hole in the music.
pub(super) fn arrange(score: &mut Score, dice: &mut KeyedRng) {
    let n_bars = dice.pick([4, 4, 8]);
    for bar in (0..score.chart.n_bars).step_by(n_bars) {
        let section = score.chart.bar_start(bar)..score.chart.bar_start(bar + n_bars);
        let rest = if bar == 0 && dice.bernoulli(0.4) {
            dice.pick([SOLOIST, SOLOIST, DRUMMER, RHYTHM_SECTION])
        } else if bar > 0 && dice.bernoulli(0.4) {
            dice.pick([SOLOIST, SOLOIST, DRUMMER, BASSIST, ACCOMPANIST])
        } else {
            NOBODY
        };
        if longest_silence_s(score, &section, rest) < 0.5 {
            silence(score, &section, rest);
        }
    }
}

fn silence(score: &mut Score, section: &Range<f64>, rest: Rest) {
    if rest.drums {
        score.strokes.retain(|stroke| !section.contains(&stroke.start));
    }
    for part in score.parts.iter_mut().filter(|part| rest.roles.contains(&part.role)) {
        part.notes.retain(|note| !section.contains(&note.start));
    }
}

/// The longest time in the section during which nobody would play, in seconds.
fn longest_silence_s(score: &Score, section: &Range<f64>, rest: Rest) -> f64 {
    const STROKE_BEATS: f64 = 0.25;
    const RING_BEATS: f64 = 1.5; // a struck or plucked note held for longer is too soft to carry the music
    let playing = score.parts.iter().filter(|part| !rest.roles.contains(&part.role));
    let notes = playing.flat_map(|part| {
        let carries = if part.instrument.sustains() { f64::INFINITY } else { RING_BEATS };
        part.notes.iter().map(move |note| (note.start, note.start + note.duration.min(carries)))
    });
    let strokes = score.strokes.iter().filter(|_| !rest.drums);
    let strokes = strokes.map(|stroke| (stroke.start, stroke.start + STROKE_BEATS));
    let mut sounds: Vec<(f64, f64)> = notes.chain(strokes).collect();
    sounds.retain(|(start, _)| section.contains(start));
    sounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut heard_until, mut longest) = (section.start, 0.0_f64);
    for (start, end) in sounds.into_iter().chain([(section.end, section.end)]) {
        longest = longest.max(start - heard_until);
        heard_until = heard_until.max(end);
    }
    longest * 60.0 / f64::from(score.chart.tempo_bpm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::music::Genre;

    #[test]
    fn players_rest_but_never_all_at_once() {
        let mut n_rested = 0;
        for genre in Genre::ALL {
            for seed in 0..10 {
                let mut score = genre.score(&mut KeyedRng::new([seed, 0]), 30.0);
                let whole = 0.0..score.chart.bar_start(score.chart.n_bars);
                let n_before: usize = score.parts.iter().map(|part| part.notes.len()).sum();
                let before = longest_silence_s(&score, &whole, NOBODY);
                arrange(&mut score, &mut KeyedRng::new([seed, 1]));
                let n_after: usize = score.parts.iter().map(|part| part.notes.len()).sum();
                let after = longest_silence_s(&score, &whole, NOBODY);
                n_rested += usize::from(n_after < n_before);
                assert!(after < before.max(1.0), "{genre} {seed}: {after} s of silence");
                assert!(after < 1.0, "{genre} {seed}: {after} s of silence");
            }
        }
        assert!(n_rested > 30, "{n_rested} of 100 scores have rests");
    }
}
