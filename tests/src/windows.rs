//! The real windows: a virtual screen, the shell driven over WebDriver, the viewer by real pointer events.

use crate::process::{free_port, installed};
use crate::programs::program;
use crate::rest;
use serde_json::{Value, json};
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a window, a text or a state may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// A virtual screen with a window manager. Dropping it ends both by their process ids.
#[derive(Debug)]
pub struct Screen {
    /// For `DISPLAY`.
    pub display: String,
    children: Vec<Child>,
}

impl Screen {
    /// Starts one of a size; `None` when a program for it is missing (the skip has been printed).
    ///
    /// # Panics
    /// When the screen does not start.
    #[must_use]
    pub fn start(width: u32, height: u32) -> Option<Self> {
        for tool in ["Xvfb", "openbox", "xdotool", "import"] {
            if !installed(tool) {
                return None;
            }
        }
        let size = format!("{width}x{height}x24");
        // Xvfb takes the first free number by itself and tells it.
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", &size, "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb starts");
        let mut number = String::new();
        let stdout = server.stdout.take().expect("its stdout");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut number).expect("Xvfb tells its number");
        let display = format!(":{}", number.trim());
        let manager = Command::new("openbox").env("DISPLAY", &display).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Some(Self { display, children: vec![manager.expect("openbox starts"), server] })
    }

    /// Runs `xdotool` and gives what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn xdotool(&self, args: &[&str]) -> String {
        let output = Command::new("xdotool").args(args).env("DISPLAY", &self.display).output().expect("xdotool runs");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Drags with a button from a point of the screen to another, in small steps as a hand does.
    pub fn drag(&self, button: u32, from: [i64; 2], to: [i64; 2]) {
        let button = button.to_string();
        let go = |[x, y]: [i64; 2]| drop(self.xdotool(&["mousemove", &x.to_string(), &y.to_string()]));
        go(from);
        sleep(Duration::from_millis(120));
        drop(self.xdotool(&["mousedown", &button]));
        for step in 1..=8 {
            go([from[0] + (to[0] - from[0]) * step / 8, from[1] + (to[1] - from[1]) * step / 8]);
            sleep(Duration::from_millis(40));
        }
        sleep(Duration::from_millis(120));
        drop(self.xdotool(&["mouseup", &button]));
    }

    /// Writes a picture of the whole screen.
    ///
    /// # Panics
    /// When it cannot.
    pub fn shot(&self, to: &Path) {
        let done = Command::new("import").args(["-window", "root"]).arg(to).env("DISPLAY", &self.display).status();
        assert!(done.is_ok_and(|s| s.success()), "no screenshot");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for child in &mut self.children {
            if let Err(error) = child.kill().and_then(|()| child.wait()) {
                eprintln!("pid {} was not stopped: {error}", child.id());
            }
        }
    }
}

/// The shell under WebDriver, with the viewer it starts.
#[derive(Debug)]
pub struct Shell {
    port: u16,
    session: String,
    driver: Child,
    log: PathBuf,
    settings: PathBuf,
}

impl Shell {
    /// Starts the shell on a record; `None` when WebKitWebDriver is missing (the skip has been printed).
    ///
    /// # Panics
    /// When the session does not begin.
    #[must_use]
    pub fn start(screen: &Screen, folder: &Path, record: &Path, passphrase_file: &Path, lang: &str) -> Option<Self> {
        Self::start_beside(screen, folder, record, passphrase_file, lang, None)
    }

    /// As [`Shell::start`], with Chinese pinyin input by fcitx5 on the shell's own bus.
    ///
    /// # Panics
    /// When the session does not begin.
    #[must_use]
    pub fn start_with_pinyin(screen: &Screen, folder: &Path, record: &Path, passphrase_file: &Path) -> Option<Self> {
        if !installed("fcitx5") {
            return None;
        }
        let config = folder.join("config/fcitx5");
        std::fs::create_dir_all(&config).expect("a folder for fcitx5");
        let profile = "[Groups/0]\nName=Default\nDefault Layout=us\nDefaultIM=pinyin\n[Groups/0/Items/0]\nName=keyboard-us\nLayout=\n\
            [Groups/0/Items/1]\nName=pinyin\nLayout=\n[GroupOrder]\n0=Default\n";
        std::fs::write(config.join("profile"), profile).expect("fcitx5's profile");
        std::fs::write(config.join("config"), "[Behavior]\nActiveByDefault=True\n").expect("fcitx5's configuration");
        Self::start_beside(screen, folder, record, passphrase_file, "zh", Some("fcitx5"))
    }

    fn start_beside(
        screen: &Screen,
        folder: &Path,
        record: &Path,
        passphrase_file: &Path,
        lang: &str,
        input_method: Option<&str>,
    ) -> Option<Self> {
        if !installed("WebKitWebDriver") || !installed("dbus-run-session") {
            return None;
        }
        let port = free_port();
        let log = folder.join("windows.log");
        let settings = folder.join("desk.toml");
        let out = File::create(&log).expect("a log file");
        // Its own phrases lie in the folder too; the shell keeps its places.
        let data = folder.join("data");
        let beside = input_method.map_or_else(String::new, |program| format!("XDG_DATA_HOME='{}' {program} & ", data.display()));
        let mut driver = Command::new("dbus-run-session");
        if input_method.is_some() {
            driver.env("GTK_IM_MODULE", "fcitx").env("XMODIFIERS", "@im=fcitx").env("XDG_CONFIG_HOME", folder.join("config"));
        }
        let driver = driver
            .args(["--", "sh", "-c", &format!("{beside}exec WebKitWebDriver --port={port}")])
            .env("DISPLAY", &screen.display)
            .env("XDG_RUNTIME_DIR", folder)
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("NO_AT_BRIDGE", "1")
            .env("MINGJING_RECORD", record)
            .env("MINGJING_PASSPHRASE_FILE", passphrase_file)
            .env("MINGJING_SETTINGS", &settings)
            .env("MINGJING_LAYOUT_JSON", "true")
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("the log file twice"))
            .stderr(out)
            // A group of its own, so that the bus and the driver end together.
            .process_group(0)
            .spawn()
            .expect("the driver starts");
        let mut shell = Self { port, session: String::new(), driver, log, settings };
        let options = json!({"binary": program("mingjing-desk"), "args": ["--lang", lang]});
        let wanted = json!({"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}});
        let start = Instant::now();
        loop {
            match shell.request("POST", "/session", &wanted) {
                Ok(answer) => {
                    shell.session = answer["sessionId"].as_str().expect("a session").to_owned();
                    return Some(shell);
                }
                Err(why) => assert!(start.elapsed() < PATIENCE, "no session: {why}\n{}", shell.log()),
            }
            sleep(Duration::from_millis(300));
        }
    }

    fn request(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let bytes = if method == "GET" || method == "DELETE" { Vec::new() } else { body.to_string().into_bytes() };
        let answer = rest::request(self.port, method, path, &bytes)?;
        let mut value: Value = serde_json::from_slice(&answer).map_err(|e| e.to_string())?;
        Ok(value["value"].take())
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        self.request(method, &format!("/session/{}{path}", self.session), body)
    }

    /// The elements that a selector finds now.
    #[must_use]
    pub fn all(&self, css: &str) -> Vec<String> {
        let found = self.call("POST", "/elements", &json!({"using": "css selector", "value": css})).unwrap_or_default();
        let ids = found.as_array().into_iter().flatten().filter_map(|e| e.as_object()?.values().next()?.as_str().map(str::to_owned));
        ids.collect()
    }

    /// Waits for an element with this test id and gives its WebDriver id.
    pub fn find(&self, id: &str) -> String {
        let css = format!("[data-testid='{id}']");
        self.until(&format!("element {id}"), || self.all(&css).into_iter().next())
    }

    /// Waits until something is there.
    ///
    /// # Panics
    /// When it does not come.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "no {what}; page:\n{}\nlog:\n{}", self.page_text(), self.log());
            sleep(Duration::from_millis(100));
        }
    }

    /// Clicks an element.
    ///
    /// # Panics
    /// When it cannot be clicked.
    pub fn click(&self, id: &str) {
        self.until(&format!("click on {id}"), || {
            let element = self.find(id);
            self.call("POST", &format!("/element/{element}/click"), &json!({})).ok()
        });
    }

    /// Types into an element.
    ///
    /// # Panics
    /// When it takes no text.
    pub fn type_into(&self, id: &str, text: &str) {
        let element = self.find(id);
        self.call("POST", &format!("/element/{element}/value"), &json!({"text": text})).unwrap_or_else(|e| panic!("{id}: {e}"));
    }

    /// Runs a script in the page and gives what it returns.
    ///
    /// # Panics
    /// When it fails.
    pub fn script(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({"script": script, "args": []})).unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// All the text of the page.
    #[must_use]
    pub fn page_text(&self) -> String {
        let answer = self.call("POST", "/execute/sync", &json!({"script": "return document.body.innerText", "args": []}));
        answer.unwrap_or_default().as_str().unwrap_or_default().to_owned()
    }

    /// Text of the first element that a selector finds; empty when there is none.
    #[must_use]
    pub fn text_of(&self, css: &str) -> String {
        let Some(element) = self.all(css).into_iter().next() else { return String::new() };
        let text = self.call("GET", &format!("/element/{element}/text"), &Value::Null).unwrap_or_default();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What the shell and the viewer wrote to stderr.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
    }

    /// Where things are in a room's window now, as its last layout line says. The reading room's has `panes`,
    /// the planning room's has `handles`.
    #[must_use]
    pub fn layout_with(&self, part: &str) -> Option<Value> {
        let log = self.log();
        let layouts = log.lines().rev().filter_map(|line| {
            let mut line: Value = serde_json::from_str(line.get(line.find("{\"layout\"")?..)?).ok()?;
            Some(line["layout"].take())
        });
        layouts.into_iter().find(|layout| layout.get(part).is_some())
    }

    /// Process id of a room (`reading`, `planning`) that this shell started.
    #[must_use]
    pub fn room_pid(&self, room: &str) -> Option<u32> {
        let mine = format!("MINGJING_SETTINGS={}", self.settings.display());
        let wanted = format!("--room\0{room}\0");
        std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let command = std::fs::read(entry.path().join("cmdline")).ok()?;
            let environment = std::fs::read(entry.path().join("environ")).ok()?;
            let is_room = String::from_utf8_lossy(&command).contains(&wanted);
            let is_mine = environment.split(|b| *b == 0).any(|variable| variable == mine.as_bytes());
            (is_room && is_mine).then_some(pid)
        })
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // A session that ended by itself needs no end.
        drop(self.request("DELETE", &format!("/session/{}", self.session), &Value::Null));
        let group = format!("-{}", self.driver.id());
        let asked = Command::new("kill").args(["-TERM", "--", &group]).status();
        if let Err(error) = asked.and_then(|_| self.driver.wait()) {
            eprintln!("pid {} was not stopped: {error}", self.driver.id());
        }
    }
}
