//! Plans: ordered programs over segments, by revision.

use super::segments::object_of;
use super::{Ctx, files_of, findings::WHO, study_of, unexpected};
use crate::args::Plan as Command;
use crate::failure::Failure;
use crate::out::Done;
use mj_link::{Job, JobResult};
use mj_model::clock;
use mj_model::finding::{Origin, OriginKind};
use mj_model::plan::{CutPlane, Plan, PlanInput, PlanStep};
use mj_model::{PointLps, VectorLps};
use mj_record::Record;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A plan as a person writes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanFile {
    name: String,
    /// Id of the segment that is cut.
    segment: String,
    cut: Cut,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    /// A point on the plane. Units: mm, LPS.
    point: [f64; 3],
    /// Points to the part that is removed; any length.
    normal: [f64; 3],
}

pub(super) async fn run(ctx: &Ctx<'_>, command: Command) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    match command {
        Command::Run { file, stl } => plan(ctx, &record, &file, stl).await,
        Command::List { study } => {
            let plans = record.plans(&study_of(&record, &study).await?).await?;
            let mut json = Vec::with_capacity(plans.len());
            for plan in &plans {
                json.push(with_stale(&record, plan).await?);
            }
            ctx.out.result(&json, |_| plans.iter().map(line).collect::<Vec<_>>().join("\n"))?;
            Ok(Done::Well)
        }
        Command::Show { id } => {
            let plan = record.plan(&id).await?;
            print(ctx, &record, &plan).await
        }
    }
}

fn read(path: &Path) -> Result<(PlanFile, CutPlane), Failure> {
    let text = std::fs::read_to_string(path).map_err(|source| Failure::File { what: "read", path: path.into(), source })?;
    understood(&text)
}

/// A plan file's content: the plan and its plane.
fn understood(text: &str) -> Result<(PlanFile, CutPlane), Failure> {
    let file: PlanFile = toml::from_str(text).map_err(|e| Failure::PlanFile(e.to_string()))?;
    if !file.cut.point.iter().chain(&file.cut.normal).all(|v| v.is_finite()) {
        return Err(Failure::PlanFile("cut.point and cut.normal need finite numbers".into()));
    }
    let normal = VectorLps::from(file.cut.normal).unit().ok_or_else(|| Failure::PlanFile("cut.normal has no direction".into()))?;
    let plane = CutPlane { point: PointLps::from(file.cut.point), normal };
    Ok((file, plane))
}

async fn plan(ctx: &Ctx<'_>, record: &Record, path: &Path, stl: Option<PathBuf>) -> Result<Done, Failure> {
    let (file, plane) = read(path)?;
    let segment = record.segment(&file.segment).await?;
    let stl = stl.map(std::path::absolute).transpose().map_err(|source| Failure::File { what: "write", path: path.into(), source })?;
    let job = Job::Cut {
        series: files_of(record, &segment.series).await?,
        segment: object_of(record, &segment).await?,
        number: segment.number,
        plane,
        stl,
    };
    let JobResult::Cut { results, .. } = ctx.pixels(Some(record))?.run(job, ctx.out)? else { return Err(unexpected()) };
    let plan = Plan {
        id: record.new_id(),
        revision: 0,
        study: segment.study.clone(),
        name: file.name,
        inputs: vec![PlanInput { id: segment.id.clone(), revision: segment.revision }],
        steps: vec![PlanStep::Cut { segment: segment.id, plane }],
        results,
        origin: Origin { who: OriginKind::Person, name: WHO.into(), version: String::new() },
        at: clock::now(),
    };
    let plan = record.put_plan(plan, WHO).await?;
    print(ctx, record, &plan).await
}

async fn print(ctx: &Ctx<'_>, record: &Record, plan: &Plan) -> Result<Done, Failure> {
    ctx.out.result(&with_stale(record, plan).await?, |_| line(plan))?;
    Ok(Done::Well)
}

/// A plan and which of its inputs have moved on since.
async fn with_stale(record: &Record, plan: &Plan) -> Result<serde_json::Value, Failure> {
    let mut stale = Vec::new();
    for input in &plan.inputs {
        let now = record.segment(&input.id).await?.revision;
        if now != input.revision {
            stale.push(serde_json::json!({"id": input.id, "built_on": input.revision, "now": now}));
        }
    }
    let mut json = serde_json::to_value(plan).map_err(|e| Failure::PlanFile(e.to_string()))?;
    if let Some(object) = json.as_object_mut() {
        object.insert("stale".into(), stale.into());
    }
    Ok(json)
}

fn line(plan: &Plan) -> String {
    let mut lines = vec![format!("{}  r{}  {}", plan.id, plan.revision, plan.name)];
    for r in &plan.results {
        let (low, high) = r.interval_ml;
        let (name, ml, percent, mesh) = (&r.name, r.volume_ml, r.percent, r.mesh_volume_ml);
        lines.push(format!("  {name}: {ml:.1} ml ({low:.1}-{high:.1}), {percent:.1} %, mesh {mesh:.1} ml"));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_that_is_nowhere_is_refused() {
        let with = |point: &str, normal: &str| {
            let text = format!("name = \"a\"\nsegment = \"g1\"\n[cut]\npoint = [{point}]\nnormal = [{normal}]\n");
            understood(&text)
        };
        assert!(with("0.0, 1.0, 2.0", "0.0, 0.0, 3.0").is_ok());
        for (point, normal) in [("nan, 0.0, 0.0", "0.0, 0.0, 1.0"), ("0.0, 0.0, 0.0", "inf, 0.0, 1.0"), ("0.0, 0.0, 0.0", "0.0, 0.0, 0.0")]
        {
            assert!(matches!(with(point, normal), Err(Failure::PlanFile(_))), "{point} {normal}");
        }
    }
}
