//! `--dry-run`: prints the request that each question begins with, signed and masked, and sends nothing.
//!
//! That nothing can be sent is not left to care: a dry run has no transport (see [`crate::credential::seek::Seek`]).

use std::io::Write;

use super::output;
use super::query::Query;
use super::targets::PROJECT;
use crate::cli::global::Settings;
use crate::client::{Client, Target};
use crate::context::{Stream, Ui};
use crate::credential::Credential;
use crate::encoding::encode;
use crate::error::Error;
use crate::render::request::{self, Form, Unsent};
use crate::render::style::Style;
use crate::trace::Masked;

/// Prints what these queries ask first, in a dry run. None: this is no dry run.
///
/// # Errors
/// Parameters that make no request, and results that could not be written.
pub(super) fn print(
    queries: &[Query<'_>],
    settings: &Settings,
    client: &Client<'_>,
    out: &mut Stream,
    ui: &Ui,
) -> Result<Option<u8>, Error> {
    let Some(form) = settings.dry_run else {
        return Ok(None);
    };
    let unsent = |query: &Query<'_>| {
        let (target, entry) = (query.target, query.entry);
        let mut request = Masked::of(client.rehearse(target, entry, &query.first())?);
        request.url = request.url.replace(&encode(PROJECT), PROJECT);
        Ok(Unsent {
            target: query.name(),
            request,
            token_variable: token_variable(target),
        })
    };
    let requests: Vec<_> = queries.iter().map(unsent).collect::<Result<_, Error>>()?;
    let style = Style {
        yaml: false,
        ..settings.style.clone()
    };
    request::print(&requests, form, &style, out)
        .and_then(|()| out.flush())
        .map_err(output)?;
    if form == Form::Curl && requests.iter().any(Unsent::lacks_signature) {
        ui.note(
            "**** stands for what signs: put it in before you run this; a signature is for one request and good for 15 minutes",
        );
    }
    Ok(Some(0))
}

/// The variable that a ready-made token comes from.
fn token_variable(target: &Target) -> Option<String> {
    let lease = target.session.lease();
    let name = lease
        .source
        .strip_prefix("environment (")?
        .strip_suffix(')')?;
    matches!(lease.credential, Credential::Token(_)).then(|| name.to_owned())
}
