//! The house rules that a test can hold: who may use whom, a text for every code, and nothing in the
//! repository that belongs to the moment it was written in.
//!
//! Every rule is a function from plain input to a list of breaches, so that each is also shown to fail.

use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

/// What the table and the "Never" line of `docs/ARCHITECTURE.md` say.
struct Rules {
    /// Crate → the crates of ours that it may use.
    may: BTreeMap<String, BTreeSet<String>>,
    /// Dependency and crate that never go together.
    never: BTreeSet<(String, String)>,
}

/// Crates that open sockets by themselves.
const SOCKETS: [&str; 9] = ["dicom-ul", "socket2", "mio", "reqwest", "hyper", "ureq", "tungstenite", "rustls", "quinn"];

/// The crates that a word of the "Never" line stands for.
fn family(word: &str) -> Vec<&str> {
    match word {
        "sockets" => SOCKETS.to_vec(),
        "egui" => vec!["egui", "eframe", "egui-wgpu", "egui_glow", "egui-winit"],
        "wgpu" => vec!["wgpu", "egui-wgpu"],
        "tauri" => vec!["tauri", "tauri-build"],
        "sqlx" => vec!["sqlx", "libsqlite3-sys", "rusqlite"],
        other => vec![other],
    }
}

impl Rules {
    fn read(architecture: &str) -> Self {
        let mut may = BTreeMap::new();
        for line in architecture.lines().filter(|l| l.starts_with("| mj-") || l.starts_with("| xtask")) {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            if let [name, uses] = cells.as_slice() {
                may.insert((*name).to_owned(), uses.split_whitespace().map(str::to_owned).collect());
            }
        }
        let mut never = BTreeSet::new();
        let line = architecture.lines().find_map(|l| l.strip_prefix("Never, directly: ")).unwrap_or_default();
        for part in line.trim_end_matches('.').split(';') {
            let Some((words, crates)) = part.split_once(" in ") else { continue };
            for word in words.split(',').map(|w| w.trim().trim_matches('`')) {
                for name in crates.replace(" and ", ", ").split(',').map(str::trim) {
                    never.extend(family(word).into_iter().map(|d| (d.to_owned(), format!("mj-{name}"))));
                }
            }
        }
        Self { may, never }
    }
}

/// Dependencies of the workspace's crates that the rules do not allow, as `crate -> dependency`. Those of
/// tests alone are free.
fn wrong_arrows(metadata: &Value, rules: &Rules) -> Vec<String> {
    let list = |v: &Value| v.as_array().cloned().unwrap_or_default();
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let packages = list(&metadata["packages"]);
    let ours: BTreeSet<String> = packages.iter().map(|p| text(&p["name"])).collect();
    let mut wrong: Vec<String> =
        rules.may.keys().filter(|name| !ours.contains(*name)).map(|name| format!("{name} stands in the table only")).collect();
    for package in &packages {
        let name = text(&package["name"]);
        let Some(may) = rules.may.get(&name) else {
            wrong.push(format!("{name} does not stand in the table"));
            continue;
        };
        for dependency in list(&package["dependencies"]).iter().filter(|d| d["kind"] != "dev") {
            let used = text(&dependency["name"]);
            let is_turned = ours.contains(&used) && !may.contains(&used);
            if is_turned || rules.never.contains(&(used.clone(), name.clone())) {
                wrong.push(format!("{name} -> {used}"));
            }
        }
    }
    wrong
}

#[test]
fn crates_use_only_what_the_table_allows() {
    let root = mj_tests::workspace();
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo).args(["metadata", "--format-version", "1", "--no-deps"]).current_dir(&root).output().unwrap();
    let metadata: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)));
    let rules = Rules::read(&std::fs::read_to_string(root.join("docs/ARCHITECTURE.md")).unwrap());
    assert!(rules.may.len() > 10 && rules.never.len() > 20, "the table or the Never line was not understood");
    let wrong = wrong_arrows(&metadata, &rules);
    assert!(wrong.is_empty(), "against docs/ARCHITECTURE.md:\n{}", wrong.join("\n"));
}

#[test]
fn a_wrong_arrow_is_found() {
    let rules = Rules::read("| mj-a | |\n| mj-b | mj-a |\n| mj-gone | |\n\nNever, directly: `tokio`, sockets in a and c; `egui` in b.\n");
    let package = |name: &str, uses: &[(&str, Value)]| {
        let dependencies: Vec<Value> = uses.iter().map(|(n, kind)| json!({"name": n, "kind": kind})).collect();
        json!({"name": name, "dependencies": dependencies})
    };
    let metadata = json!({"packages": [
        package("mj-a", &[("mj-b", Value::Null), ("tokio", Value::Null), ("mj-b", json!("dev")), ("serde", Value::Null)]),
        package("mj-b", &[("mj-a", Value::Null), ("eframe", json!("build")), ("tokio", Value::Null)]),
        package("mj-new", &[]),
    ]});
    let expected =
        ["mj-gone stands in the table only", "mj-a -> mj-b", "mj-a -> tokio", "mj-b -> eframe", "mj-new does not stand in the table"];
    assert_eq!(wrong_arrows(&metadata, &rules), expected);
}

/// The files of the repository, without what builds leave behind.
fn repository() -> Vec<PathBuf> {
    let root = mj_tests::workspace();
    let listed = Command::new("git").args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(&root).output();
    match listed {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout)
            .split('\0')
            .filter(|f| !f.is_empty())
            .map(|f| root.join(f))
            .filter(|f| f.is_file())
            .collect(),
        // An archive without git.
        _ => walk(&root),
    }
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for path in std::fs::read_dir(folder).into_iter().flatten().filter_map(|e| Some(e.ok()?.path())) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", "dist", ".git"].contains(&name.as_str()) {
            files.extend(walk(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

/// Our own Rust source outside tests: path below the root, and text up to its tests.
fn sources() -> Vec<(String, String)> {
    let root = mj_tests::workspace();
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let rust: BTreeMap<String, String> = repository()
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "rs"))
        .map(|p| (name(p), std::fs::read_to_string(p).unwrap_or_default()))
        .collect();
    let of_tests: BTreeSet<String> = rust.iter().flat_map(|(name, text)| test_modules(name, text)).collect();
    let is_test = |name: &str| {
        name.starts_with("tests/")
            || name.contains("/tests/")
            || name.contains("/benches/")
            || of_tests.iter().any(|m| name == format!("{m}.rs") || name.starts_with(&format!("{m}/")))
    };
    let cut = |text: &str| text[..text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len())].to_owned();
    rust.iter().filter(|(name, _)| !is_test(name)).map(|(name, text)| (name.clone(), cut(text))).collect()
}

/// Modules in files of their own that a file declares for tests only: their paths without `.rs`.
fn test_modules(name: &str, text: &str) -> Vec<String> {
    let folder = match name.strip_suffix(".rs").unwrap_or(name) {
        stem if ["lib", "main", "mod"].iter().any(|top| stem.rsplit('/').next() == Some(top)) => stem.rsplit_once('/').map_or("", |s| s.0),
        stem => stem,
    };
    let declared = text.split("#[cfg(test)]\n").skip(1).filter_map(|rest| {
        let line = rest.lines().find(|l| !l.trim_start().starts_with("#["))?;
        line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';')
    });
    declared.map(|module| format!("{folder}/{module}")).collect()
}

#[test]
fn modules_of_tests_are_known() {
    let text = "mod a;\n#[cfg(test)]\nmod b;\n#[cfg(test)]\npub(crate) mod c;\n#[cfg(test)]\nmod tests {\n}\n";
    assert_eq!(test_modules("app/x/src/lib.rs", text), ["app/x/src/b", "app/x/src/c"]);
    assert_eq!(test_modules("app/x/src/y.rs", text), ["app/x/src/y/b", "app/x/src/y/c"]);
}

/// String literals of a piece of Rust source, comments left out. Raw strings count by their quotes.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => while chars.next_if(|c| *c != '\n').is_some() {},
            // A quote, a lifetime or a character: `'"'` must not open a string.
            '\'' => {
                if chars.next_if_eq(&'\\').is_some() {
                    chars.next();
                } else if chars.next_if_eq(&'"').is_some() {
                    chars.next_if_eq(&'\'');
                }
            }
            '"' => {
                let mut text = String::new();
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '\\' => text.extend(chars.next()),
                        c => text.push(c),
                    }
                }
                found.push(text);
            }
            _ => {}
        }
    }
    found
}

/// The body in braces that follows a place in the source.
fn body(source: &str) -> &str {
    let Some(start) = source.find('{') else { return "" };
    let mut depth = 0_usize;
    for (at, c) in source[start..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return &source[start..start + at],
            '}' => depth -= 1,
            _ => {}
        }
    }
    &source[start..]
}

/// Every code that an `impl Coded` of this source gives, and every code of a warning about data.
fn codes(source: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let is_code = |t: &String| {
        t.contains('.')
            && t.split('.').all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'))
    };
    let mut errors = BTreeSet::new();
    for (at, _) in source.match_indices("Coded for ") {
        let block = body(&source[at..]);
        if let Some(code) = block.find("fn code(") {
            errors.extend(literals(body(&block[code..])).into_iter().filter(is_code));
        }
    }
    let mut warnings = BTreeSet::new();
    for (at, _) in source.match_indices("Warning::new(") {
        // The first argument, when it is a literal.
        let arguments = source[at + "Warning::new(".len()..].trim_start();
        if arguments.starts_with('"') {
            warnings.extend(literals(arguments).into_iter().take(1).filter(is_code));
        }
    }
    (errors, warnings)
}

/// The keys that have no text in the catalogue.
fn without_text(errors: &BTreeSet<String>, warnings: &BTreeSet<String>, has: impl Fn(&str) -> bool) -> Vec<String> {
    let of_errors = errors.iter().flat_map(|c| ["message", "hint"].map(|part| format!("error.{c}.{part}")));
    of_errors.chain(warnings.iter().map(|c| format!("warning.{c}"))).filter(|key| !has(key)).collect()
}

#[test]
fn every_code_has_its_texts() {
    let (mut errors, mut warnings) = (BTreeSet::new(), BTreeSet::new());
    for (_, source) in sources() {
        let (e, w) = codes(&source);
        errors.extend(e);
        warnings.extend(w);
    }
    let listed: BTreeSet<String> = mj_record::peers::PeerError::CODES.iter().map(|&c| c.to_owned()).collect();
    assert!(listed.is_subset(&errors), "the scan misses codes: {:?}", listed.difference(&errors).collect::<Vec<_>>());
    let mut missing = without_text(&errors, &warnings, |key| mj_lang::find(key).is_some());
    let reasons = mj_dicom::series::Trait::all().map(|reason| format!("stack.{}", reason.code()));
    missing.extend(reasons.filter(|key| mj_lang::find(key).is_none()));
    assert!(missing.is_empty(), "no text in assets/lang for:\n{}", missing.join("\n"));
}

#[test]
fn a_code_without_text_is_found() {
    let source = r#"
        impl std::fmt::Display for E { fn fmt() { "not.a_code_of_ours" } }
        impl mj_model::Coded for E {
            fn code(&self) -> &'static str {
                match self { Self::A { .. } => "a.one", Self::B('"') => "a.two", Self::C(e) => e.code() } // "a.comment"
            }
            fn args(&self) -> Vec<X> { vec![("name", "other.literal".into())] }
        }
        fn f() { Warning::new("geometry.tilt", format!("{x}")); Warning::new(code, "b.c"); }
    "#;
    let (errors, warnings) = codes(source);
    assert_eq!(errors.iter().map(String::as_str).collect::<Vec<_>>(), ["a.one", "a.two"]);
    assert_eq!(warnings.iter().map(String::as_str).collect::<Vec<_>>(), ["geometry.tilt"]);
    let missing = without_text(&errors, &warnings, |key| key.starts_with("error.a.one"));
    assert_eq!(missing, ["error.a.two.message", "error.a.two.hint", "warning.geometry.tilt"]);
}

/// Chinese in a literal of a program with a screen: a text that goes past the catalogue.
fn past_the_catalogue(files: &[(String, String)]) -> Vec<String> {
    const SCREENS: [&str; 6] = ["src-tauri/src/", "viewer/src/", "app/cli/src/", "app/record/src/", "app/link/src/", "speech/src/"];
    // The product's own name is the same in every language.
    let has_han = |t: &String| t.replace("明镜", "").chars().any(|c| ('\u{4E00}'..='\u{9FFF}').contains(&c));
    // What is written into objects is data: the demo patient, the names of organs.
    let has_screen = |name: &str| SCREENS.iter().any(|s| name.starts_with(s)) && !name.starts_with("viewer/src/headless/");
    let mut found = Vec::new();
    for (name, source) in files.iter().filter(|(n, _)| has_screen(n)) {
        found.extend(literals(source).into_iter().filter(has_han).map(|text| format!("{name}: {text}")));
    }
    found
}

/// A socket opened outside `mj-record`.
fn sockets(files: &[(String, String)]) -> Vec<String> {
    let words = ["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener"];
    let elsewhere = files.iter().filter(|(n, _)| !n.starts_with("app/record/") && !n.starts_with("xtask/"));
    elsewhere.filter_map(|(name, source)| words.iter().find(|w| source.contains(*w)).map(|w| format!("{name}: {w}"))).collect()
}

#[test]
fn texts_come_from_the_catalogue_and_sockets_from_the_record() {
    let files = sources();
    assert!(files.len() > 50, "only {} source files found", files.len());
    let found = [past_the_catalogue(&files), sockets(&files)].concat();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_stray_text_and_a_stray_socket_are_found() {
    let files = [
        ("viewer/src/a.rs".to_owned(), "// 注释\nlabel(\"窗宽\"); /* 块 */".to_owned()),
        ("app/imaging/src/b.rs".to_owned(), "name(\"肝\"); std::net::TcpStream::connect(x)".to_owned()),
        ("app/record/src/c.rs".to_owned(), "TcpListener::bind(x)".to_owned()),
    ];
    assert_eq!(past_the_catalogue(&files), ["viewer/src/a.rs: 窗宽"]);
    assert_eq!(sockets(&files), ["app/imaging/src/b.rs: TcpStream"]);
}

/// Lines that speak of the day they were written on: numbers of tasks, paths of one machine.
fn of_the_moment(name: &str, text: &str) -> Vec<String> {
    // Put together here, so that this file does not find itself.
    let signs = [
        ["issue", " #"].concat(),
        ["/wo", "rk/"].concat(),
        ["/tmp", "/mj"].concat(),
        ["/ro", "ot/"].concat(),
        ["/ho", "me/"].concat(),
        ["/Use", "rs/"].concat(),
        ["CONTRACT", ".md"].concat(),
    ];
    let is_sign = |line: &str| signs.iter().any(|s| line.contains(s.as_str()));
    text.lines().enumerate().filter(|(_, l)| is_sign(l)).map(|(n, l)| format!("{name}:{}: {}", n + 1, l.trim())).collect()
}

#[test]
fn nothing_speaks_of_the_moment_it_was_written_in() {
    let root = mj_tests::workspace();
    let mut found = Vec::new();
    for path in repository() {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        // Licences are quoted as they are.
        if name.contains("THIRD_PARTY") || name.ends_with(".lock") || name.ends_with("package-lock.json") {
            continue;
        }
        if let Ok(text) = std::fs::read_to_string(&path) {
            found.extend(of_the_moment(&name, &text));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_path_of_one_machine_is_found() {
    let text = ["fine\nsee ", "/wo", "rk/x\nand issue", " #3\n"].concat();
    assert_eq!(of_the_moment("a.md", &text).len(), 2);
}
