//! Writes the page's types, texts and theme into `app/web/src/generated/`.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let theme: toml::Table = std::fs::read_to_string(root.join("assets/theme.toml"))?.parse()?;
    let folder = root.join("app/web/src/generated");
    std::fs::create_dir_all(&folder)?;
    for file in mj_desk::page::generate::all(&theme) {
        let path = folder.join(file.name);
        // An unchanged file keeps its time, so that nothing is built again for it.
        if std::fs::read_to_string(&path).unwrap_or_default() != file.text {
            std::fs::write(path, file.text)?;
        }
    }
    Ok(())
}
