//! Turns `assets/lang/*.toml` into keys and texts, so that a missing or misspelt key does not compile.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../assets/lang");
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<_> = fs::read_dir(&folder)?.collect::<Result<Vec<_>, _>>()?.into_iter().map(|e| e.path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "toml"));
    files.sort();
    let mut entries = Vec::new();
    for file in &files {
        println!("cargo::rerun-if-changed={}", file.display());
        let table: toml::Table = fs::read_to_string(file)?.parse().map_err(|e| format!("{}: {e}", file.display()))?;
        collect("", &table, &mut entries).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    entries.sort();
    if let Some(pair) = entries.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(format!("text {} is defined twice", pair[0].0).into());
    }
    let mut keys = String::new();
    let mut table = String::new();
    for (key, zh, en) in &entries {
        let name = key.replace(['.', '-'], "_").to_uppercase();
        writeln!(
            keys,
            "    /// {}\n    pub const {name}: Text = Text({key:?}, {zh:?}, {en:?});",
            en.lines().next().unwrap_or_default().replace(['[', ']', '<', '>'], "")
        )?;
        writeln!(table, "    key::{name},")?;
    }
    let code = format!(
        "/// Every text, as a constant named after its key.\npub mod key {{\n    use super::Text;\n{keys}}}\n\n/// All texts, sorted by key.\npub static ALL: &[Text] = &[\n{table}];\n"
    );
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("texts.rs"), code)?;
    Ok(())
}

/// A table with `zh` and `en` texts is an entry; any other table is a level of the key.
fn collect(prefix: &str, table: &toml::Table, out: &mut Vec<(String, String, String)>) -> Result<(), String> {
    for (name, value) in table {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let toml::Value::Table(inner) = value else { return Err(format!("{key} is not a table")) };
        match (inner.get("zh").and_then(|v| v.as_str()), inner.get("en").and_then(|v| v.as_str())) {
            (Some(zh), Some(en)) if inner.len() == 2 => out.push((key, zh.into(), en.into())),
            (None, None) => collect(&key, inner, out)?,
            _ => return Err(format!("{key} needs exactly the texts zh and en")),
        }
    }
    Ok(())
}
