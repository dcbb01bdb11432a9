//! Where things are on the screen, as JSON lines on stderr, so that a test outside can aim.
//!
//! One line per change: `{"layout": {"window": [w, h], "pixels_per_point": 1.0, "panes": [{"kind", "rect",
//! "centre", "right", "down", "mm_per_pixel"}], "shapes": [{"id", "pane", "grips": [[x, y]], "label"}], "actions":
//! {"length": rect}}}`. Rectangles are `[left, top, right, bottom]` in physical pixels of the window's inside.

use crate::reading::action::Action;
use egui::{Pos2, Rect};
use mj_imaging::Plane;
use serde_json::{Map, Value, json};

/// Collects a frame's layout and prints it when it differs from the last one.
#[derive(Debug, Default)]
pub struct LayoutLines {
    is_on: bool,
    panes: Vec<Value>,
    shapes: Vec<Value>,
    actions: Map<String, Value>,
    last: String,
}

impl LayoutLines {
    /// A printer, silent unless it is on.
    #[must_use]
    pub fn new(is_on: bool) -> Self {
        Self { is_on, ..Self::default() }
    }

    /// A viewport of this frame.
    pub fn pane(&mut self, kind: &str, rect: Rect, plane: Option<&Plane>, ppp: f32) {
        if !self.is_on {
            return;
        }
        let mut pane = json!({ "kind": kind, "rect": scaled(rect, ppp) });
        if let (Some(plane), Some(map)) = (plane, pane.as_object_mut()) {
            let three = |v: [f64; 3]| json!(v);
            map.insert("centre".into(), three(plane.centre.into()));
            map.insert("right".into(), three(plane.right.into()));
            map.insert("down".into(), three(plane.down.into()));
            map.insert("mm_per_pixel".into(), json!(plane.mm_per_pixel));
        }
        self.panes.push(pane);
    }

    /// A shape of this frame.
    pub fn shape(&mut self, id: &str, pane: usize, grips: &[Pos2], label: Rect, is_pending: bool, ppp: f32) {
        if self.is_on {
            let grips: Vec<Value> = grips.iter().map(|p| json!([(p.x * ppp).round(), (p.y * ppp).round()])).collect();
            let label = if label.is_positive() { scaled(label, ppp) } else { Value::Null };
            self.shapes.push(json!({ "id": id, "pane": pane, "grips": grips, "label": label, "pending": is_pending }));
        }
    }

    /// A button of this frame.
    pub fn action(&mut self, action: Action, rect: Rect, ppp: f32) {
        if self.is_on {
            self.actions.insert(action.name().into(), scaled(rect, ppp));
        }
    }

    /// Prints the frame when something moved.
    pub fn print(&mut self, ctx: &egui::Context) {
        if !self.is_on {
            return;
        }
        let ppp = ctx.pixels_per_point();
        let window = ctx.content_rect().size() * ppp;
        let (panes, shapes, actions) =
            (std::mem::take(&mut self.panes), std::mem::take(&mut self.shapes), std::mem::take(&mut self.actions));
        let line = json!({ "layout": {
            "window": [window.x.round(), window.y.round()], "pixels_per_point": ppp, "panes": panes, "shapes": shapes, "actions": actions,
        } })
        .to_string();
        if line != self.last {
            use std::io::Write as _;
            // A debugging aid: when stderr is gone there is nobody to tell.
            writeln!(std::io::stderr(), "{line}").ok();
            self.last = line;
        }
    }
}

fn scaled(rect: Rect, ppp: f32) -> Value {
    json!([(rect.min.x * ppp).round(), (rect.min.y * ppp).round(), (rect.max.x * ppp).round(), (rect.max.y * ppp).round()])
}
