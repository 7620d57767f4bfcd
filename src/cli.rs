//! The command tree: fixed commands by derive, one command for each operation from the providers' lists.

pub mod closed;
mod connection;
pub mod follow;
pub mod global;
pub mod help;
pub mod list;
pub(crate) mod output;
pub mod suggest;
pub mod time;
mod variable;
pub(crate) mod wishes;

use clap::builder::NonEmptyStringValueParser;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgMatches, Args, Command, ValueHint};

use crate::operation::Entry;
use crate::provider::{self, PROVIDERS, Provider};
use crate::render::Format;
use crate::task::Status;
use global::Global;

const ABOUT: &str = "Ask Alibaba Cloud and Huawei Cloud what became of your security scans";

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// `scanq tasks`.
#[derive(Args)]
pub struct TasksArgs {
    /// Only tasks of these clouds (can be repeated)
    #[arg(long, value_name = "CLOUD", value_delimiter = ',', ignore_case = true, value_parser = closed::names(PROVIDERS.iter().map(|provider| provider.id)))]
    pub cloud: Vec<String>,
    /// Only tasks of these kinds (can be repeated)
    #[arg(long, value_name = "KIND", value_delimiter = ',', ignore_case = true, value_parser = closed::names(kinds()))]
    pub kind: Vec<String>,
    /// Only tasks with these statuses (can be repeated); with --wait, those that have one of them at any poll
    #[arg(long, value_name = "STATUS", value_delimiter = ',', ignore_case = true, value_parser = closed::named::<Status>(Status::ALL.map(Status::name)))]
    pub status: Vec<Status>,
    /// Only tasks whose id contains this, in any case (can be repeated)
    #[arg(long, value_name = "TEXT", value_delimiter = ',', value_parser = NonEmptyStringValueParser::new())]
    pub id: Vec<String>,
    /// Only tasks whose name contains this, in any case
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// Only tasks whose target contains this, in any case
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    pub target: Option<String>,
    /// Only tasks that started at or after this time
    #[arg(long, help = format!("Only tasks that started at or after this time: {}", time::FORMS), value_name = "TIME", value_parser = time::Moment::parse)]
    pub since: Option<time::Moment>,
    /// Only tasks that started at or before this time
    #[arg(long, value_name = "TIME", value_parser = time::Moment::parse)]
    pub until: Option<time::Moment>,
    /// At most this many tasks, the newest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Print how many tasks there are of each cloud, kind and status, instead of the tasks
    #[arg(long, conflicts_with = "watch")]
    pub summary: bool,
    /// Show the stages of each task and the progress of its parts, where the cloud tells them
    #[arg(long, conflicts_with = "summary")]
    pub details: bool,
}

/// The kinds of task that there are.
fn kinds() -> impl Iterator<Item = &'static str> {
    provider::operations()
        .flat_map(|(_, entry)| entry.meta.narrow.kinds.iter().map(|kind| kind.name))
}

/// `scanq sandbox`.
#[derive(Args)]
pub struct SandboxArgs {
    /// Address of loopback to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: std::net::SocketAddr,
    /// Tasks of each kind
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    pub tasks: u64,
    /// The same seed gives the same world
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// How long each answer takes (50ms, 1s)
    #[arg(long, value_name = "D", default_value = "0s", value_parser = crate::span::span)]
    pub latency: std::time::Duration,
    /// Time around which the world is built [default: this minute]
    #[arg(long, value_name = "TIME", value_parser = time::Moment::parse)]
    pub now: Option<time::Moment>,
    /// What goes wrong
    #[arg(
        long,
        help = "What goes wrong: KIND[=VALUE][,CONDITION=VALUE]…, such as throttle=1500,times=2 or status=502,every=3 (can be repeated)",
        value_name = "SPEC"
    )]
    pub fault: Vec<String>,
    /// Print `export NAME='value'` lines, ready for eval, to stdout
    #[arg(long)]
    pub print_env: bool,
}

/// The whole tree, with all of its help.
pub fn command() -> Command {
    help::augment(parser(), &[])
}

/// The whole tree as far as parsing needs it. Putting the help together would take a third of the time of a start.
pub fn parser() -> Command {
    let clouds = PROVIDERS.iter().map(|provider| cloud(provider));
    // Doc comments of the derived structs become the command's description: it is set after them.
    Global::augment_args(Command::new("scanq"))
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .styles(STYLES)
        .max_term_width(120)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .infer_long_args(false)
        .subcommand(
            follow::augment(TasksArgs::augment_args(Command::new("tasks")))
                .about("List every scan task of every cloud and region, in one shape"),
        )
        .subcommands(clouds)
        .subcommand(
            SandboxArgs::augment_args(Command::new("sandbox"))
                .about("Serve both clouds on loopback, offline, with a seeded world"),
        )
        .subcommand(profile())
        .subcommand(
            CompletionsArgs::augment_args(Command::new("completions"))
                .about("Print completions for a shell"),
        )
        .subcommand(
            ManArgs::augment_args(Command::new("man"))
                .about("Write a manual page for every command into a folder"),
        )
        .subcommand(
            Command::new("operations")
                .about("List every operation, with its permission and documentation"),
        )
}

/// `scanq completions`.
#[derive(Args)]
pub struct CompletionsArgs {
    /// Shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `scanq man`.
#[derive(Args)]
pub struct ManArgs {
    /// Folder; made if it is not there
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub folder: std::path::PathBuf,
}

/// Names of profiles.
#[derive(Args)]
pub struct ProfileNames {
    /// Profiles [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// Name of one profile.
#[derive(Args)]
pub struct ProfileName {
    /// Profile
    #[arg(value_name = "NAME")]
    pub name: String,
}

fn profile() -> Command {
    Command::new("profile")
        .about("Show what is configured, from where, and whether it works")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("list").about("List the profiles"))
        .subcommand(
            ProfileName::augment_args(Command::new("show"))
                .about("Show every value of a profile and where it came from, secrets masked"),
        )
        .subcommand(
            ProfileNames::augment_args(Command::new("check"))
                .about("Sign in with each profile and send its cheapest request"),
        )
        .subcommand(Command::new("logout").about("Forget the sign-ins that are kept between runs"))
}

fn cloud(provider: &'static Provider) -> Command {
    Command::new(provider.id)
        .about(format!("Ask {}", provider.name))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommands(provider.operations.iter().map(operation))
}

fn operation(entry: &'static Entry) -> Command {
    let meta = entry.meta;
    let command = (entry.augment)(Command::new(meta.command));
    let command = match &meta.paging {
        Some(paging) => list::augment(command, paging),
        None => command,
    };
    let command = follow::augment(command);
    let command = match &meta.paging {
        // One page is what a script asks for that pages by itself: there is no waiting for the tasks of a page.
        Some(_) => command.mut_arg("page", |arg| arg.conflicts_with("follow")),
        None => command,
    };
    command.visible_alias(meta.api).about(meta.about)
}

/// What was asked for.
pub enum Asked<'m> {
    /// `scanq tasks`.
    Tasks(&'m ArgMatches),
    /// One operation of one cloud.
    Operation(&'static Provider, &'static Entry, &'m ArgMatches),
    /// `scanq sandbox`.
    Sandbox(&'m ArgMatches),
    /// `scanq profile`, and which part of it.
    Profile(&'m str, &'m ArgMatches),
    /// `scanq completions`.
    Completions(&'m ArgMatches),
    /// `scanq man`.
    Man(&'m ArgMatches),
    /// `scanq operations`.
    Operations,
}

impl Asked<'_> {
    /// Whether it is about profiles: any other command works without a configuration.
    pub fn has_profiles(&self) -> bool {
        match self {
            Asked::Tasks(_) | Asked::Operation(..) => true,
            Asked::Profile(name, _) => *name != "logout",
            Asked::Sandbox(_) | Asked::Completions(_) | Asked::Man(_) | Asked::Operations => false,
        }
    }

    /// Whether it can print this format: junit is for tasks, one by one.
    pub fn prints(&self, format: Format) -> bool {
        let is_list = || matches!(self, Asked::Tasks(matches) if !matches.get_flag("summary"));
        format != Format::Junit || is_list()
    }

    /// Whether it sends requests that a dry run can show.
    pub fn has_dry_run(&self) -> bool {
        match self {
            Asked::Profile(name, _) => *name == "check",
            _ => matches!(self, Asked::Tasks(_) | Asked::Operation(..)),
        }
    }
}

/// Finds what was asked for in parsed arguments, and the matches that hold the global flags.
pub fn asked(matches: &ArgMatches) -> (Asked<'_>, &ArgMatches) {
    let (name, below) = matches.subcommand().expect("clap requires a subcommand");
    match name {
        "tasks" => (Asked::Tasks(below), below),
        "sandbox" => (Asked::Sandbox(below), below),
        "profile" => {
            let (name, below) = below.subcommand().expect("clap requires a subcommand");
            (Asked::Profile(name, below), below)
        }
        "completions" => (Asked::Completions(below), below),
        "man" => (Asked::Man(below), below),
        "operations" => (Asked::Operations, below),
        cloud => {
            let provider =
                crate::provider::by_id(cloud).expect("every other subcommand is a cloud");
            let (name, below) = below.subcommand().expect("clap requires a subcommand");
            let entry = provider
                .operation(name)
                .expect("the tree is made from the operations");
            (Asked::Operation(provider, entry, below), below)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_consistent() {
        command().debug_assert();
    }
}
