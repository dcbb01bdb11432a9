//! Colours and sizes from `assets/theme.toml`, and egui's style made of them.
//!
//! Nothing else in the viewer names a colour.

use crate::args::ThemeName;
use crate::{Error, Result};
use egui::{Color32, CornerRadius, FontFamily, FontId, Stroke, TextStyle, Visuals};
use serde::Deserialize;

const TOKENS: &str = include_str!("../../../assets/theme.toml");

/// Sizes of type. Units: logical pixels.
#[derive(Debug, Clone, Deserialize)]
pub struct TypeSizes {
    /// Chips and icons.
    pub tiny: f32,
    /// Overlays and secondary text.
    pub small: f32,
    /// Text.
    pub body: f32,
    /// Leading lines, such as the patient's name.
    pub lead: f32,
    /// Titles.
    pub title: f32,
}

/// Sizes of things. Units: logical pixels.
#[derive(Debug, Clone, Deserialize)]
pub struct Sizes {
    /// Height of buttons and fields.
    pub control: f32,
    /// Height of a table's row.
    pub row: f32,
    /// Height of the toolbar.
    pub toolbar: f32,
    /// Edge of an icon.
    pub icon: f32,
    /// Width of an icon's lines.
    pub icon_stroke: f32,
    /// Targets for touch.
    pub touch: f32,
}

macro_rules! palette {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// Colours of one theme.
        #[derive(Debug, Clone)]
        pub struct Palette { $($(#[$doc])* pub $name: Color32,)+ }

        impl Palette {
            fn read(table: &toml::Table) -> Result<Self> {
                Ok(Self { $($name: colour(table, stringify!($name))?,)+ })
            }
        }
    };
}

palette! {
    /// Behind pictures.
    image,
    /// The window.
    background,
    /// Panels.
    panel,
    /// Buttons and cards.
    raised,
    /// Under the pointer.
    hover,
    /// Pressed.
    active,
    /// Separators.
    line,
    /// Strong separators.
    line_strong,
    /// Text.
    text,
    /// Secondary text.
    text_secondary,
    /// Text of what is not available.
    text_disabled,
    /// The accent.
    accent,
    /// Selected rows.
    accent_quiet,
    /// Text on the accent.
    on_accent,
    /// Proposed by a device.
    proposed,
    /// Verified.
    verified,
    /// Out of date.
    stale,
    /// Without support.
    unsupported,
    /// Contradicted, critical, failed.
    contradicted,
    /// Not connected.
    offline,
    /// Text on pictures.
    overlay_text,
    /// Secondary text on pictures.
    overlay_quiet,
    /// Dark edge around text and lines on pictures.
    overlay_halo,
    /// The crosshair.
    crosshair,
    /// Measurements.
    measure,
    /// The chosen measurement.
    measure_selected,
    /// Letters of orientation.
    orientation,
    /// What stays of an organ, in 3D.
    plan_kept,
    /// What is taken away.
    plan_removed,
}

/// Tokens of one theme.
#[derive(Debug, Clone)]
pub struct Theme {
    /// Colours.
    pub colours: Palette,
    /// Sizes of type.
    pub sizes: TypeSizes,
    /// Sizes of things.
    pub size: Sizes,
    /// True for light text on dark.
    pub is_dark: bool,
}

#[derive(Deserialize)]
struct File {
    r#type: TypeSizes,
    size: Sizes,
    dark: toml::Table,
    light: toml::Table,
    high_contrast: toml::Table,
}

impl Theme {
    /// Reads the built-in tokens.
    ///
    /// # Errors
    /// [`Error::Theme`] when one is missing or is no colour.
    pub fn load(name: ThemeName) -> Result<Self> {
        let file: File = toml::from_str(TOKENS).map_err(|e| Error::Theme(e.to_string()))?;
        let table = match name {
            ThemeName::Dark => &file.dark,
            ThemeName::Light => &file.light,
            ThemeName::HighContrast => &file.high_contrast,
        };
        Ok(Self { colours: Palette::read(table)?, sizes: file.r#type, size: file.size, is_dark: name != ThemeName::Light })
    }

    /// A font of a size.
    #[must_use]
    pub const fn font(size: f32) -> FontId {
        FontId { size, family: FontFamily::Proportional }
    }

    /// Gives egui these colours and sizes.
    pub fn apply(&self, ctx: &egui::Context) {
        let visuals = self.visuals();
        let sizes = &self.sizes;
        ctx.set_theme(if self.is_dark { egui::Theme::Dark } else { egui::Theme::Light });
        ctx.all_styles_mut(|style| {
            style.visuals = visuals.clone();
            style.text_styles = [
                (TextStyle::Small, Self::font(sizes.small)),
                (TextStyle::Body, Self::font(sizes.body)),
                (TextStyle::Button, Self::font(sizes.body)),
                (TextStyle::Monospace, Self::font(sizes.body)),
                (TextStyle::Heading, Self::font(sizes.title)),
            ]
            .into();
            style.spacing.item_spacing = egui::vec2(8.0, 4.0);
            style.spacing.button_padding = egui::vec2(8.0, 4.0);
            style.spacing.interact_size = egui::vec2(self.size.control, self.size.control);
            style.spacing.window_margin = egui::Margin::same(16);
            style.spacing.menu_margin = egui::Margin::same(6);
            style.interaction.tooltip_delay = 0.4;
        });
        ctx.options_mut(|options| options.zoom_with_keyboard = false);
        // A character no font has is drawn as a box: a rare name must never end the program.
        ctx.set_missing_glyph_policy(egui::epaint::text::MissingGlyphPolicy::Tofu);
    }

    fn visuals(&self) -> Visuals {
        let c = &self.colours;
        let mut v = if self.is_dark { Visuals::dark() } else { Visuals::light() };
        v.override_text_color = None;
        v.panel_fill = c.panel;
        v.window_fill = c.panel;
        v.window_stroke = Stroke::new(1.0, c.line_strong);
        v.extreme_bg_color = c.background;
        v.faint_bg_color = c.raised;
        v.hyperlink_color = c.accent;
        v.warn_fg_color = c.stale;
        v.error_fg_color = c.contradicted;
        v.selection.bg_fill = c.accent_quiet;
        v.selection.stroke = Stroke::new(1.0, c.accent);
        v.window_corner_radius = CornerRadius::same(8);
        v.menu_corner_radius = CornerRadius::same(5);
        let widget = |state: &mut egui::style::WidgetVisuals, fill: Color32, line: Color32, text: Color32| {
            state.bg_fill = fill;
            state.weak_bg_fill = fill;
            state.bg_stroke = Stroke::new(1.0, line);
            state.fg_stroke = Stroke::new(1.0, text);
            state.corner_radius = CornerRadius::same(5);
            state.expansion = 0.0;
        };
        widget(&mut v.widgets.noninteractive, c.panel, c.line, c.text);
        widget(&mut v.widgets.inactive, c.raised, c.raised, c.text);
        widget(&mut v.widgets.hovered, c.hover, c.line_strong, c.text);
        widget(&mut v.widgets.active, c.active, c.accent, c.text);
        widget(&mut v.widgets.open, c.active, c.line_strong, c.text);
        v
    }
}

/// `#RRGGBB` or `#RRGGBBAA`.
fn colour(table: &toml::Table, name: &str) -> Result<Color32> {
    let wrong = || Error::Theme(format!("{name} is not a colour"));
    let text = table.get(name).and_then(toml::Value::as_str).ok_or_else(wrong)?;
    let hex = text.strip_prefix('#').filter(|h| h.len() == 6 || h.len() == 8).ok_or_else(wrong)?;
    let mut bytes = [255_u8; 4];
    for (slot, at) in bytes.iter_mut().zip((0..hex.len()).step_by(2)) {
        *slot = hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(wrong)?;
    }
    let [r, g, b, a] = bytes;
    Ok(Color32::from_rgba_unmultiplied(r, g, b, a))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(c: Color32) -> f64 {
        let linear = |v: u8| {
            let v = f64::from(v) / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(c.r()) + 0.7152 * linear(c.g()) + 0.0722 * linear(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_theme_is_readable() {
        for name in [ThemeName::Dark, ThemeName::Light, ThemeName::HighContrast] {
            let c = Theme::load(name).unwrap().colours;
            assert!(contrast(c.text, c.panel) >= 12.0, "{name:?}");
            assert!(contrast(c.text_secondary, c.panel) >= 7.0, "{name:?}");
            for status in [c.proposed, c.verified, c.stale, c.unsupported, c.contradicted, c.offline, c.accent] {
                assert!(contrast(status, c.panel) >= 4.5, "{name:?} {status:?}");
            }
            assert!(contrast(c.overlay_text, c.image) >= 12.0 && contrast(c.on_accent, c.accent) >= 4.5, "{name:?}");
        }
    }
}
