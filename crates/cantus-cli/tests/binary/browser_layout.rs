//! The layout of the web page on a narrow screen, and the axes of its pictures, in a real browser.

#![cfg(unix)]

use std::f32::consts::TAU;
use std::path::Path;

use crate::bad_input::write_wav;
use crate::browser::{browser, fits};
use crate::serve::{Running, trained};
use crate::webdriver::Browser;

/// Page of a server of the run in `dir`, with one recording classified.
fn classified(browser: &Browser, dir: &Path, recording: &str, width: u32) -> Running {
    let server = Running::start(dir, "serve @/run --port 0", false);
    browser.set_viewport("light", width, 844);
    browser.go(&format!("http://{}/", server.host));
    browser.until("document.getElementById('limits').textContent");
    browser.type_into("#files", &dir.join(recording).display().to_string());
    browser.until("document.querySelector('.prediction strong')");
    server
}

/// Segments of three tones, each 3 s long.
fn write_tones(path: &Path, frequencies: [f32; 3]) {
    const SAMPLE_RATE: f32 = 22_050.0;
    let tone =
        |hz: f32| (0..66_150).map(move |n| ((n as f32 * hz / SAMPLE_RATE).fract() * TAU).sin() * 16_000.0);
    let samples: Vec<i16> = frequencies.into_iter().flat_map(tone).map(|sample| sample as i16).collect();
    write_wav(path, 1, &samples);
}

#[test]
fn on_a_narrow_screen_nothing_leaves_its_line_and_one_button_offers_both_ways() {
    let Some(browser) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let name = "field_recording_of_a_courtyard_in_the_early_morning_left_channel_take_0042.wav";
    std::fs::copy(dir.path().join("music/jazz/jazz.00001.wav"), dir.path().join(name)).unwrap();
    let server = classified(&browser, dir.path(), name, 390);
    let is_displayed =
        |id: &str| browser.script(&format!("return document.getElementById('{id}').offsetParent !== null"));
    for width in [390, 360] {
        browser.set_viewport("light", width, 844);
        fits(&browser, width, "the prediction");
        let is_beside = browser.script(
            "const box = (selector) => document.querySelector(selector).getBoundingClientRect(); \
             const [title, close] = [box('.result h3'), box('.result .close')]; \
             return title.height > 30 && title.right <= close.left && close.top < title.bottom && title.top < close.bottom",
        );
        assert_eq!(is_beside, true, "{width} px: × beside a title of several lines");
        let limits = browser.script(
            "return [...document.querySelectorAll('#limits .unbroken')].map((e) => [e.textContent, e.getClientRects().length])",
        );
        assert_eq!(limits, serde_json::json!([["10 min", 1], ["64 MiB each", 1]]), "{width} px");
    }
    assert_eq!(
        browser.script("return document.getElementById('add').textContent.trim()"),
        "Choose or record"
    );
    assert_eq!(is_displayed("add"), true);
    assert_eq!(is_displayed("record"), false);
    browser.click("#add");
    assert_eq!(browser.script("return document.getElementById('add').getAttribute('aria-expanded')"), "true");
    assert_eq!(is_displayed("record"), true);
    browser.click("#record");
    browser.until("document.getElementById('record').getAttribute('aria-pressed') === 'true'");
    browser.click("#add");
    assert_eq!(is_displayed("record"), true, "the button that stops the recording stays");
    browser.until("/0:0[4-9]/.test(document.getElementById('record-words').textContent)");
    browser.click("#record");
    browser.until("document.querySelectorAll('.prediction strong').length === 2");
    assert_eq!(is_displayed("record"), false);
    for expected in ["close", "add"] {
        browser.click(".result .close");
        let focused = browser.script("return document.activeElement.id || document.activeElement.className");
        assert_eq!(focused, expected, "the focus after a result is removed");
    }
    browser.set_viewport("light", 1200, 900);
    assert_eq!(is_displayed("add"), false);
    assert_eq!(is_displayed("record"), true);
    browser.has_no_errors_but(&[]);
    browser.has_requested_only(&[&server.host]);
}

#[test]
fn the_ticks_of_the_spectrogram_stand_at_the_rows_of_their_frequencies() {
    let Some(browser) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    write_tones(&dir.path().join("tones.wav"), [500.0, 1000.0, 4000.0]);
    let server = classified(&browser, dir.path(), "tones.wav", 1200);
    let texts = |selector: &str| {
        browser.script(&format!(
            "return [...document.querySelectorAll('{selector} span')].map((e) => e.textContent)"
        ))
    };
    assert_eq!(texts(".frequencies"), serde_json::json!(["8 kHz", "4 kHz", "2 kHz", "1 kHz", "500 Hz"]));
    assert_eq!(texts(".times"), serde_json::json!(["0:00", "0:02", "0:04", "0:06", "0:08"]));
    let label = browser.script("return document.querySelector('.frequencies').getAttribute('aria-label')");
    assert!(label.as_str().unwrap().contains("0 Hz to 11.025 kHz, mel"), "{label}");
    for width in [1200, 390] {
        browser.set_viewport("light", width, 844);
        let is_free = browser.script(
            "const boxes = [...document.querySelectorAll('.frequencies span')].map((e) => e.getBoundingClientRect()); \
             const picture = document.querySelector('.spectrogram').getBoundingClientRect(); \
             return boxes.every((box, i) => box.left > 0 && box.right <= picture.left && (i === 0 || boxes[i - 1].bottom <= box.top + 1))",
        );
        assert_eq!(is_free, true, "{width} px: labels overlap neither the picture nor each other");
    }
    browser.set_viewport("light", 1200, 844);
    // Light theme: the strongest band is the darkest.
    let darkest_row_and_tick = |words: &str, share: f32| {
        browser.script(&format!(
            "const canvas = document.querySelector('.spectrogram'); \
             const d = canvas.getContext('2d').getImageData(Math.round({share} * canvas.width), 0, 1, canvas.height).data; \
             const sums = Array.from({{ length: canvas.height }}, (_, row) => d[4 * row] + d[4 * row + 1] + d[4 * row + 2]); \
             const row = sums.indexOf(Math.min(...sums)); \
             const tick = [...document.querySelectorAll('.frequencies span')].find((e) => e.textContent === '{words}').getBoundingClientRect(); \
             return [row + 0.5, (tick.top + tick.bottom) / 2 - canvas.getBoundingClientRect().top]"
        ))
    };
    for (words, share) in [("500 Hz", 1.0 / 6.0), ("1 kHz", 0.5), ("4 kHz", 5.0 / 6.0)] {
        let found = darkest_row_and_tick(words, share);
        let (row, tick) = (found[0].as_f64().unwrap(), found[1].as_f64().unwrap());
        assert!((row - tick).abs() < 2.0, "{words}: strongest row {row}, tick {tick}");
    }
    browser.has_no_errors_but(&[]);
    browser.has_requested_only(&[&server.host]);
}
