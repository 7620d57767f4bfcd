//! `scanq completions` and `scanq man`: the command tree for a shell and for the manual.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{ArgMatches, Command, FromArgMatches};

use super::output;
use crate::cli::{self, CompletionsArgs, ManArgs};
use crate::context::Context;
use crate::error::{Error, Kind};

pub(super) fn completions(matches: &ArgMatches, context: &mut Context) -> Result<u8, Error> {
    let args = CompletionsArgs::from_arg_matches(matches)
        .map_err(|e| Error::new(Kind::Usage, "arguments", e))?;
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "scanq", &mut script);
    let out = &mut context.out;
    out.write_all(&script)
        .and_then(|()| out.flush())
        .map_err(output)?;
    Ok(0)
}

pub(super) fn man(matches: &ArgMatches, context: &mut Context) -> Result<u8, Error> {
    let args =
        ManArgs::from_arg_matches(matches).map_err(|e| Error::new(Kind::Usage, "arguments", e))?;
    let mut tree = cli::command().disable_help_subcommand(true);
    tree.build();
    let folder = args.folder;
    let written = fs::create_dir_all(&folder).and_then(|()| pages(&tree, "scanq", &folder));
    let count =
        written.map_err(|error| Error::new(Kind::Output, folder.display().to_string(), error))?;
    context
        .ui
        .note(format!("{count} manual pages in {}", folder.display()));
    Ok(0)
}

/// Writes the page of a command and of those below it, and says how many.
fn pages(command: &Command, name: &str, folder: &Path) -> io::Result<usize> {
    let mut page = Vec::new();
    // The name with its parents: `man scanq-aliyun-once-tasks`.
    clap_mangen::Man::new(command.clone().name(name.to_owned())).render(&mut page)?;
    fs::write(folder.join(format!("{name}.1")), page)?;
    let below = command
        .get_subcommands()
        .map(|below| pages(below, &format!("{name}-{}", below.get_name()), folder));
    below.sum::<io::Result<usize>>().map(|count| count + 1)
}
