//! `--dry-run`: prints the request that each question begins with, signed and masked, and sends nothing.
//!
//! That nothing can be sent is not left to care: a dry run has no transport (see [`crate::credential::seek::Seek`]).

use std::io::Write;

use super::output;
use super::targets::PROJECT;
use crate::client::{Client, Target};
use crate::context::{Stream, Ui};
use crate::credential::Credential;
use crate::encoding::encode;
use crate::error::Error;
use crate::operation::{Entry, Params};
use crate::render::request::{self, Form, Unsent};
use crate::render::style::Style;
use crate::trace::Masked;

/// Prints these requests.
///
/// # Errors
/// Parameters that make no request, and results that could not be written.
pub(super) fn print<'t>(
    questions: impl Iterator<Item = (&'t Target, &'static Entry, Params)>,
    form: Form,
    style: &Style,
    client: &Client<'_>,
    out: &mut Stream,
    ui: &Ui,
) -> Result<u8, Error> {
    let unsent = |(target, entry, params): (&Target, &Entry, Params)| {
        let mut request = Masked::of(client.rehearse(target, entry, &params)?);
        request.url = request.url.replace(&encode(PROJECT), PROJECT);
        Ok(Unsent {
            target: format!("{} {}", target.name(), entry.meta.api),
            request,
            token_variable: token_variable(target),
        })
    };
    let requests: Vec<_> = questions.map(unsent).collect::<Result<_, Error>>()?;
    let style = Style {
        yaml: false,
        ..style.clone()
    };
    request::print(&requests, form, &style, out)
        .and_then(|()| out.flush())
        .map_err(output)?;
    if form == Form::Curl && requests.iter().any(Unsent::lacks_signature) {
        ui.note(
            "**** stands for what signs: put it in before you run this; a signature is for one request and good for 15 minutes",
        );
    }
    Ok(0)
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
