//! Where things are on the screen, as JSON lines on stderr, so that a test outside can aim: `{"layout":
//! {"window": [w, h], "view": rect, "handles": {"move": [x, y]}, "actions": {"flip": rect}, "numbers": {...}}}`,
//! in physical pixels of the window's inside.

use egui::{Pos2, Rect};
use serde_json::{Map, Value, json};

/// Collects a frame's layout and prints it when it differs from the last one.
#[derive(Debug, Default)]
pub(super) struct LayoutLines {
    is_on: bool,
    now: Map<String, Value>,
    last: String,
}

impl LayoutLines {
    pub(super) fn new(is_on: bool) -> Self {
        Self { is_on, ..Self::default() }
    }

    /// A rectangle of a group, in points.
    pub(super) fn rect(&mut self, group: &str, name: &str, rect: Rect, ppp: f32) {
        self.add(group, name, || json!([rect.min.x * ppp, rect.min.y * ppp, rect.max.x * ppp, rect.max.y * ppp].map(f32::round)));
    }

    /// A point of a group, in points.
    pub(super) fn point(&mut self, group: &str, name: &str, at: Pos2, ppp: f32) {
        self.add(group, name, || json!([at.x * ppp, at.y * ppp].map(f32::round)));
    }

    /// A number that is shown.
    pub(super) fn number(&mut self, name: &str, value: f64) {
        self.add("numbers", name, || json!((value * 100.0).round() / 100.0));
    }

    fn add(&mut self, group: &str, name: &str, value: impl FnOnce() -> Value) {
        if self.is_on
            && let Value::Object(map) = self.now.entry(group).or_insert_with(|| json!({}))
        {
            map.insert(name.to_owned(), value());
        }
    }

    /// Prints the frame when something moved.
    pub(super) fn print(&mut self, ctx: &egui::Context) {
        if !self.is_on {
            return;
        }
        let (ppp, mut now) = (ctx.pixels_per_point(), std::mem::take(&mut self.now));
        let window = ctx.content_rect().size() * ppp;
        now.insert("window".into(), json!([window.x.round(), window.y.round()]));
        let line = json!({ "layout": now }).to_string();
        if line != self.last {
            use std::io::Write as _;
            // A debugging aid: when stderr is gone there is nobody to tell.
            writeln!(std::io::stderr(), "{line}").ok();
            self.last = line;
        }
    }
}
