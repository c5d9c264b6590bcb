//! A browser without a window, spoken to over its DevTools protocol.
//!
//! The protocol runs over two pipes, which the browser takes as its file descriptors 3 and 4 (`--remote-debugging-pipe`), so it
//! needs no port and no WebSocket. Messages are JSON, each ended by a zero byte.

use serde_json::{Value, json};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a browser may take for one answer; a machine with two busy cores is slow.
const PATIENCE: Duration = Duration::from_secs(90);

/// A tab of a running browser.
pub struct Tab {
    browser: Child,
    to: File,
    from: Receiver<Value>,
    session: Option<String>,
    number: u64,
    window: (u32, u32),
    /// Everything that the page complained of.
    complaints: Vec<String>,
    log: PathBuf,
}

impl Tab {
    /// Starts the browser, with `home` for its files.
    pub fn open(program: &Path, home: &Path) -> Self {
        let (to, from, log) = (home.join("to"), home.join("from"), home.join("log"));
        let made = Command::new("mkfifo").args([&to, &from]).status().unwrap();
        assert!(made.success());
        // Opened for both ways, a pipe waits for nobody.
        let open = |path: &Path| OpenOptions::new().read(true).write(true).open(path).unwrap();
        let (writer, reader) = (open(&to), open(&from));
        let profile = format!("--user-data-dir={}", home.join("profile").display());
        let browser = Command::new("sh")
            .args(["-c", "to=$1 from=$2; shift 2; exec \"$@\" 3<\"$to\" 4>\"$from\"", "sh"])
            .args([to.as_os_str(), from.as_os_str(), program.as_os_str(), OsStr::new(&profile)])
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
            .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
            .args(["--enable-logging=stderr", "--remote-debugging-pipe", "--hide-scrollbars", "about:blank"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let (send, receive) = channel();
        std::thread::spawn(move || {
            let mut reader = BufReader::new(reader);
            let mut message = Vec::new();
            while reader.read_until(0, &mut message).is_ok_and(|length| length > 0) {
                let value = serde_json::from_slice(&message[..message.len() - 1]).unwrap();
                message.clear();
                if send.send(value).is_err() {
                    return;
                }
            }
        });
        let mut tab = Self {
            browser,
            to: writer,
            from: receive,
            session: None,
            number: 0,
            window: (0, 0),
            complaints: Vec::new(),
            log,
        };
        let target = tab.call("Target.createTarget", &json!({"url": "about:blank"}))["targetId"].clone();
        let attached = tab.call("Target.attachToTarget", &json!({"targetId": target, "flatten": true}));
        tab.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), &json!({}));
        }
        tab
    }

    /// Calls a method and waits for its result.
    pub fn call(&mut self, method: &str, params: &Value) -> Value {
        self.number += 1;
        let mut message = json!({"id": self.number, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.to.write_all(&bytes).unwrap();
        loop {
            let answer = self.next(method);
            if answer["id"] == json!(self.number) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
        }
    }

    /// Opens a page and waits until it has loaded.
    pub fn go(&mut self, page: &Path) {
        let url = format!("file://{}", page.display());
        let went = self.call("Page.navigate", &json!({"url": url}));
        assert!(went["errorText"].is_null(), "{url}: {}", went["errorText"]);
        while self.next("loading")["method"] != "Page.loadEventFired" {}
    }

    /// What an expression comes to in the page.
    pub fn ask(&mut self, expression: &str) -> Value {
        let answer = self.call(
            "Runtime.evaluate",
            &json!({"expression": expression, "returnByValue": true, "awaitPromise": true}),
        );
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    /// Presses and releases the mouse.
    pub fn click(&mut self, x: f64, y: f64) {
        for kind in ["mousePressed", "mouseReleased"] {
            self.call(
                "Input.dispatchMouseEvent",
                &json!({"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}),
            );
        }
    }

    /// Presses and releases a key.
    pub fn key(&mut self, key: &str) {
        let text = if key.chars().count() == 1 { key } else { "" };
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyDown", "key": key, "text": text}));
        self.call("Input.dispatchKeyEvent", &json!({"type": "keyUp", "key": key}));
    }

    /// Makes the window that large, on a desk or in a hand, by day or by night.
    pub fn resize(&mut self, width: u32, height: u32, scheme: &str) {
        let mobile = width < 640;
        self.window = (width, height);
        self.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": if mobile { 2 } else { 1 }, "mobile": mobile}),
        );
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", &json!({"features": features}));
    }

    /// Writes what the window shows, or the whole page, into a file.
    pub fn screenshot(&mut self, file: &Path, whole: bool) {
        use base64::Engine as _;
        let picture =
            self.call("Page.captureScreenshot", &json!({"format": "png", "captureBeyondViewport": whole}));
        let bytes = base64::prelude::BASE64_STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
        std::fs::write(file, bytes).unwrap();
    }

    fn next(&mut self, waiting_for: &str) -> Value {
        let Ok(message) = self.from.recv_timeout(PATIENCE) else {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            panic!("the browser says nothing about {waiting_for}; its log:\n{log}");
        };
        let params = &message["params"];
        match message["method"].as_str() {
            Some("Runtime.exceptionThrown" | "Log.entryAdded") => self.complaints.push(params.to_string()),
            Some("Runtime.consoleAPICalled") if params["type"] != "debug" => {
                self.complaints.push(params.to_string());
            }
            // The page itself, and the icon of nothing.
            Some("Network.requestWillBeSent") => {
                let url = params["request"]["url"].as_str().unwrap_or_default();
                if !url.starts_with("file:///") && url != "data:," {
                    self.complaints.push(format!("the page asked for {url}"));
                }
            }
            _ => {}
        }
        message
    }

    /// The edges of an element in the window: left, top, right and bottom, in CSS pixels.
    pub fn edges(&mut self, selector: &str) -> [f64; 4] {
        let edges = self.ask(&format!(
            "(() => {{
                const box = document.querySelector({selector:?}).getBoundingClientRect();
                return [box.left, box.top, box.right, box.bottom];
            }})()"
        ));
        [0, 1, 2, 3].map(|side| edges[side].as_f64().unwrap())
    }

    /// That an element is in the window as a whole, without scrolling, once the window has [a size](Self::resize).
    #[track_caller]
    pub fn sees(&mut self, selector: &str) {
        let (width, height) = self.window;
        let [left, top, right, bottom] = self.edges(selector);
        let seen = left >= 0.0 && top >= 0.0 && right <= f64::from(width) && bottom <= f64::from(height);
        assert!(seen, "{width}x{height}: {selector} is at {:?}", [left, top, right, bottom]);
    }

    /// That the page has complained of nothing and asked for nothing.
    #[track_caller]
    pub fn has_no_complaint(&self) {
        assert_eq!(self.complaints, Vec::<String>::new());
        let log = std::fs::read_to_string(&self.log).unwrap();
        let of_the_page = log.lines().filter(|line| line.contains("CONSOLE"));
        assert_eq!(of_the_page.collect::<Vec<_>>(), Vec::<&str>::new());
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        self.session = None;
        let _ = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        // It may have gone already, or not listen; either way it does not outlive the test.
        let _ = self.browser.kill();
        let _ = self.browser.wait();
    }
}
