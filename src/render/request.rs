//! Requests that are not sent, as `--dry-run` prints them. They come here masked.

use std::io::{self, Write};
use std::str::FromStr;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::safe;
use super::style::Style;
use crate::trace::{MASK, Masked};

/// How requests are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As HTTP has it.
    Text,
    /// A document.
    Json,
    /// A JSON object a line.
    Jsonl,
    /// A command for a shell.
    Curl,
}

impl Form {
    /// Their names.
    pub const NAMES: [&str; 3] = ["text", "json", "curl"];
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Ok(Form::Text),
            "json" => Ok(Form::Json),
            "curl" => Ok(Form::Curl),
            _ => Err(format!("must be one of {}", Form::NAMES.join(", "))),
        }
    }
}

/// A request, who would be asked, and the variable that holds its token, if one does.
pub struct Unsent {
    /// `profile/region operation`.
    pub target: String,
    /// The request.
    pub request: Masked,
    /// Then a shell can sign by itself.
    pub token_variable: Option<String>,
}

impl Unsent {
    /// Whether what signs must be put in by hand before a shell can send it.
    pub fn lacks_signature(&self) -> bool {
        let is_masked = |(name, value): &(&str, String)| value == MASK && !self.is_token(name);
        self.request.url.contains(MASK) || self.request.headers.iter().any(is_masked)
    }

    fn is_token(&self, name: &str) -> bool {
        name == "x-auth-token" && self.token_variable.is_some()
    }

    fn body(&self) -> String {
        String::from_utf8_lossy(&self.request.body).into_owned()
    }
}

/// Prints requests.
///
/// # Errors
/// If they can't be written.
pub fn print(
    requests: &[Unsent],
    form: Form,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    match form {
        Form::Json => {
            let mut document = style.document(out);
            document.list("requests")?;
            for request in requests {
                document.element(&object(request)?)?;
            }
            document.end()
        }
        Form::Jsonl => {
            let objects: Vec<_> = requests.iter().map(object).collect::<io::Result<_>>()?;
            style.lines(out, objects)
        }
        Form::Text => texts(requests.iter().map(|request| Ok(http(request))), style, out),
        Form::Curl => texts(requests.iter().map(curl), style, out),
    }
}

/// Writes each, with an empty line between them.
fn texts(
    requests: impl Iterator<Item = io::Result<String>>,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (index, text) in requests.enumerate() {
        let text = text?;
        let text = match style.for_terminal {
            true => safe::escape_lines(&text),
            false => text.as_str().into(),
        };
        let gap = if index == 0 { "" } else { "\n" };
        write!(out, "{gap}{text}")?;
    }
    Ok(())
}

fn http(unsent: &Unsent) -> String {
    let Masked {
        method,
        url,
        headers,
        ..
    } = &unsent.request;
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    let body = match unsent.body() {
        body if body.is_empty() => body,
        body => format!("\n{body}\n"),
    };
    format!("{method} {url}\n{headers}{body}")
}

fn curl(unsent: &Unsent) -> io::Result<String> {
    let quote = |text: &str| {
        let quoted = shlex::try_quote(text).map_err(io::Error::other)?;
        Ok::<_, io::Error>(quoted.into_owned())
    };
    let Masked {
        method,
        url,
        headers,
        ..
    } = &unsent.request;
    // Braces and brackets are patterns to curl.
    let literal = if url.contains(['{', '[']) {
        " --globoff"
    } else {
        ""
    };
    let mut parts = vec![format!("curl{literal} -X {method} {}", quote(url)?)];
    for (name, value) in headers {
        parts.push(match &unsent.token_variable {
            Some(variable) if unsent.is_token(name) => format!("-H \"{name}: ${variable}\""),
            _ => format!("-H {}", quote(&format!("{name}: {value}"))?),
        });
    }
    if !unsent.request.body.is_empty() {
        parts.push(format!("--data-raw {}", quote(&unsent.body())?));
    }
    Ok(format!("{}\n", parts.join(" \\\n  ")))
}

#[derive(Serialize)]
struct Object<'a> {
    target: &'a str,
    method: &'a str,
    url: &'a str,
    headers: Map<String, Value>,
    /// JSON as it is; null where there is none.
    body: Option<Box<RawValue>>,
}

fn object(unsent: &Unsent) -> io::Result<String> {
    let headers = unsent.request.headers.iter();
    let body = match unsent.body() {
        body if body.is_empty() => None,
        body => match RawValue::from_string(body) {
            Ok(json) => Some(json),
            Err(_) => Some(serde_json::value::to_raw_value(&unsent.body())?),
        },
    };
    let object = Object {
        target: &unsent.target,
        method: unsent.request.method,
        url: &unsent.request.url,
        headers: headers
            .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
            .collect(),
        body,
    };
    Ok(serde_json::to_string(&object)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsent(body: &str, token_variable: Option<&str>) -> Unsent {
        Unsent {
            target: "p/r ListTasks".into(),
            request: Masked {
                method: "POST",
                url: "https://a.b/v5/{project_id}/x?q=it%27s&n=1".into(),
                headers: vec![("x-auth-token", MASK.into()), ("accept", "a b".into())],
                body: body.into(),
            },
            token_variable: token_variable.map(str::to_owned),
        }
    }

    fn printed(unsent: Unsent, form: Form) -> String {
        let mut out = Vec::new();
        print(&[unsent], form, &Style::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_shell_reads_the_command_as_it_is_meant() {
        let body = "{\"name\":\"it's $HOME `x` \\\"!\"}";
        let command = printed(unsent(body, None), Form::Curl);
        let words = shlex::split(&command.replace("\\\n", "")).unwrap();
        assert_eq!(
            words,
            [
                "curl",
                "--globoff",
                "-X",
                "POST",
                "https://a.b/v5/{project_id}/x?q=it%27s&n=1",
                "-H",
                "x-auth-token: ****",
                "-H",
                "accept: a b",
                "--data-raw",
                body
            ]
        );
    }

    #[test]
    fn a_token_from_a_variable_is_left_to_the_shell() {
        let token = unsent("", Some("HUAWEICLOUD_SDK_TOKEN"));
        assert!(!token.lacks_signature() && unsent("", None).lacks_signature());
        let command = printed(token, Form::Curl);
        assert!(
            command.contains("-H \"x-auth-token: $HUAWEICLOUD_SDK_TOKEN\""),
            "{command}"
        );
    }

    #[test]
    fn a_body_stays_lossless_in_json() {
        let line = printed(unsent("{\"n\":1.10e2}", None), Form::Jsonl);
        assert!(line.contains("\"body\":{\"n\":1.10e2}"), "{line}");
        let line = printed(unsent("no json", None), Form::Jsonl);
        assert!(line.contains("\"body\":\"no json\""), "{line}");
        assert!(printed(unsent("", None), Form::Jsonl).contains("\"body\":null"));
    }
}
