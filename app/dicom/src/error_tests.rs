//! Every code this crate can raise has its texts in both languages.

use crate::Error;
use mj_model::Coded;
use std::path::Path;

fn catalogue() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/lang/dicom.toml")).unwrap()
}

#[test]
fn errors_have_texts() {
    let catalogue = catalogue();
    let errors = [
        Error::Empty,
        Error::NotDicom,
        Error::DicomDir,
        Error::Truncated { what: "" },
        Error::Broken { what: "" },
        Error::Missing { keyword: "" },
        Error::BadValue { keyword: "" },
        Error::NoPixels,
        Error::UnsupportedSyntax { uid: String::new() },
        Error::Video { uid: String::new() },
        Error::UnsupportedPixels { what: String::new() },
        Error::Codec { codec: "", what: String::new() },
        Error::TooLarge { mib: 0 },
        Error::WrongKind { wanted: "" },
        Error::CannotWrite { what: String::new() },
        Error::Io { kind: std::io::ErrorKind::NotFound },
        Error::Cancelled,
        Error::NotAVolume,
        Error::SameInstance,
        Error::NothingToShow,
        Error::NotAsWritten { what: "" },
    ];
    for error in errors {
        for part in ["message", "hint"] {
            let key = format!("[error.{}.{part}]", error.code());
            let at = catalogue.find(&key).unwrap_or_else(|| panic!("{key} is missing"));
            let entry = catalogue[at..].split("\n[").next().unwrap();
            for (name, _) in error.args().iter().filter(|_| part == "message") {
                // A message may leave a value out, but must not name one that is never given.
                assert!(!entry.contains('{') || entry.contains(&format!("{{{name}}}")) || error.args().len() > 1, "{key}: {name}");
            }
        }
    }
}

#[test]
fn warnings_have_texts() {
    let catalogue = catalogue();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![source];
    let mut n = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for code in text.split("Warning::new(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                n += 1;
                assert!(catalogue.contains(&format!("[warning.{code}]")), "warning.{code} is missing");
            }
        }
    }
    assert!(n > 10);
}
