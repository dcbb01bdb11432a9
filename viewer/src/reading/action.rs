//! Everything a person can do in the room: one list for toolbar, menu, keys and help.

use crate::ui::icons::Icon;
use egui::{Key, Modifiers};
use mj_lang::{Text, key};

/// What the left mouse button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tool {
    /// Moves the crosshair; chooses and edits measurements.
    #[default]
    Point,
    /// Goes through the slices.
    Scroll,
    /// Changes the window.
    Window,
    /// Magnifies.
    Zoom,
    /// Moves the picture.
    Pan,
    /// Measures a length.
    Length,
    /// Measures the longest diameter and the one across it.
    Bidirectional,
    /// Measures an angle.
    Angle,
    /// Measures the angle between two lines.
    Cobb,
    /// Measures inside an ellipse.
    Ellipse,
    /// Measures inside a rectangle.
    Rectangle,
    /// Measures inside an outline drawn by hand.
    Freehand,
    /// Measures inside a smooth curve through places.
    Spline,
    /// Measures inside a ball.
    Sphere,
    /// Reads the value at a place.
    Probe,
    /// Points at a place with an arrow.
    Arrow,
    /// Writes a text at a place.
    Text,
}

impl Tool {
    /// Those that make findings and annotations, in the order of their menu.
    pub const MEASURING: [Self; 12] = [
        Self::Length,
        Self::Bidirectional,
        Self::Angle,
        Self::Cobb,
        Self::Ellipse,
        Self::Rectangle,
        Self::Freehand,
        Self::Spline,
        Self::Sphere,
        Self::Probe,
        Self::Arrow,
        Self::Text,
    ];

    /// True for one that makes findings or annotations.
    #[must_use]
    pub fn is_measuring(self) -> bool {
        Self::MEASURING.contains(&self)
    }
}

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Takes a tool.
    Take(Tool),
    /// Sets a window preset, from 0.
    Preset(u8),
    /// The file's own window.
    FileWindow,
    /// Turns black and white.
    Invert,
    /// One slice back.
    SlicePrevious,
    /// One slice on.
    SliceNext,
    /// Ten slices back.
    PagePrevious,
    /// Ten slices on.
    PageNext,
    /// To the first slice.
    SliceFirst,
    /// To the last slice.
    SliceLast,
    /// The series before.
    SeriesPrevious,
    /// The series after.
    SeriesNext,
    /// The next block of a series whose images do not belong in one.
    BlockNext,
    /// Enlarges the viewport, or shows all again.
    Enlarge,
    /// Fits pictures into their viewports.
    Reset,
    /// Thick slabs on or off.
    Slab,
    /// How a slab's values become one: maximum, minimum, mean.
    SlabKind,
    /// Thinner slabs.
    SlabThinner,
    /// Thicker slabs.
    SlabThicker,
    /// Shapes in place of the brightest values, and back.
    Solid,
    /// What lies before the crosshair is cut away from the shapes, and comes back.
    Cut,
    /// The images as they were stored in place of the planes through their volume, and back.
    Stored,
    /// Text on pictures on or off.
    Overlay,
    /// Crosshair on or off.
    Crosshair,
    /// Graphics of the images' overlay planes on or off.
    Graphics,
    /// Plays frames or pauses.
    Play,
    /// Plays slower.
    Slower,
    /// Plays faster.
    Faster,
    /// Takes a key image.
    KeyImage,
    /// Goes to the next finding, what waits for a person first.
    FindingNext,
    /// Goes to the finding before.
    FindingPrevious,
    /// Accepts the chosen finding.
    Accept,
    /// Rejects the chosen finding; asks why.
    Reject,
    /// Deletes the chosen measurement.
    Delete,
    /// Takes the last change back.
    Undo,
    /// Makes it again.
    Redo,
    /// Gives up what was begun and takes the pointer.
    Cancel,
    /// Series at the left on or off.
    Series,
    /// Findings at the right on or off.
    Findings,
    /// The prior beside the current study, or alone again.
    Beside,
    /// Findings on pictures on or off.
    Shapes,
    /// Takes the chosen finding off the pictures, or puts it back.
    Hide,
    /// Shows what keys do.
    Help,
}

/// What decides whether an action can be done now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Situation {
    /// A picture is shown.
    pub has_picture: bool,
    /// The series is a volume.
    pub is_volume: bool,
    /// All of the volume is in memory.
    pub is_whole: bool,
    /// The images are in colour.
    pub is_colour: bool,
    /// Slabs are shown.
    pub has_slab: bool,
    /// Shapes of the volume are shown.
    pub is_solid: bool,
    /// The images of a volume are shown as they were stored.
    pub is_as_stored: bool,
    /// Images or frames to play.
    pub has_frames: bool,
    /// The series has several blocks of images.
    pub has_blocks: bool,
    /// A measurement is chosen.
    pub has_selection: bool,
    /// There are findings.
    pub has_findings: bool,
    /// A change can be taken back.
    pub can_undo: bool,
    /// A change can be made again.
    pub can_redo: bool,
    /// More than one series.
    pub has_other_series: bool,
    /// There is an earlier study with images of this modality.
    pub has_prior: bool,
    /// It is shown beside.
    pub is_compared: bool,
    /// There is a window in which texts are typed.
    pub can_ask: bool,
    /// Number of presets of the modality.
    pub n_presets: u8,
}

impl Action {
    /// All, in the order of the help.
    pub const ALL: &'static [Self] = &[
        Self::Take(Tool::Point),
        Self::Take(Tool::Scroll),
        Self::Take(Tool::Window),
        Self::Take(Tool::Zoom),
        Self::Take(Tool::Pan),
        Self::Take(Tool::Length),
        Self::Take(Tool::Bidirectional),
        Self::Take(Tool::Angle),
        Self::Take(Tool::Cobb),
        Self::Take(Tool::Ellipse),
        Self::Take(Tool::Rectangle),
        Self::Take(Tool::Freehand),
        Self::Take(Tool::Spline),
        Self::Take(Tool::Sphere),
        Self::Take(Tool::Probe),
        Self::Take(Tool::Arrow),
        Self::Take(Tool::Text),
        Self::Cancel,
        Self::FindingNext,
        Self::FindingPrevious,
        Self::Accept,
        Self::Reject,
        Self::Delete,
        Self::Undo,
        Self::Redo,
        Self::KeyImage,
        Self::SlicePrevious,
        Self::SliceNext,
        Self::PagePrevious,
        Self::PageNext,
        Self::SliceFirst,
        Self::SliceLast,
        Self::Play,
        Self::Slower,
        Self::Faster,
        Self::SeriesPrevious,
        Self::SeriesNext,
        Self::BlockNext,
        Self::FileWindow,
        Self::Preset(0),
        Self::Preset(1),
        Self::Preset(2),
        Self::Preset(3),
        Self::Preset(4),
        Self::Preset(5),
        Self::Invert,
        Self::Enlarge,
        Self::Reset,
        Self::Slab,
        Self::SlabKind,
        Self::SlabThinner,
        Self::SlabThicker,
        Self::Solid,
        Self::Cut,
        Self::Stored,
        Self::Overlay,
        Self::Graphics,
        Self::Crosshair,
        Self::Beside,
        Self::Series,
        Self::Findings,
        Self::Shapes,
        Self::Hide,
        Self::Help,
    ];

    /// Stable English name, for tests and layout lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Take(Tool::Point) => "point",
            Self::Take(Tool::Scroll) => "scroll",
            Self::Take(Tool::Window) => "window",
            Self::Take(Tool::Zoom) => "zoom",
            Self::Take(Tool::Pan) => "pan",
            Self::Take(Tool::Length) => "length",
            Self::Take(Tool::Bidirectional) => "bidirectional",
            Self::Take(Tool::Angle) => "angle",
            Self::Take(Tool::Cobb) => "cobb",
            Self::Take(Tool::Ellipse) => "ellipse",
            Self::Take(Tool::Rectangle) => "rectangle",
            Self::Take(Tool::Freehand) => "freehand",
            Self::Take(Tool::Spline) => "spline",
            Self::Take(Tool::Sphere) => "sphere",
            Self::Take(Tool::Probe) => "probe",
            Self::Take(Tool::Arrow) => "arrow",
            Self::Take(Tool::Text) => "text",
            Self::Preset(_) => "preset",
            Self::FileWindow => "file_window",
            Self::Invert => "invert",
            Self::SlicePrevious => "slice_previous",
            Self::SliceNext => "slice_next",
            Self::PagePrevious => "page_previous",
            Self::PageNext => "page_next",
            Self::SliceFirst => "slice_first",
            Self::SliceLast => "slice_last",
            Self::SeriesPrevious => "series_previous",
            Self::SeriesNext => "series_next",
            Self::BlockNext => "block_next",
            Self::Enlarge => "enlarge",
            Self::Reset => "reset",
            Self::Slab => "slab",
            Self::SlabKind => "slab_kind",
            Self::SlabThinner => "slab_thinner",
            Self::SlabThicker => "slab_thicker",
            Self::Solid => "solid",
            Self::Cut => "cut",
            Self::Stored => "stored",
            Self::Overlay => "overlay",
            Self::Crosshair => "crosshair",
            Self::Graphics => "graphics",
            Self::Play => "play",
            Self::Slower => "slower",
            Self::Faster => "faster",
            Self::KeyImage => "key_image",
            Self::FindingNext => "finding_next",
            Self::FindingPrevious => "finding_previous",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Delete => "delete",
            Self::Undo => "undo",
            Self::Redo => "redo",
            Self::Cancel => "cancel",
            Self::Series => "series",
            Self::Findings => "findings",
            Self::Beside => "beside",
            Self::Shapes => "shapes",
            Self::Hide => "hide",
            Self::Help => "help",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn text(self) -> Text {
        match self {
            Self::Take(Tool::Point) => key::READING_ACTION_POINT,
            Self::Take(Tool::Scroll) => key::READING_ACTION_SCROLL,
            Self::Take(Tool::Window) => key::READING_ACTION_WINDOW,
            Self::Take(Tool::Zoom) => key::READING_ACTION_ZOOM,
            Self::Take(Tool::Pan) => key::READING_ACTION_PAN,
            Self::Take(Tool::Length) => key::READING_ACTION_LENGTH,
            Self::Take(Tool::Bidirectional) => key::READING_ACTION_BIDIRECTIONAL,
            Self::Take(Tool::Angle) => key::READING_ACTION_ANGLE,
            Self::Take(Tool::Cobb) => key::READING_ACTION_COBB,
            Self::Take(Tool::Ellipse) => key::READING_ACTION_ELLIPSE,
            Self::Take(Tool::Rectangle) => key::READING_ACTION_RECTANGLE,
            Self::Take(Tool::Freehand) => key::READING_ACTION_FREEHAND,
            Self::Take(Tool::Spline) => key::READING_ACTION_SPLINE,
            Self::Take(Tool::Sphere) => key::READING_ACTION_SPHERE,
            Self::Take(Tool::Probe) => key::READING_ACTION_PROBE,
            Self::Take(Tool::Arrow) => key::READING_ACTION_ARROW,
            Self::Take(Tool::Text) => key::READING_ACTION_TEXT,
            Self::Preset(_) => key::READING_ACTION_PRESET,
            Self::FileWindow => key::READING_ACTION_FILE_WINDOW,
            Self::Invert => key::READING_ACTION_INVERT,
            Self::SlicePrevious => key::READING_ACTION_SLICE_PREVIOUS,
            Self::SliceNext => key::READING_ACTION_SLICE_NEXT,
            Self::PagePrevious => key::READING_ACTION_PAGE_PREVIOUS,
            Self::PageNext => key::READING_ACTION_PAGE_NEXT,
            Self::SliceFirst => key::READING_ACTION_SLICE_FIRST,
            Self::SliceLast => key::READING_ACTION_SLICE_LAST,
            Self::SeriesPrevious => key::READING_ACTION_SERIES_PREVIOUS,
            Self::SeriesNext => key::READING_ACTION_SERIES_NEXT,
            Self::BlockNext => key::READING_ACTION_BLOCK_NEXT,
            Self::Enlarge => key::READING_ACTION_ENLARGE,
            Self::Reset => key::READING_ACTION_RESET,
            Self::Slab => key::READING_ACTION_SLAB,
            Self::SlabKind => key::READING_ACTION_SLAB_KIND,
            Self::SlabThinner => key::READING_ACTION_SLAB_THINNER,
            Self::SlabThicker => key::READING_ACTION_SLAB_THICKER,
            Self::Solid => key::READING_ACTION_SOLID,
            Self::Cut => key::READING_ACTION_CUT,
            Self::Stored => key::READING_ACTION_STORED,
            Self::Overlay => key::READING_ACTION_OVERLAY,
            Self::Crosshair => key::READING_ACTION_CROSSHAIR,
            Self::Graphics => key::READING_ACTION_GRAPHICS,
            Self::Play => key::READING_ACTION_PLAY,
            Self::Slower => key::READING_ACTION_SLOWER,
            Self::Faster => key::READING_ACTION_FASTER,
            Self::KeyImage => key::READING_ACTION_KEY_IMAGE,
            Self::FindingNext => key::READING_ACTION_FINDING_NEXT,
            Self::FindingPrevious => key::READING_ACTION_FINDING_PREVIOUS,
            Self::Accept => key::READING_ACTION_ACCEPT,
            Self::Reject => key::READING_ACTION_REJECT,
            Self::Delete => key::READING_ACTION_DELETE,
            Self::Undo => key::READING_ACTION_UNDO,
            Self::Redo => key::READING_ACTION_REDO,
            Self::Cancel => key::READING_ACTION_CANCEL,
            Self::Series => key::READING_ACTION_SERIES,
            Self::Findings => key::READING_ACTION_FINDINGS,
            Self::Beside => key::READING_ACTION_BESIDE,
            Self::Shapes => key::READING_ACTION_SHAPES,
            Self::Hide => key::READING_ACTION_HIDE,
            Self::Help => key::READING_ACTION_HELP,
        }
    }

    /// The key, with its modifiers, and how it is written.
    #[must_use]
    pub const fn shortcut(self) -> (Modifiers, Key, &'static str) {
        const NONE: Modifiers = Modifiers::NONE;
        const SHIFT: Modifiers = Modifiers::SHIFT;
        match self {
            Self::Take(Tool::Point) => (NONE, Key::V, "V"),
            Self::Take(Tool::Scroll) => (NONE, Key::S, "S"),
            Self::Take(Tool::Window) => (NONE, Key::W, "W"),
            Self::Take(Tool::Zoom) => (NONE, Key::Z, "Z"),
            Self::Take(Tool::Pan) => (NONE, Key::P, "P"),
            Self::Take(Tool::Length) => (NONE, Key::L, "L"),
            Self::Take(Tool::Bidirectional) => (SHIFT, Key::L, "Shift+L"),
            Self::Take(Tool::Angle) => (NONE, Key::A, "A"),
            Self::Take(Tool::Cobb) => (SHIFT, Key::A, "Shift+A"),
            Self::Take(Tool::Ellipse) => (NONE, Key::E, "E"),
            Self::Take(Tool::Rectangle) => (SHIFT, Key::E, "Shift+E"),
            Self::Take(Tool::Freehand) => (NONE, Key::F, "F"),
            Self::Take(Tool::Spline) => (SHIFT, Key::F, "Shift+F"),
            Self::Take(Tool::Sphere) => (SHIFT, Key::Q, "Shift+Q"),
            Self::Take(Tool::Probe) => (NONE, Key::Q, "Q"),
            Self::Take(Tool::Arrow) => (NONE, Key::U, "U"),
            Self::Take(Tool::Text) => (SHIFT, Key::U, "Shift+U"),
            Self::Preset(0) => (NONE, Key::Num1, "1"),
            Self::Preset(1) => (NONE, Key::Num2, "2"),
            Self::Preset(2) => (NONE, Key::Num3, "3"),
            Self::Preset(3) => (NONE, Key::Num4, "4"),
            Self::Preset(4) => (NONE, Key::Num5, "5"),
            Self::Preset(_) => (NONE, Key::Num6, "6"),
            Self::FileWindow => (NONE, Key::Num0, "0"),
            Self::Invert => (NONE, Key::I, "I"),
            Self::SlicePrevious => (NONE, Key::ArrowUp, "↑"),
            Self::SliceNext => (NONE, Key::ArrowDown, "↓"),
            Self::PagePrevious => (NONE, Key::PageUp, "PgUp"),
            Self::PageNext => (NONE, Key::PageDown, "PgDn"),
            Self::SliceFirst => (NONE, Key::Home, "Home"),
            Self::SliceLast => (NONE, Key::End, "End"),
            Self::SeriesPrevious => (NONE, Key::ArrowLeft, "←"),
            Self::SeriesNext => (NONE, Key::ArrowRight, "→"),
            Self::BlockNext => (NONE, Key::B, "B"),
            Self::Enlarge => (NONE, Key::Enter, "Enter"),
            Self::Reset => (NONE, Key::R, "R"),
            Self::Slab => (NONE, Key::T, "T"),
            Self::SlabKind => (NONE, Key::M, "M"),
            Self::SlabThinner => (NONE, Key::OpenBracket, "["),
            Self::SlabThicker => (NONE, Key::CloseBracket, "]"),
            Self::Solid => (NONE, Key::D, "D"),
            Self::Cut => (NONE, Key::C, "C"),
            Self::Stored => (NONE, Key::N, "N"),
            Self::Overlay => (NONE, Key::O, "O"),
            Self::Crosshair => (NONE, Key::X, "X"),
            Self::Graphics => (NONE, Key::G, "G"),
            Self::Play => (NONE, Key::Space, "Space"),
            Self::Slower => (NONE, Key::Comma, ","),
            Self::Faster => (NONE, Key::Period, "."),
            Self::KeyImage => (NONE, Key::K, "K"),
            Self::FindingNext => (NONE, Key::J, "J"),
            Self::FindingPrevious => (SHIFT, Key::J, "Shift+J"),
            Self::Accept => (NONE, Key::Y, "Y"),
            Self::Reject => (SHIFT, Key::Y, "Shift+Y"),
            Self::Delete => (NONE, Key::Delete, "Del"),
            Self::Undo => (Modifiers::COMMAND, Key::Z, "Ctrl+Z"),
            Self::Redo => (Modifiers::COMMAND, Key::Y, "Ctrl+Y"),
            Self::Cancel => (NONE, Key::Escape, "Esc"),
            Self::Series => (NONE, Key::F2, "F2"),
            Self::Findings => (NONE, Key::F3, "F3"),
            Self::Beside => (NONE, Key::F4, "F4"),
            Self::Shapes => (SHIFT, Key::H, "Shift+H"),
            Self::Hide => (NONE, Key::H, "H"),
            Self::Help => (NONE, Key::F1, "F1"),
        }
    }

    /// True when a key press with these modifiers means this action.
    #[must_use]
    pub fn is_meant_by(self, pressed: Key, held: Modifiers) -> bool {
        if self == Self::Redo && pressed == Key::Z && held.command && held.shift {
            return true;
        }
        if self == Self::Delete && pressed == Key::Backspace && held.is_none() {
            return true;
        }
        let (modifiers, wanted, _) = self.shortcut();
        wanted == pressed && held.command == modifiers.command && !held.alt && held.shift == modifiers.shift
    }

    /// Its icon in the toolbar.
    #[must_use]
    pub const fn icon(self) -> Option<Icon> {
        Some(match self {
            Self::Take(Tool::Point) => Icon::Point,
            Self::Take(Tool::Scroll) => Icon::Scroll,
            Self::Take(Tool::Window) => Icon::Window,
            Self::Take(Tool::Zoom) => Icon::Zoom,
            Self::Take(Tool::Pan) => Icon::Pan,
            Self::Take(Tool::Length) => Icon::Length,
            Self::Take(Tool::Bidirectional) => Icon::Bidirectional,
            Self::Take(Tool::Angle) => Icon::Angle,
            Self::Take(Tool::Cobb) => Icon::Cobb,
            Self::Take(Tool::Ellipse) => Icon::Ellipse,
            Self::Take(Tool::Rectangle) => Icon::Rectangle,
            Self::Take(Tool::Freehand) => Icon::Freehand,
            Self::Take(Tool::Spline) => Icon::Spline,
            Self::Take(Tool::Sphere) => Icon::Sphere,
            Self::Take(Tool::Probe) => Icon::Probe,
            Self::Take(Tool::Arrow) => Icon::Arrow,
            Self::Take(Tool::Text) => Icon::Text,
            Self::Enlarge => Icon::Layout,
            Self::Reset => Icon::Reset,
            Self::Slab => Icon::Slab,
            Self::Solid => Icon::Solid,
            Self::Cut => Icon::Cut,
            Self::Stored => Icon::Stored,
            Self::Overlay => Icon::Overlay,
            Self::Play => Icon::Play,
            Self::KeyImage => Icon::Key,
            Self::Delete => Icon::Delete,
            Self::Undo => Icon::Undo,
            Self::Redo => Icon::Redo,
            Self::Help => Icon::Help,
            Self::Findings => Icon::Panel,
            Self::Beside => Icon::Beside,
            _ => return None,
        })
    }

    /// Whether it can be done now.
    #[must_use]
    pub const fn is_enabled(self, now: &Situation) -> bool {
        match self {
            Self::Help | Self::Series | Self::Findings | Self::Cancel | Self::Overlay | Self::Graphics | Self::Crosshair => true,
            Self::Delete | Self::Accept | Self::Reject | Self::Hide => now.has_selection,
            Self::FindingNext | Self::FindingPrevious | Self::Shapes => now.has_findings,
            Self::Undo => now.can_undo,
            Self::Redo => now.can_redo,
            Self::SeriesPrevious | Self::SeriesNext => now.has_other_series,
            Self::BlockNext => now.has_blocks,
            Self::Preset(n) => now.has_picture && n < now.n_presets,
            Self::Play | Self::Slower | Self::Faster => now.has_picture && now.has_frames,
            Self::Enlarge | Self::Slab => now.has_picture && now.is_volume,
            Self::SlabKind | Self::SlabThinner | Self::SlabThicker => now.has_slab && now.is_volume,
            Self::Solid => now.is_whole && now.is_volume,
            Self::Cut => now.is_solid,
            // Its voxels lie in many slices.
            Self::Take(Tool::Sphere) => now.is_whole && now.is_volume,
            Self::Take(Tool::Text) => now.has_picture && now.can_ask,
            // Both sides show planes, which correspond to each other.
            Self::Stored => now.is_as_stored || (now.is_whole && now.is_volume && !now.is_compared),
            Self::Beside => now.is_compared || (now.has_picture && now.has_prior && !now.is_as_stored),
            _ => now.has_picture,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_key_means_two_things() {
        let mut seen = BTreeSet::new();
        for action in Action::ALL {
            assert!(seen.insert(format!("{:?}", action.shortcut())), "{action:?}");
        }
        assert!(Action::Redo.is_meant_by(Key::Z, Modifiers::COMMAND | Modifiers::SHIFT));
        assert!(!Action::Undo.is_meant_by(Key::Z, Modifiers::COMMAND | Modifiers::SHIFT));
        assert!(Action::Take(Tool::Zoom).is_meant_by(Key::Z, Modifiers::NONE));
        assert!(!Action::Take(Tool::Zoom).is_meant_by(Key::Z, Modifiers::COMMAND));
        assert!(Action::Take(Tool::Cobb).is_meant_by(Key::A, Modifiers::SHIFT));
        assert!(!Action::Take(Tool::Angle).is_meant_by(Key::A, Modifiers::SHIFT));
    }

    #[test]
    fn nothing_can_be_measured_without_a_picture() {
        let now = Situation::default();
        let enabled: Vec<_> = Action::ALL.iter().filter(|a| a.is_enabled(&now)).map(|a| a.name()).collect();
        assert_eq!(enabled, ["cancel", "overlay", "graphics", "crosshair", "series", "findings", "help"]);
    }
}
