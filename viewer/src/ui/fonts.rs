//! Noto Sans SC for egui, whose own fonts have no Chinese characters.

use egui::{FontData, FontDefinitions, FontFamily};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// File names of the regular weight, ours first, then what systems have.
const REGULAR: &[&str] = &[
    "NotoSansSC_400Regular.ttf",
    "NotoSansSC-Regular.ttf",
    "NotoSansSC-Regular.otf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "msyh.ttc",
    "PingFang.ttc",
];
const BOLD: &[&str] = &["NotoSansSC_700Bold.ttf", "NotoSansSC-Bold.ttf", "NotoSansSC-Bold.otf", "NotoSansCJK-Bold.ttc", "msyhbd.ttc"];

/// The family of the bold weight.
#[must_use]
pub fn bold() -> FontFamily {
    FontFamily::Name("bold".into())
}

/// Loads the fonts into egui; true when Chinese can be shown.
pub fn install(ctx: &egui::Context) -> bool {
    let (fonts, has_chinese) = definitions();
    ctx.set_fonts(fonts);
    has_chinese
}

/// egui's fonts with ours in front; true when ours was found.
#[must_use]
pub fn definitions() -> (FontDefinitions, bool) {
    let mut fonts = FontDefinitions::default();
    let builtin: Vec<String> = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    let mut add = |name: &str, files: &[&str]| -> bool {
        let Some(bytes) = find(files).and_then(|path| std::fs::read(path).ok()) else { return false };
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_owned(bytes)));
        true
    };
    let has_regular = add("sc", REGULAR);
    let has_bold = add("sc-bold", BOLD);
    let family = |first: &[(&str, bool)]| -> Vec<String> {
        first.iter().filter(|(_, is_there)| *is_there).map(|(name, _)| (*name).to_owned()).chain(builtin.clone()).collect()
    };
    let regular = family(&[("sc", has_regular)]);
    let heavy = family(&[("sc-bold", has_bold), ("sc", has_regular)]);
    fonts.families.insert(FontFamily::Monospace, regular.clone());
    fonts.families.insert(FontFamily::Proportional, regular);
    fonts.families.insert(bold(), heavy);
    if !has_regular {
        tracing::warn!("no font with Chinese characters was found");
    }
    (fonts, has_regular)
}

/// `MINGJING_FONTS`, `fonts/` beside the program, `fonts/` in the folder above it, then the system.
fn find(files: &[&str]) -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::env::var_os("MINGJING_FONTS").map(PathBuf::from).into_iter().collect();
    if let Ok(program) = std::env::current_exe() {
        folders.extend(program.ancestors().skip(1).take(3).map(|folder| folder.join("fonts")));
    }
    let in_folders = folders.iter().flat_map(|folder| files.iter().map(|f| folder.join(f))).find(|path| path.is_file());
    in_folders.or_else(|| find_in_system(files))
}

fn find_in_system(files: &[&str]) -> Option<PathBuf> {
    let roots: &[&str] = if cfg!(windows) {
        &["C:\\Windows\\Fonts"]
    } else if cfg!(target_os = "macos") {
        &["/System/Library/Fonts", "/Library/Fonts"]
    } else {
        &["/usr/share/fonts", "/usr/local/share/fonts"]
    };
    let mut found: Vec<PathBuf> = roots
        .iter()
        .filter(|root| Path::new(root).is_dir())
        .flat_map(|root| walkdir::WalkDir::new(root).max_depth(5).into_iter().flatten())
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.file_name().and_then(|n| n.to_str()).is_some_and(|n| files.contains(&n)))
        .collect();
    found.sort_by_key(|path| files.iter().position(|f| path.ends_with(f)));
    found.into_iter().next()
}
