//! What both rooms share of egui: colours, fonts, icons.

pub mod fonts;
pub mod icons;
pub mod theme;

pub use theme::Theme;
