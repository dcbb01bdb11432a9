//! The nouns of the workstation, and nothing that does work.
//!
//! Everything here is plain data in the field's own words: DICOM identifiers ([`uid`]), patient space in
//! LPS millimetres ([`space`]), units and coded concepts ([`code`]), image volumes ([`volume`]) and how they are
//! shown ([`window`], [`colour`]), findings with their measurements ([`finding`]), segments and plans ([`plan`]),
//! people ([`person`]) and moments ([`clock`]). No file, socket, database, window or DICOM data set is opened here.
//!
//! Start reading at [`space`] for the coordinate conventions, then [`finding`].

#![forbid(unsafe_code)]

pub mod clock;
pub mod code;
pub mod coded;
pub mod colour;
pub mod finding;
pub mod geometry;
pub mod person;
pub mod phi;
pub mod plan;
pub mod research;
pub mod space;
pub mod uid;
pub mod volume;
pub mod warning;
pub mod window;

pub use clock::Moment;
pub use code::{Code, Quantity, Unit};
pub use coded::{Coded, Told};
pub use colour::{ColourImage, Cover};
pub use finding::{Confirmed, Finding, FindingState, Held, Measurement, Side};
pub use geometry::{Extent, Geometry, Shape};
pub use person::{Lang, PatientKey, PersonName};
pub use phi::Phi;
pub use research::ResearchFormat;
pub use space::{Grid, PointLps, VectorLps, Voxel};
pub use uid::{FrameOfReferenceUid, InstanceUid, SeriesUid, SopClassUid, StudyUid, TransferSyntaxUid};
pub use volume::{LinearMap, Mask, Padding, Samples, Volume};
pub use warning::Warning;
pub use window::{Curve, LookupTable, Window};
