//! `scanq completions`: the command tree for a shell, with values that only completion knows: profiles, regions, columns.
//! They are read from this machine, and the parser takes others all the same.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, Command, FromArgMatches};
use clap_complete::Shell;

use super::{operations, output, profile, tasks};
use crate::cli::{self, CompletionsArgs};
use crate::config::{Config, Profile};
use crate::context::Context;
use crate::error::Error;
use crate::provider::{self, PROVIDERS};
use crate::render::Format;

pub(super) fn run(matches: &ArgMatches, context: &mut Context) -> Result<u8, Error> {
    let args = CompletionsArgs::from_arg_matches(matches)?;
    let file = matches.get_one::<PathBuf>("config");
    // A broken configuration has no profiles to offer; every other command says what is wrong with it.
    let config = Config::read(file.map(PathBuf::as_path), &context.env);
    let profiles = config.unwrap_or_else(|_| Config::built_in()).profiles();
    let mut tree = cli::command();
    // Flags of all commands are handed down first, so that each command can have values of its own for them.
    tree.build();
    let mut tree = offering(tree, &[], &profiles);
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "scanq", &mut script);
    if args.shell == Shell::Fish {
        arguments_for_fish(&tree, &[], &mut script).map_err(output)?;
    }
    let out = &mut context.out;
    out.write_all(&script)
        .and_then(|()| out.flush())
        .map_err(output)?;
    Ok(0)
}

/// A command and those below it, with values to offer.
fn offering(command: Command, path: &[&str], profiles: &[Profile]) -> Command {
    let command = command.mut_args(|arg| match values(&arg, path, profiles) {
        Some(known) => arg.value_parser(PossibleValuesParser::new(known)),
        None => arg,
    });
    let command = command.mut_subcommands(|below| {
        let name = below.get_name().to_owned();
        let path: Vec<_> = path.iter().copied().chain([name.as_str()]).collect();
        offering(below, &path, profiles)
    });
    match command.has_subcommands() && path.first() != Some(&"help") {
        true => without_columns(command),
        false => command,
    }
}

/// A command that has others below it, without the flags whose values depend on which of those it will be: zsh takes the
/// values of the outermost command that has a flag.
fn without_columns(command: Command) -> Command {
    let own =
        |arg: &&Arg| !["columns", "sort_by", "help", "version"].contains(&arg.get_id().as_str());
    let below = command.get_subcommands();
    let args = command.get_arguments().filter(own).cloned();
    let group = match command.get_version() {
        Some(version) => Command::new(command.get_name().to_owned()).version(version.to_owned()),
        None => Command::new(command.get_name().to_owned()),
    };
    group
        .about(command.get_about().cloned().unwrap_or_default())
        .args(args.collect::<Vec<_>>())
        .subcommands(below.filter(|below| below.get_name() != "help").cloned())
}

/// clap_complete offers fish the values of flags only, and files for arguments.
fn arguments_for_fish(command: &Command, path: &[&str], script: &mut Vec<u8>) -> io::Result<()> {
    let values = command.get_positionals().flat_map(Arg::get_possible_values);
    let values: Vec<_> = values.map(|value| value.get_name().to_owned()).collect();
    if let ([first, rest @ ..], false) = (path, values.is_empty()) {
        let below = rest
            .iter()
            .map(|name| format!("; and __fish_seen_subcommand_from {name}"));
        let below: String = below.collect();
        writeln!(
            script,
            "complete -c scanq -n \"__fish_scanq_using_subcommand {first}{below}\" -f -a \"{}\"",
            values.join(" ")
        )?;
    }
    command.get_subcommands().try_for_each(|below| {
        let path: Vec<_> = path.iter().copied().chain([below.get_name()]).collect();
        arguments_for_fish(below, &path, script)
    })
}

/// What a flag or argument can be offered, where the parser does not say.
fn values(arg: &Arg, path: &[&str], profiles: &[Profile]) -> Option<Vec<String>> {
    let cloud = path.first().and_then(|name| provider::by_id(name));
    let owned = |names: Vec<&str>| Some(names.into_iter().map(str::to_owned).collect());
    let known_profiles = || {
        let of_cloud = profiles
            .iter()
            .filter(|profile| cloud.is_none_or(|cloud| cloud.id == profile.provider.id));
        let names = of_cloud.map(|profile| profile.name.as_str());
        owned(names.filter(|name| is_plain(name)).collect())
    };
    match (arg.get_id().as_str(), path) {
        ("name", ["profile", "show"]) | ("names", ["profile", "check"]) => known_profiles(),
        _ if !arg.is_global_set() => None,
        ("profile", _) => known_profiles(),
        ("region", _) => {
            let clouds = PROVIDERS
                .iter()
                .filter(|known| cloud.is_none_or(|cloud| cloud.id == known.id));
            let mut regions: Vec<_> = clouds.flat_map(|cloud| (cloud.regions)()).collect();
            regions.sort_unstable();
            regions.dedup();
            owned(regions)
        }
        ("columns" | "sort_by", _) => owned(columns(path)?),
        ("output", _) => {
            let formats = Format::ALL.iter();
            let allowed = formats
                .filter(|(_, format)| *format != Format::Junit || matches!(path, [] | ["tasks"]));
            owned(allowed.map(|(name, _)| *name).collect())
        }
        _ => None,
    }
}

/// The columns of a command's table, if it has one.
fn columns(path: &[&str]) -> Option<Vec<&'static str>> {
    let names = |columns: &[(&'static str, bool)]| columns.iter().map(|(name, _)| *name).collect();
    match path {
        ["tasks"] => Some(tasks::print::columns().collect()),
        ["operations"] => Some(names(&operations::COLUMNS)),
        ["profile", "list"] => Some(names(&profile::LIST)),
        ["profile", "show"] => Some(names(&profile::SHOW)),
        ["profile", "check"] => Some(names(&profile::CHECK)),
        [cloud, name] => {
            let entry = provider::by_id(cloud)?.operation(name)?;
            Some(names(&(entry.columns)()))
        }
        _ => None,
    }
}

/// Whether a shell takes a name as it stands. The script is run by a shell, so that a profile whose name could mean
/// something to one is not offered.
fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "._-@/+".contains(c);
    name.starts_with(char::is_alphanumeric) && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_names_that_mean_nothing_to_a_shell_are_offered() {
        for plain in ["prod-cn", "a.b_c", "生产", "me@corp/prod"] {
            assert!(is_plain(plain), "{plain}");
        }
        for odd in [
            "", "-p", "$(id)", "a b", "`x`", "a;b", "'", "a\nb", "a:b", "~x",
        ] {
            assert!(!is_plain(odd), "{odd:?}");
        }
    }
}
