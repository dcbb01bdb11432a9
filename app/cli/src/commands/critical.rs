//! Critical results and the calls about them.

use super::{Ctx, findings::WHO, study_of};
use crate::args::CriticalCommand;
use crate::failure::Failure;
use crate::out::Done;
use mj_lang::key;
use mj_record::critical::Critical;

pub(super) async fn run(ctx: &Ctx<'_>, command: CriticalCommand) -> Result<Done, Failure> {
    let record = ctx.record().await?;
    match command {
        CriticalCommand::Mark { study, what } => {
            let marked = record.mark_critical(&study_of(&record, &study).await?, &what, WHO).await?;
            ctx.out.result(&marked, |one| line(ctx, one, i64::MAX))?;
            Ok(Done::Well)
        }
        CriticalCommand::Call { id, to, read_back } => {
            let called = record.record_call(&id, &to, read_back, WHO).await?;
            ctx.out.result(&called, |one| line(ctx, one, i64::MAX))?;
            Ok(Done::Well)
        }
        CriticalCommand::List { all, within } => {
            let list = record.critical(all).await?;
            ctx.out.result(&list, |list| list.iter().map(|one| line(ctx, one, within)).collect::<Vec<_>>().join("\n"))?;
            Ok(if list.iter().any(|one| one.is_overdue(within)) { Done::NeedsDecision } else { Done::Well })
        }
    }
}

fn line(ctx: &Ctx<'_>, one: &Critical, within: i64) -> String {
    let lang = ctx.out.lang;
    let state = match &one.call {
        Some(call) if !call.read_back => key::CLI_CRITICAL_NOT_READ_BACK
            .with(lang, &[("to", &call.to), ("at", &call.at.to_the_minute()), ("minutes", &one.open_minutes.to_string())]),
        Some(call) => key::CLI_CRITICAL_CALLED.with(lang, &[("to", &call.to), ("at", &call.at.to_the_minute())]),
        None if one.is_overdue(within) => key::CLI_CRITICAL_OVERDUE.with(lang, &[("minutes", &one.open_minutes.to_string())]),
        None => key::CLI_CRITICAL_OPEN.with(lang, &[("minutes", &one.open_minutes.to_string())]),
    };
    format!("{}  {}  {}  {state}", one.id, one.study_uid, one.what)
}
