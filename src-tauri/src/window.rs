//! The one window.

use mj_desk::desk::{Place, Sink as _};
use mj_desk::page::dto::Event;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tauri::{AppHandle, LogicalPosition, LogicalSize, Manager as _, Monitor, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent};

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
        .min_inner_size(SHELL_LEAST, 560.0)
        .maximized(true)
        .build()?;
    ask_before_closing(&window);
    enable_preedit(&window)
}

/// Least width of the shell. Units: logical pixels.
const SHELL_LEAST: f64 = 660.0;
/// A screen at least so wide holds shell and room side by side. Units: logical pixels.
const WIDE: f64 = 1600.0;

/// A rectangle in logical pixels of all screens together.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Area {
    fn of(monitor: &Monitor) -> Self {
        let (scale, work) = (monitor.scale_factor(), monitor.work_area());
        let (at, size) = (work.position.to_logical::<f64>(scale), work.size.to_logical::<f64>(scale));
        Self { x: at.x, y: at.y, width: size.width, height: size.height }
    }

    /// Two windows side by side: the room at the left, the shell at the right. `None` on a narrow screen, where
    /// each has the whole of it.
    fn split(self) -> Option<(Self, Self)> {
        let shell = (self.width * 0.38).max(SHELL_LEAST).round();
        let room = Self { width: self.width - shell, ..self };
        (self.width >= WIDE).then_some((room, Self { x: self.x + room.width, width: shell, ..self }))
    }

    /// For a window whose title and frame take so much height.
    fn place(self, frame: f64) -> Place {
        Place { at: [self.x as i32, self.y as i32], size: [self.width as u32, (self.height - frame).max(1.0) as u32] }
    }
}

/// Where a room's window goes: the other screen where there is one; else beside the shell, which steps aside.
pub(crate) fn make_room(app: &AppHandle) -> Option<Place> {
    let window = app.get_webview_window("main")?;
    let here = window.current_monitor().ok().flatten()?;
    let all = window.available_monitors().ok()?;
    let frame = f64::from(window.outer_size().ok()?.height.saturating_sub(window.inner_size().ok()?.height)) / here.scale_factor();
    if let Some(other) = all.iter().find(|monitor| monitor.position() != here.position()) {
        return Some(Area::of(other).place(frame));
    }
    let (room, shell) = Area::of(&here).split()?;
    // A shell that a person has put somewhere stays there.
    if window.is_maximized().unwrap_or(false) {
        let moved = window
            .unmaximize()
            .and_then(|()| window.set_position(LogicalPosition::new(shell.x, shell.y)))
            .and_then(|()| window.set_size(LogicalSize::new(shell.width, shell.height - frame)));
        if let Err(error) = moved {
            tracing::warn!(%error, "the shell does not step aside");
        }
    }
    Some(room.place(frame))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wide_screen_holds_both_and_a_narrow_one_does_not() {
        let screen = |width| Area { x: 10.0, y: 0.0, width, height: 1080.0 };
        let (room, shell) = screen(1920.0).split().unwrap();
        assert_eq!((room.width, shell.width, shell.x), (1190.0, 730.0, 1200.0));
        assert_eq!(room.place(30.0), Place { at: [10, 0], size: [1190, 1050] });
        assert!(screen(1366.0).split().is_none());
    }
}
