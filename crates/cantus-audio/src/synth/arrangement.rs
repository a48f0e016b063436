//! Who rests when: intros, breaks, a verse without the soloist.

use super::dice::Dice;
use super::score::{Role, Score};

/// Lets players rest in some sections of four or eight bars, never so many that nobody is left.
pub(super) fn arrange(score: &mut Score, dice: &mut Dice) {
    let n_bars = dice.pick([4, 4, 8]);
    let mut first = true;
    for bar in (0..score.chart.n_bars).step_by(n_bars) {
        let section = score.chart.bar_start(bar)..score.chart.bar_start(bar + n_bars);
        let (drums_rest, resting) = if first { intro(dice) } else { section_rests(dice) };
        first = false;
        let someone_plays = score
            .parts
            .iter()
            .any(|part| !resting.contains(&part.role) && part.role != Role::Lead && !part.notes.is_empty());
        if !someone_plays {
            continue;
        }
        if drums_rest {
            score.strokes.retain(|stroke| !section.contains(&stroke.start));
        }
        for part in score.parts.iter_mut().filter(|part| resting.contains(&part.role)) {
            part.notes.retain(|note| !section.contains(&note.start));
        }
    }
}

/// Whether the drums rest, and who rests with them, at the beginning of a piece.
fn intro(dice: &mut Dice) -> (bool, &'static [Role]) {
    if dice.chance(0.6) {
        return (false, &[]);
    }
    dice.pick([
        (true, &[Role::Lead]),
        (true, &[Role::Bass, Role::Lead][..]),
        (false, &[Role::Lead]),
        (false, &[Role::Harmony]),
    ])
}

/// The same for any other section.
fn section_rests(dice: &mut Dice) -> (bool, &'static [Role]) {
    if dice.chance(0.55) {
        return (false, &[]);
    }
    dice.pick([
        (false, &[Role::Lead][..]),
        (false, &[Role::Lead]),
        (true, &[]),
        (false, &[Role::Bass]),
        (false, &[Role::Harmony]),
    ])
}
