//! Values that the documentation lists: taken by the API's own spelling or by a readable one, in any case.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, TypedValueParser};
use serde::{Serialize, Serializer};

use crate::nearest::{fold, nearest};

/// One documented value.
#[derive(Debug)]
pub struct Known {
    /// As the API spells it.
    pub native: &'static str,
    /// As a person would type it.
    pub readable: &'static str,
}

/// Shorthand for a table of documented values.
pub const fn known(native: &'static str, readable: &'static str) -> Known {
    Known { native, readable }
}

/// A value chosen on the command line, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub sent: String,
    /// Whether the documentation lists it. Clouds add values, so others are sent too, after a warning.
    pub documented: bool,
    /// The documented value that may have been meant, where it is none.
    pub near: Option<&'static str>,
}

impl Choice {
    /// Reads `text` by the table: `2`, `succeeded`, `IMAGE_SCAN`, `image-scan` and `image_scan` are all understood.
    pub fn read(table: &'static [Known], text: &str) -> Self {
        let wanted = fold(text);
        match table
            .iter()
            .find(|value| fold(value.native) == wanted || fold(value.readable) == wanted)
        {
            Some(value) => Choice {
                sent: value.native.to_owned(),
                documented: true,
                near: None,
            },
            None => Choice {
                sent: text.to_owned(),
                documented: false,
                near: nearest(
                    text,
                    table
                        .iter()
                        .flat_map(|value| [value.native, value.readable]),
                ),
            },
        }
    }
}

impl Serialize for Choice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sent.serialize(serializer)
    }
}

/// The clap parser of a table of documented values.
#[derive(Clone, Copy)]
pub struct Choices(pub &'static [Known]);

impl TypedValueParser for Choices {
    type Value = Choice;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Choice, clap::Error> {
        let text =
            clap::builder::NonEmptyStringValueParser::new().parse_ref(command, arg, value)?;
        Ok(Choice::read(self.0, &text))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|value| {
            PossibleValue::new(value.readable).alias(value.native)
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Known] = &[known("2", "succeeded"), known("IMAGE_SCAN", "image-scan")];

    #[test]
    fn native_and_readable_spellings_mean_the_same_in_any_case() {
        for text in ["IMAGE_SCAN", "image-scan", "image_scan", "Image-Scan"] {
            assert_eq!(Choice::read(TABLE, text).sent, "IMAGE_SCAN", "{text}");
        }
        assert_eq!(Choice::read(TABLE, "Succeeded").sent, "2");
        assert_eq!(Choice::read(TABLE, "2").sent, "2");
    }

    #[test]
    fn an_undocumented_value_is_kept_as_typed() {
        for (text, near) in [("New_Thing", None), ("image-skan", Some("image-scan"))] {
            let choice = Choice::read(TABLE, text);
            assert_eq!((choice.sent.as_str(), choice.documented), (text, false));
            assert_eq!(choice.near, near);
        }
    }
}
