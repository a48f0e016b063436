//! The web pages in a real browser. Screenshots are saved in `target/browser/`.

#![cfg(unix)]

use std::path::Path;

use crate::run::cantus_in;
use crate::serve::{Running, trained};
use crate::webdriver::Browser;

/// WebDriver's codes of keys.
const TAB: &str = "\u{e004}";
const RIGHT: &str = "\u{e014}";
const END: &str = "\u{e010}";
const HOME: &str = "\u{e011}";

/// A browser; if there is none, prints why and returns `None`.
pub fn browser() -> Option<Browser> {
    Browser::start().inspect_err(|reason| println!("skipped: {reason}")).ok()
}

#[track_caller]
pub fn fits(browser: &Browser, width: u32, what: &str) {
    let found = browser.script("return document.documentElement.scrollWidth");
    assert!(found.as_u64().unwrap() <= width.into(), "{what}: {found} px wide where there are {width}");
}

fn song(dir: &Path) -> String {
    dir.join("music/jazz/jazz.00001.wav").display().to_string()
}

#[test]
fn a_recording_is_uploaded_and_its_prediction_used_by_mouse_and_by_keyboard() {
    let Some(browser) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    let server = Running::start(dir.path(), "serve @/run --port 0", false);
    browser.set_viewport("light", 1200, 1000);
    browser.go(&format!("http://{}/", server.host));
    browser.until("document.getElementById('limits').textContent");
    browser.type_into("#files", &song(dir.path()));
    browser.until("document.querySelector('.prediction strong')");
    let by_hand = &cantus_in(dir.path(), &format!("predict @/run {} --json", song(dir.path()))).ok().json()["tracks"]
        [0];
    assert_eq!(
        browser.script("return document.querySelector('.prediction strong').textContent"),
        by_hand["label"]
    );
    let news = browser.script("return document.getElementById('status').textContent").to_string();
    assert!(news.contains("jazz.00001.wav") && news.contains(by_hand["label"].as_str().unwrap()), "{news}");
    assert_eq!(browser.script("return document.querySelectorAll('.bars li').length"), 8);
    browser.click(".more");
    assert_eq!(browser.script("return document.querySelectorAll('.bars li').length"), 10);
    assert_eq!(browser.script("return document.querySelectorAll('.timeline span:not(.rest)').length"), 3);
    let drawn = "const c = document.querySelector('.spectrogram'); \
                 const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; \
                 return new Set(new Uint32Array(d.buffer)).size";
    assert!(browser.script(drawn).as_u64().unwrap() > 50, "a spectrogram of many colours");

    browser.until("document.querySelector('audio').readyState > 0");
    let width = browser.script("return document.querySelector('.timeline').getBoundingClientRect().width");
    browser.click_beside_middle(".timeline", (width.as_f64().unwrap() / 4.0) as i64);
    browser.until("document.querySelector('audio').currentTime >= 6.7");
    assert_eq!(browser.script("return document.querySelector('audio').paused"), false);
    browser.screenshot("listen-light");
    browser.click(".play");
    browser.until("document.querySelector('audio').paused");

    browser.script("document.activeElement.blur(); window.scrollTo(0, 0)");
    let reached: Vec<String> = (0..16)
        .map(|_| {
            browser.press(&[TAB]);
            let of = "const e = document.activeElement; return e.id || e.className || e.textContent.trim()";
            browser.script(of).as_str().unwrap().to_owned()
        })
        .collect();
    for wanted in ["skip", "to-model", "files", "record", "close", "strip", "play"] {
        assert!(reached.iter().any(|found| found == wanted), "{wanted} is not among {reached:?}");
    }
    let seen = browser.script(
        "document.querySelector('.strip').focus({ focusVisible: true }); \
         return getComputedStyle(document.activeElement).outlineStyle",
    );
    assert_eq!(seen, "solid", "the focus is visible");
    let value =
        || browser.script("return Number(document.querySelector('.strip').getAttribute('aria-valuenow'))");
    browser.press(&[HOME]);
    assert_eq!(value(), 0);
    browser.press(&[RIGHT, RIGHT]);
    assert_eq!(value(), 6);
    let words = browser.script("return document.querySelector('.strip').getAttribute('aria-valuetext')");
    assert!(words.as_str().unwrap().starts_with("0:06–0:09 "), "{words}");
    browser.press(&[END, HOME, " "]);
    browser.until("!document.querySelector('audio').paused");
    browser.press(&[" "]);
    browser.until("document.querySelector('audio').paused");

    browser.set_viewport("dark", 1200, 1000);
    browser.screenshot("listen-dark");
    browser.set_viewport("light", 360, 1300);
    fits(&browser, 360, "the prediction");
    browser.screenshot("listen-phone");
    browser.has_no_errors_but(&[]);
    browser.has_requested_only(&[&server.host]);
}

#[test]
fn damage_is_reported_the_microphone_is_recorded_and_the_model_is_shown() {
    let Some(browser) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    trained(dir.path());
    std::fs::write(dir.path().join("letter.wav"), "Dear friend, this is no music.").unwrap();
    let server = Running::start(dir.path(), "serve @/run second=@/run --port 0", false);
    browser.set_viewport("light", 1200, 2600);
    browser.go(&format!("http://{}/", server.host));
    browser.until("document.getElementById('limits').textContent");
    browser.type_into("#files", &dir.path().join("letter.wav").display().to_string());
    browser.until("document.querySelector('.result .note')");
    let words = browser.script("return document.querySelector('.result .note').textContent").to_string();
    assert!(words.contains("not audio") && words.contains("flac"), "{words}");
    browser.click(".result .close");
    browser.until("!document.querySelector('.result')");

    browser.click("#record");
    browser.until("document.getElementById('record').getAttribute('aria-pressed') === 'true'");
    browser.until("/0:0[4-9]/.test(document.getElementById('record-words').textContent)");
    browser.click("#record");
    browser.until("document.querySelector('.prediction strong')");
    let recorded = browser.script("return document.querySelector('.result header').textContent").to_string();
    assert!(recorded.contains("recording") && recorded.contains("mono"), "{recorded}");

    browser.click("#to-model");
    let pictures = "[...document.querySelectorAll('#model-content img')]";
    browser.until(&format!(
        "{pictures}.length === 3 && {pictures}.every((img) => img.complete && img.naturalWidth > 100)"
    ));
    assert_eq!(browser.script("return document.querySelectorAll('.cards > div').length >= 4"), true);
    browser.screenshot("model-light");
    browser.set_viewport("dark", 1200, 2600);
    browser.until(&format!("{pictures}.every((img) => img.currentSrc.includes('dark') && img.complete)"));
    browser.screenshot("model-dark");
    browser.set_viewport("light", 360, 2600);
    fits(&browser, 360, "the model");
    browser.screenshot("model-phone");
    browser.has_no_errors_but(&["415"]);
    browser.go(&format!("http://{}/v1/models/run/report.html", server.host));
    browser.until("document.querySelector('figure svg')");
    browser.has_no_errors_but(&[]);
    browser.has_requested_only(&[&server.host]);
}

#[test]
fn a_training_is_displayed_until_it_ends() {
    let Some(browser) = browser() else { return };
    let dir = tempfile::tempdir().unwrap();
    cantus_in(dir.path(), "compose @/music --tracks 6 --duration 9").ok();
    let line = "train @/music -m mlp-normalised -o @/my-run --epochs 300 --patience 0 --dashboard=0";
    let mut training = Running::start(dir.path(), line, true);
    browser.set_viewport("light", 1200, 900);
    browser.go(&format!("http://{}/", training.host));
    browser.until("document.querySelectorAll('#epochs tr').length >= 10");
    browser.screenshot("dashboard-light");
    browser.set_viewport("dark", 1200, 900);
    browser.until("document.querySelectorAll('#epochs tr').length >= 15");
    browser.screenshot("dashboard-dark");
    browser.set_viewport("light", 360, 1300);
    fits(&browser, 360, "the dashboard");
    browser.screenshot("dashboard-phone");
    let left = browser.script("return document.getElementById('cards').textContent").to_string();
    assert!(left.contains("of 300") && left.contains("Time left"), "{left}");
    browser.until("!document.getElementById('ended').hidden");
    assert!(training.child.wait().unwrap().success());
    let words = browser.script("return document.getElementById('ended').textContent").to_string();
    assert!(words.contains("track accuracy"), "{words}");
    assert_eq!(browser.script("return document.querySelectorAll('#epochs tr').length"), 300);
    browser.has_no_errors_but(&[]);
    browser.has_requested_only(&[&training.host]);
}
