//! The room in a window.

use crate::args::{Args, MakerChoice};
use crate::reading::event::Event;
use crate::reading::maker::{GpuMaker, Maker};
use crate::reading::room::{Port, Room};
use crate::stdio::{self, Incoming};
use crate::ui::fonts;
use crate::{Error, Result};
use mj_lang::{Text, key};
use mj_link::ToParent;
use std::sync::Arc;

/// Opens the reading room and stays until it is closed.
///
/// # Errors
/// [`Error::Window`] when no window can be opened, [`Error::Link`], [`Error::Theme`].
pub fn run(args: &Args) -> Result<()> {
    let (port, writing) = if args.stdio {
        let (sender, writing) = stdio::write_to_parent()?;
        (Port::Parent(sender), Some(writing))
    } else {
        (Port::Alone, None)
    };
    let plan = Plan::choose(args.maker);
    let options = options(args, plan);
    // The title names no patient: it stands in task bars and on shared screens.
    let title = key::READING_TITLE.get(args.lang);
    let args = args.clone();
    let created =
        move |cc: &eframe::CreationContext<'_>| -> std::result::Result<Box<dyn eframe::App>, Box<dyn std::error::Error + Send + Sync>> {
            Ok(Box::new(App::new(cc, &args, port, plan)?))
        };
    let result = eframe::run_native(title, options, Box::new(created)).map_err(|e| Error::Window(e.to_string()));
    if let Some(writing) = writing {
        writing.finish();
    }
    result
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
    let mut viewport = egui::ViewportBuilder::default().with_app_id("mingjing-reading").with_min_inner_size([640.0, 420.0]);
    viewport = match args.window {
        Some(size) => viewport.with_inner_size(size),
        None => viewport.with_inner_size([1600.0, 900.0]).with_maximized(true),
    };
    let mut options = eframe::NativeOptions {
        viewport,
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

struct App {
    room: Room,
}

impl App {
    fn new(cc: &eframe::CreationContext<'_>, args: &Args, port: Port, plan: Plan) -> Result<Self> {
        fonts::install(&cc.egui_ctx);
        let hello_to = match &port {
            Port::Parent(sender) => Some(sender.clone()),
            Port::Alone => None,
        };
        let mut room = Room::new(&cc.egui_ctx, args, port)?;
        match &cc.wgpu_render_state {
            Some(window) if plan.is_gpu => room.set_maker(Maker::Gpu(Box::new(GpuMaker::new(window.clone(), room.events()))), None),
            _ => room.maker_note = plan.note,
        }
        if let Some(sender) = hello_to {
            let backend = room.maker.backend().to_owned();
            sender.send(ToParent::Hello {
                program: concat!("mingjing-viewer ", env!("CARGO_PKG_VERSION")).to_owned(),
                pid: std::process::id(),
                backend,
            });
            let events = room.events();
            stdio::read_from_parent(move |incoming| match incoming {
                Incoming::Message(message) => events.send(Event::Parent(message)),
                // Already in the log; a room has no job to answer for.
                Incoming::Unreadable { .. } => true,
                Incoming::End => {
                    events.send(Event::ParentEnded);
                    // A hidden window may not draw, and a window without its parent must not stay.
                    std::thread::sleep(std::time::Duration::from_secs(2));
                    std::process::exit(0);
                }
            })?;
        }
        if !args.paths.is_empty() {
            room.open_folders(args.paths.clone());
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
