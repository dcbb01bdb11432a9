//! Reads `tauri.conf.json`, and puts a placeholder where the page has not been built, so that the core's tests
//! need no Node.

use std::{fs, path::Path};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let page = Path::new("../app/web/dist");
    if !page.join("index.html").exists() {
        fs::create_dir_all(page)?;
        fs::write(
            page.join("index.html"),
            "<!doctype html><meta charset=utf-8><title>Mingjing</title><p>The page is not built: npm ci and npm run build in app/web.\n",
        )?;
    }
    println!("cargo::rerun-if-changed=../app/web/dist");
    tauri_build::build();
    Ok(())
}
