//! Two series of one patient laid onto each other.

use super::{Context, jobs};
use crate::{Error, Result, research};
use mj_imaging::register::{self, Mapped};
use mj_link::job::{Refound, Registered};
use mj_link::{JobResult, SeriesFiles};
use mj_model::{PointLps, Volume};

/// Steps of the progress that loading a volume takes.
const LOADING: u64 = 30;
/// And registering both.
const REGISTERING: u64 = 40;

/// Registers two series, finds places of the prior again, and tells of present places whether the prior shows them.
pub(super) fn register(
    prior: &SeriesFiles,
    current: &SeriesFiles,
    points: &[PointLps],
    present: &[PointLps],
    context: &Context,
) -> Result<JobResult> {
    let steps = 2 * LOADING + REGISTERING;
    let part = |from: u64, of: u64| {
        let tell = std::sync::Arc::clone(&context.progress);
        move |done: u64, total: u64| tell(from + of * done.min(total) / total.max(1), steps)
    };
    let loading = |from: u64| Context { progress: std::sync::Arc::new(part(from, LOADING)), ..context.clone() };
    let prior = whole(prior, &loading(0))?;
    let current = whole(current, &loading(LOADING))?;
    let found = register::register(&prior, &current, points, &context.cancel, &part(2 * LOADING, REGISTERING))?;
    let is_shown = |p: &PointLps| prior.grid.nearest_voxel(found.before(*p)).is_some();
    Ok(JobResult::Registered(Box::new(Registered {
        prior_to_current: found.prior_to_current,
        similarity: found.similarity,
        detail: found.detail,
        overlap: found.overlap,
        points: found.points.iter().map(refound).collect(),
        present_shown: present.iter().map(is_shown).collect(),
        frames: [prior.frame_of_reference, current.frame_of_reference],
    })))
}

/// The volume of a series of the record. A research file names no patient, so that nothing says both are of one.
fn whole(series: &SeriesFiles, context: &Context) -> Result<Volume> {
    context.check()?;
    if research::file_of(series).is_some() { Err(Error::NoPatient) } else { Ok(jobs::volume(series, context)?.1) }
}

fn refound(point: &Mapped) -> Refound {
    let Mapped { mapped, refined, similarity, is_refined, is_shown } = *point;
    Refound { mapped, refined, similarity, is_refined, is_shown }
}
