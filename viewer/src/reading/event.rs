//! Everything that reaches the room from other threads: one closed list.

use crate::reading::beside::link::Registered;
use crate::reading::loader::{Loaded, Opened};
use crate::reading::maker::ThroughDone;
use crate::reading::segments::{Shadows, Voxels};
use mj_link::ToViewer;
use mj_model::{InstanceUid, SeriesUid, Told};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// An event.
pub enum Event {
    /// The parent said something.
    Parent(Box<ToViewer>),
    /// The parent is gone.
    ParentEnded,
    /// Folders were searched: the studies found, each with its series.
    Found(std::result::Result<Vec<crate::reading::loader::FoundSeries>, Told>),
    /// A series' headers are read.
    Opened(u64, std::result::Result<Opened, Told>),
    /// One slice is ready before the rest.
    Slice(u64, usize, std::result::Result<Loaded, Told>),
    /// Slices loaded so far, of all.
    Progress(u64, u64, u64),
    /// A volume is ready.
    Loaded(u64, std::result::Result<Loaded, Told>),
    /// A research file is ready.
    Research(u64, std::result::Result<Box<crate::reading::loader::ResearchShown>, Told>),
    /// What a series not yet opened looks like.
    Thumb(SeriesUid, Box<Thumb>),
    /// A segmentation was read.
    Segments(InstanceUid, std::result::Result<Vec<Voxels>, Told>),
    /// Shadows of segments are ready.
    Shadows(Box<Shadows>),
    /// How far the registration of two volumes is, named by their ids, current one first: steps done, of all.
    Registering((u64, u64), u64, u64),
    /// The registration of the prior has ended.
    Registered(Box<Registered>),
    /// A look through the volume is ready: a projection or shapes.
    Through(Box<ThroughDone>),
}

/// What the strip shows of a series.
#[derive(Debug, Clone)]
pub struct Thumb {
    /// The header of one of its images.
    pub header: Option<mj_dicom::Header>,
    /// Number of images.
    pub n_images: usize,
    /// What is odd about it.
    pub warnings: Vec<mj_model::Warning>,
    /// Columns, rows and colours of a small picture.
    pub picture: Option<(usize, usize, Vec<[u8; 3]>)>,
    /// Why there is none.
    pub error: Option<Told>,
}

/// The sending end; wakes the window.
#[derive(Clone)]
pub struct Events {
    sender: SyncSender<Event>,
    ctx: egui::Context,
}

impl Events {
    /// A bounded queue whose sender wakes a context.
    #[must_use]
    pub fn new(ctx: egui::Context) -> (Self, Receiver<Event>) {
        let (sender, receiver) = sync_channel(256);
        (Self { sender, ctx }, receiver)
    }

    /// Sends an event; false when the room is gone.
    pub fn send(&self, event: Event) -> bool {
        let is_sent = self.sender.send(event).is_ok();
        self.ctx.request_repaint();
        is_sent
    }

    /// Sends an event that may be lost while the queue is full.
    pub fn offer(&self, event: Event) {
        if self.sender.try_send(event).is_ok() {
            self.ctx.request_repaint();
        }
    }
}
