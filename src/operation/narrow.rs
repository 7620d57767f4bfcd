//! What a listing can be asked for in normalised terms: which kinds of task it has, and which parameters narrow it.
//!
//! Only what loses no task is declared here; the rest is filtered after the answer. Names and targets are among the rest:
//! no page says whether a service compares them whole or in part, or minds the case.

use serde_json::Value;

use super::Params;
use crate::task::Status;

/// How a listing is narrowed on the server.
#[derive(Debug)]
pub struct Narrow {
    /// The kinds of task that it lists.
    pub kinds: &'static [Kind],
    /// By status.
    pub status: Option<ByStatus>,
}

impl Narrow {
    /// Nothing can be asked for.
    pub const NOTHING: Narrow = Narrow {
        kinds: &[],
        status: None,
    };
}

/// A kind of task.
#[derive(Debug)]
pub struct Kind {
    /// As the unified task has it.
    pub name: &'static str,
    /// The parameter and value that ask for it; none where the listing has no other kind.
    pub ask: Option<(&'static str, &'static str)>,
}

/// Shorthand for a [`Kind`].
pub const fn kind(name: &'static str, ask: Option<(&'static str, &'static str)>) -> Kind {
    Kind { name, ask }
}

/// A parameter for the status of tasks.
#[derive(Debug)]
pub struct ByStatus {
    /// The parameter.
    pub param: &'static str,
    /// Its documented values, with what each may come to.
    pub natives: &'static [(&'static str, &'static [Status])],
    /// Statuses that tasks also have by values which the parameter is not documented to take.
    pub unlisted: &'static [Status],
    /// Whether it takes several values.
    pub many: bool,
}

/// What asking for statuses comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Narrowed {
    /// The listing has no task of these statuses: it need not be asked.
    Never,
    /// The parameters ask for them.
    Asked,
    /// The service can't be asked for exactly these.
    NotAsked,
}

impl ByStatus {
    /// Asks for tasks of any of these statuses.
    pub fn ask(&self, wanted: &[Status], params: &mut Params) -> Narrowed {
        if wanted
            .iter()
            .any(|status| *status == Status::Unknown || self.unlisted.contains(status))
        {
            return Narrowed::NotAsked;
        }
        let natives: Vec<_> = self
            .natives
            .iter()
            .filter(|(_, comes_to)| comes_to.iter().any(|status| wanted.contains(status)))
            .map(|(native, _)| *native)
            .collect();
        match natives[..] {
            [] => Narrowed::Never,
            [native] if !self.many => {
                params.insert(self.param.into(), native.into());
                Narrowed::Asked
            }
            _ if self.many => {
                params.insert(self.param.into(), Value::from(natives));
                Narrowed::Asked
            }
            _ => Narrowed::NotAsked,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: ByStatus = ByStatus {
        param: "Status",
        natives: &[
            ("1", &[Status::Running]),
            ("2", &[Status::Succeeded, Status::Partial]),
        ],
        unlisted: &[Status::Failed],
        many: false,
    };

    fn asked(wanted: &[Status], many: bool) -> (Narrowed, String) {
        let mut params = Params::new();
        let narrowed = ByStatus { many, ..STATUS }.ask(wanted, &mut params);
        (narrowed, Value::Object(params).to_string())
    }

    #[test]
    fn statuses_are_asked_for_only_where_no_task_gets_lost() {
        let one = (Narrowed::Asked, r#"{"Status":"2"}"#.to_owned());
        assert_eq!(asked(&[Status::Partial], false), one);
        let both = [Status::Running, Status::Partial];
        assert_eq!(asked(&both, false), (Narrowed::NotAsked, "{}".into()));
        let list = (Narrowed::Asked, r#"{"Status":["1","2"]}"#.to_owned());
        assert_eq!(asked(&both, true), list);
        for status in [Status::Failed, Status::Unknown] {
            assert_eq!(asked(&[status], true).0, Narrowed::NotAsked);
        }
        assert_eq!(asked(&[Status::Pending], false).0, Narrowed::Never);
    }
}
