//! The one error type, and the one table from kinds of failure to exit codes.
//!
//! An error is what a person can act on: what failed, why, and what to do next. It must never hold a secret.

use std::fmt;

use serde::Serialize;

use crate::nearest::nearest;

/// What sort of failure it is: decides the exit code, whether a wait asks again, and is the `kind` of a JSON error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The command line is wrong. Nothing was sent.
    Usage,
    /// A variable, file or profile is wrong. Nothing was sent.
    Config,
    /// No credentials, or the cloud refuses them.
    Credential,
    /// Signed in, but not allowed.
    Permission,
    /// The service could not be reached, or the connection broke.
    Network,
    /// Throttled past the retries.
    Throttled,
    /// The cloud refuses the request itself.
    Refused,
    /// The cloud failed.
    Server,
    /// The answer can't be read.
    Answer,
    /// Some of what was asked for was not answered.
    Partial,
    /// A task has a `--fail-on` status.
    Gate,
    /// `--wait-timeout` passed with tasks still running.
    WaitTimeout,
    /// Ctrl-C.
    Interrupted,
    /// Results could not be written, or not be shaped as asked.
    Output,
    /// Nobody reads the results any more (`| head`), and nothing else was asked for: no failure.
    NotRead,
    /// A dry run does not send this. It signs with a stand-in instead, so no command ends with this.
    NotSent,
}

impl Kind {
    /// The exit code, as documented in `scanq --help` and README.md.
    pub fn exit_code(self) -> u8 {
        match self {
            Kind::Network
            | Kind::Throttled
            | Kind::Refused
            | Kind::Server
            | Kind::Answer
            | Kind::Output => 1,
            Kind::NotRead => 0,
            Kind::Usage | Kind::Config | Kind::NotSent => 2,
            Kind::Partial => 3,
            Kind::Credential | Kind::Permission => 4,
            Kind::Gate => 5,
            Kind::WaitTimeout => 124,
            Kind::Interrupted => 130,
        }
    }

    /// Whether asking again can help: wrong passwords are never tried again, and a refused request stays refused.
    pub(crate) fn may_pass(self) -> bool {
        matches!(
            self,
            Kind::Network | Kind::Throttled | Kind::Server | Kind::Answer
        )
    }

    /// Whether it is on our side of the output: nothing that arrives can be printed any more.
    pub(crate) fn ends_output(self) -> bool {
        matches!(self, Kind::Output | Kind::NotRead | Kind::Interrupted)
    }
}

/// A failure that a person or a script can act on.
///
/// Displayed as `<what>: <why>`; the details follow on indented lines of their own (see [`crate::context::Ui`]).
#[derive(Debug, Clone, thiserror::Error)]
pub struct Error {
    /// What sort of failure it is.
    pub kind: Kind,
    /// What failed, as a lowercase fragment.
    pub what: String,
    /// Why, as far as it is known.
    pub why: String,
    /// The vendor's error code.
    pub code: Option<String>,
    /// The vendor's request id, for a support ticket.
    pub request_id: Option<String>,
    /// The address that was asked, without query and credentials.
    pub endpoint: Option<String>,
    /// `profile/region operation`, where one command asks several.
    pub target: Option<String>,
    /// What to do next.
    pub hints: Vec<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.what.as_str(), self.why.as_str()) {
            (what, "") => f.write_str(what),
            ("", why) => f.write_str(why),
            (what, why) => write!(f, "{what}: {why}"),
        }
    }
}

impl Error {
    /// An error of `kind`: `what` failed because of `why`.
    pub fn new(kind: Kind, what: impl Into<String>, why: impl fmt::Display) -> Self {
        Error {
            kind,
            what: what.into(),
            why: why.to_string(),
            code: None,
            request_id: None,
            endpoint: None,
            target: None,
            hints: Vec::new(),
        }
    }

    /// What a command ends with that is told to end.
    pub fn interrupted() -> Self {
        Error::new(Kind::Interrupted, "interrupted", "")
    }

    /// A wrong command line.
    pub fn usage(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Error::new(Kind::Usage, what, why)
    }

    /// The same error with one more thing to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same error, with the known name that may have been meant, if there is one.
    #[must_use]
    pub fn did_you_mean<'a>(self, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(name, known) {
            Some(near) => self.hint(format!("did you mean {near}?")),
            None => self,
        }
    }

    /// The same error, said of one target among several.
    #[must_use]
    pub fn target(mut self, target: impl Into<String>) -> Self {
        self.target.get_or_insert(target.into());
        self
    }

    /// The indented lines that follow the first: label and text, in the order in which they are shown.
    pub fn details(&self) -> Vec<(&'static str, &str)> {
        let known = [
            ("target", &self.target),
            ("code", &self.code),
            ("request-id", &self.request_id),
            ("endpoint", &self.endpoint),
        ];
        known
            .into_iter()
            .filter_map(|(label, text)| Some((label, text.as_deref()?)))
            .chain(self.hints.iter().map(|hint| ("hint", hint.as_str())))
            .collect()
    }

    /// The form that scripts read: `{"kind","code","message","request_id","target","hint"}`.
    pub fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "kind": self.kind,
            "code": self.code,
            "message": self.to_string(),
            "request_id": self.request_id,
            "target": self.target,
            "hint": (!self.hints.is_empty()).then(|| self.hints.join("; ")),
        })
    }
}

/// Arguments that were parsed, but are not what their command asks for.
impl From<clap::Error> for Error {
    fn from(error: clap::Error) -> Self {
        Error::usage("arguments", error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_documented_exit_code() {
        for (kind, code) in [
            (Kind::Usage, 2),
            (Kind::Config, 2),
            (Kind::Credential, 4),
            (Kind::Permission, 4),
            (Kind::Network, 1),
            (Kind::Throttled, 1),
            (Kind::Refused, 1),
            (Kind::Server, 1),
            (Kind::Answer, 1),
            (Kind::Output, 1),
            (Kind::Partial, 3),
            (Kind::Gate, 5),
            (Kind::WaitTimeout, 124),
            (Kind::Interrupted, 130),
        ] {
            assert_eq!(kind.exit_code(), code, "{kind:?}");
        }
    }

    #[test]
    fn details_come_in_a_fixed_order_and_only_where_known() {
        let mut error = Error::new(Kind::Server, "list tasks", "it broke").hint("try again");
        error.request_id = Some("R-1".into());
        assert_eq!(error.to_string(), "list tasks: it broke");
        assert_eq!(
            error.details(),
            [("request-id", "R-1"), ("hint", "try again")]
        );
    }
}
