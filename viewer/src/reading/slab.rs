//! Thick slabs: how thick, and how the values through them become one.

use mj_imaging::Projection;
use mj_lang::{Text, key};
use mj_model::Lang;

/// A slab around a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slab {
    /// Thickness. Units: mm.
    pub mm: f64,
    /// How its values become one.
    pub how: Projection,
}

/// Thicknesses to go through. Units: mm.
const STEPS_MM: [f64; 12] = [1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0, 50.0, 80.0, 100.0];

impl Default for Slab {
    fn default() -> Self {
        Self { mm: 10.0, how: Projection::Max }
    }
}

impl Slab {
    /// The next thickness, upwards or downwards; at the end it stays.
    #[must_use]
    pub fn changed(self, is_thicker: bool) -> Self {
        let mut steps = STEPS_MM.into_iter();
        let next = if is_thicker { steps.find(|mm| *mm > self.mm) } else { steps.rfind(|mm| *mm < self.mm) };
        Self { mm: next.unwrap_or(self.mm), ..self }
    }

    /// Maximum, minimum, mean, and again.
    #[must_use]
    pub const fn turned(self) -> Self {
        let how = match self.how {
            Projection::Max => Projection::Min,
            Projection::Min => Projection::Mean,
            Projection::Mean => Projection::Max,
        };
        Self { how, ..self }
    }

    /// As people read it, for the picture.
    #[must_use]
    pub fn shown(self, lang: Lang) -> String {
        const fn text(how: Projection) -> Text {
            match how {
                Projection::Max => key::OVERLAY_SLAB_MAX,
                Projection::Min => key::OVERLAY_SLAB_MIN,
                Projection::Mean => key::OVERLAY_SLAB_MEAN,
            }
        }
        text(self.how).with(lang, &[("mm", &self.mm.to_string())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thickness_has_ends_and_kinds_go_round() {
        let slab = Slab::default();
        assert_eq!((slab.changed(true).mm, slab.changed(false).mm), (15.0, 8.0));
        assert_eq!((Slab { mm: 100.0, ..slab }.changed(true).mm, Slab { mm: 1.0, ..slab }.changed(false).mm), (100.0, 1.0));
        // A thickness that is no step comes back to one.
        assert_eq!((Slab { mm: 7.3, ..slab }.changed(true).mm, Slab { mm: 7.3, ..slab }.changed(false).mm), (8.0, 5.0));
        assert_eq!(slab.turned().turned().turned(), slab);
        assert!(slab.turned().shown(Lang::En).starts_with("MinIP"));
    }
}
