//! C-STORE status codes, both ways.
//!
//! Source: PS3.4 §B.2.3 (storage), PS3.7 §C (general).

/// The class of a status code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusClass {
    /// 0000.
    Success,
    /// 0001, 0107, 0116 and Bxxx: done, with a remark.
    Warning,
    /// FE00.
    Cancel,
    /// FF00 and FF01: more is coming.
    Pending,
    /// Everything else.
    Failure,
}

impl StatusClass {
    /// The class of a code.
    #[must_use]
    pub const fn of(status: u16) -> Self {
        match status {
            0 => Self::Success,
            1 | 0x0107 | 0x0116 | 0xB000..=0xBFFF => Self::Warning,
            0xFE00 => Self::Cancel,
            0xFF00 | 0xFF01 => Self::Pending,
            _ => Self::Failure,
        }
    }
}

/// What our side answers to a C-STORE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreStatus {
    /// On disk.
    Stored,
    /// The very same object was there already: success for the sender.
    AlreadyPresent,
    /// Kept aside, because an instance of this UID with other content exists; a person decides. The sender
    /// has done its part, so this is a warning (B007), not a failure.
    Conflict,
    /// No room: the sender may try again later (A700).
    OutOfResources,
    /// The data set is not what the message says it is (A900).
    Mismatch,
    /// The data set cannot be read (C000).
    Unreadable,
    /// It failed here for another reason (0110).
    Failed,
}

impl StoreStatus {
    /// The code that goes on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        match self {
            Self::Stored | Self::AlreadyPresent => 0,
            Self::Conflict => 0xB007,
            Self::OutOfResources => 0xA700,
            Self::Mismatch => 0xA900,
            Self::Unreadable => 0xC000,
            Self::Failed => 0x0110,
        }
    }

    /// Error Comment (0000,0902), at most 64 ASCII characters.
    #[must_use]
    pub const fn comment(self) -> &'static str {
        match self {
            Self::Stored | Self::AlreadyPresent => "",
            Self::Conflict => "same UID with other content, kept aside",
            Self::OutOfResources => "out of resources",
            Self::Mismatch => "data set does not match the message",
            Self::Unreadable => "cannot read the data set",
            Self::Failed => "could not be stored",
        }
    }

    /// Whether the object is safe on our side.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::Stored | Self::AlreadyPresent | Self::Conflict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_codes() {
        use StatusClass::*;
        for (code, class) in [
            (0, Success),
            (0xB000, Warning),
            (0xB007, Warning),
            (0x0107, Warning),
            (0xA700, Failure),
            (0xC123, Failure),
            (0x0110, Failure),
            (0xFE00, Cancel),
            (0xFF00, Pending),
            (0xFF01, Pending),
        ] {
            assert_eq!(StatusClass::of(code), class, "{code:04X}");
        }
    }

    #[test]
    fn only_what_is_kept_is_no_failure() {
        use StoreStatus::*;
        for status in [Stored, AlreadyPresent, Conflict, OutOfResources, Mismatch, Unreadable, Failed] {
            assert_eq!(status.is_kept(), StatusClass::of(status.code()) != StatusClass::Failure, "{status:?}");
            assert!(status.comment().len() <= 64);
        }
    }
}
