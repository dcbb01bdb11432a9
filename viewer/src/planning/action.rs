//! What a person can do in this room: one list for buttons, keys and tests.

use egui::{Key, Modifiers};
use mj_lang::{Text, key};

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Action {
    /// Moves the plane along its normal. Units: mm.
    Shift(i8),
    /// Turns the plane round its level axis. Units: degrees.
    Tilt(i8),
    /// Turns the plane round its steep axis. Units: degrees.
    Swing(i8),
    /// Across the body, from the feet.
    Axial,
    /// Front from back.
    Coronal,
    /// Left from right.
    Sagittal,
    /// Through the middle of the segment.
    Middle,
    /// Swaps the sides.
    Flip,
    /// Takes the last change back.
    Undo,
    /// Makes it again.
    Redo,
    /// Solid, faint, hidden.
    Removed,
    /// Looks from one of the six sides.
    Look(char),
    /// The whole segment in sight.
    Fit,
    /// Slices large, 3D small, and back.
    Swap,
    /// A picture into the report.
    Picture,
}

/// Keys and what they do. `command` is Ctrl, or Cmd on a Mac.
const KEYS: &[(Key, Modifiers, Action)] = &[
    (Key::ArrowUp, Modifiers::SHIFT, Action::Shift(5)),
    (Key::ArrowDown, Modifiers::SHIFT, Action::Shift(-5)),
    (Key::ArrowUp, Modifiers::NONE, Action::Shift(1)),
    (Key::ArrowDown, Modifiers::NONE, Action::Shift(-1)),
    (Key::ArrowLeft, Modifiers::NONE, Action::Swing(-2)),
    (Key::ArrowRight, Modifiers::NONE, Action::Swing(2)),
    (Key::PageUp, Modifiers::NONE, Action::Tilt(2)),
    (Key::PageDown, Modifiers::NONE, Action::Tilt(-2)),
    (Key::Num1, Modifiers::NONE, Action::Sagittal),
    (Key::Num2, Modifiers::NONE, Action::Coronal),
    (Key::Num3, Modifiers::NONE, Action::Axial),
    (Key::Num0, Modifiers::NONE, Action::Middle),
    (Key::X, Modifiers::NONE, Action::Flip),
    (Key::Z, Modifiers::COMMAND.plus(Modifiers::SHIFT), Action::Redo),
    (Key::Z, Modifiers::COMMAND, Action::Undo),
    (Key::Y, Modifiers::COMMAND, Action::Redo),
    (Key::V, Modifiers::NONE, Action::Removed),
    (Key::A, Modifiers::NONE, Action::Look('A')),
    (Key::P, Modifiers::NONE, Action::Look('P')),
    (Key::L, Modifiers::NONE, Action::Look('L')),
    (Key::R, Modifiers::NONE, Action::Look('R')),
    (Key::H, Modifiers::NONE, Action::Look('H')),
    (Key::F, Modifiers::NONE, Action::Look('F')),
    (Key::Home, Modifiers::NONE, Action::Fit),
    (Key::Space, Modifiers::NONE, Action::Swap),
    (Key::S, Modifiers::NONE, Action::Picture),
];

impl Action {
    /// What is done by the keys pressed in this frame.
    pub(super) fn pressed(ctx: &egui::Context) -> Vec<Self> {
        ctx.input_mut(|input| KEYS.iter().filter(|(key, modifiers, _)| input.consume_key(*modifiers, *key)).map(|k| k.2).collect())
    }

    /// Its key, as people read it.
    pub(super) fn key(self) -> String {
        let found = KEYS.iter().find(|k| k.2 == self);
        let names = egui::ModifierNames::NAMES;
        found.map(|(key, modifiers, _)| [names.format(modifiers, false), key.symbol_or_name().to_owned()]).map_or_else(
            String::new,
            |parts| {
                let [modifiers, key] = parts;
                if modifiers.is_empty() { key } else { format!("{modifiers}+{key}") }
            },
        )
    }

    /// Its name for people.
    pub(super) const fn text(self) -> Text {
        match self {
            Self::Shift(_) => key::PLANNING_ACTION_SHIFT,
            Self::Tilt(_) => key::PLANNING_ACTION_TILT,
            Self::Swing(_) => key::PLANNING_ACTION_SWING,
            Self::Axial => key::PLANNING_ACTION_AXIAL,
            Self::Coronal => key::PLANNING_ACTION_CORONAL,
            Self::Sagittal => key::PLANNING_ACTION_SAGITTAL,
            Self::Middle => key::PLANNING_ACTION_MIDDLE,
            Self::Flip => key::PLANNING_ACTION_FLIP,
            Self::Undo => key::PLANNING_ACTION_UNDO,
            Self::Redo => key::PLANNING_ACTION_REDO,
            Self::Removed => key::PLANNING_ACTION_REMOVED,
            Self::Look(_) => key::PLANNING_ACTION_LOOK,
            Self::Fit => key::PLANNING_ACTION_FIT,
            Self::Swap => key::PLANNING_ACTION_SWAP,
            Self::Picture => key::PLANNING_ACTION_PICTURE,
        }
    }

    /// Its name for tests.
    pub(super) fn name(self) -> String {
        match self {
            Self::Shift(by) => format!("shift{by:+}"),
            Self::Tilt(by) => format!("tilt{by:+}"),
            Self::Swing(by) => format!("swing{by:+}"),
            Self::Look(face) => format!("look_{face}"),
            other => format!("{other:?}").to_lowercase(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_key_does_two_things() {
        let keys: BTreeSet<String> = KEYS.iter().map(|(key, modifiers, _)| format!("{modifiers:?}{key:?}")).collect();
        assert_eq!(keys.len(), KEYS.len());
        assert!(KEYS.iter().all(|(_, _, action)| !action.key().is_empty()));
        assert_eq!(Action::Shift(5).name(), "shift+5");
    }
}
