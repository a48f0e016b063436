//! Claims of lessons 13 to 19, tested against the numbers that the lessons compute.

use crate::output::LessonOutput;

use super::claims::{assert_near, number, run_lesson};

const OWN: &str = "accuracy on the tracks that it was trained on";
const OTHER: &str = "accuracy on other tracks";

/// Asserts at least 1.5 times the accuracy of random guessing.
#[track_caller]
fn beats_guessing(out: &LessonOutput<'_>) {
    let (found, guessing) = (number(out, OTHER), number(out, "accuracy by guessing"));
    assert!(found > 1.5 * guessing, "{found}, guessing {guessing}");
}

#[test]
fn lesson_13_overfits_and_the_gradient_of_more_segments_is_nearer_to_that_of_all() {
    run_lesson(13, 4, |out| {
        beats_guessing(out);
        assert!(number(out, OWN) > number(out, OTHER) + 15.0);
        let cosine =
            |name: &str| number(out, &format!("{name} batches, cosine to the gradient of all segments"));
        assert!(
            cosine("stochastic") + 0.1 < cosine("mini"),
            "{} and {}",
            cosine("stochastic"),
            cosine("mini")
        );
        assert!(cosine("mini") < cosine("full"));
        assert_near(out, "full batches, cosine to the gradient of all segments", 1.0, 1e-4);
        for (name, steps) in [("stochastic", 1080.0), ("mini", 36.0), ("full", 6.0)] {
            assert_near(out, &format!("{name} batches, steps"), steps, 0.0);
        }
    });
}

/// Augmentation and dropout are not tested: on a few synthetic tracks they may not help.
#[test]
fn remedies_of_lesson_14_reduce_the_gap() {
    run_lesson(14, 1, |out| {
        let gap = number(out, "  gap, no remedy");
        for remedy in ["simpler network", "early stopping", "L1", "L2"] {
            let narrowed = number(out, &format!("  gap, {remedy}"));
            assert!(narrowed < 0.95 * gap, "{remedy}: {narrowed}, without it {gap}");
        }
        assert!(number(out, "  gap, augmentation").is_finite());
        let [none, l1, l2] =
            ["no remedy", "L1", "L2"].map(|name| number(out, &format!("weights near 0, {name}")));
        assert!(l1 > 2.0 * l2 && l1 > 2.0 * none, "{none}, L1 {l1}, L2 {l2}");
    });
}

/// By hand: a kernel of ones and minus ones on a square of ones; 1.25 = (2 + 3 + 0 + 0) / 4; 27 = 3 · 3 · 3; 100 = 51200 / 512; 320 = 32 · 10;
/// 45056 · 1691 / 320 = 238092.8.
#[test]
fn the_convolution_of_lesson_15_is_the_librarys_and_its_sizes_are_those_by_hand() {
    run_lesson(15, 1, |out| {
        assert_near(out, "output of A at the square's left edge, its largest", 3.0, 0.0);
        assert_near(out, "output of A in the middle of the square, where nothing changes", 0.0, 0.0);
        assert_near(out, "outputs with stride 2", 9.0, 0.0);
        assert_near(out, "maximum of the four outputs at the left edge", 3.0, 0.0);
        assert_near(out, "their average", 1.25, 0.0);
        assert_near(out, "largest difference of these four from the library's layers", 0.0, 1e-6);
        assert_near(out, "weights of a kernel of 3 × 3 pixels and depth 3", 27.0, 0.0);
        assert_near(
            out,
            "largest difference between the sum over channels and the library's layer",
            0.0,
            1e-5,
        );
        assert_near(out, "weights of the convolution, 32 × (3 × 3 + 1)", 320.0, 0.0);
        assert_near(out, "times as many", 238_093.0, 0.0);
        assert_near(out, "frames by division, 51200 / 512", 100.0, 0.0);
        assert_near(
            out,
            "frames of librosa and of Cantus, which centre frame 0 on the first sample",
            101.0,
            0.0,
        );
        assert_near(out, "bins of a frame, 13 MFCCs and 128 mel bands", 141.0, 0.0);
    });
}

#[test]
fn the_convolutional_network_of_lesson_16_beats_guessing_with_few_weights() {
    run_lesson(16, 3, |out| {
        beats_guessing(out);
        let weights = number(out, "weights of the convolutional network");
        assert!(weights < 0.05 * number(out, "weights of the perceptron"), "{weights}");
    });
}

/// Python 3: `-(1.25 ** 30 - 1) / 0.25`, and `0.8 * 1.25 ** 10`.
#[test]
fn gradients_of_lesson_17_vanish_explode_and_are_clipped() {
    run_lesson(17, 1, |out| {
        assert_near(out, "largest difference from the library's layer", 0.0, 1e-6);
        assert_near(
            out,
            "largest difference between the vector and the last step of the sequence",
            0.0,
            1e-6,
        );
        assert_near(
            out,
            "steps of its MFCCs with a hop of 512, the last incomplete one left out",
            387.0,
            0.0,
        );
        let first = number(out, "influence on the first state");
        assert!(number(out, "influence ten steps later") < 0.05 * first);
        assert_near(out, "influence ten steps later, W = 1.25", 7.450_580_596_923_828, 1e-4);
        assert!(number(out, "state in the last step with ReLU, W = 1.25") > 100.0);
        assert!(number(out, "state in the last step with tanh, W = 1.25") < 1.0);
        let by_hand = -3_227.174_267_785_264_3;
        assert_near(out, "gradient of the bias by hand, -(W³⁰ - 1) / (W - 1)", by_hand, 1e-6);
        assert_near(
            out,
            "gradient of the bias in the library, by backpropagation through time",
            by_hand,
            0.05,
        );
        assert_near(out, "bias after one step, clipped", 0.01, 1e-6);
        assert_near(out, "loss after 400 steps", 0.25, 1e-3);
        assert!(number(out, "loss after 400 steps, clipped") < 0.01);
    });
}

#[test]
fn the_gates_of_lesson_18_are_the_librarys_and_the_cell_state_lasts() {
    run_lesson(18, 2, |out| {
        assert_near(out, "largest difference from the library's layer", 0.0, 1e-5);
        assert_near(out, "cell state C at step 21", 0.9f64.tanh(), 0.01);
        assert_near(out, "cell state C at step 22, tanh -0.6", -0.6f64.tanh(), 0.01);
        assert_near(out, "hidden state h at step 13, not read", 0.0, 1e-3);
        assert_near(out, "hidden state h at step 14, read", 0.9f64.tanh().tanh(), 0.01);
        assert_near(out, "largest difference of the GRU from the library's layer", 0.0, 1e-5);
        assert_near(out, "state h of the GRU at step 21", 0.9f64.tanh(), 0.01);
        assert_near(out, "state h of the GRU at step 22", -0.6f64.tanh(), 0.01);
    });
}

/// By hand, for 64 units and 13 inputs: 64 · (13 + 64 + 1), three times 64 · (13 + 64 + 2), four times 64 · (13 + 64 + 1).
#[test]
fn the_layers_of_lesson_18_have_the_weights_of_their_gates() {
    run_lesson(18, 2, |out| {
        assert_near(out, "weights of a simple recurrent layer", 4992.0, 0.0);
        assert_near(out, "weights of a GRU", 15_168.0, 0.0);
        assert_near(out, "weights of an LSTM", 19_968.0, 0.0);
    });
}

#[test]
fn the_cell_states_of_lesson_18_decay_by_the_formula() {
    run_lesson(18, 2, |out| {
        for tau in [2, 8, 32] {
            let formula = number(out, &format!("share kept after 10 steps, (1 - 1/{tau})¹⁰"));
            assert_near(
                out,
                &format!("share kept after 10 steps, time scale {tau}, by the library"),
                formula,
                1e-3,
            );
        }
    });
}

#[test]
fn the_recurrent_network_of_lesson_19_beats_guessing() {
    run_lesson(19, 2, beats_guessing);
}
