//! The one window.

use mj_desk::desk::Sink as _;
use mj_desk::page::dto::Event;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tauri::{AppHandle, Manager as _, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

/// How long the page may take to hear that the window is to close; after it, a second try closes.
const PAGE_HEARS_WITHIN: Duration = Duration::from_secs(3);

/// A wish to close that the page has been told of and has not heard yet.
#[derive(Debug, Default)]
pub(crate) struct Closing(Mutex<Option<Instant>>);

impl Closing {
    /// The page hears, and says when the window may go.
    pub(crate) fn heard(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// True when the page was asked before and does not hear: it hangs.
    fn is_in_vain(&self) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get_or_insert_with(Instant::now).elapsed() > PAGE_HEARS_WITHIN
    }
}

/// Opens the window, with the input method switched on.
pub(crate) fn open(app: &AppHandle) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
        .title("明镜 Mingjing")
        .inner_size(1600.0, 1000.0)
        .min_inner_size(1100.0, 620.0)
        .maximized(true)
        .build()?;
    ask_before_closing(&window);
    enable_preedit(&window)
}

/// Text may still be on its way to the disk: the page is asked first, and closes the window when it is done.
fn ask_before_closing(window: &WebviewWindow) {
    let app = window.app_handle().clone();
    window.on_window_event(move |event| {
        let WindowEvent::CloseRequested { api, .. } = event else { return };
        if !app.state::<Closing>().is_in_vain() {
            api.prevent_close();
            crate::ToPage(app.clone()).emit(Event::Closing {});
        }
    });
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
