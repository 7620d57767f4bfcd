//! The flags that every command has, and the variables that stand in for them.

use std::path::PathBuf;
use std::rc::Rc;
use std::str::FromStr;
use std::time::Duration;

use clap::{ArgAction, ArgMatches, Args, FromArgMatches, ValueHint};

use super::closed::named;
use crate::client::Tries;
use crate::config::Config;
use crate::context::{Context, Env, Level};
use crate::error::Error;
use crate::provider::{Endpoint, Scheme};
use crate::render::Format;
use crate::render::program::{Language, Look, Program};
use crate::render::request::Form;
use crate::render::rows::Shape;
use crate::render::style::Style;
use crate::render::when::Times;
use crate::span::positive_span;

const OUTPUT: &str = "Output";
const CONNECTION: &str = "Connection";

/// Flags of every command.
#[derive(Args)]
pub struct Global {
    /// Profiles to use; tasks takes several and defaults to all, other commands take one [env: SCANQ_PROFILE]
    #[arg(short, long, global = true, value_name = "NAME", value_delimiter = ',', help_heading = CONNECTION)]
    profile: Vec<String>,
    /// Configuration file [default: scanq/config.toml in the user's configuration folder] [env: SCANQ_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = CONNECTION)]
    config: Option<PathBuf>,
    /// Neither use nor keep the sign-ins of other runs
    #[arg(long, global = true, help_heading = CONNECTION)]
    no_cache: bool,
    /// Regions to ask; those of one centre are asked once [env: SCANQ_REGION]
    #[arg(short, long, global = true, value_name = "REGION", value_delimiter = ',', help_heading = CONNECTION)]
    region: Vec<String>,
    /// Other service address; plain http only to loopback [env: SCANQ_ALIYUN_ENDPOINT, SCANQ_HUAWEI_ENDPOINT]
    #[arg(long, global = true, value_name = "URL", help_heading = CONNECTION)]
    endpoint: Option<String>,
    /// Alibaba Cloud's signature [default: acs3] [env: SCANQ_ALIYUN_SIGNATURE]
    #[arg(long, global = true, value_name = "SIGNATURE", help_heading = CONNECTION, ignore_case = true, value_parser = named::<Signature>(SIGNATURES))]
    signature: Option<Signature>,
    /// How many more times a call is tried
    #[arg(long, global = true, value_name = "N", default_value_t = 4, help_heading = CONNECTION, value_parser = clap::value_parser!(u32).range(..=20))]
    retries: u32,
    /// The longest that one try may take [default: 30s]
    #[arg(long, global = true, value_name = "D", help_heading = CONNECTION, value_parser = positive_span)]
    timeout: Option<Duration>,
    /// The longest that connecting may take [default: 5s]
    #[arg(long, global = true, value_name = "D", help_heading = CONNECTION, value_parser = positive_span)]
    connect_timeout: Option<Duration>,
    /// Requests in flight, in all
    #[arg(long, global = true, value_name = "N", default_value_t = 8, help_heading = CONNECTION, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Ask a sandbox in this process: no account, no configuration, no network [env: SCANQ_SANDBOX]
    #[arg(long, global = true, help_heading = CONNECTION)]
    sandbox: bool,
    /// Print the signed requests that would be sent first, secrets and signature masked, and send nothing: no sign-in either, and no credential process is run; text, json, or a curl command [default: text; with -o json or jsonl: json]
    #[arg(long, global = true, value_name = "FORM", num_args = 0..=1, require_equals = true, help_heading = CONNECTION, ignore_case = true, value_parser = named::<Form>(Form::NAMES))]
    dry_run: Option<Option<Form>>,
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

const SIGNATURES: [&str; 2] = ["acs3", "rpc"];
const LEVELS: [&str; 4] = ["error", "warn", "debug", "trace"];

/// Alibaba Cloud's signatures by name.
#[derive(Debug, Clone, Copy)]
struct Signature(Scheme);

impl FromStr for Signature {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "acs3" => Ok(Signature(Scheme::Current)),
            "rpc" => Ok(Signature(Scheme::Rpc)),
            _ => Err(must_be_one_of(SIGNATURES)),
        }
    }
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

fn must_be_one_of(known: impl IntoIterator<Item = &'static str>) -> String {
    let known: Vec<_> = known.into_iter().collect();
    format!("must be one of {}", known.join(", "))
}

/// What the global flags and their variables come to.
#[derive(Clone)]
pub struct Settings {
    /// Profiles asked for, empty if none.
    pub profiles: Vec<String>,
    /// The profiles that there are.
    pub config: Rc<Config>,
    /// Whether sign-ins are kept between runs.
    pub cache: bool,
    /// Regions asked for, empty if none.
    pub regions: Vec<String>,
    /// The flag or variable that asks for them.
    pub regions_by: &'static str,
    /// `--endpoint`.
    pub endpoint: Option<Endpoint>,
    /// Retries, time for a try, signature.
    pub tries: Tries,
    /// Time for connecting, if a flag says so.
    pub connect_timeout: Option<Duration>,
    /// Requests in flight.
    pub concurrency: usize,
    /// Whether to ask a sandbox in this process.
    pub sandbox: bool,
    /// Whether requests are printed instead of sent, and how.
    pub dry_run: Option<Form>,
    /// Output format.
    pub format: Format,
    /// Shape of rows.
    pub shape: Shape,
    /// Look of documents and lines.
    pub style: Style,
}

impl Settings {
    /// Reads the flags; a flag wins over its variable. Also tells the context's `ui` how to speak.
    ///
    /// # Errors
    /// A usage error that names the flag or variable; with `has_profiles`, whatever is wrong with the configuration file.
    pub fn read(
        matches: &ArgMatches,
        has_profiles: bool,
        context: &Context,
    ) -> Result<Self, Error> {
        let flags = Global::from_arg_matches(matches)?;
        let env = &context.env;
        let given = flags.output;
        let mut format =
            or_variable(flags.output, env, "SCANQ_OUTPUT", formats())?.unwrap_or_default();
        let has_program = flags.jq.is_some() || flags.query.is_some();
        if has_program && given.is_none() && format != Format::Jsonl {
            format = Format::Json;
        }
        let for_scripts = matches!(format, Format::Json | Format::Jsonl);
        let is_colored = colored(&flags.color, env, context.ui.is_terminal());
        context.ui.configure(Level::Normal, for_scripts, is_colored);
        let signature = or_variable(flags.signature, env, "SCANQ_ALIYUN_SIGNATURE", SIGNATURES)?;
        let level = or_variable(None, env, "SCANQ_LOG", LEVELS)?;
        let level = match (flags.quiet, flags.verbose) {
            (true, _) => Level::Quiet,
            (_, 0) => level.unwrap_or_default(),
            (_, 1) => Level::Verbose,
            (_, _) => Level::Headers,
        };
        context.ui.configure(level, for_scripts, is_colored);
        if !format.has_columns() {
            for (flag, is_given) in [
                ("--columns", flags.columns.is_some()),
                ("--sort-by", flags.sort_by.is_some()),
            ] {
                if is_given {
                    return Err(Error::usage(
                        flag,
                        "only goes with the formats table, wide, csv and tsv",
                    ));
                }
            }
        }
        if has_program && let Some(Some(form @ (Form::Text | Form::Curl))) = flags.dry_run {
            return Err(Error::usage(
                format!(
                    "--dry-run={}",
                    if form == Form::Curl { "curl" } else { "text" }
                ),
                "is no JSON, so no program can read it; --dry-run=json is",
            ));
        }
        let style = Style {
            yaml: format == Format::Yaml,
            for_terminal: context.out.terminal.is_some(),
            program: program(&flags, format, context)?,
        };
        let listed = |flag: Vec<String>, variable: &str| -> Vec<String> {
            let texts = match (flag.is_empty(), env.get(variable)) {
                (true, Some(text)) => text.split(',').map(str::to_owned).collect(),
                _ => flag,
            };
            texts
                .iter()
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty())
                .collect()
        };
        let sandbox = flags.sandbox || env.is_on("SCANQ_SANDBOX");
        // Neither a sandbox nor a command that asks nobody needs a configuration, and none can break it.
        let config = if sandbox || !has_profiles {
            Config::built_in()
        } else {
            Config::read(flags.config.as_deref(), env)?
        };
        let regions_by = match flags.region.is_empty() {
            true => "SCANQ_REGION",
            false => "--region",
        };
        Ok(Settings {
            // A sandbox has none but the built-in ones.
            profiles: if sandbox {
                Vec::new()
            } else {
                listed(flags.profile, "SCANQ_PROFILE")
            },
            config: Rc::new(config),
            cache: !flags.no_cache,
            regions: listed(flags.region, "SCANQ_REGION"),
            regions_by,
            endpoint: flags
                .endpoint
                .as_deref()
                .map(|url| Endpoint::parse("--endpoint", url))
                .transpose()?,
            tries: Tries {
                retries: flags.retries,
                timeout: flags.timeout,
                scheme: signature
                    .map(|Signature(scheme)| scheme)
                    .unwrap_or_default(),
            },
            connect_timeout: flags.connect_timeout,
            concurrency: flags.concurrency.into(),
            sandbox,
            dry_run: flags.dry_run.map(|form| match (form, format) {
                (Some(Form::Json) | None, Format::Jsonl) => Form::Jsonl,
                (None, Format::Json) => Form::Json,
                (form, _) => form.unwrap_or(Form::Text),
            }),
            format,
            shape: Shape {
                columns: flags.columns,
                sort_by: flags.sort_by,
                header: !flags.no_header,
                color: colored(&flags.color, env, context.out.terminal.is_some()),
                times: match (flags.utc, format, context.out.terminal) {
                    (true, _, _) => Times::Utc,
                    (false, Format::Table, Some(_)) => Times::Ago((context.clock)()),
                    (false, _, _) => Times::Local,
                },
                width: context.out.terminal,
            },
            style,
        })
    }
}

/// Compiles the program that the results are to go through.
fn program(
    flags: &Global,
    format: Format,
    context: &Context,
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
        for_terminal: context.out.terminal.is_some(),
    };
    Program::compile(language, text, look).map(|program| Some(Rc::new(program)))
}

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

fn or_variable<T: FromStr<Err = String>>(
    flag: Option<T>,
    env: &Env,
    name: &str,
    known: impl IntoIterator<Item = &'static str>,
) -> Result<Option<T>, Error> {
    match (flag, env.get(name)) {
        (Some(value), _) => Ok(Some(value)),
        (None, Some(text)) => text
            .parse()
            .map(Some)
            .map_err(|why| Error::usage(name, format!("{why}: {text}")).did_you_mean(text, known)),
        (None, None) => Ok(None),
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
