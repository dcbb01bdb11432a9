//! From values to grey: windows and lookup tables.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A way to show values from black to white. Units: the volume's unit.
///
/// Source: PS3.3 §C.11.2 (VOI LUT module).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Window {
    /// Window Center (0028,1050); the middle of a table's values.
    pub center: f64,
    /// Window Width (0028,1051), at least 1 for [`Curve::Linear`]; the extent of a table's values.
    pub width: f64,
    /// Window Center & Width Explanation (0028,1055), LUT Explanation (0028,3003) or the preset's name; may be empty.
    pub name: String,
    /// What lies between black and white.
    pub curve: Curve,
}

/// How grey rises between black and white: VOI LUT Function (0028,1056) or VOI LUT Sequence (0028,3010).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Curve {
    /// `LINEAR`, for whole numbers. Source: PS3.3 §C.11.2.1.2.1.
    #[default]
    Linear,
    /// `LINEAR_EXACT`, for values that are no whole numbers. Source: PS3.3 §C.11.2.1.3.2.
    LinearExact,
    /// `SIGMOID`: grey nears black and white and never jumps. Source: PS3.3 §C.11.2.1.3.1.
    Sigmoid,
    /// A lookup table of the file; center and width then only say where it lies.
    Table(Arc<LookupTable>),
}

/// Grey by table. Values below the first get the first entry, those beyond the last the last.
///
/// Source: PS3.3 §C.11.2.1.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupTable {
    /// The value of the first entry, in the volume's unit.
    pub first: i32,
    /// Entries, one for each whole value. Not empty.
    pub entries: Vec<u16>,
    /// The entry of white: 2 to the power of the table's bits, less 1.
    pub white: u16,
}

impl LookupTable {
    /// The share of white of a value, 0 to 1; between two entries on the straight line.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        let last = self.entries.len().saturating_sub(1);
        let at = (value - f64::from(self.first)).clamp(0.0, last as f64);
        let (low, part) = (at.floor() as usize, at.fract());
        let entry = |n: usize| f64::from(self.entries.get(n.min(last)).copied().unwrap_or(0));
        let between = if part > 0.0 { entry(low) * (1.0 - part) + entry(low + 1) * part } else { entry(low) };
        (between / f64::from(self.white.max(1))).clamp(0.0, 1.0)
    }
}

impl Window {
    /// A window of the function `LINEAR`.
    #[must_use]
    pub fn linear(center: f64, width: f64, name: &str) -> Self {
        Self { center, width, name: name.to_owned(), curve: Curve::Linear }
    }

    /// A lookup table as a window; none without entries.
    #[must_use]
    pub fn of_table(table: LookupTable, name: &str) -> Option<Self> {
        let n = table.entries.len();
        let center = f64::from(table.first) + n as f64 / 2.0;
        (n > 0).then(|| Self { center, width: n as f64, name: name.to_owned(), curve: Curve::Table(Arc::new(table)) })
    }

    /// The share of white of a value, 0 to 1, by the functions of the standard as it writes them. What draws is compared
    /// with this.
    ///
    /// `LINEAR`: black at or below `c - 0.5 - (w - 1) / 2`, white above `c - 0.5 + (w - 1) / 2`, between them
    /// `(x - (c - 0.5)) / (w - 1) + 0.5`. `LINEAR_EXACT`, also for a `LINEAR` width below 1, which is not allowed: black at
    /// or below `c - w / 2`, white above `c + w / 2`, between them `(x - c) / w + 0.5`. `SIGMOID`:
    /// `1 / (1 + exp(-4 (x - c) / w))`.
    ///
    /// Source: PS3.3 §C.11.2.1.1, §C.11.2.1.2.1, §C.11.2.1.3.1, §C.11.2.1.3.2.
    #[must_use]
    pub fn share(&self, x: f64) -> f64 {
        let (c, w) = (self.center, self.width);
        let (low, high, between) = match &self.curve {
            Curve::Table(table) => return table.share(x),
            Curve::Sigmoid if w > 0.0 => return 1.0 / (1.0 + (-4.0 * (x - c) / w).exp()),
            Curve::Linear if w >= 1.0 => (c - 0.5 - (w - 1.0) / 2.0, c - 0.5 + (w - 1.0) / 2.0, (x - (c - 0.5)) / (w - 1.0) + 0.5),
            _ => (c - w / 2.0, c + w / 2.0, (x - c) / w + 0.5),
        };
        match x {
            _ if x <= low => 0.0,
            _ if x > high => 1.0,
            _ => between,
        }
    }

    /// The value in the middle of the grey, and the distance of the values of black and white; a distance of 0 is
    /// a threshold. Everything that turns values into grey by a straight line uses these two.
    ///
    /// `LINEAR` takes half a unit from the center and one from the width. It is not defined below a width of 1:
    /// such a window can only be meant as `LINEAR_EXACT`. `SIGMOID` takes neither.
    ///
    /// Source: PS3.3 §C.11.2.1.2.1 (`LINEAR`), §C.11.2.1.3 (the others).
    #[must_use]
    pub fn middle_and_span(&self) -> (f64, f64) {
        let is_exact = self.width > 0.0 && (self.curve != Curve::Linear || self.width < 1.0);
        if is_exact { (self.center, self.width) } else { (self.center - 0.5, self.width.max(1.0) - 1.0) }
    }

    /// The table, where it is one.
    #[must_use]
    pub fn table(&self) -> Option<&LookupTable> {
        match &self.curve {
            Curve::Table(table) => Some(table),
            Curve::Linear | Curve::LinearExact | Curve::Sigmoid => None,
        }
    }
}

/// A window as it is written. A table stays in its file: it is written as the straight line it lies on.
#[derive(Serialize, Deserialize)]
struct Written {
    center: f64,
    width: f64,
    name: String,
    #[serde(default)]
    is_exact: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_sigmoid: bool,
}

impl From<Written> for Window {
    fn from(w: Written) -> Self {
        let curve = match (w.is_sigmoid, w.is_exact) {
            (true, _) => Curve::Sigmoid,
            (false, true) => Curve::LinearExact,
            (false, false) => Curve::Linear,
        };
        Self { center: w.center, width: w.width, name: w.name, curve }
    }
}

impl From<Window> for Written {
    fn from(w: Window) -> Self {
        let is_exact = matches!(w.curve, Curve::LinearExact | Curve::Table(_));
        Self { center: w.center, width: w.width, name: w.name, is_exact, is_sigmoid: w.curve == Curve::Sigmoid }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_ends_at_its_first_and_last_entry() {
        let table = LookupTable { first: -2, entries: vec![10, 20, 250], white: 250 };
        for (value, share) in [(-1e9, 0.04), (-2.0, 0.04), (-1.0, 0.08), (-0.5, 0.54), (0.0, 1.0), (7.0, 1.0)] {
            assert!((table.share(value) - share).abs() < 1e-12, "{value}");
        }
        assert!(Window::of_table(LookupTable { first: 0, entries: Vec::new(), white: 255 }, "").is_none());
        let window = Window::of_table(table, "LUT").unwrap();
        assert_eq!((window.center, window.width), (-0.5, 3.0));
    }

    #[test]
    fn windows_written_before_curves_are_read() {
        let read = |json: &str| serde_json::from_str::<Window>(json).unwrap().curve;
        assert_eq!(read(r#"{"center":1.0,"width":2.0,"name":""}"#), Curve::Linear);
        assert_eq!(read(r#"{"center":1.0,"width":2.0,"name":"","is_exact":true}"#), Curve::LinearExact);
        let sigmoid = Window { curve: Curve::Sigmoid, ..Window::linear(40.0, 400.0, "a") };
        assert_eq!(serde_json::from_str::<Window>(&serde_json::to_string(&sigmoid).unwrap()).unwrap(), sigmoid);
        let plain = serde_json::to_string(&Window::linear(40.0, 400.0, "a")).unwrap();
        assert_eq!(plain, r#"{"center":40.0,"width":400.0,"name":"a","is_exact":false}"#);
    }
}
