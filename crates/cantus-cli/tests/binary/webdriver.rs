//! Chromium, headless and with an empty profile, controlled over WebDriver (W3C, 2018).

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use crate::http::request;

/// Timeout of anything on a page.
const TIMEOUT: Duration = Duration::from_secs(120);

/// A browser with one window.
pub struct Browser {
    driver: Child,
    host: String,
    session: String,
    /// Removed with the browser.
    _profile: tempfile::TempDir,
}

/// The key of an element in WebDriver's JSON.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    /// Starts a browser, or returns why there is none.
    pub fn start() -> Result<Self, String> {
        let find = |names: &[&str]| {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let found = std::env::split_paths(&path)
                .flat_map(|dir| names.iter().map(move |name| dir.join(name)))
                .find(|file| file.is_file());
            found.ok_or_else(|| format!("there is no {} on this machine", names[0]))
        };
        let (chromium, driver) =
            (find(&["chromium", "chromium-browser", "google-chrome"])?, find(&["chromedriver"])?);
        let (driver, port) = (0..5).find_map(|_| start_driver(&driver)).expect("chromedriver starts");
        let profile = tempfile::tempdir().unwrap();
        let mut browser =
            Self { driver, host: format!("127.0.0.1:{port}"), session: String::new(), _profile: profile };
        browser.session = browser.open(&chromium);
        Ok(browser)
    }

    fn open(&self, chromium: &Path) -> String {
        let profile = format!("--user-data-dir={}", self._profile.path().display());
        let arguments = json!([
            "--headless=new",
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--window-size=1200,900",
            profile,
            // Containers often run as root, for which Chromium has no sandbox.
            "--no-sandbox",
            // A simulated microphone, and permission to use it.
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            "about:blank",
        ]);
        let capabilities = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "binary": chromium, "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        }}});
        let value = self.call("POST", "/session", &capabilities);
        value["sessionId"].as_str().expect("a session begins").to_owned()
    }

    #[track_caller]
    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let reply = request(&self.host, method, path, "application/json", body.as_bytes());
        let value = reply.json()["value"].take();
        assert_eq!(reply.status, 200, "{method} {path}: {value}");
        value
    }

    #[track_caller]
    fn post(&self, path: &str, body: &Value) -> Value {
        self.call("POST", &format!("/session/{}{path}", self.session), body)
    }

    /// Opens an address.
    #[track_caller]
    pub fn go(&self, address: &str) {
        self.post("/url", &json!({ "url": address }));
    }

    /// Runs a script and returns its result.
    #[track_caller]
    pub fn script(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// Waits until an expression is true.
    #[track_caller]
    pub fn until(&self, expression: &str) {
        let start = Instant::now();
        while self.script(&format!("return Boolean({expression})")) != true {
            let page = self.script("return document.body.innerText");
            assert!(start.elapsed() < TIMEOUT, "never: {expression}\n{page}\n{:?}", self.log("browser"));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn element(&self, selector: &str) -> String {
        let value = self.post("/element", &json!({ "using": "css selector", "value": selector }));
        value[ELEMENT].as_str().unwrap().to_owned()
    }

    /// Types into an element; a file input takes a path.
    #[track_caller]
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/value"), &json!({ "text": text }));
    }

    #[track_caller]
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Clicks `x` pixels to the right of an element's centre.
    #[track_caller]
    pub fn click_beside_middle(&self, selector: &str, x: i64) {
        let origin = json!({ ELEMENT: self.element(selector) });
        let actions = json!({ "actions": [{ "type": "pointer", "id": "mouse", "actions": [
            { "type": "pointerMove", "origin": origin, "x": x, "y": 0 },
            { "type": "pointerDown", "button": 0 },
            { "type": "pointerUp", "button": 0 },
        ]}]});
        self.post("/actions", &actions);
    }

    /// Presses and releases keys in the focused element.
    #[track_caller]
    pub fn press(&self, keys: &[&str]) {
        let of_key = |key: &&str| {
            [json!({ "type": "keyDown", "value": key }), json!({ "type": "keyUp", "value": key })]
        };
        let actions: Vec<Value> = keys.iter().flat_map(of_key).collect();
        self.post("/actions", &json!({ "actions": [{ "type": "key", "id": "keys", "actions": actions }] }));
    }

    /// A command of Chromium's own protocol.
    #[track_caller]
    pub fn command(&self, name: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({ "cmd": name, "params": parameters }))
    }

    /// Sets the colour scheme (`light` or `dark`) and the size of the window.
    pub fn set_viewport(&self, scheme: &str, width: u32, height: u32) {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.command("Emulation.setEmulatedMedia", &json!({ "features": features }));
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.command("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Saves the whole page as `target/browser/NAME.png`.
    pub fn screenshot(&self, name: &str) {
        let shot = self.command("Page.captureScreenshot", &json!({ "captureBeyondViewport": true }));
        let bytes = base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("browser");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(format!("{name}.png")), bytes).unwrap();
    }

    /// The new entries of one of the logs.
    fn log(&self, kind: &str) -> Vec<Value> {
        let log = self.post("/se/log", &json!({ "type": kind }));
        log.as_array().cloned().unwrap_or_default()
    }

    /// Asserts that the pages logged no errors, except responses with one of these statuses.
    #[track_caller]
    pub fn has_no_errors_but(&self, statuses: &[&str]) {
        for entry in self.log("browser") {
            let message = entry["message"].as_str().unwrap();
            let is_expected = statuses.iter().any(|status| message.contains(&format!("status of {status}")));
            assert!(entry["level"] != "SEVERE" || is_expected, "{message}");
        }
    }

    /// Asserts that pages sent requests, and only to these hosts.
    #[track_caller]
    pub fn has_requested_only(&self, hosts: &[&str]) {
        let mut n_asked = 0;
        for entry in self.log("performance") {
            let event: Value = serde_json::from_str(entry["message"].as_str().unwrap()).unwrap();
            if event["message"]["method"] != "Network.requestWillBeSent" {
                continue;
            }
            let request = &event["message"]["params"];
            let address = request["request"]["url"].as_str().unwrap();
            let is_here = hosts.iter().any(|host| {
                address.starts_with(&format!("http://{host}/"))
                    || address.starts_with(&format!("blob:http://{host}/"))
            });
            // Requests of the browser's own start page are not counted.
            let page = request["documentURL"].as_str().unwrap_or_default();
            let is_own = page.starts_with("chrome") || address.starts_with("data:");
            assert!(is_here || is_own, "{page} requests {address}");
            n_asked += usize::from(is_here);
        }
        assert!(n_asked > 5, "{n_asked} requests");
    }
}

/// A driver and its port; `None` if it exits, because its random port is in use on IPv4.
fn start_driver(program: &Path) -> Option<(Child, String)> {
    let mut command = Command::new(program);
    let mut driver = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut stdout = BufReader::new(driver.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("started successfully on port") {
        line.clear();
        if stdout.read_line(&mut line).unwrap() == 0 {
            driver.wait().unwrap();
            return None;
        }
    }
    // Keep reading, so that the driver does not block on a full pipe.
    std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
    Some((driver, line.chars().filter(char::is_ascii_digit).collect()))
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                request(&self.host, "DELETE", &format!("/session/{}", self.session), "", b"")
            }));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
