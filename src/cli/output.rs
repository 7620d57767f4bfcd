//! The flags of every command that say how results and messages look.

use std::rc::Rc;
use std::str::FromStr;

use clap::{ArgAction, Args};

use super::Asked;
use super::closed::named;
use super::variable::{self, must_be_one_of};
use crate::context::{Context, Env, Level};
use crate::error::Error;
use crate::render::Format;
use crate::render::program::{Language, Look, Program};
use crate::render::request::Form;
use crate::render::rows::Shape;
use crate::render::style::Style;
use crate::render::when::Times;

const OUTPUT: &str = "Output";

/// Flags of output.
#[derive(Args)]
pub(super) struct OutputArgs {
    /// Output format; junit is for the tasks command [default: table] [env: SCANQ_OUTPUT]
    #[arg(short, long, global = true, value_name = "FORMAT", help_heading = OUTPUT, ignore_case = true, value_parser = named::<Format>(formats()))]
    output: Option<Format>,
    /// Columns of table, wide, csv and tsv, in this order
    #[arg(long, global = true, value_name = "COLUMN", value_delimiter = ',', help_heading = OUTPUT)]
    columns: Option<Vec<String>>,
    /// Column to sort the rows by
    #[arg(long, global = true, value_name = "COLUMN", help_heading = OUTPUT)]
    sort_by: Option<String>,
    /// Leave out the names of the columns
    #[arg(long, global = true, help_heading = OUTPUT)]
    no_header: bool,
    /// jq program over the document; with jsonl, over each line as it arrives. Implies -o json
    #[arg(long, global = true, value_name = "PROGRAM", conflicts_with = "query", help_heading = OUTPUT)]
    jq: Option<String>,
    /// JMESPath expression over the same; integers beyond 64 bits and fractions beyond 15 digits are rounded. Implies -o json
    #[arg(long, global = true, value_name = "EXPRESSION", help_heading = OUTPUT)]
    query: Option<String>,
    /// With --jq or --query: print strings without quotes
    #[arg(long, global = true, help_heading = OUTPUT)]
    raw_output: bool,
    /// When to use colour [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = ["auto", "always", "never"], help_heading = OUTPUT)]
    color: String,
    /// Show the times of tables exactly and in UTC [default: local time; on a terminal, how long ago, but for wide]
    #[arg(long, global = true, help_heading = OUTPUT)]
    utc: bool,
    /// Say more on stderr: tries, pauses, sizes and timings; -vv headers too, masked [env: SCANQ_LOG]
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = OUTPUT)]
    verbose: u8,
    /// Say nothing on stderr but errors
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = OUTPUT)]
    quiet: bool,
}

impl OutputArgs {
    /// The format. A flag is taken at its word; the variable is a preference, which gives way to what another flag
    /// implies and to what the command can't print.
    pub(super) fn format(&self, asked: &Asked<'_>, env: &Env) -> Result<Format, Error> {
        if let Some(format) = self.output {
            return Ok(format);
        }
        let preferred = variable::value(env, "SCANQ_OUTPUT", formats())?.unwrap_or_default();
        let has_program = self.jq.is_some() || self.query.is_some();
        let shapes_rows = self.columns.is_some() || self.sort_by.is_some();
        Ok(match preferred {
            Format::Jsonl if has_program => Format::Jsonl,
            _ if has_program => Format::Json,
            format if shapes_rows && !format.has_columns() => Format::default(),
            format if !asked.prints(format) => Format::default(),
            format => format,
        })
    }

    pub(super) fn level(&self, env: &Env) -> Result<Level, Error> {
        let level = variable::value(env, "SCANQ_LOG", LEVELS)?;
        Ok(match (self.quiet, self.verbose) {
            (true, _) => Level::Quiet,
            (_, 0) => level.unwrap_or_default(),
            (_, 1) => Level::Verbose,
            (_, _) => Level::Headers,
        })
    }

    pub(super) fn is_colored(&self, env: &Env, is_terminal: bool) -> bool {
        colored(&self.color, env, is_terminal)
    }

    /// # Errors
    /// A usage error, if flags ask for what a format does not have.
    pub(super) fn refuse(
        &self,
        format: Format,
        dry_run: Option<Option<Form>>,
    ) -> Result<(), Error> {
        let shaping = match (&self.columns, &self.sort_by) {
            _ if format.has_columns() => None,
            (Some(_), _) => Some("--columns"),
            (None, Some(_)) => Some("--sort-by"),
            (None, None) => None,
        };
        if let Some(flag) = shaping {
            let why = "only goes with the formats table, wide, csv and tsv";
            return Err(Error::usage(flag, why));
        }
        let flag = match dry_run {
            _ if self.jq.is_none() && self.query.is_none() => return Ok(()),
            Some(Some(Form::Text)) => "--dry-run=text",
            Some(Some(Form::Curl)) => "--dry-run=curl",
            _ => return Ok(()),
        };
        let why = "is no JSON, so no program can read it; --dry-run=json is";
        Err(Error::usage(flag, why))
    }

    /// The look of documents and lines.
    ///
    /// # Errors
    /// A program that can't be compiled, or goes with no such format.
    pub(super) fn style(&self, format: Format, for_terminal: bool) -> Result<Style, Error> {
        Ok(Style {
            yaml: format == Format::Yaml,
            for_terminal,
            program: program(self, format, for_terminal)?,
        })
    }

    /// The shape of rows.
    pub(super) fn shape(self, format: Format, context: &Context) -> Shape {
        let terminal = context.out.terminal;
        Shape {
            color: self.is_colored(&context.env, terminal.is_some()),
            columns: self.columns,
            sort_by: self.sort_by,
            header: !self.no_header,
            times: match (self.utc, format, terminal) {
                (true, _, _) => Times::Utc,
                (false, Format::Table, Some(_)) => Times::Ago((context.clock)()),
                (false, _, _) => Times::Local,
            },
            width: terminal,
        }
    }
}

/// Compiles the program that the results are to go through.
fn program(
    flags: &OutputArgs,
    format: Format,
    for_terminal: bool,
) -> Result<Option<Rc<Program>>, Error> {
    let (language, text) = match (&flags.jq, &flags.query) {
        (Some(text), None) => (Language::Jq, text),
        (None, Some(text)) => (Language::Jmespath, text),
        (Some(_), Some(_)) => return Err(Error::usage("--query", "does not go with --jq")),
        (None, None) if flags.raw_output => {
            return Err(Error::usage(
                "--raw-output",
                "only goes with --jq or --query",
            ));
        }
        (None, None) => return Ok(None),
    };
    if !matches!(format, Format::Json | Format::Jsonl) {
        let why = "only goes with the formats json (the default with it) and jsonl";
        return Err(Error::usage(language.flag(), why));
    }
    let look = Look {
        raw: flags.raw_output,
        for_terminal,
    };
    Program::compile(language, text, look).map(|program| Some(Rc::new(program)))
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Format::named(text).ok_or_else(|| must_be_one_of(formats()))
    }
}

fn formats() -> impl Iterator<Item = &'static str> {
    Format::ALL.iter().map(|(name, _)| *name)
}

const LEVELS: [&str; 4] = ["error", "warn", "debug", "trace"];

impl FromStr for Level {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "error" | "quiet" => Ok(Level::Quiet),
            "warn" | "info" => Ok(Level::Normal),
            "debug" => Ok(Level::Verbose),
            "trace" => Ok(Level::Headers),
            _ => Err(must_be_one_of(LEVELS)),
        }
    }
}

/// A flag wins over `NO_COLOR`, which wins over `CLICOLOR_FORCE`, which wins over the terminal.
pub(crate) fn colored(flag: &str, env: &Env, is_terminal: bool) -> bool {
    match flag {
        "always" => true,
        "never" => false,
        _ if env.get("NO_COLOR").is_some() => false,
        _ if env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
        _ => is_terminal && env.get("TERM") != Some("dumb"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_follows_flag_then_variables_then_terminal() {
        let none = Env::default();
        let no_color = Env::from_iter([("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]);
        let force = Env::from_iter([("CLICOLOR_FORCE", "1")]);
        let dumb = Env::from_iter([("TERM", "dumb")]);
        assert!(colored("auto", &none, true) && !colored("auto", &none, false));
        assert!(colored("always", &no_color, false) && !colored("never", &force, true));
        assert!(!colored("auto", &no_color, true) && colored("auto", &force, false));
        assert!(!colored("auto", &dumb, true));
    }
}
