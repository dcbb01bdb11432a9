//! The room in a window.

use crate::args::{Args, MakerChoice};
use crate::reading::event::Event;
use crate::reading::maker::{GpuMaker, Maker};
use crate::reading::room::{Port, Room};
use crate::stdio::Sender;
use crate::{Result, window};
use mj_lang::{Text, key};
use mj_link::ToViewer;
use std::sync::Arc;

/// Opens the reading room and stays until it is closed.
///
/// # Errors
/// [`crate::Error::Window`] when no window can be opened, [`crate::Error::Link`], [`crate::Error::Theme`].
pub fn run(args: &Args) -> Result<()> {
    let plan = Plan::choose(args.maker);
    // The title names no patient: it stands in task bars and on shared screens.
    let title = key::READING_TITLE.get(args.lang);
    let args_of_room = args.clone();
    window::open(args, title, options(args, plan), move |cc, port| room(cc, &args_of_room, port, plan))
}

/// Which window and which maker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    renderer: eframe::Renderer,
    is_gpu: bool,
    note: Option<Text>,
}

impl Plan {
    /// Looks at the graphics device before a window is opened, because one process opens one window.
    fn choose(wanted: MakerChoice) -> Self {
        let cpu = |note| Self { renderer: eframe::Renderer::Glow, is_gpu: false, note };
        let gpu = Self { renderer: eframe::Renderer::Wgpu, is_gpu: true, note: None };
        match wanted {
            MakerChoice::Cpu => cpu(None),
            _ => match mj_render::Gpu::headless() {
                Ok(device) if device.is_software && wanted == MakerChoice::Auto => cpu(Some(key::READING_MAKER_NO_GPU)),
                Ok(_) => gpu,
                Err(e) => {
                    tracing::warn!("{e}");
                    cpu(Some(key::READING_MAKER_NO_GPU))
                }
            },
        }
    }
}

fn options(args: &Args, plan: Plan) -> eframe::NativeOptions {
    let mut options = eframe::NativeOptions {
        viewport: window::frame(args, "mingjing-reading", [640.0, 420.0]),
        renderer: plan.renderer,
        // Pictures are shown value by value; dithering would change them.
        dithering: false,
        ..Default::default()
    };
    if let egui_wgpu::WgpuSetup::CreateNew(setup) = &mut options.wgpu_options.wgpu_setup {
        setup.device_descriptor = Arc::new(mj_render::gpu::device_descriptor);
    }
    options
}

fn room(cc: &eframe::CreationContext<'_>, args: &Args, port: Option<Sender>, plan: Plan) -> Result<Room> {
    let mut room = Room::new(&cc.egui_ctx, args, port.map_or(Port::Alone, Port::Parent))?;
    match &cc.wgpu_render_state {
        Some(window) if plan.is_gpu => room.set_maker(Maker::Gpu(Box::new(GpuMaker::new(window.clone(), room.events()))), None),
        _ => room.maker_note = plan.note,
    }
    if !args.paths.is_empty() {
        room.open_folders(args.paths.clone());
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
        self.maker.backend().to_owned()
    }

    fn listener(&self) -> Box<dyn FnMut(Option<Box<ToViewer>>) -> bool + Send> {
        let events = self.events();
        Box::new(move |message| events.send(message.map_or(Event::ParentEnded, Event::Parent)))
    }
}
