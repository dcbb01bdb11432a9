//! What can go wrong between a volume and its picture.

use mj_model::Coded;

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Errors, cut by operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No graphics device could be opened.
    #[error("no graphics device: {0}")]
    NoDevice(String),
    /// The volume has more voxels along an axis than the device takes, in one piece or in bricks.
    #[error("a volume of {dims:?} voxels is over the device's limit of {limit} along an axis")]
    TooLarge {
        /// Voxels along i, j, k.
        dims: [usize; 3],
        /// The device's limit along one axis.
        limit: u32,
    },
    /// The device has not enough memory left.
    #[error("the device has no {mib} MiB of memory left for a volume")]
    NoMemory {
        /// What the volume takes. Units: MiB.
        mib: usize,
    },
    /// A picture of no or too many pixels was asked for.
    #[error("a picture of {0}x{1} pixels cannot be made")]
    BadSize(usize, usize),
    /// The samples do not fill the grid.
    #[error("{samples} samples do not fill {dims:?} voxels")]
    NotFilled {
        /// Number of samples.
        samples: usize,
        /// Voxels along i, j, k.
        dims: [usize; 3],
    },
    /// The picture could not be read back.
    #[error("reading a picture back failed: {0}")]
    ReadBack(String),
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::NoDevice(_) => "gpu.no_device",
            Self::TooLarge { .. } => "gpu.too_large",
            Self::NoMemory { .. } => "gpu.no_memory",
            Self::BadSize(..) => "gpu.bad_size",
            Self::NotFilled { .. } => "gpu.not_filled",
            Self::ReadBack(_) => "gpu.read_back",
        }
    }

    fn args(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::NoDevice(reason) | Self::ReadBack(reason) => vec![("reason", reason.clone())],
            Self::TooLarge { limit, .. } => vec![("limit", limit.to_string())],
            Self::NoMemory { mib } => vec![("mib", mib.to_string())],
            Self::BadSize(w, h) => vec![("size", format!("{w}×{h}"))],
            Self::NotFilled { .. } => Vec::new(),
        }
    }
}

impl Error {
    /// Every code this type can raise.
    pub const CODES: &'static [&'static str] =
        &["gpu.no_device", "gpu.too_large", "gpu.no_memory", "gpu.bad_size", "gpu.not_filled", "gpu.read_back"];
}
