//! The variables that stand in for flags. A flag wins; what a variable says is held to the same list of values.

use std::str::FromStr;

use crate::context::Env;
use crate::error::Error;

/// A value from its variable.
///
/// # Errors
/// A usage error that names the variable and lists the known values.
pub(super) fn value<T: FromStr<Err = String>>(
    env: &Env,
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Result<Option<T>, Error> {
    let Some(text) = env.get(name) else {
        return Ok(None);
    };
    let wrong = |why| Error::usage(name, format!("{why}: {text}")).did_you_mean(text, known);
    text.parse().map(Some).map_err(wrong)
}

/// A list from its flag, else from its variable, and which of them says it.
pub(super) fn list(
    flag: &[String],
    flag_name: &'static str,
    env: &Env,
    variable: &'static str,
) -> (Vec<String>, &'static str) {
    let (texts, by) = match (flag, env.get(variable)) {
        ([], Some(text)) => (text.split(',').collect(), variable),
        _ => (
            flag.iter().map(String::as_str).collect::<Vec<_>>(),
            flag_name,
        ),
    };
    let texts = texts.into_iter().map(|text| text.trim().to_owned());
    (texts.filter(|text| !text.is_empty()).collect(), by)
}

/// Whether a switch is on. A word that is neither on nor off is a mistake: taken for off, it would mean the real cloud.
///
/// # Errors
/// As [`value`].
pub(super) fn is_on(env: &Env, name: &str) -> Result<bool, Error> {
    let switch = value::<Switch>(env, name, SWITCH)?;
    Ok(switch.is_some_and(|Switch(is_on)| is_on))
}

const SWITCH: [&str; 8] = ["1", "true", "yes", "on", "0", "false", "no", "off"];

struct Switch(bool);

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(Switch(true)),
            "0" | "false" | "no" | "off" => Ok(Switch(false)),
            _ => Err(must_be_one_of(SWITCH)),
        }
    }
}

pub(super) fn must_be_one_of(known: impl IntoIterator<Item = &'static str>) -> String {
    let known: Vec<_> = known.into_iter().collect();
    format!("must be one of {}", known.join(", "))
}
