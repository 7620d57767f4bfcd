//! The help of the whole tree is a snapshot: it is read in review like code. Its examples are run.

use clap::Command;
use scanq::cli::help::{Body, sections};
use scanq::operation::Example;

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
            let sections = ["\nAPI:", "\nExamples:"].map(|title| help.find(title));
            let after = sections.into_iter().flatten().min();
            let after = after.map_or("", |at| &help[at..]);
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
fn a_command_that_needs_another_shows_which_there_are_and_little_else() {
    for (line, first) in [
        (&[][..], "scanq tasks --sandbox --limit 5"),
        (&["aliyun"], "agentless-tasks"),
        (&["profile"], "scanq profile check"),
    ] {
        let output = finish(binary(line));
        assert_eq!((output.code, output.out.as_str()), (2, ""));
        assert!(output.err.contains(first), "{}", output.err);
        assert!(output.err.lines().count() <= 24, "{}", output.err);
        let wide = output.err.lines().find(|line| line.len() > 100);
        assert_eq!(wide, None);
        if line.is_empty() {
            insta::assert_snapshot!("scanq_alone", output.err);
        }
    }
}

fn examples(path: &[&str]) -> Vec<&'static Example> {
    let bodies = sections(path).into_iter().map(|section| section.body);
    bodies
        .flat_map(|body| match body {
            Body::Examples(examples) => examples,
            Body::Terms(_) => &[],
        })
        .collect()
}

/// Every command of a tree, by the names that lead to it.
fn paths(command: &Command, path: &[String], found: &mut Vec<Vec<String>>) {
    found.push(path.to_vec());
    for below in command.get_subcommands() {
        let mut path = path.to_vec();
        path.push(below.get_name().to_owned());
        paths(below, &path, found);
    }
}

#[test]
fn the_first_line_of_each_help_is_an_imperative_without_a_period() {
    fn check(command: &Command) {
        let about = command.get_about().unwrap().to_string();
        let verb = about.split(' ').next().unwrap();
        let is_imperative = verb.starts_with(char::is_uppercase) && !verb.ends_with('s');
        assert!(is_imperative && !about.ends_with('.'), "{about}");
        command.get_subcommands().for_each(check);
    }
    check(&scanq::cli::command());
}

#[test]
fn both_examples_of_each_operation_answer_in_a_sandbox() {
    for (provider, entry) in scanq::provider::operations() {
        let help = finish(binary(&[provider.id, entry.meta.command, "--help"])).out;
        let [first, second] = entry.meta.examples else {
            panic!("{}: two examples", entry.meta.api);
        };
        assert!(first.line.contains(" --sandbox") && !second.line.contains(" --sandbox"));
        for known in [entry.meta.api, entry.meta.permission, entry.meta.doc] {
            assert!(help.contains(known), "{known}: {help}");
        }
        for example in [first, second] {
            let shown = example.line.replace('\n', "\n  ");
            let whole = format!("  # {}\n  {shown}", example.purpose);
            assert!(help.contains(&whole), "{help}");
            let line = example.line.replace("\\\n", " ");
            let mut words = line.split_whitespace();
            assert_eq!(words.next(), Some("scanq"));
            let words: Vec<_> = words.collect();
            let names = [entry.meta.command, entry.meta.api];
            assert!(words[0] == provider.id && names.contains(&words[1]));
            let mut command = binary(&words);
            command.env("SCANQ_SANDBOX", "1");
            let output = finish(command);
            assert_eq!((output.code, output.err.as_str()), (0, ""), "{line}");
            // More than the names of columns.
            let is_answer = output.out.lines().count() > 1 || output.out.starts_with('{');
            assert!(is_answer, "{line}: {}", output.out);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_examples_of_the_other_commands_work_in_a_shell() {
    let Some(bash) = crate::harness::tool("bash") else {
        return;
    };
    let (mut found, mut run) = (Vec::new(), 0);
    paths(&scanq::cli::command(), &[], &mut found);
    for path in found {
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        if let [cloud, name] = path[..]
            && scanq::provider::by_id(cloud).is_some_and(|cloud| cloud.operation(name).is_some())
        {
            continue;
        }
        for example in examples(&path) {
            let is_for_others =
                example.line.contains("powershell") || example.line.contains("slurp");
            if path == ["sandbox"] || is_for_others {
                continue;
            }
            let home = tempfile::tempdir().unwrap();
            let mut command = crate::harness::run_tool(&bash, home.path());
            let ready = "mkdir -p ~/.zfunc ~/.config/fish/completions";
            command.args(["-c", &format!("{ready}; {}", example.line)]);
            command.env("SCANQ_SANDBOX", "1");
            let output = finish(command);
            let code = if example.line.contains("--fail-on") {
                5
            } else {
                0
            };
            assert_eq!(output.code, code, "{}: {}", example.line, output.err);
            run += 1;
        }
    }
    assert!(run >= 14, "{run}");
}

#[test]
fn the_examples_of_the_sandbox_serve() {
    for example in examples(&["sandbox"]) {
        let flags = example.line.split_once("scanq sandbox").unwrap().1;
        let flags = flags.split('&').next().unwrap();
        let flags = flags
            .split_whitespace()
            .filter(|flag| *flag != "--print-env");
        let served = crate::harness::Served::start(&flags.collect::<Vec<_>>());
        let output = served.run("tasks --summary", &[]);
        assert_eq!(output.code, 0, "{}: {}", example.line, output.err);
    }
}

#[test]
fn help_fits_a_narrow_terminal() {
    let (mut found, mut seen) = (Vec::new(), 0);
    paths(&scanq::cli::command(), &[], &mut found);
    for path in found {
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        for example in examples(&path) {
            // With the margin of a manual page.
            for line in example.line.lines() {
                assert!(line.len() <= 71, "{line}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 20, "{seen}");
}

#[test]
fn an_operation_says_what_the_documentation_lists_and_that_others_are_sent() {
    let help = finish(binary(&["aliyun", "agentless-tasks", "-h"])).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let known =
        "[known values: running, succeeded, failed, timed-out; others are sent as they are]";
    assert!(help.contains(known), "{help}");
    assert!(help.contains("[possible values: true, false]"));
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
}
