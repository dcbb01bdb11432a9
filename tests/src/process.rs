//! Programs that tests start, and how they end.

use std::{
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread::sleep,
    time::{Duration, Instant},
};

/// Whether a program is on the path. When not, the skip is printed (and fails under `MINGJING_STRICT=1`).
#[must_use]
pub fn installed(program: &str) -> bool {
    let found = on_path(program);
    if !found {
        mj_testdata::skip(&format!("{program} is not installed"));
    }
    found
}

fn on_path(program: &str) -> bool {
    // /usr/sbin holds Orthanc and is not on every user's path.
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).any(|folder| folder.join(program).is_file())
}

/// A port that was free a moment ago.
///
/// # Panics
/// When loopback has none.
#[must_use]
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free loopback port");
    listener.local_addr().expect("its address").port()
}

/// A server that a test started. Dropping it stops it by its process id.
#[derive(Debug)]
pub struct Running {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Running {
    /// Starts a program on loopback with `TCP_NODELAY` (without it dcmtk stalls at every message), its output in
    /// `log`. It is told to end with us where the system can do so.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(program: &str, arguments: &[String], log: &Path) -> Self {
        let out = File::create(log).expect("a log file");
        let mut command = if on_path("setpriv") {
            let mut command = Command::new("setpriv");
            command.args(["--pdeathsig", "KILL", program]);
            command
        } else {
            Command::new(program)
        };
        let child = command
            .args(arguments)
            .env("LD_PRELOAD", loopback_shim())
            .env("TCP_NODELAY", "1")
            .env("PATH", format!("{}:/usr/sbin", std::env::var("PATH").unwrap_or_default()))
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("the log file twice"))
            .stderr(out)
            .spawn()
            .unwrap_or_else(|e| panic!("{program} does not start: {e}"));
        Self { child, name: program.into(), log: log.into() }
    }

    /// Waits until a port answers, or the program ends, or half a minute has passed.
    ///
    /// # Errors
    /// What the program wrote, when it never listened.
    pub fn wait_for_port(&mut self, port: u16) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(30) {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(());
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("{} ended with {status}: {}", self.name, self.log()));
            }
            sleep(Duration::from_millis(50));
        }
        Err(format!("{} does not listen on {port}: {}", self.name, self.log()))
    }

    /// What it has written so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|b| String::from_utf8_lossy(&b).into_owned()).unwrap_or_default()
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().is_ok_and(|s| s.success());
        let start = Instant::now();
        while asked && start.elapsed() < Duration::from_secs(5) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            sleep(Duration::from_millis(20));
        }
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("{} (pid {}) was not stopped: {error}", self.name, self.child.id());
        }
    }
}

/// Compiles `bind_loopback.c` once per build folder.
fn loopback_shim() -> &'static Path {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let folder = super::programs::build_folder().join("test-tools");
        std::fs::create_dir_all(&folder).expect("a folder for the shim");
        let library = folder.join("bind_loopback.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/bind_loopback.c");
        let newer = |a: &Path, b: &str| Some(a.metadata().ok()?.modified().ok()? > Path::new(b).metadata().ok()?.modified().ok()?);
        if newer(&library, source) == Some(true) {
            return library;
        }
        // Under a name of our own first: several test programs may do this at once.
        let fresh = folder.join(format!("bind_loopback.{}.so", std::process::id()));
        let built =
            Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&fresh).arg(source).arg("-ldl").output().expect("cc runs");
        assert!(built.status.success(), "cc: {}", String::from_utf8_lossy(&built.stderr));
        std::fs::rename(&fresh, &library).expect("the shim in its place");
        library
    })
}

/// Runs a program to its end, at most `limit`, with its output.
///
/// # Panics
/// When it cannot be started or takes longer.
#[must_use]
pub fn run(command: &mut Command, limit: Duration) -> std::process::Output {
    let name = format!("{:?}", command.get_program());
    let folder = super::folder();
    // Files rather than pipes, so that a full pipe never blocks the program.
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(File::create(&out).expect("an output file"))
        .stderr(File::create(&err).expect("an output file"))
        .spawn()
        .unwrap_or_else(|e| panic!("{name} does not start: {e}"));
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() < limit => sleep(Duration::from_millis(10)),
            _ => {
                drop(child.kill());
                drop(child.wait());
                panic!("{name} took longer than {limit:?}");
            }
        }
    };
    std::process::Output { status, stdout: std::fs::read(out).unwrap_or_default(), stderr: std::fs::read(err).unwrap_or_default() }
}
