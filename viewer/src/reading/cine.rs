//! Playing frames in time.

use crate::reading::room::Room;
use std::time::{Duration, Instant};

/// How often faster or slower than the file says; each step is one of these.
const SPEEDS: [f64; 7] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0];
/// The step at which the file's own speed lies.
const USUAL: usize = 3;

/// Whether and how frames are played.
#[derive(Debug)]
pub(crate) struct Player {
    is_playing: bool,
    step: usize,
    /// When the next frame is due.
    due: Option<Instant>,
    is_backwards: bool,
    /// The frame that the loader was asked for.
    asked: Option<(u64, usize)>,
}

impl Default for Player {
    fn default() -> Self {
        Self { is_playing: false, step: USUAL, due: None, is_backwards: false, asked: None }
    }
}

impl Player {
    /// True while frames are played.
    pub(crate) const fn is_playing(&self) -> bool {
        self.is_playing
    }

    /// Plays or pauses.
    pub(crate) const fn toggle(&mut self) {
        self.is_playing = !self.is_playing;
        self.due = None;
        self.is_backwards = false;
    }

    /// Pauses: the reader goes through the frames by hand.
    pub(crate) const fn pause(&mut self) {
        self.is_playing = false;
    }

    /// True for a frame that was only fetched to be played, which is not to be shown before its time.
    pub(crate) fn take(&mut self, token: u64, k: usize) -> bool {
        self.asked.take_if(|asked| *asked == (token, k)).is_some()
    }

    /// Another frame was asked for, which replaces the one to be played.
    pub(crate) const fn forget(&mut self) {
        self.asked = None;
    }

    /// Stops, for another series.
    pub(crate) fn stop(&mut self) {
        *self = Self { step: self.step, ..Self::default() };
    }

    /// One step faster or slower.
    pub(crate) fn change_speed(&mut self, is_faster: bool) {
        self.step = if is_faster { (self.step + 1).min(SPEEDS.len() - 1) } else { self.step.saturating_sub(1) };
    }

    fn factor(&self) -> f64 {
        SPEEDS.get(self.step).copied().unwrap_or(1.0)
    }

    /// How long a frame of the file's time is shown. Units: ms.
    fn shown_for(&self, ms: f64) -> Duration {
        Duration::from_secs_f64((ms / self.factor() / 1000.0).clamp(0.001, 60.0))
    }

    /// The frame after one, and whether it goes backwards from there: from the start again, or to and fro.
    const fn after(k: usize, n: usize, is_sweeping: bool, is_backwards: bool) -> (usize, bool) {
        match (is_sweeping, is_backwards) {
            (true, true) if k == 0 => (1, false),
            (true, true) => (k - 1, true),
            (true, false) if k + 1 >= n => (n.saturating_sub(2), true),
            _ if k + 1 >= n => (0, false),
            _ => (k + 1, is_backwards),
        }
    }
}

/// Frames a second as they are played, as people read it; `None` for a series without frames in time.
pub(crate) fn speed(room: &Room) -> Option<f64> {
    let scene = room.scene.as_ref()?;
    let cine = scene.shown.opened.as_ref()?.stack()?.cine()?;
    let ms = cine.ms(scene.shown.slice);
    (scene.n_slices() > 1 && !scene.is_volume() && ms > 0.0).then(|| 1000.0 / ms * room.player.factor())
}

/// Goes to the next frame when it is due and there; asks for it when it is not.
pub(crate) fn advance(room: &mut Room, ctx: &egui::Context) {
    if !room.player.is_playing {
        return;
    }
    let Some((opened, token, k, n)) = room
        .scene
        .as_ref()
        .filter(|s| !s.is_volume() && s.n_slices() > 1)
        .and_then(|s| Some((s.shown.opened.clone()?, s.token, s.shown.slice, s.n_slices())))
    else {
        room.player.stop();
        return;
    };
    let Some(cine) = opened.stack().and_then(|stack| stack.cine().cloned()) else { return };
    let now = Instant::now();
    let due = room.player.due.unwrap_or_else(|| now + room.player.shown_for(cine.ms(k)));
    room.player.due = Some(due);
    let (next, is_backwards) = Player::after(k, n, cine.is_sweeping, room.player.is_backwards);
    let is_here = room.scene.as_ref().is_some_and(|s| s.shown.slices.contains_key(&next));
    if !is_here {
        if room.player.asked != Some((token, next)) {
            room.player.asked = Some((token, next));
            room.loader.slice(token, opened, next);
        }
        // Its arrival wakes the window.
        return;
    }
    if now < due {
        ctx.request_repaint_after(due - now);
        return;
    }
    room.show_slice(next);
    room.player.is_backwards = is_backwards;
    room.player.asked = None;
    let time = room.player.shown_for(cine.ms(next));
    // A frame that came late does not make the next ones come early.
    room.player.due = Some(if now - due > time { now + time } else { due + time });
    ctx.request_repaint_after(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_begin_again_or_go_to_and_fro() {
        let played = |is_sweeping: bool, n: usize, steps: usize| {
            let (mut k, mut back) = (0, false);
            let mut out = vec![0];
            for _ in 0..steps {
                (k, back) = Player::after(k, n, is_sweeping, back);
                out.push(k);
            }
            out
        };
        assert_eq!(played(false, 3, 7), [0, 1, 2, 0, 1, 2, 0, 1]);
        assert_eq!(played(true, 3, 7), [0, 1, 2, 1, 0, 1, 2, 1]);
        assert_eq!(played(true, 2, 3), [0, 1, 0, 1]);
    }

    #[test]
    fn speed_has_ends() {
        let mut player = Player::default();
        assert_eq!(player.shown_for(40.0), Duration::from_millis(40));
        (0..20).for_each(|_| player.change_speed(true));
        assert_eq!(player.shown_for(40.0), Duration::from_millis(10));
        (0..20).for_each(|_| player.change_speed(false));
        assert_eq!(player.shown_for(40.0), Duration::from_millis(160));
    }
}
