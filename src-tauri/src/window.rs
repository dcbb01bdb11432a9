//! The one window.

use tauri::{AppHandle, WebviewUrl, WebviewWindowBuilder};

/// Opens the window, with the input method switched on.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
        .title("明镜 Mingjing")
        .inner_size(1600.0, 1000.0)
        .min_inner_size(1100.0, 620.0)
        .maximized(true)
        .build()?;
    enable_preedit(&window)
}

/// The toolkit switches the web view's preedit off on Linux; without it Chinese input methods send the page no
/// composition events.
#[cfg(target_os = "linux")]
fn enable_preedit(window: &tauri::WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::{InputMethodContextExt as _, WebViewExt as _};
    window.with_webview(|webview| {
        if let Some(context) = webview.inner().input_method_context() {
            context.set_enable_preedit(true);
        }
    })
}

#[cfg(not(target_os = "linux"))]
fn enable_preedit(_window: &tauri::WebviewWindow) -> tauri::Result<()> {
    Ok(())
}
