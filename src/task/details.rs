//! The parts of a task: stages with the time at which each ended, or percentages by project.
//!
//! Clouds send them as JSON inside a string, some of them encoded twice. What can't be decoded is kept as the text
//! that it is.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::clamp_percent;
use crate::moment::rfc3339;
use crate::operation::lenient::Text;

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
    let decoded = object(text).and_then(|object| {
        let stage = |(name, ended): (String, Value)| {
            let ended = Text(Some(ended.as_str()?.to_owned())).china_time()?;
            Some((name, ended))
        };
        object.into_iter().map(stage).collect::<Option<Vec<_>>>()
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
    let decoded = object(text).and_then(|object| {
        let project = |(name, percent): (String, Value)| {
            let percent = match percent {
                Value::String(text) => text.parse().ok()?,
                percent => percent.as_i64()?,
            };
            Some((name, clamp_percent(percent)))
        };
        object.into_iter().map(project).collect::<Option<Vec<_>>>()
    });
    match decoded {
        Some(projects) if projects.is_empty() => None,
        Some(projects) => Some(Details::Projects(projects)),
        None => Some(Details::Undecoded(PROJECTS, text.to_owned())),
    }
}

/// The object in a text of JSON, or in a text of JSON that is such a text.
fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text).ok()? {
        Value::Object(object) => Some(object),
        Value::String(inner) => serde_json::from_str(&inner).ok(),
        _ => None,
    }
}

impl fmt::Display for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<_> = match self {
            Details::Stages(stages) => stages
                .iter()
                .map(|(name, ended)| format!("{name} {}", rfc3339(*ended)))
                .collect(),
            Details::Projects(projects) => projects
                .iter()
                .map(|(name, percent)| format!("{name} {percent}%"))
                .collect(),
            Details::Undecoded(_, text) => return f.write_str(text),
        };
        f.write_str(&parts.join(", "))
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
