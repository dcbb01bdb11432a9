//! Messages between a parent program and its child workers.
//!
//! One JSON object per line on the child's stdin and stdout: `{"v": 1, "type": "...", "data": {...}}`.
//! The first line each way is a `Hello` with the protocol version. A line that is not a message is noise
//! (a native library may print) and is skipped with a note; a line longer than [`MAX_LINE`] is dropped
//! whole; end of file means stop. No pixel crosses: what a child makes is a sealed file in the record's
//! inbox and the message names it (an export a person asked for is a plain file where that person said). No
//! patient name is needed on it; every message of a room carries the study it speaks of, and one for a study
//! that is not open is refused.
//!
//! Start reading at [`message`]; [`codec`] is the framing, generic over `BufRead` and `Write`.

#![forbid(unsafe_code)]

pub mod codec;
pub mod headless;
pub mod job;
pub mod message;
pub mod speech;
pub mod worker;

pub use codec::{LineReader, LineWriter, MAX_LINE, Noise, Received, is_sendable, version};
pub use headless::{Headless, JobError};
pub use job::{Job, JobResult};
pub use message::{
    KeyGrant, ObjectFile, PriorSeries, PriorStudy, SegmentFile, SegmentationFile, SeriesFiles, ToParent, ToViewer, ViewState,
};
pub use mj_model::{Coded, Lang, Told};
pub use worker::{Event, Events, Worker, WorkerError, find_program};
