//! The parts of a task: stages with the time at which each ended, or percentages by project.
//!
//! Clouds send them as JSON inside a string, some of them encoded twice. What can't be decoded is kept as the text
//! that it is.

use std::fmt;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::clamp_percent;
use crate::moment::rfc3339;
use crate::operation::lenient::{Int, Text};

/// What is known of the parts of a task.
#[derive(Debug, Clone, PartialEq)]
pub enum Details {
    /// Stages in the order in which they ended.
    Stages(Vec<(String, DateTime<Utc>)>),
    /// Percent done of each project, in the server's order.
    Projects(Vec<(String, u8)>),
    /// Text that could not be decoded, under the name that the decoded parts would have had.
    Undecoded(&'static str, String),
}

const STAGES: &str = "stages";
const PROJECTS: &str = "projects";

/// Decodes `{"vul":"2023-09-04 09:37:31",…}`: names of stages and the time at which each ended, in China time.
pub fn stages(text: &str) -> Option<Details> {
    let decoded = fields::<String>(text).and_then(|stages| {
        let stage =
            |(name, ended): (_, String)| Some((name, Text(Some(ended.into())).china_time()?));
        stages.into_iter().map(stage).collect::<Option<Vec<_>>>()
    });
    match decoded {
        Some(stages) if stages.is_empty() => None,
        Some(mut stages) => {
            stages.sort_by_key(|(_, ended)| *ended);
            Some(Details::Stages(stages))
        }
        None => Some(Details::Undecoded(STAGES, text.to_owned())),
    }
}

/// Decodes `{"vul":35,…}`: percent done of each project.
pub fn projects(text: &str) -> Option<Details> {
    let decoded = fields::<Int>(text).and_then(|projects| {
        let project = |(name, percent): (_, Int)| Some((name, clamp_percent(percent.0?)));
        projects
            .into_iter()
            .map(project)
            .collect::<Option<Vec<_>>>()
    });
    match decoded {
        Some(projects) if projects.is_empty() => None,
        Some(projects) => Some(Details::Projects(projects)),
        None => Some(Details::Undecoded(PROJECTS, text.to_owned())),
    }
}

/// The fields of the object in a text of JSON, or in a text of JSON that is such a text, in the server's order.
fn fields<V: DeserializeOwned>(text: &str) -> Option<Vec<(String, V)>> {
    let Fields(fields) = match text.trim_start().starts_with('"') {
        true => serde_json::from_str(&serde_json::from_str::<String>(text).ok()?),
        false => serde_json::from_str(text),
    }
    .ok()?;
    Some(fields)
}

/// An object of any names.
struct Fields<V>(Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Fields<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Each<V> {
            type Value = Fields<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<V>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each(PhantomData))
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gap = |index| if index == 0 { "" } else { ", " };
        match self {
            Details::Stages(stages) => stages.iter().enumerate().try_for_each(|(at, stage)| {
                write!(f, "{}{} {}", gap(at), stage.0, rfc3339(stage.1))
            }),
            Details::Projects(projects) => projects
                .iter()
                .enumerate()
                .try_for_each(|(at, project)| write!(f, "{}{} {}%", gap(at), project.0, project.1)),
            Details::Undecoded(_, text) => f.write_str(text),
        }
    }
}

impl Serialize for Details {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        match self {
            Details::Stages(stages) => {
                let stages: Vec<_> = stages
                    .iter()
                    .map(|(name, ended)| json!({"name": name, "ended_at": rfc3339(*ended)}))
                    .collect();
                map.serialize_entry(STAGES, &stages)?;
            }
            Details::Projects(projects) => {
                let projects: Map<_, _> = projects
                    .iter()
                    .map(|(name, percent)| (name.clone(), Value::from(*percent)))
                    .collect();
                map.serialize_entry(PROJECTS, &projects)?;
            }
            Details::Undecoded(name, text) => map.serialize_entry(name, text)?,
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(details: Option<Details>) -> (String, String) {
        let details = details.unwrap();
        (
            details.to_string(),
            serde_json::to_string(&details).unwrap(),
        )
    }

    #[test]
    fn stages_are_in_china_time_and_in_the_order_of_their_ends() {
        let text = r#"{"vul":"2023-09-04 09:37:31","binary":"2023-09-04 09:37:25"}"#;
        let decoded = (
            "binary 2023-09-04T01:37:25Z, vul 2023-09-04T01:37:31Z".to_owned(),
            r#"{"stages":[{"name":"binary","ended_at":"2023-09-04T01:37:25Z"},{"name":"vul","ended_at":"2023-09-04T01:37:31Z"}]}"#
                .to_owned(),
        );
        assert_eq!(shown(stages(text)), decoded);
        let twice = serde_json::to_string(text).unwrap();
        assert_eq!(shown(stages(&twice)), decoded);
    }

    #[test]
    fn projects_are_percentages_however_often_they_are_encoded() {
        let text = r#"{"vul":35,"binary":"140"}"#;
        let decoded = (
            "vul 35%, binary 100%".to_owned(),
            r#"{"projects":{"vul":35,"binary":100}}"#.to_owned(),
        );
        assert_eq!(shown(projects(text)), decoded);
        let twice = serde_json::to_string(text).unwrap();
        assert_eq!(shown(projects(&twice)), decoded);
    }

    #[test]
    fn what_can_not_be_decoded_stays_text() {
        for text in ["soon", "{\"vul\":\"soon\"}", "[1]", "\"{\""] {
            let json = json!({"stages": text}).to_string();
            assert_eq!(shown(stages(text)), (text.to_owned(), json));
        }
        assert_eq!(shown(projects("{\"vul\":[]}")).0, "{\"vul\":[]}");
        assert_eq!((stages("{}"), projects("\"{}\"")), (None, None));
    }
}
