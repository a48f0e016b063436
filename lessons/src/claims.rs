//! Claims of lessons 3 to 12, tested against the numbers that the lessons compute.

use crate::output::LessonOutput;

use crate::LESSONS;

/// Runs a lesson in a temporary folder, passes its output to `claims`, checks the number of pictures, and returns its text.
pub fn run_lesson(number: u8, n_pictures: usize, claims: impl FnOnce(&LessonOutput<'_>)) -> String {
    let lesson = LESSONS.iter().find(|lesson| lesson.number == number).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut words = Vec::new();
    let mut out = LessonOutput::new(folder.path(), &mut words);
    (lesson.run)(&mut out).unwrap();
    claims(&out);
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let pictures = files.filter(|path| path.extension().is_some_and(|extension| extension == "svg"));
    assert_eq!(pictures.count(), n_pictures);
    let words = String::from_utf8(words).unwrap();
    let longest = words.lines().filter(|line| !line.contains('━')).map(|line| line.chars().count()).max();
    assert!(longest <= Some(115), "a line of {longest:?} characters in\n{words}");
    words
}

/// The number with this name.
#[track_caller]
pub fn number(out: &LessonOutput<'_>, name: &str) -> f64 {
    out.number(name).unwrap_or(f64::NAN)
}

#[track_caller]
pub fn assert_near(out: &LessonOutput<'_>, name: &str, expected: f64, tolerance: f64) {
    let found = number(out, name);
    assert!((found - expected).abs() <= tolerance, "{name}: {found}, expected {expected} ± {tolerance}");
}

/// Python 3: `1 / (1 + math.exp(-(0.5 * 0.4 + 0.3 * 0.7 + 0.2 * 0.2)))`
#[test]
fn the_neuron_of_lesson_3_has_the_lectures_activation() {
    run_lesson(3, 1, |out| {
        assert_near(out, "net input h = 0.5·0.4 + 0.3·0.7 + 0.2·0.2", 0.45, 1e-12);
        assert_near(out, "activation y = 1 / (1 + e^-h)", 0.610_639_233_949_222, 1e-12);
        let negative = number(out, "activation with the weights [0.4, -0.7, 0.2]");
        assert!(negative < number(out, "activation y = 1 / (1 + e^-h)"));
    });
}

/// By hand, element by element.
#[test]
fn the_operations_of_lesson_4_are_those_by_hand() {
    let words = run_lesson(4, 2, |out| {
        assert_near(out, "a · b = 3·1 + 1·2", 5.0, 0.0);
        assert_near(out, "net input of neuron 1 = 0.5·0.4 + 0.3·0.7 + 0.2·0.2", 0.45, 1e-12);
        assert_near(out, "net input of neuron 2 = 0.5·(-1) + 0.3·0.5 + 0.2·2", 0.05, 1e-12);
        assert_near(out, "largest difference between the elements of both sides", 0.0, 1e-12);
    });
    for line in [
        "  a + 2 = [5.0, 3.0]",
        "  a - 2 = [1.0, -1.0]",
        "  a · 2 = [6.0, 2.0]",
        "  a / 2 = [1.5, 0.5]",
        "  a + b = [4.0, 3.0]",
        "  a - b = [2.0, -1.0]",
        "  P + 2 = [[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]",
        "  P - 2 = [[-1.0, 0.0], [1.0, 2.0], [3.0, 4.0]]",
        "  P · 2 = [[2.0, 4.0], [6.0, 8.0], [10.0, 12.0]]",
        "  P / 2 = [[0.5, 1.0], [1.5, 2.0], [2.5, 3.0]]",
        "  P + Q = [[1.5, 2.0], [4.0, 3.0], [5.0, 8.0]]",
        "  P - Q = [[0.5, 2.0], [2.0, 5.0], [5.0, 4.0]]",
        "  Pᵀ = [[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]]",
    ] {
        assert!(words.lines().any(|printed| printed == line), "{line} is missing in\n{words}");
    }
}

/// Python 3, with `s = lambda h: 1 / (1 + math.exp(-h))`: `s(s(2.96) + 0.9 * s(1.16) + 1.5 * s(2.6))`
#[test]
fn lesson_5_and_the_library_compute_the_same() {
    run_lesson(5, 1, |out| {
        assert_near(out, "net input of hidden neuron 1 = 0.8·1.2 + 1·2.0", 2.96, 1e-12);
        assert_near(out, "output y, step by step", 0.954_008_930_964_245_2, 1e-12);
        assert_near(out, "output y of the library", number(out, "output y, step by step"), 1e-6);
    });
}

#[test]
fn the_perceptron_of_lesson_6_has_the_weights_of_its_layers() {
    run_lesson(6, 1, |out| {
        assert_near(out, "number of weights = 3·3 + 3·5 + 5·2", 34.0, 0.0);
        for inputs in ["[0.2, 0.7, 0.4]", "[0.9, 0.1, 0.5]"] {
            for output in 1..=2 {
                let y = number(out, &format!("output {output} for the inputs {inputs}"));
                assert!((0.5..1.0).contains(&y), "{y}");
            }
        }
    });
}

#[test]
fn the_chain_rule_of_lesson_7_is_the_slope_and_leads_downhill() {
    let words = run_lesson(7, 1, |out| {
        let slope =
            number(out, "∂E/∂w at w = 2 by the difference (E(w + 0.00001) - E(w - 0.00001)) / 0.00002");
        assert_near(out, "∂E/∂w at w = 2 by the chain rule", slope, 1e-8);
        assert!(number(out, "error after 25 steps") < 0.01 * number(out, "error before the first step"));
        assert_near(out, "output y after 25 steps, target 0.2", 0.2, 0.02);
        for weight in ["w1", "w2"] {
            let slope = number(out, &format!("∂E/∂{weight} by the difference"));
            assert!(slope.abs() > 1e-3, "{weight}: a slope of {slope} would prove nothing");
            assert_near(out, &format!("∂E/∂{weight} by backpropagation"), slope, 1e-9);
        }
    });
    assert_falls(&printed_errors(&words), 26);
}

/// The numbers of the lines `Error: … at …`.
fn printed_errors(words: &str) -> Vec<f64> {
    let lines = words.lines().filter_map(|line| line.trim().strip_prefix("Error: "));
    lines.map(|line| line.split(' ').next().unwrap().parse().unwrap()).collect()
}

/// Checks the number of errors, and that the mean of each fifth of them is below that of the fifth before.
#[track_caller]
fn assert_falls(errors: &[f64], n: usize) {
    assert_eq!(errors.len(), n, "{errors:?}");
    let means = errors.chunks(n.div_ceil(5)).map(|part| part.iter().sum::<f64>() / part.len() as f64);
    let means: Vec<f64> = means.collect();
    assert!(means.is_sorted_by(|before, after| after < before), "{means:?}");
}

#[test]
fn the_error_of_lesson_8_falls_until_the_sum_is_right() {
    let words = run_lesson(8, 1, |out| {
        assert_near(out, "0.3 + 0.1, after training", 0.4, 0.02);
        assert!((number(out, "0.3 + 0.1, before training") - 0.4).abs() > 0.1);
        // The sums themselves have a variance of 1/24.
        assert!(number(out, "mean squared error in the last epoch") < 0.05 / 24.0);
    });
    assert_falls(&printed_errors(&words), 50);
}

/// With ten examples for 21 parameters the test loss is the higher one in every draw; with 3500 the ratio of one split
/// deviates from 1 by about 5 % in either direction.
#[test]
fn the_network_of_lesson_9_overfits_on_few_examples_only() {
    run_lesson(9, 1, |out| {
        assert_near(out, "examples in the training part", 3500.0, 0.0);
        assert_near(out, "examples in the test part", 1500.0, 0.0);
        assert_near(out, "0.1 + 0.2", 0.3, 0.04);
        assert_near(out, "0.2 + 0.2", 0.4, 0.04);
        let own = number(out, "loss of the training part");
        let other = number(out, "loss of the test part");
        assert_ne!(own, other, "a random split has different losses");
        assert_near(out, "loss of the test part", own, 0.25 * own);
        assert_near(out, "mean test loss / mean training loss, 3500 examples", 1.0, 0.2);
        assert!(number(out, "mean test loss / mean training loss, 10 examples") > 1.2);
    });
}

#[test]
fn the_measurements_of_lesson_10_equal_the_formulas() {
    run_lesson(10, 6, |out| {
        assert_near(out, "period of 440 Hz", 1000.0 / 440.0, 1e-9);
        assert_near(out, "measured amplitude of A = 0.5", 0.5, 1e-5);
        assert_near(out, "measured frequency of f = 880 Hz", 880.0, 0.0);
        assert_near(out, "measured phase of φ = π/2", std::f64::consts::FRAC_PI_2, 1e-4);
        assert_near(out, "frequency of the alias by the formula, 8000 - 5000", 3000.0, 0.0);
        assert_near(out, "frequency measured from the samples", 3000.0, 0.0);
        let ratio = "measured signal-to-noise ratio at 16 bits (by the formula 98.09 dB)";
        assert_near(out, ratio, 98.09, 0.2);
        for (hz, amplitude) in [(440, 0.5), (550, 0.3), (660, 0.2)] {
            assert_near(out, &format!("amplitude found at {hz} Hz"), amplitude, 1e-5);
        }
        for (first, last) in [(440.0, 660.0), (660.0, 440.0)] {
            for hz in [440, 660] {
                assert_near(out, &format!("amplitude at {hz} Hz, {first} Hz first"), 0.5, 1e-5);
            }
            assert_near(out, &format!("strongest in the first frame, {first} Hz first"), first, 0.0);
            assert_near(out, &format!("strongest in the last frame, {first} Hz first"), last, 0.0);
        }
    });
}

#[test]
fn lesson_11_has_the_courses_shapes_and_draws_linear_and_in_decibels() {
    run_lesson(11, 13, |out| {
        assert_near(out, "frames", 130.0, 0.0);
        assert_near(out, "frequency bins of a frame, 2048 / 2 + 1", 1025.0, 0.0);
        assert_near(out, "mel bands of a frame", 128.0, 0.0);
        assert_near(out, "MFCCs of a frame", 13.0, 0.0);
        let mirrored = "largest difference of 20 bins N - k from bins k, as a share of the largest magnitude";
        assert_near(out, mirrored, 0.0, 1e-5);
        let dark = |scale| number(out, &format!("values in the lowest tenth of the {scale} scale"));
        assert!(dark("linear") > 90.0 && dark("decibel") < 50.0, "{} {}", dark("linear"), dark("decibel"));
        assert!(
            number(out, "mean absolute value of coefficient 0")
                > 3.0 * number(out, "mean absolute value of coefficient 12")
        );
        assert!((0.0..1.0).contains(&number(out, "  mean of amplitude envelope")));
        assert!((0.0..0.5).contains(&number(out, "  mean of zero crossing rate")));
        assert!((100.0..11_025.0).contains(&number(out, "  mean of spectral centroid")));
        assert!(number(out, "  mean of spectral flux") > 0.0);
    });
}

#[test]
fn a_split_by_track_in_lesson_12_has_no_track_in_both_parts() {
    run_lesson(12, 3, |out| {
        assert_near(out, "recordings (tracks)", 12.0, 0.0);
        assert_near(out, "segments of all tracks", 60.0, 0.0);
        assert_near(out, "numbers in a segment, frames times MFCCs", 1690.0, 0.0);
        assert_near(out, "segments left out", 60.0, 0.0);
        assert!(number(out, "tracks in both parts, split by segment") >= 6.0);
        assert_near(out, "tracks in both parts, split by track", 0.0, 0.0);
    });
}
