//! DICOM unique identifiers as types that cannot be mixed up.
//!
//! Source: PS3.5 §9 (at most 64 characters, digits and dots, no leading zero in a component).

use serde::{Deserialize, Serialize};

/// Why a text is not a UID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a DICOM UID (digits and dots, at most 64 characters)")]
pub struct NotAUid;

/// Trims the padding that files carry and checks the characters. Leading zeros in a component break the
/// standard but occur in real files, so they are kept as they are.
fn parse(text: &str) -> Result<String, NotAUid> {
    let text = text.trim_end_matches(['\0', ' ']).trim_start();
    let ok = !text.is_empty()
        && text.len() <= 64
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && !text.starts_with('.')
        && !text.ends_with('.')
        && !text.contains("..");
    if ok { Ok(text.into()) } else { Err(NotAUid) }
}

/// A fresh UID under the UUID root, `2.25.` followed by a random UUID as a decimal number.
///
/// Source: PS3.5 §B.2.
#[must_use]
pub fn fresh() -> String {
    format!("2.25.{}", uuid::Uuid::new_v4().as_u128())
}

macro_rules! uid_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses a UID, dropping the padding DICOM allows.
            ///
            /// # Errors
            /// [`NotAUid`] when other characters than digits and dots occur, or it is too long.
            pub fn parse(text: &str) -> Result<Self, NotAUid> {
                parse(text).map(Self)
            }

            /// A new, globally unique identifier (`2.25.` + UUID).
            #[must_use]
            pub fn fresh() -> Self {
                Self(fresh())
            }

            /// The UID as text, without padding.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAUid;
            fn try_from(text: String) -> Result<Self, NotAUid> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(uid: $name) -> Self {
                uid.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

uid_type!(
    /// Study Instance UID (0020,000D).
    StudyUid
);
uid_type!(
    /// Series Instance UID (0020,000E).
    SeriesUid
);
uid_type!(
    /// SOP Instance UID (0008,0018).
    InstanceUid
);
uid_type!(
    /// SOP Class UID (0008,0016).
    SopClassUid
);
uid_type!(
    /// Frame of Reference UID (0020,0052).
    FrameOfReferenceUid
);
uid_type!(
    /// Transfer Syntax UID (0002,0010).
    TransferSyntaxUid
);
uid_type!(
    /// Tracking Unique Identifier (0062,0021): one lesion over time.
    TrackingUid
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_padding_and_refuses_the_rest() {
        assert_eq!(StudyUid::parse("1.2.840\0").unwrap().as_str(), "1.2.840");
        for bad in ["", ".1", "1.", "1..2", "1.2a", &"1".repeat(65)] {
            assert!(StudyUid::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn fresh_uids_fit_and_differ() {
        let (a, b) = (InstanceUid::fresh(), InstanceUid::fresh());
        assert!(a.as_str().starts_with("2.25.") && a.as_str().len() <= 64);
        assert_ne!(a, b);
    }
}
