//! The room in a window.

use super::case::Wanted;
use super::room::Room;
use super::scene::Shared;
use super::work::Event;
use crate::args::Args;
use crate::stdio::Sender;
use crate::{Error, Result, window};
use mj_lang::key;
use mj_link::ToViewer;

/// Opens the planning room and stays until it is closed.
///
/// # Errors
/// [`Error::Window`] when no window with OpenGL can be opened, [`Error::Link`], [`Error::Theme`].
pub fn run(args: &Args) -> Result<()> {
    // The title names no patient: it stands in task bars and on shared screens.
    let title = key::PLANNING_TITLE.get(args.lang);
    let args_of_room = args.clone();
    window::open(args, title, options(args), move |cc, port| room(cc, &args_of_room, port))
}

fn options(args: &Args) -> eframe::NativeOptions {
    let viewport = window::frame(args, "mingjing-planning", [820.0, 520.0]);
    // three-d draws with OpenGL only, and it needs a depth buffer in the window.
    eframe::NativeOptions { viewport, renderer: eframe::Renderer::Glow, depth_buffer: 32, dithering: false, ..Default::default() }
}

fn room(cc: &eframe::CreationContext<'_>, args: &Args, port: Option<Sender>) -> Result<Room> {
    let gl = cc.gl.clone().ok_or_else(|| Error::Window("no OpenGL".into()))?;
    let mut room = Room::new(&cc.egui_ctx, args, port, Shared::new(gl)?)?;
    if !args.paths.is_empty() || args.seg.is_some() {
        room.open(Wanted::Paths(args.paths.clone(), args.seg.clone()));
    }
    Ok(room)
}

impl window::Room for Room {
    fn ui(&mut self, ui: &mut egui::Ui) {
        self.ui(ui);
    }

    fn has_ended(&self) -> bool {
        self.has_ended()
    }

    fn background(&self) -> egui::Color32 {
        self.theme.colours.background
    }

    fn backend(&self) -> String {
        "gl".into()
    }

    fn listener(&self) -> Box<dyn FnMut(Option<Box<ToViewer>>) -> bool + Send> {
        let events = self.events();
        Box::new(move |message| events.send(message.map_or(Event::ParentEnded, Event::Parent)))
    }
}
