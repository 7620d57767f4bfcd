//! What `--fault` says: `KIND[=VALUE][,CONDITION=VALUE]…`.

use std::str::FromStr;
use std::time::Duration;

use crate::provider;
use crate::sandbox::identity;

/// A fault and when it happens.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    pub(super) kind: Kind,
    /// Only requests of this operation.
    pub(super) on: Option<String>,
    /// Only this often in all.
    pub(super) times: Option<u64>,
    /// Not the first so many.
    pub(super) after: u64,
    /// Only every so many-th.
    pub(super) every: u64,
    /// Only with this chance, decided by the seed.
    pub(super) chance: f64,
}

/// What happens.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Throttled as the vendor says it; with its header that names the delay, if one is given (milliseconds).
    Throttle(Option<u64>),
    /// This HTTP status, without the vendor's words.
    Status(u16),
    /// A proxy's sign-in page, with status 200.
    Html,
    /// The connection is closed instead of an answer.
    Drop,
    /// The connection is reset instead of an answer.
    Reset,
    /// The answer is cut off in its middle.
    Truncate,
    /// The answer takes this long to come.
    Slow(Duration),
    /// No answer at all.
    Hang,
    /// Content-Length is smaller than the body.
    WrongLength,
    /// The answer is compressed.
    Gzip,
    /// The answer never ends.
    Endless,
    /// The body is no JSON.
    InvalidJson,
    /// Fields have other types than documented.
    WrongTypes,
    /// The last item of a page comes again in its place.
    Duplicates,
    /// A page lacks its last item.
    Losses,
    /// The total grows by this with each answer (or shrinks).
    Drift(i64),
    /// The token has ended.
    ExpiredToken,
    /// The server's clock is off by so many seconds.
    Skew(i64),
    /// A redirect to this address.
    Redirect(String),
    /// The nonce was used before.
    NonceUsed,
}

const KINDS: &str = "throttle[=MS], status=CODE, html, drop, reset, truncate, slow=SPAN, hang, wrong-length, gzip, \
                     endless, invalid-json, wrong-types, duplicates, losses, drift=N, expired-token, skew=±SPAN, \
                     redirect=URL, nonce-used";

/// The names of the faults that there are.
pub fn names() -> impl Iterator<Item = &'static str> {
    KINDS
        .split(", ")
        .map(|kind| kind.split(['[', '=']).next().unwrap_or(kind).trim())
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(spec: &str) -> Result<Self, String> {
        let mut parts = spec.split(',');
        let first = parts.next().unwrap_or_default();
        let (name, value) = first
            .split_once('=')
            .map_or((first, None), |(name, value)| (name, Some(value)));
        let kind = Kind::parse(name, value)?;
        let mut fault = Fault {
            kind,
            on: None,
            times: None,
            after: 0,
            every: 1,
            chance: 1.0,
        };
        for part in parts {
            let wrong = || {
                format!(
                    "not a condition: {part}; known are on=OPERATION, times=N, after=N, every=N and p=CHANCE"
                )
            };
            let (name, value) = part.split_once('=').ok_or_else(wrong)?;
            let number = || value.parse::<u64>().map_err(|_| wrong());
            match name {
                "on" => fault.on = Some(operation(value)?),
                "times" => fault.times = Some(number()?),
                "after" => fault.after = number()?,
                "every" => fault.every = number()?.max(1),
                "p" => {
                    fault.chance = value
                        .parse()
                        .ok()
                        .filter(|p| (0.0..=1.0).contains(p))
                        .ok_or_else(wrong)?
                }
                _ => return Err(wrong()),
            }
        }
        Ok(fault)
    }
}

/// The API name of an operation, or the name of a sign-in: a fault of any other would never happen.
fn operation(name: &str) -> Result<String, String> {
    let known = || {
        let operations = provider::operations().map(|(_, entry)| entry.meta.api);
        operations.chain(identity::NAMES)
    };
    match known().find(|known| known.eq_ignore_ascii_case(name)) {
        Some(name) => Ok(name.to_owned()),
        None => Err(format!(
            "not an operation: {name}; known are {}",
            known().collect::<Vec<_>>().join(", ")
        )),
    }
}

impl Kind {
    fn parse(name: &str, value: Option<&str>) -> Result<Kind, String> {
        let wrong = || match names().any(|known| known == name) {
            true => format!(
                "not a value of {name}: {}; known are {KINDS}",
                value.unwrap_or("none")
            ),
            false => format!("not a fault: {name}; known are {KINDS}"),
        };
        let span = |text: &str| crate::span::span(text).map_err(|_| wrong());
        Ok(match (name, value) {
            ("throttle", None) => Kind::Throttle(None),
            ("throttle", Some(ms)) => Kind::Throttle(Some(ms.parse().map_err(|_| wrong())?)),
            ("status", Some(code)) => Kind::Status(
                code.parse()
                    .ok()
                    .filter(|code| (100..600).contains(code))
                    .ok_or_else(wrong)?,
            ),
            ("html", None) => Kind::Html,
            ("drop", None) => Kind::Drop,
            ("reset", None) => Kind::Reset,
            ("truncate", None) => Kind::Truncate,
            ("slow", Some(text)) => Kind::Slow(span(text)?),
            ("hang", None) => Kind::Hang,
            ("wrong-length", None) => Kind::WrongLength,
            ("gzip", None) => Kind::Gzip,
            ("endless", None) => Kind::Endless,
            ("invalid-json", None) => Kind::InvalidJson,
            ("wrong-types", None) => Kind::WrongTypes,
            ("duplicates", None) => Kind::Duplicates,
            ("losses", None) => Kind::Losses,
            ("drift", Some(number)) => Kind::Drift(number.parse().map_err(|_| wrong())?),
            ("expired-token", None) => Kind::ExpiredToken,
            ("skew", Some(text)) => {
                let (sign, text) = match text.strip_prefix('-') {
                    Some(text) => (-1, text),
                    None => (1, text.strip_prefix('+').unwrap_or(text)),
                };
                Kind::Skew(sign * i64::try_from(span(text)?.as_secs()).map_err(|_| wrong())?)
            }
            ("redirect", Some(url)) => Kind::Redirect(url.to_owned()),
            ("nonce-used", None) => Kind::NonceUsed,
            _ => return Err(wrong()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_fault_says_what_is() {
        for spec in [
            "explode",
            "status",
            "status=99",
            "slow",
            "slow=soon",
            "drop=1",
            "drop,often",
            "drop,p=2",
            "drop,on=ListAgentlesTask",
            "skew=x",
            "skew=1000000000y",
            "",
        ] {
            assert!(spec.parse::<Fault>().is_err(), "{spec}");
        }
        assert!("explode".parse::<Fault>().unwrap_err().contains("throttle"));
        let wrong = |spec: &str| spec.parse::<Fault>().unwrap_err();
        assert!(wrong("throttle=soon").starts_with("not a value of throttle: soon"));
        assert!(wrong("drop,on=x").starts_with("not an operation: x"));
        assert!("drop,on=assumerole".parse::<Fault>().is_ok());
        assert_eq!(
            "skew=-20m".parse::<Fault>().unwrap().kind,
            Kind::Skew(-1200)
        );
    }
}
