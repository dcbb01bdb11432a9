//! Every file of the real images is opened or refused by its name, as `docs/images.md` says.

use crate::station::{Station, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Endings of what is beside the images: tables, texts, meshes, research formats.
const OTHERS: [&str; 15] =
    ["csv", "yaml", "md", "json", "html", "txt", "xml", "stl", "vtp", "ctbl", "gz", "nrrd", "mha", "toml", "SHA256SUMS"];

fn is_beside(path: &Path) -> bool {
    let ending = path.extension().or(path.file_name()).and_then(|e| e.to_str()).unwrap_or_default();
    OTHERS.contains(&ending)
}

/// What `mingjing check` says of each file, by its path from the folder of the images.
fn lines(root: &Path) -> BTreeMap<String, Value> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(root).into_iter().map(|e| e.unwrap().into_path()).collect();
    files.retain(|path| path.is_file() && !is_beside(path));
    let words: Vec<&str> = std::iter::once("check").chain(files.iter().map(|path| text(path))).collect();
    let run = Station::bare().run(&words);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let told: BTreeMap<String, Value> = run
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| (Path::new(line["path"].as_str().unwrap()).strip_prefix(root).unwrap().to_string_lossy().into_owned(), line))
        .collect();
    assert_eq!(told.len(), files.len(), "a file without an answer");
    told
}

/// The page: transfer syntax and photometric interpretation against what became of the files, then each refusal.
fn page(told: &BTreeMap<String, Value>) -> String {
    let word = |line: &Value, key: &str| line[key].as_str().unwrap_or("none").to_owned();
    let mut rows: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for line in told.values() {
        let row = rows.entry((word(line, "transfer_syntax"), word(line, "photometric"))).or_default();
        *(if line["result"] == "opened" { &mut row.0 } else { &mut row.1 }) += 1;
    }
    let mut page = String::from(
        "# Real images\n\nWhat becomes of every DICOM file of the real images that the tests use (they are no part of the project), by `mingjing check`.\n\
         Written and held against every run by `tests/e2e/images.rs`.\n\n| transfer syntax | | photometric interpretation | opened | refused |\n|---|---|---|---:|---:|\n",
    );
    for ((syntax, photometric), (opened, refused)) in &rows {
        writeln!(page, "| {syntax} | {} | {photometric} | {opened} | {refused} |", mj_dicom::syntax::name(syntax)).unwrap();
    }
    page += "\nDocuments (reports, plans, structure sets) have no photometric interpretation. A file is refused before its layout is known where it \
             cannot be read at all.\n\n## Refused\n\n| file | code | why |\n|---|---|---|\n";
    for (path, line) in told.iter().filter(|(_, line)| line["result"] != "opened") {
        writeln!(page, "| {path} | {} | {} |", word(line, "code"), word(line, "message")).unwrap();
    }
    page += "\n## Cut short\n\nShown as far as they go, with a mark on the picture.\n\n| file | frames | what is there |\n|---|---:|---|\n";
    for (path, line) in told.iter().filter(|(_, line)| line["result"] == "opened") {
        let cut = line["warnings"].as_array().unwrap().iter().find(|w| w["code"] == mj_dicom::dataset::CUT_SHORT);
        cut.iter().for_each(|w| writeln!(page, "| {path} | {} | {} |", line["frames"], word(w, "text")).unwrap());
    }
    page
}

#[test]
fn every_real_file_is_opened_or_refused_by_name() {
    let Some(readme) = mj_testdata::path("README.md") else { return };
    let told = lines(readme.parent().unwrap());
    for (path, line) in &told {
        let is_opened = line["result"] == "opened";
        assert_eq!(line["code"].is_null(), is_opened, "{path}: {line}");
        assert!(is_opened || !line["message"].as_str().unwrap_or_default().is_empty(), "{path}: {line}");
        // Never an empty picture: what has rows and is opened has decoded samples.
        assert_eq!(line["samples_sha256"].is_null(), line["rows"].is_null() || !is_opened, "{path}: {line}");
    }
    let (now, file) = (page(&told), Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images.md"));
    if std::env::var_os("MINGJING_BLESS").is_some() {
        std::fs::write(&file, &now).unwrap();
    }
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let changed =
        now.lines().find(|line| !known.lines().any(|l| l == *line)).or(known.lines().find(|line| !now.lines().any(|l| l == *line)));
    assert!(changed.is_none(), "docs/images.md is out of date at {changed:?}; look at it, then run again with MINGJING_BLESS=1");
}
