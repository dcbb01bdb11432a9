//! What every room's window has in common: how it opens, how it greets its parent, and how it closes.

use crate::args::Args;
use crate::stdio::{self, Incoming, Sender};
use crate::ui::fonts;
use crate::{Error, Result};
use eframe::CreationContext;
use egui::ViewportBuilder;
use mj_link::ToViewer;
use std::time::Duration;

/// Size of a window that is no longer maximised. Units: logical pixels.
const RESTORED: [f32; 2] = [1600.0, 900.0];

/// How long a window has to close by itself once its parent is gone.
const LEAVES_WITHIN: Duration = Duration::from_secs(2);

/// A room as its window sees it.
pub(crate) trait Room: 'static {
    /// Draws it and takes input.
    fn ui(&mut self, ui: &mut egui::Ui);
    /// True when its window should close.
    fn has_ended(&self) -> bool;
    /// What is behind everything.
    fn background(&self) -> egui::Color32;
    /// What draws the pictures: `cpu`, `vulkan`, `gl`, …
    fn backend(&self) -> String;
    /// Takes what the parent says, on the link's thread, and `None` for its end; gives false when the room is gone.
    fn listener(&self) -> Box<dyn FnMut(Option<Box<ToViewer>>) -> bool + Send>;
}

/// The frame of a room's window: `id` for the window system, its smallest inner size in logical pixels.
///
/// It is maximised unless the command line says where it lies or how big it is.
pub(crate) fn frame(args: &Args, id: &str, smallest: [f32; 2]) -> ViewportBuilder {
    let is_placed = args.window.is_some() || args.at.is_some();
    let frame = ViewportBuilder::default()
        .with_app_id(id)
        .with_min_inner_size(smallest)
        .with_inner_size(args.window.unwrap_or(RESTORED))
        .with_maximized(!is_placed);
    match args.at {
        Some(corner) => frame.with_position(corner),
        None => frame,
    }
}

/// Opens a window on a room and stays until it is closed. `make` builds the room with the way to its parent, if it
/// has one.
///
/// # Errors
/// [`Error::Window`] when no window can be opened, [`Error::Link`], what `make` says.
pub(crate) fn open<R: Room>(
    args: &Args,
    title: &str,
    options: eframe::NativeOptions,
    make: impl FnOnce(&CreationContext<'_>, Option<Sender>) -> Result<R> + 'static,
) -> Result<()> {
    let (sender, writing) = args.stdio.then(stdio::write_to_parent).transpose()?.unzip();
    let created = move |cc: &CreationContext<'_>| -> std::result::Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
        fonts::install(&cc.egui_ctx);
        let room = make(cc, sender.clone())?;
        if let Some(sender) = sender {
            greet(&room, &sender)?;
        }
        Ok(Box::new(App(room)))
    };
    let result = eframe::run_native(title, options, Box::new(created)).map_err(|e| Error::Window(e.to_string()));
    if let Some(writing) = writing {
        writing.finish();
    }
    result
}

/// Tells the parent who is there and starts to listen to it.
fn greet(room: &impl Room, sender: &Sender) -> Result<()> {
    sender.send(stdio::hello(room.backend()));
    let mut listener = room.listener();
    stdio::read_from_parent(move |incoming| match incoming {
        Incoming::Message(message) => listener(Some(message)),
        // Already in the log; a room has no job to answer for.
        Incoming::Unreadable { .. } => true,
        Incoming::End => {
            listener(None);
            // A hidden window may not draw, and a window without its parent must not stay.
            std::thread::sleep(LEAVES_WITHIN);
            std::process::exit(0);
        }
    })
}

struct App<R>(R);

impl<R: Room> eframe::App for App<R> {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.0.ui(ui);
        if self.0.has_ended() {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        self.0.background().to_normalized_gamma_f32()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[test]
    fn a_window_is_maximised_unless_it_is_placed() {
        let frame = |more: &[&str]| frame(&Args::parse_from([&["x"], more].concat()), "mingjing-test", [640.0, 420.0]);
        assert_eq!((frame(&[]).maximized, frame(&[]).position), (Some(true), None));
        let placed = frame(&["--at", "-1920,40"]);
        assert_eq!(
            (placed.maximized, placed.position, placed.inner_size),
            (Some(false), Some([-1920.0, 40.0].into()), Some(RESTORED.into()))
        );
        let sized = frame(&["--window", "800x600"]);
        assert_eq!((sized.maximized, sized.position, sized.inner_size), (Some(false), None, Some([800.0, 600.0].into())));
    }
}
