//! Training history: accuracy above, loss below, training and validation by epoch.
//!
//! The two-panel plot that Keras courses draw from `model.fit(...).history`.

use super::{
    Picture,
    mark::{Ink, Mark, Rect},
    panel::{LegendEntry, Panel, draw_legend},
    picture::{HEADER, MARGIN},
    scale::{Scale, Tick},
};

/// One value per epoch, as in Keras's history; a series that was not recorded is empty.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct History<'a> {
    /// Training accuracy, 0..=1.
    pub accuracy: &'a [f64],
    /// Validation accuracy, 0..=1.
    pub val_accuracy: &'a [f64],
    /// Training loss; values that are not finite leave a gap and are counted in the subtitle.
    pub loss: &'a [f64],
    /// Validation loss.
    pub val_loss: &'a [f64],
    /// Index from 0 of the epoch whose weights were kept.
    pub best_epoch: Option<usize>,
    /// Number of networks that were trained one after another, if there are several.
    pub n_networks: Option<usize>,
}

const WIDTH: f32 = 720.0;
const LEFT: f32 = 84.0;
const PANEL_HEIGHT: f32 = 216.0;
const GAP: f32 = 26.0;
const FOOTER: f32 = 56.0;

/// Accuracy and loss by epoch, numbered from 1, with the best epoch marked.
///
/// The accuracy axis is always 0 to 1; a regression has no accuracy and only a loss panel. The loss axis starts at 0, or is
/// logarithmic if the largest value is much larger than the others.
#[must_use]
pub fn history(history: &History<'_>) -> Picture {
    let has_accuracy = !(history.accuracy.is_empty() && history.val_accuracy.is_empty());
    let above = if has_accuracy { PANEL_HEIGHT + GAP } else { 0.0 };
    let height = HEADER + above + PANEL_HEIGHT + FOOTER;
    let mut picture = Picture::new(WIDTH, height, "Training history", &subtitle(history));
    let n_epochs = history.n_epochs();
    let mut legend = vec![LegendEntry::new("training", Ink::First, false)];
    if !(history.val_accuracy.is_empty() && history.val_loss.is_empty()) {
        legend.push(LegendEntry::new("validation", Ink::Second, false));
    }
    if history.best().is_some() {
        legend.push(LegendEntry::new("best epoch", Ink::Muted, true));
    }
    draw_legend(&mut picture, &legend);

    let upper = Rect { x: LEFT, y: HEADER, width: WIDTH - LEFT - MARGIN, height: PANEL_HEIGHT };
    let lower = Rect { y: HEADER + above, ..upper };
    let pad = ((n_epochs.max(1) - 1) as f64 * 0.02).max(0.3);
    let x = Scale::linear(1.0 - pad, n_epochs.max(1) as f64 + pad, upper.x, upper.right());
    let accuracy = Panel { rect: upper, x, y: Scale::linear(0.0, 1.0, upper.bottom(), upper.y) };
    let (y, loss_title) = loss_scale(history, &lower);
    let loss = Panel { rect: lower, x, y };

    let epochs = epoch_ticks(&x);
    if has_accuracy {
        let series = [history.accuracy, history.val_accuracy];
        draw_panel(&mut picture, &accuracy, "Accuracy", series, history.best());
        accuracy.draw_x_axis(&mut picture, &epochs, None);
    }
    draw_panel(&mut picture, &loss, loss_title, [history.loss, history.val_loss], history.best());
    loss.draw_x_axis(&mut picture, &epochs, Some("Epoch"));
    picture
}

impl History<'_> {
    fn n_epochs(&self) -> usize {
        let series = [self.accuracy, self.val_accuracy, self.loss, self.val_loss];
        series.iter().map(|s| s.len()).max().unwrap_or(0)
    }

    fn best(&self) -> Option<usize> {
        self.best_epoch.filter(|&best| best < self.n_epochs())
    }
}

fn subtitle(history: &History<'_>) -> String {
    let n_epochs = history.n_epochs();
    let mut parts = match (history.best(), n_epochs) {
        (_, 0) => vec!["no epoch was recorded".to_owned()],
        (Some(best), _) => vec![format!("best epoch {} of {n_epochs}", best + 1)],
        (None, 1) => vec!["1 epoch".to_owned()],
        (None, _) => vec![match history.n_networks {
            Some(n) => format!("{n_epochs} epochs of {n} networks, one after another"),
            None => format!("{n_epochs} epochs"),
        }],
    };
    let last = history.best().unwrap_or(n_epochs.saturating_sub(1));
    if let Some(accuracy) = history.val_accuracy.get(last).filter(|v| v.is_finite()) {
        parts.push(format!("validation accuracy {:.1} %", 100.0 * accuracy));
    }
    if let Some(loss) = history.val_loss.get(last).filter(|v| v.is_finite()) {
        parts.push(format!("validation loss {}", three_digits(*loss)));
    }
    for (name, series) in [("training", history.loss), ("validation", history.val_loss)] {
        if let Some(first) = series.iter().position(|v| !v.is_finite()) {
            let n = series.iter().filter(|v| !v.is_finite()).count();
            let epochs = if n == 1 { "epoch" } else { "epochs" };
            parts.push(format!("{name} loss not finite in {n} {epochs}, first in {}", first + 1));
        }
    }
    parts.join(" · ")
}

/// Three decimals, or three significant digits if there are zeros behind the point.
fn three_digits(loss: f64) -> String {
    let zeros = if loss == 0.0 { 0.0 } else { -(loss.abs().log10().floor() + 1.0) };
    let decimals = 3 + zeros.clamp(0.0, 9.0) as usize;
    format!("{loss:.decimals$}")
}

fn loss_scale(history: &History<'_>, rect: &Rect) -> (Scale, &'static str) {
    let losses = history.loss.iter().chain(history.val_loss).copied();
    let mut losses: Vec<f64> = losses.filter(|v| v.is_finite()).collect();
    losses.sort_by(f64::total_cmp);
    let (Some(&low), Some(&high)) = (losses.first(), losses.last()) else {
        return (Scale::linear(0.0, 1.0, rect.bottom(), rect.y), "Loss");
    };
    let median = losses[losses.len() / 2];
    if low > 0.0 && high > 30.0 * median {
        return (Scale::logarithmic(low / 1.2, high * 1.2, rect.bottom(), rect.y), "Loss (logarithmic)");
    }
    (Scale::linear(low.min(0.0), high + 0.06 * high.abs(), rect.bottom(), rect.y), "Loss")
}

fn epoch_ticks(x: &Scale) -> Vec<Tick> {
    let mut ticks = x.integer_ticks(12);
    ticks.retain(|tick| tick.value >= 1.0);
    // Round numbers skip the first epoch, which is where every history starts.
    if ticks.first().is_some_and(|tick| tick.value >= 5.0) {
        ticks.insert(0, Tick { value: 1.0, label: "1".to_owned() });
    }
    ticks
}

fn draw_panel(picture: &mut Picture, panel: &Panel, title: &str, series: [&[f64]; 2], best: Option<usize>) {
    panel.draw_y_axis(picture, &panel.y.ticks(5), title);
    if let Some(best) = best {
        let x = panel.x.at((best + 1) as f64);
        let points = vec![(x, panel.rect.y), (x, panel.rect.bottom())];
        picture.push(Mark::Line { points, width: 1.2, ink: Ink::Muted, dashed: true });
    }
    // The second dot is smaller, so that the first still shows where both have the same value.
    for (values, (ink, radius)) in series.into_iter().zip([(Ink::First, 5.0), (Ink::Second, 3.2)]) {
        let points: Vec<_> = values.iter().enumerate().map(|(i, &v)| ((i + 1) as f64, v)).collect();
        panel.draw_line(picture, &points, ink, points.len() <= 20);
        if let Some(&(x, y)) = best.and_then(|best| points.get(best)).filter(|(_, y)| y.is_finite()) {
            let (x, y) = panel.at(x, y);
            picture.push(Mark::Dot { x, y, radius: radius + 1.2, fill: Ink::Surface });
            picture.push(Mark::Dot { x, y, radius, fill: ink });
        }
    }
    if !series.iter().any(|s| s.iter().any(|v| v.is_finite())) {
        panel.draw_note(picture, "nothing to draw");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subtitle_names_the_best_epoch_from_one() {
        let values = [0.25, 0.5, 0.4];
        let best =
            History { val_accuracy: &values, val_loss: &values, best_epoch: Some(1), ..History::default() };
        let expected = "best epoch 2 of 3 · validation accuracy 50.0 % · validation loss 0.500";
        assert_eq!(subtitle(&best), expected);
    }

    #[test]
    fn a_small_loss_is_not_rounded_away() {
        for (loss, text) in [
            (0.0, "0.000"),
            (12.3456, "12.346"),
            (0.5, "0.500"),
            (0.000_512_34, "0.000512"),
            (-0.05, "-0.0500"),
        ] {
            assert_eq!(three_digits(loss), text);
        }
    }

    #[test]
    fn a_non_finite_loss_is_reported_and_leaves_a_gap() {
        let loss = [1.0, f64::NAN, 0.5, 0.4, f64::INFINITY];
        let broken = History { loss: &loss, ..History::default() };
        assert_eq!(subtitle(&broken), "5 epochs · training loss not finite in 2 epochs, first in 2");
        let lines = |picture: &Picture| {
            let is_line =
                |m: &&Mark| matches!(m, Mark::Line { ink: Ink::First, points, .. } if points.len() == 2);
            picture.marks.iter().filter(is_line).count()
        };
        assert_eq!(lines(&history(&broken)), 2, "the legend's stroke and epochs 3 to 4");
    }

    #[test]
    fn epochs_are_labelled_with_whole_numbers() {
        for (n, expected) in [(1, vec!["1"]), (3, vec!["1", "2", "3"]), (50, vec!["1", "5", "10"])] {
            let x = Scale::linear(1.0 - 0.02 * n as f64, n as f64 * 1.02, 0.0, 100.0);
            let labels: Vec<_> = epoch_ticks(&x).into_iter().map(|t| t.label).collect();
            assert_eq!(labels[..expected.len()], expected, "{n} epochs");
        }
    }

    #[test]
    fn a_huge_first_loss_makes_the_axis_logarithmic() {
        let loss = [900.0, 3.0, 2.0, 1.5, 1.2];
        let rect = Rect { x: 0.0, y: 0.0, width: 10.0, height: 10.0 };
        assert_eq!(loss_scale(&History { loss: &loss, ..History::default() }, &rect).1, "Loss (logarithmic)");
        assert_eq!(loss_scale(&History { loss: &loss[1..], ..History::default() }, &rect).1, "Loss");
    }

    #[test]
    fn a_regression_has_no_accuracy_panel() {
        let (loss, accuracy) = (&[2.0, 1.0][..], &[0.5, 0.6][..]);
        let regression = history(&History { loss, ..History::default() });
        let classifier = history(&History { loss, accuracy, ..History::default() });
        let titles = |picture: &Picture| {
            let is_title = |m: &&Mark| matches!(m, Mark::Text(text) if text.text == "Accuracy");
            picture.marks.iter().filter(is_title).count()
        };
        assert_eq!((titles(&regression), titles(&classifier)), (0, 1));
        assert!(regression.height < classifier.height);
    }

    #[test]
    fn the_subtitle_names_the_networks_of_an_ensemble() {
        let values = [0.5; 6];
        let ensemble = History { loss: &values, n_networks: Some(3), ..History::default() };
        assert_eq!(subtitle(&ensemble), "6 epochs of 3 networks, one after another");
    }

    #[test]
    fn a_best_epoch_outside_the_history_is_not_drawn() {
        let late = History { best_epoch: Some(7), loss: &[1.0], ..History::default() };
        assert_eq!(subtitle(&late), "1 epoch");
        assert_eq!(history(&late), history(&History { best_epoch: None, ..late }));
    }
}
