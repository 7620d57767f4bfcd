//! What the flags of every command come to, with the variables that stand in for them.

use std::rc::Rc;
use std::time::Duration;

use clap::{ArgMatches, Args, FromArgMatches};

use super::Asked;
use super::connection::ConnectionArgs;
use super::output::OutputArgs;
use crate::client::Tries;
use crate::config::Config;
use crate::context::{Context, Level};
use crate::error::Error;
use crate::provider::Endpoint;
use crate::render::Format;
use crate::render::request::Form;
use crate::render::rows::Shape;
use crate::render::style::Style;

/// Flags of every command.
#[derive(Args)]
pub struct Global {
    #[command(flatten)]
    connection: ConnectionArgs,
    #[command(flatten)]
    output: OutputArgs,
}

/// What the global flags and their variables come to.
#[derive(Clone)]
pub struct Settings {
    /// Profiles asked for, empty if none.
    pub profiles: Vec<String>,
    /// The flag or variable that asks for them.
    pub profiles_by: &'static str,
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
    /// A usage error that names the flag or variable; for a command about profiles, whatever is wrong with the
    /// configuration file.
    pub fn read(matches: &ArgMatches, asked: &Asked<'_>, context: &Context) -> Result<Self, Error> {
        let Global { connection, output } = Global::from_arg_matches(matches)?;
        let env = &context.env;
        let format = output.format(asked, env)?;
        let level = output.level(env);
        // What is wrong from here on is told in the format that is asked for.
        context.ui.configure(
            *level.as_ref().unwrap_or(&Level::default()),
            matches!(format, Format::Json | Format::Jsonl),
            output.is_colored(env, context.ui.is_terminal()),
        );
        level?;
        output.refuse(format, connection.dry_run)?;
        let sandbox = connection.is_sandbox(env)?;
        let (profiles, profiles_by) = connection.profiles(sandbox, env);
        let (regions, regions_by) = connection.regions(env);
        Ok(Settings {
            profiles,
            profiles_by,
            tries: connection.tries(env)?,
            style: output.style(format, context.out.terminal.is_some())?,
            config: Rc::new(connection.config(asked.has_profiles() && !sandbox, env)?),
            cache: !connection.no_cache,
            regions,
            regions_by,
            endpoint: connection.endpoint()?,
            connect_timeout: connection.connect_timeout,
            concurrency: connection.concurrency.into(),
            sandbox,
            dry_run: connection.rehearsal(format),
            format,
            shape: output.shape(format, context),
        })
    }
}
