//! Pictures for viewports, by the graphics card or by the CPU.
//!
//! Values and grey are cached apart, so that changing the window never walks through the volume again, and
//! nothing is drawn twice for the same view. Without a graphics card, projections through the whole volume and shapes in it
//! are made on a thread of their own; while one is on its way the last one is shown where it belongs.

use crate::Result;
use crate::reading::event::{Event, Events};
use crate::reading::loader::Loaded;
use crate::reading::slab::Slab;
use egui::{ColorImage, TextureHandle, TextureId, TextureOptions};
use mj_imaging::raycast::{self, Camera, ClipBox, Light, Quality, Seen, Table, TransferFunction};
use mj_imaging::reslice::{self, MipIndex};
use mj_imaging::{Blocks, Interpolation, Picture, Plane, Projection, oracle, still, window};
use mj_model::{Volume, Window};
use mj_render::{ColourTexture, Painter, SolidInput, SolidLook, Target, View, VolumeTexture};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a viewport wants to see.
#[derive(Debug, Clone, PartialEq)]
pub struct Want {
    /// The plane; its size is the viewport's in physical pixels.
    pub plane: Plane,
    /// Through the whole volume.
    pub is_mip: bool,
    /// Shapes in the volume, in place of its values.
    pub solid: Option<Shapes>,
    /// The slab around the plane; none for a slice.
    pub slab: Option<Slab>,
    /// The window.
    pub window: Window,
    /// Turn black and white.
    pub is_inverted: bool,
    /// A movement is on its way: speed before sharpness.
    pub is_moving: bool,
}

/// What is seen of a volume that is rendered.
#[derive(Debug, Clone, PartialEq)]
pub struct Shapes {
    /// Which values, in which colour.
    pub function: TransferFunction,
    /// Outside of it nothing.
    pub clip: Option<ClipBox>,
}

/// A picture to show.
#[derive(Debug, Clone, Copy)]
pub struct Made {
    /// The texture.
    pub texture: TextureId,
    /// The plane it shows, which may lag behind what was asked for.
    pub plane: Plane,
    /// False when a sharper or newer one is still to come.
    pub is_final: bool,
}

/// Time a frame may spend on one slice before moving pictures become coarser.
const SLICE_BUDGET: Duration = Duration::from_millis(14);

/// The maker of all viewports.
pub enum Maker {
    /// By the CPU.
    Cpu(CpuMaker),
    /// By the graphics card.
    Gpu(Box<GpuMaker>),
}

impl Maker {
    /// Makes or finds the picture of a viewport.
    pub fn make(&mut self, ctx: &egui::Context, slot: usize, loaded: &Loaded, want: &Want) -> Option<Made> {
        match self {
            Self::Cpu(maker) => maker.make(ctx, slot, loaded, want),
            Self::Gpu(maker) => match Source::of(loaded) {
                Some(source) => maker.make(slot, loaded, source, want),
                None => maker.fallback.make(ctx, slot, loaded, want),
            },
        }
    }

    /// Takes what the thread of projections and shapes has finished.
    pub fn take_through(&mut self, done: ThroughDone) {
        match self {
            Self::Cpu(maker) => maker.take_through(done),
            Self::Gpu(maker) => maker.fallback.take_through(done),
        }
    }

    /// What draws: `cpu`, `vulkan`, `gl`, …
    #[must_use]
    pub fn backend(&self) -> &str {
        match self {
            Self::Cpu(_) => "cpu",
            Self::Gpu(maker) => &maker.painter.gpu().backend,
        }
    }

    /// The device a loader copies volumes to.
    #[must_use]
    pub fn gpu(&self) -> Option<mj_render::Gpu> {
        match self {
            Self::Cpu(_) => None,
            Self::Gpu(maker) => Some(maker.painter.gpu().clone()),
        }
    }
}

/// What values depend on.
#[derive(Debug, Clone, PartialEq)]
struct ValuesKey {
    volume: u64,
    plane: Plane,
    is_mip: bool,
    slab: Option<Slab>,
    solid: Option<Shapes>,
    /// Made fast rather than sharp.
    is_coarse: bool,
}

impl ValuesKey {
    fn of(loaded: &Loaded, want: &Want) -> Self {
        Self { volume: loaded.id, plane: want.plane, is_mip: want.is_mip, slab: want.slab, solid: want.solid.clone(), is_coarse: false }
    }

    /// The same, sooner: a slice or a projection of fewer pixels, shapes by fewer rays.
    fn coarse(&self) -> Self {
        let plane = if self.solid.is_some() { self.plane } else { coarser(&self.plane) };
        Self { plane, is_coarse: true, ..self.clone() }
    }
}

/// A picture before its window.
enum Drawn {
    Values(Picture),
    /// Columns, rows, colours.
    Colours(usize, usize, Vec<[u8; 3]>),
    /// Shapes, whose colours no window changes.
    Shapes(ColorImage),
}

impl Drawn {
    fn shown(&self, window: &Window, is_inverted: bool) -> ColorImage {
        match self {
            Self::Values(picture) => ColorImage::from_gray([picture.width, picture.height], &window::grey(picture, window, is_inverted)),
            Self::Colours(width, height, rgb) => {
                let mut rgb = rgb.clone();
                still::toned(&mut rgb, window, is_inverted);
                ColorImage::from_rgb([*width, *height], rgb.as_flattened())
            }
            Self::Shapes(image) => image.clone(),
        }
    }
}

#[derive(Default)]
struct CpuSlot {
    values: Option<(ValuesKey, Drawn)>,
    grey: Option<(ValuesKey, Window, bool)>,
    texture: Option<TextureHandle>,
    asked: Option<ValuesKey>,
}

/// Pictures by the CPU, as textures of egui.
pub struct CpuMaker {
    slots: Vec<CpuSlot>,
    through: ThroughThread,
    /// Measured cost of a slice's pixel.
    per_pixel: Duration,
}

impl CpuMaker {
    /// Starts the thread of projections and shapes, which reports by events.
    #[must_use]
    pub fn new(events: Events) -> Self {
        Self { slots: Vec::new(), through: ThroughThread::start(events), per_pixel: Duration::ZERO }
    }

    fn make(&mut self, ctx: &egui::Context, slot: usize, loaded: &Loaded, want: &Want) -> Option<Made> {
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, CpuSlot::default);
        }
        let full = ValuesKey::of(loaded, want);
        let is_whole = if want.is_mip || want.solid.is_some() {
            self.ask_for_through(slot, loaded, want, &full)
        } else {
            self.slice(slot, loaded, want, &full)
        };
        let state = self.slots.get_mut(slot)?;
        let (shown, picture) = state.values.as_ref()?;
        // A picture of another volume must never stand under this one's name, nor shapes under a projection's.
        if shown.volume != loaded.id || shown.solid.is_some() != want.solid.is_some() {
            return None;
        }
        let grey_key = (shown.clone(), want.window.clone(), want.is_inverted);
        if state.grey.as_ref() != Some(&grey_key) {
            let image = picture.shown(&want.window, want.is_inverted);
            let options = if is_whole { TextureOptions::NEAREST } else { TextureOptions::LINEAR };
            match &mut state.texture {
                Some(texture) => texture.set(image, options),
                None => state.texture = Some(ctx.load_texture(format!("pane-{slot}"), image, options)),
            }
            state.grey = Some(grey_key);
        }
        let plane = shown.plane;
        state.texture.as_ref().map(|t| Made { texture: t.id(), plane, is_final: is_whole })
    }

    /// Makes a slice or slab at once, coarser while moving on a slow machine. True when it is as sharp as can be.
    fn slice(&mut self, slot: usize, loaded: &Loaded, want: &Want, full: &ValuesKey) -> bool {
        let pixels = want.plane.width * want.plane.height;
        let expected = self.per_pixel * u32::try_from(pixels).unwrap_or(u32::MAX);
        let coarse = want.is_moving && expected > SLICE_BUDGET;
        let wanted = if coarse { full.coarse() } else { full.clone() };
        let Some(state) = self.slots.get_mut(slot) else { return false };
        if state.values.as_ref().is_some_and(|(key, _)| *key == wanted || key == full) {
            return state.values.as_ref().is_some_and(|(key, _)| key == full);
        }
        let start = Instant::now();
        let picture = draw(loaded, &wanted);
        let made = u32::try_from((wanted.plane.width * wanted.plane.height).max(1)).unwrap_or(u32::MAX);
        let cost = start.elapsed() / made;
        self.per_pixel = if self.per_pixel.is_zero() { cost } else { (self.per_pixel * 3 + cost) / 4 };
        state.values = Some((wanted, picture));
        !coarse
    }

    /// Asks the thread for a projection or shapes unless it is there or on its way.
    fn ask_for_through(&mut self, slot: usize, loaded: &Loaded, want: &Want, full: &ValuesKey) -> bool {
        let Some(state) = self.slots.get_mut(slot) else { return false };
        if state.values.as_ref().is_some_and(|(key, _)| key == full) {
            return true;
        }
        let Some(index) = &loaded.mip else { return false };
        // A coarse one first: it takes a quarter of the time.
        let is_alike = |key: &ValuesKey| key.volume == full.volume && key.solid.is_some() == full.solid.is_some();
        let has_any = state.values.as_ref().is_some_and(|(key, _)| is_alike(key));
        let wanted = if want.is_moving || !has_any { full.coarse() } else { full.clone() };
        let is_here = state.values.as_ref().is_some_and(|(key, _)| *key == wanted);
        if !is_here && state.asked.as_ref() != Some(&wanted) {
            state.asked = Some(wanted.clone());
            self.through.ask(ThroughAsk { slot, key: wanted, volume: Arc::clone(&loaded.volume), index: Arc::clone(index) });
        }
        false
    }

    fn take_through(&mut self, done: ThroughDone) {
        if let Some(state) = self.slots.get_mut(done.slot) {
            if state.asked.as_ref() == Some(&done.key) {
                state.asked = None;
            }
            state.values = Some((done.key, done.drawn));
        }
    }
}

/// Half as many pixels along each side, for the same part of the patient.
#[must_use]
pub fn coarser(plane: &Plane) -> Plane {
    Plane {
        width: plane.width.div_ceil(2).max(1),
        height: plane.height.div_ceil(2).max(1),
        mm_per_pixel: plane.mm_per_pixel * 2.0,
        ..*plane
    }
}

fn draw(loaded: &Loaded, key: &ValuesKey) -> Drawn {
    match &loaded.colour {
        Some(colour) => Drawn::Colours(key.plane.width, key.plane.height, still::colours(colour, &key.plane)),
        None => Drawn::Values(match key.slab {
            Some(slab) => reslice::slab(&loaded.volume, &key.plane, slab.mm, slab.how),
            None => reslice::slice(&loaded.volume, &key.plane, Interpolation::Linear),
        }),
    }
}

struct ThroughAsk {
    slot: usize,
    key: ValuesKey,
    volume: Arc<Volume>,
    index: Arc<MipIndex>,
}

/// A projection or shapes that their thread has finished.
pub struct ThroughDone {
    slot: usize,
    key: ValuesKey,
    drawn: Drawn,
}

/// Makes shapes visible, and keeps what does not change from picture to picture.
struct Renderer {
    /// Of which volume and values, and where they are seen.
    seen: Option<(u64, TransferFunction, Seen)>,
    /// Rays of pictures that are to be fast: one for so many pixels along both sides.
    pixels_per_ray: usize,
}

/// Time of a fast picture, below and above which the next is made sharper or coarser.
const FAST: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(60));

impl Renderer {
    fn new() -> Self {
        Self { seen: None, pixels_per_ray: Quality::MOVING.pixels_per_ray }
    }

    /// `None` for a sharp picture that another request has overtaken.
    fn draw(&mut self, ask: &ThroughAsk, shapes: &Shapes, is_overtaken: &(dyn Fn() -> bool + Sync)) -> Option<Drawn> {
        let plane = &ask.key.plane;
        if self.seen.as_ref().is_none_or(|(volume, function, _)| *volume != ask.key.volume || *function != shapes.function) {
            let seen = Seen::new(&ask.volume, ask.index.blocks(), &shapes.function);
            self.seen = seen.map_err(|e| tracing::error!("{e}")).ok().map(|seen| (ask.key.volume, shapes.function.clone(), seen));
        }
        let size = [plane.width, plane.height];
        let (_, _, seen) = self.seen.as_ref()?;
        let moving = Quality { pixels_per_ray: self.pixels_per_ray, ..Quality::MOVING };
        let quality = if ask.key.is_coarse { moving } else { Quality::FINAL };
        let start = Instant::now();
        let is_unwanted: &(dyn Fn() -> bool + Sync) = if ask.key.is_coarse { &|| false } else { is_overtaken };
        let picture = raycast::render_unless(&ask.volume, seen, &Camera::parallel(*plane), shapes.clip, quality, is_unwanted)?;
        if ask.key.is_coarse {
            let took = start.elapsed();
            let change = isize::from(took > FAST.1) - isize::from(took < FAST.0);
            self.pixels_per_ray = self.pixels_per_ray.saturating_add_signed(change).clamp(2, 5);
        }
        Some(Drawn::Shapes(ColorImage::from_rgb(size, picture.over_black().as_flattened())))
    }
}

/// Makes looks through volumes, projections and shapes, one after another; only the newest request of a viewport waits.
struct ThroughThread(Arc<(Mutex<Waiting>, Condvar)>);

#[derive(Default)]
struct Waiting {
    asks: VecDeque<ThroughAsk>,
    has_ended: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ThroughThread {
    fn start(events: Events) -> Self {
        let shared = Arc::new((Mutex::new(Waiting::default()), Condvar::new()));
        let theirs = Arc::clone(&shared);
        let work = move || {
            let mut renderer = Renderer::new();
            loop {
                let ask = {
                    let mut waiting = lock(&theirs.0);
                    loop {
                        if waiting.has_ended {
                            return;
                        }
                        if let Some(ask) = waiting.asks.pop_front() {
                            break ask;
                        }
                        waiting = theirs.1.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                    }
                };
                let drawn = match &ask.key.solid {
                    Some(shapes) => renderer.draw(&ask, shapes, &|| lock(&theirs.0).asks.iter().any(|next| next.slot == ask.slot)),
                    None => Some(Drawn::Values(ask.index.project(&ask.volume, &ask.key.plane))),
                };
                if let Some(drawn) = drawn {
                    events.send(Event::Through(Box::new(ThroughDone { slot: ask.slot, key: ask.key, drawn })));
                }
            }
        };
        if std::thread::Builder::new().name("projections".into()).spawn(work).is_err() {
            tracing::error!("no thread for projections");
        }
        Self(shared)
    }

    fn ask(&self, ask: ThroughAsk) {
        let mut waiting = lock(&self.0.0);
        waiting.asks.retain(|older| older.slot != ask.slot);
        waiting.asks.push_back(ask);
        drop(waiting);
        self.0.1.notify_one();
    }
}

impl Drop for ThroughThread {
    fn drop(&mut self) {
        lock(&self.0.0).has_ended = true;
        self.0.1.notify_one();
    }
}

/// What the card draws from.
#[derive(Clone, Copy)]
enum Source<'a> {
    Values(&'a VolumeTexture),
    Colours(&'a ColourTexture),
}

impl<'a> Source<'a> {
    fn of(loaded: &'a Loaded) -> Option<Self> {
        let colours = loaded.colour_texture.as_deref().map(Self::Colours);
        colours.or_else(|| loaded.texture.as_deref().filter(|_| loaded.colour.is_none()).map(Self::Values))
    }
}

struct GpuSlot {
    target: Target,
    texture: TextureId,
    values: Option<ValuesKey>,
    grey: Option<(Window, bool)>,
}

/// Pictures by the graphics card, as textures of the window.
pub struct GpuMaker {
    painter: Painter,
    window: egui_wgpu::RenderState,
    slots: Vec<Option<GpuSlot>>,
    /// What is seen as shapes, of which volume and values: for sharp and for moving pictures.
    look: [Option<(u64, TransferFunction, SolidLook)>; 2],
    /// For what the card cannot hold.
    fallback: CpuMaker,
}

impl GpuMaker {
    /// Uses the window's own device.
    #[must_use]
    pub fn new(window: egui_wgpu::RenderState, events: Events) -> Self {
        let gpu = mj_render::Gpu::of(&window.adapter, window.device.clone(), window.queue.clone());
        Self { painter: Painter::new(gpu), window, slots: Vec::new(), look: [None, None], fallback: CpuMaker::new(events) }
    }

    fn make(&mut self, slot: usize, loaded: &Loaded, source: Source<'_>, want: &Want) -> Option<Made> {
        // A projection walks through everything: coarse while moving, sharp afterwards.
        let is_coarse = (want.is_mip || want.solid.is_some()) && want.is_moving;
        let plane = if is_coarse { coarser(&want.plane) } else { want.plane };
        let key = ValuesKey { plane, is_coarse, ..ValuesKey::of(loaded, want) };
        let state = self.slot(slot, plane.width, plane.height)?;
        let has_values = state.values.as_ref() == Some(&key);
        let has_grey = has_values && state.grey.as_ref() == Some(&(want.window.clone(), want.is_inverted));
        if let (Some(shapes), Source::Values(texture)) = (&want.solid, source) {
            if !has_values {
                self.draw_shapes(slot, loaded, texture, &key, shapes)?;
            }
            let state = self.slots.get_mut(slot)?.as_mut()?;
            (state.values, state.grey) = (Some(key), None);
            return Some(Made { texture: state.texture, plane, is_final: !is_coarse });
        }
        let state = self.slots.get_mut(slot)?.as_mut()?;
        let view = view(&loaded.volume, &key);
        let drawn = match source {
            Source::Values(texture) if !has_values => self.painter.draw_values(&state.target, texture, &view),
            Source::Colours(texture) if !has_grey => {
                self.painter.draw_colour(&state.target, texture, &view, &want.window, want.is_inverted)
            }
            _ => Ok(()),
        };
        if let Err(e) = drawn {
            tracing::error!("a picture could not be drawn: {e}");
            return None;
        }
        state.values = Some(key);
        if !has_grey {
            if let Source::Values(_) = source {
                self.painter.draw_grey(&state.target, &want.window, want.is_inverted);
            }
            state.grey = Some((want.window.clone(), want.is_inverted));
        }
        Some(Made { texture: state.texture, plane, is_final: !is_coarse })
    }

    /// Draws shapes, keeping what does not change from picture to picture.
    fn draw_shapes(&mut self, slot: usize, loaded: &Loaded, texture: &VolumeTexture, key: &ValuesKey, shapes: &Shapes) -> Option<()> {
        let step_mm = if key.is_coarse { Quality::MOVING.step_mm } else { Quality::FINAL.step_mm };
        let is_same = |(volume, function, _): &(u64, TransferFunction, SolidLook)| *volume == loaded.id && *function == shapes.function;
        let place = self.look.get_mut(usize::from(key.is_coarse))?;
        if !place.as_ref().is_some_and(is_same) {
            let blocks = loaded.mip.as_deref()?.blocks();
            let look = solid_look(self.painter.gpu(), &loaded.volume, blocks, &shapes.function, step_mm);
            *place = look.map_err(|e| tracing::error!("{e}")).ok().map(|look| (loaded.id, shapes.function.clone(), look));
        }
        let (_, _, look) = place.as_ref()?;
        let target = &self.slots.get(slot)?.as_ref()?.target;
        let view = View { step_mm, samples: 1, ..view(&loaded.volume, key) };
        self.painter.draw_solid(target, texture, look, &view, shapes.clip).map_err(|e| tracing::error!("{e}")).ok()
    }

    /// The slot with a target of a size, made anew when the size has changed.
    fn slot(&mut self, slot: usize, width: usize, height: usize) -> Option<&GpuSlot> {
        if self.slots.len() <= slot {
            self.slots.resize_with(slot + 1, || None);
        }
        let place = self.slots.get_mut(slot)?;
        if place.as_ref().is_none_or(|s| s.target.width != width || s.target.height != height) {
            let target = self.painter.target(width, height).map_err(|e| tracing::error!("no picture: {e}")).ok()?;
            let mut renderer = self.window.renderer.write();
            let texture = match place {
                Some(old) => {
                    let id = old.texture;
                    renderer.update_egui_texture_from_wgpu_texture(&self.window.device, &target.grey_view(), wgpu::FilterMode::Linear, id);
                    id
                }
                None => renderer.register_native_texture(&self.window.device, &target.grey_view(), wgpu::FilterMode::Linear),
            };
            *place = Some(GpuSlot { target, texture, values: None, grey: None });
        }
        place.as_ref()
    }
}

/// What is seen of a volume, for the graphics card.
///
/// # Errors
/// [`mj_imaging::Error::BadTransferFunction`]; [`mj_render::Error::NotFilled`] when the blocks are another volume's.
pub fn solid_look(gpu: &mj_render::Gpu, volume: &Volume, blocks: &Blocks, function: &TransferFunction, step_mm: f64) -> Result<SolidLook> {
    let seen = Seen::new(volume, blocks, function)?;
    let table = Table::new(function, volume.map, step_mm);
    let (block, counts, distances) = seen.distances();
    let Light { ambient, diffuse, specular, shininess, .. } = table.light;
    let input = SolidInput {
        bins: &table.bins,
        bin_of_stored: [table.scale, table.offset],
        light: [ambient, diffuse, specular, shininess].map(|v| v as f32),
        noise_per_mm: table.noise_per_mm,
        block,
        counts,
        distances,
    };
    Ok(SolidLook::upload(gpu, &input)?)
}

/// The same picture in the renderer's words; a slab and a projection sample where the CPU does.
fn view(volume: &Volume, key: &ValuesKey) -> View {
    let plane = &key.plane;
    let step = oracle::step_mm(volume);
    let (mut origin, mut samples) = (plane.lps_from_pixel([0.0, 0.0]), 1);
    let mut projection = mj_render::Projection::Max;
    if key.is_mip {
        let (first, n) = oracle::whole_depth(volume, plane);
        origin = origin + plane.normal() * (first + (n as f64 - 1.0) / 2.0 * step);
        samples = n;
    } else if let Some(slab) = key.slab {
        samples = (slab.mm / step).round().max(1.0) as usize;
        projection = match slab.how {
            Projection::Max => mj_render::Projection::Max,
            Projection::Min => mj_render::Projection::Min,
            Projection::Mean => mj_render::Projection::Mean,
        };
    }
    View {
        origin,
        right: plane.right,
        down: plane.down,
        mm_per_pixel: plane.mm_per_pixel,
        width: plane.width,
        height: plane.height,
        samples,
        step_mm: step,
        projection,
        is_nearest: false,
    }
}

/// A view for the renderer of a slice, a slab or a whole projection.
#[must_use]
pub fn gpu_view(volume: &Volume, plane: &Plane, slab: Option<Slab>, is_mip: bool) -> View {
    view(volume, &ValuesKey { volume: 0, plane: *plane, is_mip, slab, solid: None, is_coarse: false })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::solid::Solid;
    use mj_model::{Samples, Unit};
    use std::sync::mpsc::Receiver;

    fn next(receiver: &Receiver<Event>) -> ThroughDone {
        loop {
            if let Event::Through(done) = receiver.recv_timeout(Duration::from_secs(60)).unwrap() {
                return *done;
            }
        }
    }

    /// While the right picture is on its way, no other kind of it and none of another volume stands under its name.
    #[test]
    fn no_picture_stands_under_the_name_of_another() {
        let ctx = egui::Context::default();
        let (events, receiver) = Events::new(ctx.clone());
        let mut maker = CpuMaker::new(events);
        let of = |value: i16| {
            let mut volume = crate::reading::presets::tests::small_values(Samples::I16(vec![value; 1000]), 1.0);
            volume.grid.dims = [10, 10, 10];
            (volume.modality, volume.unit) = ("CT".into(), Unit::hu());
            Loaded::new(volume, None)
        };
        let (first, second) = (of(700), of(300));
        let plane = Plane::coronal(&first.volume.grid, first.volume.grid.centre(), 16, 16);
        let function = Solid::default().function(&first.volume).unwrap();
        let shapes = Want {
            plane,
            is_mip: false,
            solid: Some(Shapes { function, clip: None }),
            slab: None,
            window: Window::linear(0.0, 1000.0, ""),
            is_inverted: false,
            is_moving: false,
        };
        let mip = Want { is_mip: true, solid: None, ..shapes.clone() };
        for (loaded, want) in [(&first, &mip), (&first, &shapes), (&first, &mip), (&second, &mip), (&second, &shapes)] {
            assert!(maker.make(&ctx, 0, loaded, want).is_none(), "a picture before it was made");
            maker.take_through(next(&receiver));
            assert!(!maker.make(&ctx, 0, loaded, want).unwrap().is_final, "the first is a coarse one");
            maker.take_through(next(&receiver));
            assert!(maker.make(&ctx, 0, loaded, want).unwrap().is_final);
        }
    }

    fn window() -> Option<egui_wgpu::RenderState> {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle_from_env());
        let mut config = egui_wgpu::WgpuConfiguration::default();
        if let egui_wgpu::WgpuSetup::CreateNew(setup) = &mut config.wgpu_setup {
            setup.device_descriptor = Arc::new(mj_render::gpu::device_descriptor);
        }
        let made = pollster::block_on(egui_wgpu::RenderState::create(&config, &instance, None, Default::default()));
        made.map_err(|e| mj_testdata::skip(&format!("no graphics device: {e}"))).ok()
    }

    /// What is longer than the card's limit is drawn by the card, in bricks; what has no room there either by the CPU.
    #[test]
    fn the_card_draws_what_it_can_hold_and_the_cpu_the_rest() {
        let Some(window) = window() else { return };
        let limit = window.device.limits().max_texture_dimension_3d as usize;
        let ctx = egui::Context::default();
        for (dims, is_on_card) in [([limit + 1, 8, 1], true), ([limit * limit / 3 + limit, 1, 1], false)] {
            let (events, _receiver) = Events::new(ctx.clone());
            let mut maker = Maker::Gpu(Box::new(GpuMaker::new(window.clone(), events)));
            let mut volume = crate::reading::presets::tests::small_values(Samples::U8(vec![7; dims.iter().product()]), 1.0);
            volume.grid.dims = dims;
            let plane = Plane::axial(&volume.grid, volume.grid.centre(), 16, 16);
            let loaded = Loaded::new(volume, maker.gpu().as_ref());
            assert_eq!(loaded.texture.is_some(), is_on_card, "{dims:?}");
            let window = Window::linear(0.0, 10.0, "");
            let want = Want { plane, is_mip: false, solid: None, slab: None, window, is_inverted: false, is_moving: false };
            assert!(maker.make(&ctx, 0, &loaded, &want).unwrap().is_final, "{dims:?}");
            let Maker::Gpu(maker) = &maker else { panic!("no card") };
            assert_eq!(maker.fallback.slots.is_empty(), is_on_card, "{dims:?}");
        }
    }
}
