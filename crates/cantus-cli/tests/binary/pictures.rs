//! `cantus lesson`, `cantus plot` and pictures of `cantus features`: output files, and errors of invalid options.

use crate::run::{cantus, cantus_in};

#[test]
fn a_lesson_writes_its_pictures_and_its_text() {
    let dir = tempfile::tempdir().unwrap();
    let lesson = cantus_in(dir.path(), "lesson 8 -o @/08 --theme dark").ok();
    let predicted =
        lesson.stdout.lines().find_map(|line| line.trim().strip_prefix("0.3 + 0.1, after training: "));
    let predicted: f64 = predicted.and_then(|number| number.parse().ok()).unwrap();
    assert!((predicted - 0.4).abs() < 0.02, "{}", lesson.stdout);
    assert_eq!(lesson.stdout.matches("Error: ").count(), 50, "{}", lesson.stdout);
    assert_eq!(std::fs::read_to_string(dir.path().join("08/words.txt")).unwrap(), lesson.stdout);
    assert!(std::fs::read_to_string(dir.path().join("08/error.svg")).unwrap().contains("#16181d"));
    cantus_in(dir.path(), "lesson 3 -o @/03 --png --quiet").ok();
    assert!(std::fs::read(dir.path().join("03/sigmoid.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn lessons_are_listed_and_invalid_options_reported() {
    let list = cantus(&["lesson"]).ok().stdout;
    assert!(list.contains("   8  Backpropagation") && list.contains("--data"), "{list}");
    assert!(list.contains("Lecture 1 is an overview") && list.contains("Neither has a program"), "{list}");
    cantus(&["lesson", "2"]).exits(2).says(&["no lesson 2", "`cantus lesson`"]);
    cantus(&["lesson", "8", "--data", "music"]).exits(2).says(&["lesson 8", "12, 13, 14, 16, 19"]);
    cantus(&["lesson", "8", "--all"]).exits(2);
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "lesson 13 -o @/13 --data @/nowhere").exits(1).says(&["nowhere"]);
}

#[test]
fn every_picture_of_a_run_can_be_drawn() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 4 --duration 3").ok();
    cantus_in(dir.path(), "extract @/music -o @/features").ok();
    cantus_in(dir.path(), "train @/features -m cnn -o @/cnn --epochs 1").ok();
    for (what, file, theme) in [
        ("kernels", "kernels.png", "light"),
        ("kernels", "kernels.svg", "dark"),
        ("network", "network.png", "dark"),
        ("history", "history.svg", "dark"),
        ("confusion", "confusion.svg", "light"),
        ("activations", "activations.svg", "light"),
    ] {
        let run = if what == "activations" { "" } else { "@/cnn" };
        cantus_in(dir.path(), &format!("plot {what} {run} -o @/{file} --theme {theme}")).ok();
        assert!(dir.path().join(file).is_file(), "{file}");
    }
    let svg = std::fs::read_to_string(dir.path().join("kernels.svg")).unwrap();
    assert!(svg.contains("Kernels of layers.0") && svg.contains("#16181d"));
    cantus_in(dir.path(), "plot kernels @/cnn --layer 3 -o @/deeper.svg").ok();
    cantus_in(dir.path(), "plot kernels @/cnn --layer 1 -o @/no.svg")
        .exits(2)
        .says(&["layers.1", "layers.3"]);
    cantus_in(dir.path(), "plot history -o @/no.svg").exits(2).says(&["no run given"]);
    cantus_in(dir.path(), "plot history @/cnn --layer 3 -o @/no.svg").exits(2).says(&["--layer"]);
    cantus_in(dir.path(), "plot network @/cnn -o @/no.gif").exits(1).says(&[".png or .svg"]);
    cantus_in(dir.path(), "plot history @/music -o @/no.svg").exits(1).says(&["music", "train"]);
    assert!(!dir.path().join("no.svg").exists());
}

#[test]
fn features_are_drawn_with_a_dark_theme_and_a_logarithmic_axis() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 3").ok();
    let song = "@/music/jazz/jazz.00000.wav";
    cantus_in(dir.path(), &format!("features {song} -k spectrogram -o @/a.svg --theme dark --log-axis")).ok();
    let svg = std::fs::read_to_string(dir.path().join("a.svg")).unwrap();
    assert!(
        svg.contains("#16181d") && svg.contains(">50<") && svg.contains(">5000<"),
        "{}",
        &svg[svg.len() - 2000..]
    );
    assert!(svg.contains("Power spectrogram in decibels") && svg.contains("dB re largest value"));
    cantus_in(dir.path(), &format!("features {song} -k tempogram -o @/b.svg")).ok();
    let svg = std::fs::read_to_string(dir.path().join("b.svg")).unwrap();
    assert!(svg.contains("Tempo (BPM)") && svg.contains(">120<"));
    cantus_in(dir.path(), &format!("features {song} -k cqt -o @/c.svg")).ok();
    let svg = std::fs::read_to_string(dir.path().join("c.svg")).unwrap();
    assert!(svg.contains(">C4<") && svg.contains(">Pitch<"));
}

#[test]
fn a_spectrogram_is_drawn_in_decibels_or_linear_and_its_title_says_which() {
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 1 --duration 3").ok();
    let song = "@/music/jazz/jazz.00000.wav";
    let draw = |kind: &str, options: &str| {
        cantus_in(dir.path(), &format!("features {song} -k {kind} -o @/a.svg {options}")).ok();
        std::fs::read_to_string(dir.path().join("a.svg")).unwrap()
    };
    for (kind, options, title, unit) in [
        ("stft", "", "Spectrogram in decibels", ">dB re largest value<"),
        ("stft", "--raw", "Spectrogram, linear magnitude", ">magnitude<"),
        ("mel", "", "Mel spectrogram in decibels", ">dB re largest value<"),
        ("mel", "--raw", "Mel spectrogram, linear power", ">power<"),
        ("log-mel", "--raw", "Mel spectrogram in decibels", ">dB<"),
        ("mfcc", "", "MFCC, standardised", ">standard deviations<"),
        ("mfcc", "--raw", "MFCC", ">100<"),
    ] {
        let svg = draw(kind, options);
        assert!(svg.contains(&format!(">{title}<")) && svg.contains(unit), "{kind} {options}");
    }
    let image = |svg: &str| svg[svg.find("data:image").unwrap()..][..2000].to_owned();
    assert_ne!(image(&draw("stft", "")), image(&draw("stft", "--raw")));
}
