//! `cargo xtask gen`: files that are written from other files, third-party notices above all.

use crate::shell::{self, Place};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Packages of ours that nobody ships.
const NOT_SHIPPED: &[&str] = &["xtask", "mj-tests", "mj-testdata"];

/// What lies inside crates, or beside them, under terms of its own.
const PARTS: &str = "\
| part | reaches us through | licence | rights |
|---|---|---|---|
| Noto Sans SC | `@expo-google-fonts/noto-sans-sc` | OFL-1.1 | © The Noto Project Authors; the licence lies beside the font files |
| whisper.cpp and ggml | `whisper-rs-sys` | MIT | © 2023-2026 The ggml authors |
| Svelte's runtime | `svelte`, which compiles it into the page | MIT | © Svelte contributors |
| SQLCipher | `libsqlite3-sys` | BSD-3-Clause | © 2008-2024 Zetetic LLC |
| SQLite | `libsqlite3-sys` | public domain | |
| CharLS | `charls-sys` | BSD-3-Clause | © Team CharLS |
| OpenJPEG | `openjpeg-sys` | BSD-2-Clause | © 2002-2014 Université catholique de Louvain, Benoit Macq and others |
| libjpeg-turbo | `turbojpeg-sys` | IJG AND BSD-3-Clause AND Zlib | © 2009-2024 D. R. Commander and others; this software is based in part on the work of the Independent JPEG Group |
| OpenSSL | the system's library, linked dynamically on Linux | Apache-2.0 | © The OpenSSL Project Authors |
| WebKitGTK | the system's library, linked dynamically on Linux | LGPL-2.1-or-later, BSD-2-Clause | © its authors |
";

/// Writes the generated files, or with `--check` only compares.
pub(crate) fn run(place: &Place, args: &[String]) -> Result<()> {
    match args {
        [] => {
            let file = file(place);
            fs::write(&file, notices(place)?).with_context(|| format!("cannot write {}", file.display()))?;
            println!("==> written: {}", file.display());
            page_types(place)
        }
        [one] if one == "--check" => check(place),
        _ => bail!("gen takes only --check"),
    }
}

/// Fails where the committed notices are not those of the lock files.
pub(crate) fn check(place: &Place) -> Result<()> {
    let committed = fs::read_to_string(file(place)).unwrap_or_default();
    // Git may have changed line ends on checkout.
    if committed.replace("\r\n", "\n") != notices(place)? {
        bail!("NOTICE/THIRD_PARTY.md is not what the lock files say. Next: cargo xtask gen");
    }
    Ok(())
}

fn file(place: &Place) -> PathBuf {
    place.root.join("NOTICE/THIRD_PARTY.md")
}

/// Types, texts and theme that the page takes from Rust. A test of the shell fails where the committed ones differ.
fn page_types(place: &Place) -> Result<()> {
    // The whole workspace, as the other stages build it: one package alone would build its dependencies anew.
    shell::run(place.cargo().args(["build", "--workspace", "--bins", "--locked"]), "mend what the compiler names")?;
    shell::run(&mut place.command(place.program("mj-desk-gen")), "mend what the generator names")?;
    println!("==> written: app/web/src/generated/");
    Ok(())
}

fn notices(place: &Place) -> Result<String> {
    let metadata = shell::output(place.cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata).context("cargo metadata wrote no JSON")?;
    let crates = crates(&metadata)?;
    let packages = packages(place)?;
    let mut page = String::from(
        "# Third-party notices\n\nWritten by `cargo xtask gen` from the lock files; not to be edited by hand.\n\
         Crates of all three systems are listed, also those that a build for one system leaves out.\n\
         The full text of each licence lies in the source of the crate or package named.\n\n## Parts with terms of their own\n\n",
    );
    page += PARTS;
    page += "\n## Licences of the crates\n\n| licence | crates |\n|---|---:|\n";
    let mut licences: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, _, licence) in &crates {
        *licences.entry(licence).or_default() += 1;
    }
    for (licence, n) in &licences {
        page += &format!("| {licence} | {n} |\n");
    }
    table(&mut page, "Crates", &crates);
    table(&mut page, "npm packages of the page", &packages);
    Ok(page)
}

type Row = (String, String, String);

fn table(page: &mut String, title: &str, rows: &BTreeSet<Row>) {
    *page += &format!("\n## {title}\n\n| name | version | licence |\n|---|---|---|\n");
    for (name, version, licence) in rows {
        *page += &format!("| {name} | {version} | {licence} |\n");
    }
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Every crate that a shipped program of ours is built from or with; those of tests alone are left out.
fn crates(metadata: &Value) -> Result<BTreeSet<Row>> {
    let by_id: BTreeMap<&str, &Value> = list(metadata, "packages").iter().map(|p| (text(p, "id"), p)).collect();
    let resolve = metadata.get("resolve").context("cargo metadata resolved nothing")?;
    let nodes: BTreeMap<&str, &Value> = list(resolve, "nodes").iter().map(|n| (text(n, "id"), n)).collect();
    let ours: BTreeSet<&str> = list(metadata, "workspace_members").iter().filter_map(Value::as_str).collect();
    let shipped = |id: &&str| by_id.get(*id).is_some_and(|p| !NOT_SHIPPED.contains(&text(p, "name")));
    let mut waiting: Vec<&str> = ours.iter().copied().filter(shipped).collect();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        let Some(node) = nodes.get(id).filter(|_| seen.insert(id)) else { continue };
        for dependency in list(node, "deps") {
            if list(dependency, "dep_kinds").iter().any(|kind| text(kind, "kind") != "dev") {
                waiting.push(text(dependency, "pkg"));
            }
        }
    }
    let mut rows = BTreeSet::new();
    for id in seen.into_iter().filter(|id| !ours.contains(id)) {
        let Some(package) = by_id.get(id) else { continue };
        let licence = match (text(package, "license"), text(package, "license_file")) {
            ("", "") => "not stated",
            ("", _) => "see the file in the crate",
            (licence, _) => licence,
        };
        rows.insert((text(package, "name").into(), text(package, "version").into(), one_form(licence)));
    }
    Ok(rows)
}

/// Some crates write a slash for "or", with or without spaces.
fn one_form(licence: &str) -> String {
    licence.replace('/', " OR ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The packages that end up in the page; those that only build it are left out.
fn packages(place: &Place) -> Result<BTreeSet<Row>> {
    let lock = place.root.join("app/web/package-lock.json");
    let lock = fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let lock: Value = serde_json::from_str(&lock).context("package-lock.json is not JSON")?;
    let all = lock.get("packages").and_then(Value::as_object).context("package-lock.json lists no packages")?;
    let mut rows = BTreeSet::new();
    for (path, package) in all {
        let Some((_, name)) = path.rsplit_once("node_modules/") else { continue };
        if package.get("dev").and_then(Value::as_bool) != Some(true) {
            rows.insert((name.to_owned(), text(package, "version").into(), text(package, "license").into()));
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn crates_of_tests_alone_are_left_out() {
        let package = |id: &str| json!({"id": id, "name": id, "version": "1.0.0", "license": "MIT / Apache-2.0"});
        let to = |pkg: &str, kind: Value| json!({"pkg": pkg, "dep_kinds": [{"kind": kind}]});
        let metadata = json!({
            "packages": [package("mj-model"), package("xtask"), package("serde"), package("proptest"), package("cc"), package("anyhow")],
            "workspace_members": ["mj-model", "xtask"],
            "resolve": {"nodes": [
                {"id": "mj-model", "deps": [to("serde", Value::Null), to("proptest", json!("dev"))]},
                {"id": "serde", "deps": [to("cc", json!("build"))]},
                {"id": "cc", "deps": []},
                {"id": "xtask", "deps": [to("anyhow", Value::Null)]},
                {"id": "anyhow", "deps": []},
                {"id": "proptest", "deps": []},
            ]},
        });
        let names: Vec<String> = crates(&metadata).unwrap().into_iter().map(|row| format!("{} {}", row.0, row.2)).collect();
        assert_eq!(names, ["cc MIT OR Apache-2.0", "serde MIT OR Apache-2.0"]);
    }
}
