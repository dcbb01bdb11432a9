//! The room in a window.

use super::case::Wanted;
use super::room::Room;
use super::scene::Shared;
use super::work::Event;
use crate::args::Args;
use crate::stdio::{self, Incoming, Sender};
use crate::ui::fonts;
use crate::{Error, Result};
use mj_lang::key;
use mj_link::ToParent;

/// Opens the planning room and stays until it is closed.
///
/// # Errors
/// [`Error::Window`] when no window with OpenGL can be opened, [`Error::Link`], [`Error::Theme`].
pub fn run(args: &Args) -> Result<()> {
    let (port, writing) = if args.stdio {
        let (sender, writing) = stdio::write_to_parent()?;
        (Some(sender), Some(writing))
    } else {
        (None, None)
    };
    let args_of_app = args.clone();
    let created =
        move |cc: &eframe::CreationContext<'_>| -> std::result::Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
            Ok(Box::new(App::new(cc, &args_of_app, port)?))
        };
    // The title names no patient: it stands in task bars and on shared screens.
    let title = key::PLANNING_TITLE.get(args.lang);
    let result = eframe::run_native(title, options(args), Box::new(created)).map_err(|e| Error::Window(e.to_string()));
    if let Some(writing) = writing {
        writing.finish();
    }
    result
}

fn options(args: &Args) -> eframe::NativeOptions {
    let viewport = egui::ViewportBuilder::default().with_app_id("mingjing-planning").with_min_inner_size([820.0, 520.0]);
    let viewport = match args.window {
        Some(size) => viewport.with_inner_size(size),
        None => viewport.with_inner_size([1600.0, 900.0]).with_maximized(true),
    };
    // three-d draws with OpenGL only, and it needs a depth buffer in the window.
    eframe::NativeOptions { viewport, renderer: eframe::Renderer::Glow, depth_buffer: 32, dithering: false, ..Default::default() }
}

struct App {
    room: Room,
}

impl App {
    fn new(cc: &eframe::CreationContext<'_>, args: &Args, port: Option<Sender>) -> Result<Self> {
        fonts::install(&cc.egui_ctx);
        let gl = cc.gl.clone().ok_or_else(|| Error::Window("no OpenGL".into()))?;
        let mut room = Room::new(&cc.egui_ctx, args, port.clone(), Shared::new(gl)?)?;
        if let Some(sender) = port {
            sender.send(ToParent::Hello {
                program: concat!("mingjing-viewer ", env!("CARGO_PKG_VERSION")).to_owned(),
                pid: std::process::id(),
                backend: "gl".into(),
            });
            let events = room.events();
            stdio::read_from_parent(move |incoming| {
                events.send(match incoming {
                    Incoming::Message(message) => Event::Parent(message),
                    // Already in the log; a room has no job to answer for.
                    Incoming::Unreadable { .. } => return true,
                    Incoming::End => Event::ParentEnded,
                })
            })?;
        }
        if !args.paths.is_empty() || args.seg.is_some() {
            room.open(Wanted::Paths(args.paths.clone(), args.seg.clone()));
        }
        Ok(Self { room })
    }
}

impl eframe::App for App {
    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.room.ui(ui);
        if self.room.has_ended() {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn clear_color(&self, _visuals: &egui::Visuals) -> [f32; 4] {
        self.room.theme.colours.background.to_normalized_gamma_f32()
    }
}
