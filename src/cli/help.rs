//! What stands below the flags of a command's help, as data: the help and the manual pages show the same.

use std::any::TypeId;
use std::ffi::OsString;
use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Arg, Command};

use crate::operation::choice::Choice;
use crate::operation::{Example, Meta, example};
use crate::provider;

/// A part of the help.
pub struct Section {
    /// Its heading.
    pub title: &'static str,
    /// What it says.
    pub body: Body,
}

/// What a section says.
pub enum Body {
    /// Command lines that can be run as they stand.
    Examples(&'static [Example]),
    /// Terms and their meanings.
    Terms(Vec<(&'static str, String)>),
}

const FIRST: &[Example] = &[
    example(
        "What it looks like, without an account",
        "scanq tasks --sandbox --limit 5",
    ),
    example("Whether you are signed in", "scanq profile check"),
    example("Your scans of the last day", "scanq tasks --since 24h"),
];

const TASKS: &[Example] = &[
    example(
        "How many tasks there are and how they ended, without an account",
        "scanq tasks --sandbox --summary",
    ),
    example(
        "What went wrong in the last day",
        "scanq tasks --since 24h --status failed,timed-out,partial",
    ),
    example(
        "Fail a CI job (exit code 5) and report each task to it",
        "scanq tasks --since 24h --fail-on failed -o junit > scans.xml",
    ),
];

const SANDBOX: &[Example] = &[
    example(
        "Serve in the background, and point any client of this shell here",
        "eval \"$(scanq sandbox --print-env &)\"",
    ),
    example(
        "Try a script on a bad day: refused for haste, every third answer an error",
        "scanq sandbox --fault throttle=1500,times=2 --fault status=502,every=3",
    ),
];

const PROFILE: &[Example] = &[
    example("Which profiles there are", "scanq profile list"),
    example("Whether each of them works", "scanq profile check"),
];

const PROFILE_SHOW: &[Example] = &[example(
    "Which credentials and regions Alibaba Cloud would be asked with",
    "scanq profile show aliyun",
)];

const PROFILE_CHECK: &[Example] = &[example(
    "Both clouds, where no profiles are configured",
    "scanq profile check aliyun huawei",
)];

const COMPLETIONS: &[Example] = &[
    example("bash, in ~/.bashrc", "source <(scanq completions bash)"),
    example(
        "zsh, with ~/.zfunc in its fpath",
        "scanq completions zsh > ~/.zfunc/_scanq",
    ),
    example(
        "fish",
        "scanq completions fish > ~/.config/fish/completions/scanq.fish",
    ),
    example(
        "PowerShell, in $PROFILE",
        "scanq completions powershell | Out-String | Invoke-Expression",
    ),
    example(
        "elvish, in rc.elv",
        "eval (scanq completions elvish | slurp)",
    ),
];

const MAN: &[Example] = &[example(
    "Then: man scanq-tasks",
    "scanq man ~/.local/share/man/man1",
)];

const OPERATIONS: &[Example] = &[example("For a script", "scanq operations -o json")];

/// What each exit code means.
const EXIT_CODES: [(&str, &str); 8] = [
    ("0", "all that was asked was answered"),
    (
        "1",
        "it failed: network, server error, throttled, unreadable answer",
    ),
    ("2", "usage or configuration: nothing was sent"),
    ("3", "partial: some targets did not answer"),
    ("4", "not signed in, or not permitted"),
    ("5", "the gate: a task has a --fail-on status"),
    (
        "124",
        "--wait-timeout passed with tasks still running: what is known is printed",
    ),
    ("130", "interrupted: what has arrived is printed"),
];

/// The sections of a command, by the names that lead to it; of the program, by none.
pub fn sections(path: &[&str]) -> Vec<Section> {
    let examples = |title, examples| Section {
        title,
        body: Body::Examples(examples),
    };
    let known = match path {
        [] => return vec![examples("Try first", FIRST), exit_codes()],
        ["tasks"] => TASKS,
        ["sandbox"] => SANDBOX,
        ["profile"] => PROFILE,
        ["profile", "show"] => PROFILE_SHOW,
        ["profile", "check"] => PROFILE_CHECK,
        ["completions"] => COMPLETIONS,
        ["man"] => MAN,
        ["operations"] => OPERATIONS,
        [cloud, name] => {
            let entry = provider::by_id(cloud).and_then(|provider| provider.operation(name));
            return entry.map_or_else(Vec::new, |entry| {
                vec![api(entry.meta), examples("Examples", entry.meta.examples)]
            });
        }
        _ => return Vec::new(),
    };
    vec![examples("Examples", known)]
}

/// The exit codes of every command.
pub fn exit_codes() -> Section {
    let codes = EXIT_CODES.map(|(code, meaning)| (code, meaning.to_owned()));
    Section {
        title: "Exit codes",
        body: Body::Terms(codes.into()),
    }
}

fn api(meta: &Meta) -> Section {
    let terms = vec![
        ("Operation", format!("{} ({})", meta.api, meta.version)),
        ("Permission", meta.permission.to_owned()),
        ("Documentation", meta.doc.to_owned()),
    ];
    Section {
        title: "API",
        body: Body::Terms(terms),
    }
}

/// Sections as the help shows them.
pub fn text(sections: &[Section]) -> StyledStr {
    let header = super::STYLES.get_header();
    let literal = super::STYLES.get_literal();
    let mut text = String::new();
    let mut put = |line: std::fmt::Arguments<'_>| {
        text.write_fmt(line).expect("a string takes all text");
    };
    for (at, section) in sections.iter().enumerate() {
        let gap = if at > 0 { "\n" } else { "" };
        put(format_args!("{gap}{header}{}:{header:#}\n", section.title));
        match &section.body {
            Body::Examples(examples) => {
                for example in *examples {
                    put(format_args!("  # {}\n", example.purpose));
                    for line in example.line.lines() {
                        put(format_args!("  {literal}{line}{literal:#}\n"));
                    }
                }
            }
            Body::Terms(terms) => {
                let width = terms.iter().map(|(term, _)| term.len()).max().unwrap_or(0);
                for (term, meaning) in terms {
                    // An address that does not fit would be torn from its term.
                    let gap = if meaning.len() > 78 - width {
                        "\n    "
                    } else {
                        "  "
                    };
                    put(format_args!("  {term:width$}{gap}{meaning}\n"));
                }
            }
        }
    }
    text.truncate(text.trim_end().len());
    text.into()
}

/// Puts the sections below the help of a command and of those below it.
pub(super) fn augment(command: Command, path: &[&str]) -> Command {
    let mut sections = sections(path);
    let command = match path {
        [] => {
            let long = text(&sections);
            sections.truncate(1);
            command.after_long_help(long)
        }
        _ => command,
    };
    let command = match sections.is_empty() {
        true => command,
        false => command.after_help(text(&sections)),
    };
    command.mut_args(open_values).mut_subcommands(|below| {
        let name = below.get_name().to_owned();
        let path: Vec<_> = path.iter().copied().chain([name.as_str()]).collect();
        augment(below, &path)
    })
}

/// What the documentation lists is not all that an operation takes: clouds add values.
fn open_values(arg: Arg) -> Arg {
    if arg.get_value_parser().type_id() != TypeId::of::<Choice>() {
        return arg;
    }
    let known: Vec<_> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let help = arg.get_help().cloned().unwrap_or_default();
    let help = format!(
        "{help} [known values: {}; others are sent as they are]",
        known.join(", ")
    );
    arg.help(help).hide_possible_values(true)
}

/// The help of a command that says nothing by itself: which commands are below it, and what to try first.
pub fn brief(tree: Command, names: &[OsString]) -> StyledStr {
    let mut tree = tree;
    tree.build();
    let mut command = &tree;
    for name in names.iter().skip(1) {
        let below = command.find_subcommand(name);
        command = below.unwrap_or(command);
    }
    let name = command.get_bin_name().unwrap_or("scanq").to_owned();
    let header = super::STYLES.get_header();
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{header}Commands:{header:#}\n{{subcommands}}{{after-help}}\n\n\
         More: scanq --help, {name} <COMMAND> --help"
    );
    command.clone().help_template(template).render_help()
}
