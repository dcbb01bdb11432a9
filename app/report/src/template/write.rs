//! From a template to its file.

use super::{Applies, Template};
use crate::error::{Error, Result};
use serde::ser::{Serialize, SerializeStruct as _, Serializer};

impl Template {
    /// The template as the text of a file, which [`Template::parse`] reads.
    ///
    /// # Errors
    /// [`Error::BadFile`] when it cannot be said in TOML.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string_pretty(self).map_err(|e| Error::BadFile { kind: "template", why: e.to_string() })
    }
}

/// What is said of nothing is not written.
impl Serialize for Applies {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Self { modality, body_part, words, sex, age_from, age_below, order_codes } = self;
        let mut out = serializer.serialize_struct("Applies", 7)?;
        out.serialize_field("modality", modality)?;
        for (name, list) in [("body_part", body_part), ("words", words), ("order_codes", order_codes)] {
            if !list.is_empty() {
                out.serialize_field(name, list)?;
            }
        }
        if !sex.is_empty() {
            out.serialize_field("sex", sex)?;
        }
        for (name, age) in [("age_from", age_from), ("age_below", age_below)] {
            if age.is_some() {
                out.serialize_field(name, age)?;
            }
        }
        out.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        for template in Template::all() {
            let text = template.to_toml().unwrap();
            assert_eq!(&Template::parse(&text).unwrap(), template, "{}", template.name);
        }
    }
}
