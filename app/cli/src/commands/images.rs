//! Pictures and voxels: handed to a headless viewer.

use super::{Ctx, images_of, unexpected};
use crate::args::{Phantom, Preset, Probe, Render, Switch, View};
use crate::failure::Failure;
use crate::out::Done;
use mj_link::job::{ProbeAt, RenderView, ViewKind};
use mj_link::{Job, JobResult};
use std::path::{Path, PathBuf};

/// Paths as the worker needs them: it may have another working folder.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|source| Failure::File { what: "write", path: path.into(), source })
}

pub(super) fn phantom(ctx: &Ctx<'_>, phantom: &Phantom) -> Result<Done, Failure> {
    let job =
        Job::Phantom { out: absolute(&phantom.out)?, seed: phantom.seed, slices: phantom.slices as usize, size: phantom.size as usize };
    written(ctx, ctx.pixels(None)?.run(job, ctx.out)?)
}

pub(super) fn written(ctx: &Ctx<'_>, result: JobResult) -> Result<Done, Failure> {
    let JobResult::Written { written, sha256 } = result else { return Err(unexpected()) };
    ctx.out.result(&serde_json::json!({"written": written, "sha256": sha256}), |_| {
        let shown: Vec<String> = written.iter().take(10).map(|p| p.display().to_string()).collect();
        let rest = written.len().saturating_sub(shown.len());
        let more = if rest > 0 { format!("\n… + {rest}") } else { String::new() };
        format!("{}{more}\nsha256 {sha256}", shown.join("\n"))
    })?;
    Ok(Done::Well)
}

pub(super) async fn probe(ctx: &Ctx<'_>, probe: &Probe) -> Result<Done, Failure> {
    let (record, series) = images_of(ctx, &probe.series).await?;
    let at = match (probe.voxel, probe.lps) {
        (Some(voxel), _) => ProbeAt::Voxel(voxel.into()),
        (None, Some(lps)) => ProbeAt::Lps(lps.into()),
        (None, None) => return Err(Failure::WrongKind { wanted: "position", id: String::new() }),
    };
    let JobResult::Probed { voxel, lps, stored, value, unit } = ctx.pixels(record.as_ref())?.run(Job::Probe { series, at }, ctx.out)?
    else {
        return Err(unexpected());
    };
    let json = serde_json::json!({"voxel": voxel, "lps": lps, "stored": stored, "value": value, "unit": unit.label()});
    ctx.out.result(&json, |_| {
        format!("voxel {},{},{}  LPS {:.2},{:.2},{:.2} mm  {value} {}", voxel.i, voxel.j, voxel.k, lps.x, lps.y, lps.z, unit.label())
    })?;
    Ok(Done::Well)
}

pub(super) fn check(ctx: &Ctx<'_>, paths: &[PathBuf]) -> Result<Done, Failure> {
    let mut files = Vec::new();
    for path in paths {
        collect_files(path, &mut files)?;
    }
    let mut pixels = ctx.pixels(None)?;
    for file in files {
        let answer = pixels.run(Job::Check { paths: vec![absolute(&file)?] }, ctx.out);
        let line = match answer {
            Ok(JobResult::Checked { files }) => files.into_iter().next().unwrap_or_default(),
            Ok(_) => return Err(unexpected()),
            // The worker died on this file: that is an answer too, and the rest still gets checked.
            Err(Failure::Worker(e)) => {
                pixels = ctx.pixels(None)?;
                let told = mj_lang::tell(&e, ctx.out.lang);
                serde_json::json!({"path": file, "result": "refused", "code": told.code, "message": told.message})
            }
            Err(other) => return Err(other),
        };
        ctx.out.result(&line, |line| {
            let text = |key: &str| line.get(key).and_then(|v| v.as_str()).unwrap_or_default().to_owned();
            format!("{}  {}  {} {}", text("path"), text("result"), text("code"), text("message"))
        })?;
    }
    Ok(Done::Well)
}

pub(super) fn collect_files(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let read = |source| Failure::File { what: "read", path: path.into(), source };
    if !path.is_dir() {
        path.metadata().map_err(read)?;
        files.push(path.into());
        return Ok(());
    }
    let mut entries = std::fs::read_dir(path).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(read)?;
    entries.sort_by_key(std::fs::DirEntry::path);
    for entry in entries {
        collect_files(&entry.path(), files)?;
    }
    Ok(())
}

pub(super) async fn export(ctx: &Ctx<'_>, series: &str, to: &Path) -> Result<Done, Failure> {
    let (record, series) = images_of(ctx, series).await?;
    let job = Job::Export { series, to: absolute(to)? };
    written(ctx, ctx.pixels(record.as_ref())?.run(job, ctx.out)?)
}

pub(super) async fn render(ctx: &Ctx<'_>, render: &Render) -> Result<Done, Failure> {
    let (record, series) = images_of(ctx, &render.series).await?;
    let is_vr = render.view == View::Vr;
    // A window of that name is none of volume rendering's business, and the other way round.
    let named = match &render.preset {
        Some(name) if !is_vr => Some(Preset::of(name)?.window()),
        _ => None,
    };
    let view = RenderView {
        kind: match render.view {
            View::Axial => ViewKind::Axial,
            View::Coronal => ViewKind::Coronal,
            View::Sagittal => ViewKind::Sagittal,
            View::Oblique => ViewKind::Oblique,
            View::Mip => ViewKind::Mip,
            View::Vr => ViewKind::Vr,
        },
        at: render.at.map(Into::into),
        normal: render.normal.map(Into::into),
        window: render.wl.map(|[c, w]| (c, w)).or(named),
        slab_mm: render.slab,
        preset: render.preset.clone().filter(|_| is_vr),
        size: render.size,
        overlay: render.overlay == Switch::On,
    };
    let job = Job::Render { series, view, out: absolute(&render.out)? };
    let JobResult::Rendered { written, backend, ms } = ctx.pixels(record.as_ref())?.run(job, ctx.out)? else { return Err(unexpected()) };
    let json = serde_json::json!({"written": written, "backend": backend, "ms": ms});
    ctx.out.result(&json, |_| format!("{}  ({backend}, {ms:.1} ms)", written.display()))?;
    Ok(Done::Well)
}
