//! The help of the whole tree is a snapshot: it is read in review like code.

use clap::Command;

use crate::harness::{binary, finish};

#[test]
fn the_help_of_every_command_is_reviewed() {
    let mut tree = scanq::cli::command().term_width(100);
    tree.build();
    let mut shown = String::new();
    collect(&mut tree, &mut shown);
    insta::assert_snapshot!(shown);
}

fn collect(command: &mut Command, shown: &mut String) {
    // The flags of every command are shown once, with the root.
    let name = command.get_bin_name().unwrap_or("scanq").to_owned();
    let is_root = name == "scanq";
    let help = command.clone().render_long_help().to_string();
    let own = match help.find("\nConnection:") {
        Some(globals) if !is_root => {
            let after = help.find("\nAPI operation:").map_or("", |at| &help[at..]);
            format!("{}\n{after}", &help[..globals])
        }
        _ => help,
    };
    shown.push_str(&format!("$ {name} --help\n{own}\n\n"));
    for below in command
        .get_subcommands_mut()
        .filter(|below| below.get_name() != "help")
    {
        collect(below, shown);
    }
}

#[test]
fn help_and_version_go_to_stdout_and_mistakes_to_stderr() {
    let version = finish(binary(&["--version"]));
    assert_eq!(
        (version.code, version.out.trim()),
        (0, concat!("scanq ", env!("CARGO_PKG_VERSION")))
    );
    let help = finish(binary(&["aliyun", "once-tasks", "--help"]));
    assert!(
        help.code == 0
            && help.err.is_empty()
            && help
                .out
                .contains("yundun-sas:DescribeOnceTaskLeafRecordPage")
    );
    let wrong = finish(binary(&["aliyun", "once-taks"]));
    assert!(
        wrong.code == 2 && wrong.out.is_empty() && wrong.err.contains("once-tasks"),
        "{}",
        wrong.err
    );
    let nothing = finish(binary(&[]));
    assert!(nothing.code == 2 && nothing.err.contains("--sandbox"));
}
