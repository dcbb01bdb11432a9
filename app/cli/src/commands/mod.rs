//! The commands, one module per area.

mod critical;
mod findings;
mod hospital;
mod images;
mod machine;
mod objects;
mod performance;
mod plans;
mod quality;
mod record;
mod reports;
mod results;
mod segments;
mod templates;
mod track;

use crate::args::{Args, Command};
use crate::failure::Failure;
use crate::out::{Done, Out};
use crate::passphrase;
use crate::pixels::{Pixels, ViewerHasher};
use mj_link::{ObjectFile, SeriesFiles};
use mj_model::{ResearchFormat, SeriesUid, StudyUid};
use mj_record::{Record, Subject};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

/// What commands work with.
pub(crate) struct Ctx<'a> {
    args: &'a Args,
    out: &'a Out,
    /// Set by Ctrl-C; long work looks at it.
    cancel: Arc<AtomicBool>,
    /// The record, once a command has opened it.
    opened: OnceLock<Record>,
}

/// Runs the command.
pub(crate) async fn run(mut args: Args, out: &Out) -> Result<Done, Failure> {
    let cancel = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&cancel);
    // A machine without signal handling can still work; Ctrl-C then ends the process, which loses nothing.
    drop(ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)));
    let command = std::mem::replace(&mut args.command, Command::Doctor);
    let ctx = Ctx { args: &args, out, cancel, opened: OnceLock::new() };
    let ended = dispatch(&ctx, command).await;
    // The database's threads must be done with the cipher before the process takes it down.
    if let Some(record) = ctx.opened.get() {
        record.close().await;
    }
    ended
}

async fn dispatch(ctx: &Ctx<'_>, command: Command) -> Result<Done, Failure> {
    match command {
        Command::Init => record::init(ctx).await,
        Command::Phantom(phantom) => images::phantom(ctx, &phantom),
        Command::Import { paths } => record::import(ctx, &paths).await,
        Command::List { query } => record::list(ctx, query).await,
        Command::Show { id } => record::show(ctx, &id).await,
        Command::Probe(probe) => images::probe(ctx, &probe).await,
        Command::Check { paths } => images::check(ctx, &paths),
        Command::Export { series, to } => images::export(ctx, &series, &to).await,
        Command::Render(render) => images::render(ctx, &render).await,
        Command::Finding { command } => findings::run(ctx, command).await,
        Command::Track(track) => track::run(ctx, &track).await,
        Command::Segment { command } => segments::run(ctx, command).await,
        Command::Plan { command } => plans::run(ctx, command).await,
        Command::Report { command } => reports::run(ctx, command).await,
        Command::Critical { command } => critical::run(ctx, command).await,
        Command::Template { command } => templates::run(ctx, command).await,
        Command::Rules { command } => quality::rules(ctx, command),
        Command::Quality { folder } => quality::quality(ctx, &folder),
        Command::Verify { id, trust } => reports::verify(ctx, &id, trust.as_deref()).await,
        Command::Server { command } => hospital::server(ctx, command).await,
        Command::Echo { name } => hospital::echo(ctx, &name).await,
        Command::Find(find) => hospital::find(ctx, &find).await,
        Command::Fetch { name, study } => hospital::fetch(ctx, &name, &study).await,
        Command::Send { id, to } => hospital::send(ctx, &id, &to).await,
        Command::Serve { port, aet, address } => hospital::serve(ctx, port, &aet, address).await,
        Command::Outbox { command } => hospital::outbox(ctx, command).await,
        Command::Person { command } => record::person(ctx, command).await,
        Command::Dictate { wav, model, language } => machine::dictate(ctx, &wav, &model, &language),
        Command::Doctor => machine::doctor(ctx).await,
        Command::View { id } => machine::view(ctx, &id).await,
        Command::Desk => machine::desk(ctx),
    }
}

impl Ctx<'_> {
    fn record_dir(&self) -> Result<&Path, Failure> {
        self.args.record.as_deref().ok_or(Failure::NoRecord)
    }

    /// Opens the record that was named.
    async fn record(&self) -> Result<Record, Failure> {
        let dir = self.record_dir()?;
        let record = Record::open(dir, &passphrase::find(self.args)?).await?;
        record.set_pixel_hasher(Arc::new(ViewerHasher::new(&record, self.out, &self.cancel)));
        drop(self.opened.set(record.clone()));
        Ok(record)
    }

    fn pixels(&self, record: Option<&Record>) -> Result<Pixels, Failure> {
        Pixels::start(record, self.out, &self.cancel)
    }

    /// A failure that does not end the command, in the reader's language.
    fn told(&self, failure: &Failure) -> mj_model::Told {
        failure.told(self.out.lang)
    }

    fn watch(&self) -> mj_dicom::Watch {
        let out = self.out.clone();
        mj_dicom::Watch { cancel: Arc::clone(&self.cancel), progress: Box::new(move |done, total| out.progress(done, total)) }
    }
}

/// A worker that answers another question than it was asked speaks another protocol: it is told as such.
pub(crate) fn unexpected() -> Failure {
    mj_link::WorkerError::Ended(std::io::Error::new(std::io::ErrorKind::InvalidData, "unexpected answer")).into()
}

/// The study of an id.
async fn study_of(record: &Record, id: &str) -> Result<StudyUid, Failure> {
    match record.resolve(id).await? {
        Subject::Study(uid) => Ok(uid),
        _ => Err(Failure::WrongKind { wanted: "study", id: id.into() }),
    }
}

/// The series of an id.
async fn series_of(record: &Record, id: &str) -> Result<SeriesUid, Failure> {
    match record.resolve(id).await? {
        Subject::Series(uid) => Ok(uid),
        _ => Err(Failure::WrongKind { wanted: "series", id: id.into() }),
    }
}

/// What a worker opens for an id: a series of the record, which is then open, or a research file named by its path,
/// which needs none.
async fn images_of(ctx: &Ctx<'_>, id: &str) -> Result<(Option<Record>, SeriesFiles), Failure> {
    if let Some(file) = research_file(id)? {
        return Ok((None, file));
    }
    let record = ctx.record().await?;
    let series = files_of(&record, &series_of(&record, id).await?).await?;
    Ok((Some(record), series))
}

/// The research file (NIfTI, NRRD, MetaImage) that an id names by its ending; no id of the record has one.
fn research_file(id: &str) -> Result<Option<SeriesFiles>, Failure> {
    let path = Path::new(id);
    if ResearchFormat::of(path).is_none() {
        return Ok(None);
    }
    let read = |source| Failure::File { what: "read", path: path.into(), source };
    path.metadata().map_err(read)?;
    // The worker may have another working folder.
    let path = std::path::absolute(path).map_err(read)?;
    // Nobody else knows this UID: such a file belongs to no series.
    Ok(Some(SeriesFiles { series: SeriesUid::fresh(), files: vec![ObjectFile { path, sealed: false }] }))
}

/// The sealed files of a series, for a worker.
async fn files_of(record: &Record, series: &SeriesUid) -> Result<SeriesFiles, Failure> {
    let objects = record.series_objects(series).await?;
    let files = objects.into_iter().map(|o| ObjectFile { path: o.path, sealed: true }).collect();
    Ok(SeriesFiles { series: series.clone(), files })
}
