//! What the lessons claim, held against what they find.

use cantus::lesson::Sheet;

use super::LECTURES;

/// Runs a lesson in a folder of its own, hands its sheet to `claims`, and counts its pictures.
pub fn learn(number: u8, n_pictures: usize, claims: impl FnOnce(&Sheet<'_>)) {
    let lecture = LECTURES.iter().find(|lecture| lecture.number == number).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut words = Vec::new();
    let mut sheet = Sheet::new(folder.path(), &mut words);
    (lecture.teach)(&mut sheet).unwrap();
    claims(&sheet);
    let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let pictures = files.filter(|path| path.extension().is_some_and(|extension| extension == "svg"));
    assert_eq!(pictures.count(), n_pictures);
    let words = String::from_utf8(words).unwrap();
    let longest = words.lines().filter(|line| !line.contains('━')).map(|line| line.chars().count()).max();
    assert!(longest <= Some(115), "{longest:?} letters in a line of\n{words}");
}

/// The number of this name.
#[track_caller]
pub fn number(sheet: &Sheet<'_>, name: &str) -> f64 {
    sheet.number(name).unwrap_or(f64::NAN)
}

#[track_caller]
pub fn near(sheet: &Sheet<'_>, name: &str, expected: f64, tolerance: f64) {
    let found = number(sheet, name);
    assert!((found - expected).abs() <= tolerance, "{name}: {found}, expected {expected} ± {tolerance}");
}

/// Python 3: `1 / (1 + math.exp(-(0.5 * 0.4 + 0.3 * 0.7 + 0.2 * 0.2)))`
#[test]
fn the_neuron_of_lesson_3_gives_the_lectures_answer() {
    learn(3, 1, |sheet| {
        near(sheet, "net input h = 0.5·0.4 + 0.3·0.7 + 0.2·0.2", 0.45, 1e-12);
        near(sheet, "activation y", 0.610_639_233_949_222, 1e-12);
        assert!(number(sheet, "activation with weight -0.7") < number(sheet, "activation y"));
    });
}

/// By hand: 3·1 + 1·2, and 0.5·0.4 + 0.3·0.7 + 0.2·0.2 beside -0.5 + 0.15 + 0.4.
#[test]
fn the_products_of_lesson_4_are_those_by_hand() {
    learn(4, 1, |sheet| {
        near(sheet, "[3, 1] · [1, 2]", 5.0, 0.0);
        near(sheet, "net input of the first neuron", 0.45, 1e-12);
        near(sheet, "net input of the second", 0.05, 1e-12);
        near(sheet, "difference between the two sides", 0.0, 1e-12);
    });
}

#[test]
fn lesson_5_and_the_library_compute_the_same() {
    learn(5, 1, |sheet| near(sheet, "output of the library", number(sheet, "output by hand"), 1e-6));
}

#[test]
fn the_perceptron_of_lesson_6_has_the_weights_of_its_layers() {
    learn(6, 1, |sheet| {
        near(sheet, "weights to be learnt", f64::from(3 * 3 + 3 * 5 + 5 * 2), 0.0);
        assert!((0.5..1.0).contains(&number(sheet, "output 1")));
    });
}

#[test]
fn the_chain_rule_of_lesson_7_is_the_slope_and_leads_downhill() {
    learn(7, 1, |sheet| {
        let slope = number(sheet, "gradient at w = 2 by trying out both sides");
        near(sheet, "gradient at w = 2 by the chain rule", slope, 1e-8);
        assert!(number(sheet, "error after 25 steps") < 0.01 * number(sheet, "error at the start"));
        near(sheet, "answer after 25 steps", 0.2, 0.02);
    });
}

#[test]
fn lesson_8_learns_to_add() {
    learn(8, 1, |sheet| {
        near(sheet, "0.3 + 0.1, after", 0.4, 0.02);
        assert!((number(sheet, "0.3 + 0.1, before") - 0.4).abs() > 0.1);
        // The sums themselves have a variance of 1/24.
        assert!(number(sheet, "mean squared error in the last epoch") < 0.05 / 24.0);
    });
}

#[test]
fn lesson_9_learns_to_add_with_layers() {
    learn(9, 1, |sheet| {
        near(sheet, "0.1 + 0.2", 0.3, 0.03);
        near(sheet, "0.2 + 0.2", 0.4, 0.03);
        let own = number(sheet, "loss on what was learnt");
        near(sheet, "loss on new sums", own, 0.2 * own);
    });
}

#[test]
fn lesson_10_hears_what_the_formulas_say() {
    learn(10, 3, |sheet| {
        near(sheet, "its period 1 / f", 1000.0 / 440.0, 1e-9);
        near(sheet, "heard, by the formula", 3000.0, 0.0);
        near(sheet, "heard, by the Fourier transform", 3000.0, 0.0);
        near(sheet, "signal to noise at 16 bits (by the formula 98.09 dB)", 98.09, 0.2);
        for (hz, amplitude) in [(440, 0.5), (550, 0.3), (660, 0.2)] {
            near(sheet, &format!("amplitude at {hz} Hz"), amplitude, 1e-5);
        }
    });
}

#[test]
fn lesson_11_has_the_courses_shapes() {
    learn(11, 7, |sheet| {
        near(sheet, "frames", 130.0, 0.0);
        near(sheet, "frequency bins of a frame", 1025.0, 0.0);
        near(sheet, "mel bands of a frame", 128.0, 0.0);
        near(sheet, "MFCCs of a frame", 13.0, 0.0);
    });
}

#[test]
fn lesson_12_keeps_tracks_whole() {
    learn(12, 3, |sheet| {
        near(sheet, "tracks", 12.0, 0.0);
        near(sheet, "segments", 60.0, 0.0);
        near(sheet, "numbers in each", 1690.0, 0.0);
        assert!(number(sheet, "tracks on both sides, split by segment") >= 6.0);
        near(sheet, "tracks on both sides, split by track", 0.0, 0.0);
    });
}
