//! How to speak of arguments that could not be parsed.

use std::ffi::OsString;

use crate::context::Env;
use crate::render::Format;

/// What arguments that could not be parsed still say of how to speak.
pub(crate) struct Wishes {
    /// Whether errors are read by a script.
    pub(crate) is_json: bool,
    /// `--color`.
    pub(crate) color: String,
}

/// Looks for `--output`, what implies it, and `--color` in raw arguments, and for `SCANQ_OUTPUT`.
pub(crate) fn read(args: &[OsString], env: &Env) -> Wishes {
    let texts: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let flag = |names: &[&str]| {
        texts.iter().enumerate().find_map(|(at, text)| {
            let name = names.iter().find(|name| text.starts_with(**name))?;
            match text[name.len()..].strip_prefix('=') {
                Some(value) => Some(value.to_owned()),
                None if text.len() == name.len() => Some(texts.get(at + 1)?.to_string()),
                // `-ojson`
                None if !name.starts_with("--") => Some(text[name.len()..].to_owned()),
                None => None,
            }
        })
    };
    let by_program = || flag(&["--jq", "--query"]).map(|_| "json".to_owned());
    let output = flag(&["--output", "-o"])
        .or_else(by_program)
        .or_else(|| env.get("SCANQ_OUTPUT").map(str::to_owned));
    let format = output.as_deref().and_then(Format::named);
    Wishes {
        is_json: matches!(format, Some(Format::Json | Format::Jsonl)),
        color: flag(&["--color"]).unwrap_or_else(|| "auto".into()),
    }
}
