//! What can go wrong in this crate.

use mj_model::Coded;

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong in this crate. `Display` is for the log; people read the catalogue's sentence.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// The starting point of region growing lies outside the image.
    #[error("the seed lies outside the grid")]
    SeedOutside,
    /// The value at the starting point is not in the range.
    #[error("the seed has the value {value}, outside the range {low} to {high}")]
    SeedOutOfRange {
        /// Value at the seed, in the volume's unit.
        value: f64,
        /// Lowest value of the range.
        low: f64,
        /// Highest value of the range.
        high: f64,
    },
    /// Not one voxel fulfils the condition.
    #[error("the segment would be empty")]
    EmptySegment,
    /// The range's ends are swapped or not numbers.
    #[error("the range {low} to {high} is not a range")]
    BadRange {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// The normal of a plane has no direction.
    #[error("the plane's normal has no direction")]
    BadPlane,
    /// Voxels and grid do not fit together.
    #[error("{voxels} voxels do not fill a grid of {expected}")]
    WrongSize {
        /// Number of voxels given.
        voxels: usize,
        /// Number the grid needs.
        expected: usize,
    },
    /// A demo patient of this size cannot be made.
    #[error("a phantom of {size} x {size} x {slices} cannot be made")]
    BadPhantom {
        /// Rows and columns asked for.
        size: usize,
        /// Slices asked for.
        slices: usize,
    },
    /// A transfer function without points, with values that do not rise or with numbers outside 0 to 1.
    #[error("the transfer function cannot be drawn")]
    BadTransferFunction,
    /// The built-in presets cannot be read.
    #[error("the presets of volume rendering are broken: {0}")]
    BadPresets(String),
    /// Two volumes that cannot be compared: without millimetres, without a place in the patient, or of two modalities.
    #[error("the volumes cannot be registered")]
    CannotRegister,
    /// Two volumes do not lie on each other well enough to say where a place of one is in the other.
    #[error("the registration is not to be trusted: similarity {similarity:.2}, detail {detail:.2}, overlap {overlap:.2}")]
    RegisteredBadly {
        /// Correlation inside the body.
        similarity: f64,
        /// Middle correlation of small blocks.
        detail: f64,
        /// Part of the smaller body that both show.
        overlap: f64,
    },
    /// The person cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::SeedOutside => "imaging.seed_outside",
            Self::SeedOutOfRange { .. } => "imaging.seed_out_of_range",
            Self::EmptySegment => "imaging.empty_segment",
            Self::BadRange { .. } => "imaging.bad_range",
            Self::BadPlane => "imaging.bad_plane",
            Self::WrongSize { .. } => "imaging.wrong_size",
            Self::BadPhantom { .. } => "imaging.bad_phantom",
            Self::BadTransferFunction => "imaging.bad_transfer_function",
            Self::BadPresets(_) => "imaging.bad_presets",
            Self::CannotRegister => "imaging.cannot_register",
            Self::RegisteredBadly { .. } => "imaging.registered_badly",
            Self::Cancelled => "imaging.cancelled",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        let number = |v: f64| format!("{v:.1}");
        match self {
            Self::SeedOutOfRange { value, low, high } => {
                vec![("value", number(*value)), ("low", number(*low)), ("high", number(*high))]
            }
            Self::BadRange { low, high } => vec![("low", number(*low)), ("high", number(*high))],
            Self::WrongSize { voxels, expected } => vec![("voxels", voxels.to_string()), ("expected", expected.to_string())],
            Self::BadPhantom { size, slices } => vec![("size", size.to_string()), ("slices", slices.to_string())],
            Self::BadPresets(reason) => vec![("reason", reason.clone())],
            Self::RegisteredBadly { similarity, detail, overlap } => vec![
                ("similarity", format!("{similarity:.2}")),
                ("detail", format!("{detail:.2}")),
                ("overlap", format!("{:.0}", overlap * 100.0)),
            ],
            Self::SeedOutside
            | Self::EmptySegment
            | Self::BadPlane
            | Self::BadTransferFunction
            | Self::CannotRegister
            | Self::Cancelled => Vec::new(),
        }
    }
}
