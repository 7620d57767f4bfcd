//! `scanq man`: a manual page for every command, made from the command tree and the sections of its help.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::{Arg, ArgMatches, Command, FromArgMatches};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use crate::cli::help::{self, Body, Section};
use crate::cli::{self, ManArgs};
use crate::context::Context;
use crate::error::{Error, Kind};

pub(super) fn run(matches: &ArgMatches, context: &mut Context) -> Result<u8, Error> {
    let args = ManArgs::from_arg_matches(matches)?;
    let mut tree = cli::command().disable_help_subcommand(true);
    tree.build();
    let folder = args.folder;
    let written = fs::create_dir_all(&folder).and_then(|()| pages(&tree, &[], &folder));
    let count =
        written.map_err(|error| Error::new(Kind::Output, folder.display().to_string(), error))?;
    context
        .ui
        .note(format!("{count} manual pages in {}", folder.display()));
    Ok(0)
}

/// Writes the page of a command and of those below it, and says how many.
fn pages(command: &Command, path: &[&str], folder: &Path) -> io::Result<usize> {
    fs::write(
        folder.join(format!("{}.1", title(path))),
        page(command, path)?,
    )?;
    let below = command.get_subcommands().map(|below| {
        let path: Vec<_> = path.iter().copied().chain([below.get_name()]).collect();
        pages(below, &path, folder)
    });
    below.sum::<io::Result<usize>>().map(|count| count + 1)
}

/// The name with its parents: `man scanq-aliyun-once-tasks`.
fn title(path: &[&str]) -> String {
    ["scanq"]
        .iter()
        .chain(path)
        .copied()
        .collect::<Vec<_>>()
        .join("-")
}

fn page(command: &Command, path: &[&str]) -> io::Result<Vec<u8>> {
    let name = title(path);
    let usage = command.clone().render_usage().to_string();
    let command = command
        .clone()
        .display_name(&name)
        .override_usage(usage.trim_start_matches("Usage: ").to_owned())
        .mut_args(values_in_line);
    let has_subcommands = command.has_subcommands();
    let man = Man::new(command);
    let mut page = Vec::new();
    // Without a date, which changes nothing for a reader. Lines are neither stretched nor hyphenated: most hold flags.
    let version = env!("CARGO_PKG_VERSION");
    writeln!(
        page,
        ".TH {name} 1 \"\" \"scanq {version}\" scanq\n.ad l\n.nh"
    )?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if has_subcommands {
        man.render_subcommands_section(&mut page)?;
    }
    let mut sections = help::sections(path);
    if !path.is_empty() {
        sections.push(help::exit_codes());
    }
    for section in &sections {
        page.write_all(roff(section).to_roff().as_bytes())?;
    }
    if let [above @ .., _] = path {
        let mut see = Roff::new();
        see.control("SH", ["SEE ALSO"]);
        let pages = match above {
            [] => "scanq(1)".to_owned(),
            _ => format!("scanq(1), {}(1)", title(above)),
        };
        see.text([roman(pages)]);
        page.write_all(see.to_roff().as_bytes())?;
    }
    Ok(page)
}

/// The values of a flag stand behind its help, as in the help, and not in a list of a line each.
fn values_in_line(arg: Arg) -> Arg {
    let values = arg.get_possible_values();
    if values.is_empty() || arg.is_hide_possible_values_set() || !arg.get_action().takes_values() {
        return arg;
    }
    let names: Vec<_> = values.iter().map(|value| value.get_name()).collect();
    let help = arg.get_help().cloned().unwrap_or_default();
    let help = format!("{help} [possible values: {}]", names.join(", "));
    arg.help(help).hide_possible_values(true)
}

/// A section of the help as one of the page.
fn roff(section: &Section) -> Roff {
    let mut roff = Roff::new();
    match &section.body {
        Body::Examples(examples) => {
            roff.control("SH", ["EXAMPLES"]);
            for example in *examples {
                roff.control("PP", []);
                roff.text([roman(example.purpose)]);
                roff.control("RS", ["2"]);
                roff.control("nf", []);
                for line in example.line.lines() {
                    roff.text([bold(line)]);
                }
                roff.control("fi", []);
                roff.control("RE", []);
            }
        }
        Body::Terms(terms) => {
            roff.control("SH", [section.title.to_uppercase().as_str()]);
            for (term, meaning) in terms {
                roff.control("TP", []);
                roff.text([bold(*term)]);
                // An address can't be broken.
                let is_address = meaning.starts_with("https://");
                if is_address {
                    roff.control("nf", []);
                }
                roff.text([roman(meaning)]);
                if is_address {
                    roff.control("fi", []);
                }
            }
        }
    }
    roff
}
