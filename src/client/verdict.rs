//! What one try came to: a page, or what is wrong and what to do next.

use chrono::{DateTime, Utc};

use super::Target;
use crate::error::{Error, Kind};
use crate::operation::Entry;
use crate::operation::page::Page;
use crate::provider::{Answer, Failure, Retry};
use crate::transport::{self, Reply};

/// What came of a try that brought no page.
pub(super) struct Attempt {
    pub(super) failure: Failure,
    /// The server's clock, where the answer had a date.
    pub(super) date: Option<DateTime<Utc>>,
}

/// Reads an answer.
pub(super) fn judge(target: &Target, entry: &Entry, mut reply: Reply) -> Result<Page, Attempt> {
    // The page takes it over: nothing else holds it, so nothing is copied.
    let body = std::mem::take(&mut reply.body);
    let is_web_page = body.trim_ascii_start().starts_with(b"<");
    let header = |name: &str| reply.header(name).map(str::to_owned);
    let date = reply.date();
    let answer = Answer {
        status: reply.status,
        header: &header,
        body: &body,
        permission: entry.meta.permission,
    };
    if let Some(failure) = (target.provider.failure)(&answer) {
        return Err(Attempt { failure, date });
    }
    Page::decode(entry.meta, body).map_err(|error| Attempt {
        failure: Failure {
            kind: Kind::Answer,
            code: None,
            message: format!("the answer can't be read: {error}"),
            request_id: header("x-acs-request-id").or_else(|| header("x-request-id")),
            hint: is_web_page.then(|| {
                "this is a web page: check HTTPS_PROXY, --endpoint, and whether the network wants a sign-in".to_owned()
            }),
            // A proxy's page, or a body that was cut: both may pass.
            retry: Retry::Backoff,
        },
        date,
    })
}

/// What is wrong where there is no answer, or too much of one. A setting that is wrong stays wrong, and a page stays too
/// large, however often it is tried.
pub(super) fn unanswered(error: anyhow::Error) -> Attempt {
    let error = transport::unanswered(error);
    Attempt {
        failure: Failure {
            message: error.to_string(),
            hint: (!error.hints.is_empty()).then(|| error.hints.join("; ")),
            retry: match error.kind {
                Kind::Network => Retry::Backoff,
                _ => Retry::No,
            },
            kind: error.kind,
            code: None,
            request_id: None,
        },
        date: None,
    }
}

/// The failure as an error of this call.
pub(super) fn error_of(failure: Failure, target: &Target, entry: &Entry, retried: u32) -> Error {
    let hint = failure
        .hint
        .clone()
        .or_else(|| next_step(&failure, target, entry));
    let why = match retried {
        0 => failure.message,
        1 => format!("{} (tried twice)", failure.message),
        n => format!("{} (tried {} times)", failure.message, n + 1),
    };
    let hints = hint.into_iter().collect();
    if failure.kind == Kind::Config {
        // A setting is wrong whatever is asked, and wherever.
        return Error {
            hints,
            ..Error::new(failure.kind, "", why)
        };
    }
    Error {
        code: failure.code,
        request_id: failure.request_id,
        endpoint: Some(target.endpoint.origin()),
        hints,
        ..Error::new(failure.kind, entry.meta.api, why)
    }
}

/// What to do about a failure of which nothing more is known.
fn next_step(failure: &Failure, target: &Target, entry: &Entry) -> Option<String> {
    let step = match failure.kind {
        Kind::Network => "check the network, a proxy and --endpoint; --retries tries more often",
        Kind::Server if failure.code.is_some() => {
            "the service itself fails: try later, or more often with --retries; its status page may say more"
        }
        Kind::Server => {
            "a gateway or proxy before the service fails: try later, or more often with --retries; check HTTPS_PROXY and --endpoint"
        }
        // What is damaged is tried again: this is too large.
        Kind::Answer if failure.retry == Retry::No => {
            let size = entry.meta.paging.as_ref()?.min_size.max(10);
            let (cloud, command) = (target.provider.id, entry.meta.command);
            return Some(format!(
                "smaller pages may fit: scanq {cloud} {command} --page-size {size}"
            ));
        }
        Kind::Answer => {
            "the answer is damaged or cut: try again, or more often with --retries; -vv shows its headers"
        }
        Kind::Refused => {
            return Some(format!(
                "check the flags against {}; --dry-run shows the request",
                entry.meta.doc
            ));
        }
        _ => return None,
    };
    Some(step.to_owned())
}
