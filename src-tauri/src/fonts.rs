//! The page's fonts, from the same place as those of the PDF and the viewer.

use std::path::PathBuf;
use tauri::http::{Response, StatusCode, header};

/// Files the page may ask for.
const FONTS: [&str; 2] = ["NotoSansSC_400Regular.ttf", "NotoSansSC_700Bold.ttf"];

/// Answers `mjfont://localhost/NAME`.
pub(crate) fn answer(path: &str) -> Response<Vec<u8>> {
    let name = path.trim_start_matches('/');
    let found =
        FONTS.iter().find(|font| **font == name).and_then(|font| folders().map(|f| f.join(font)).find_map(|file| std::fs::read(file).ok()));
    let (status, body) = found.map_or((StatusCode::NOT_FOUND, Vec::new()), |bytes| (StatusCode::OK, bytes));
    let response = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "font/ttf")
        .header(header::CACHE_CONTROL, "max-age=31536000")
        // The page's own origin is another scheme.
        .header(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")
        .body(body);
    response.unwrap_or_default()
}

/// `MINGJING_FONTS`, `fonts/` beside the program, and beside its folder.
fn folders() -> impl Iterator<Item = PathBuf> {
    let given = std::env::var_os("MINGJING_FONTS").map(PathBuf::from);
    let own = std::env::current_exe().ok();
    let beside = own
        .iter()
        .flat_map(|exe| exe.ancestors().skip(1).take(2).map(|folder| folder.join("fonts")).collect::<Vec<_>>())
        .collect::<Vec<_>>();
    given.into_iter().chain(beside)
}
