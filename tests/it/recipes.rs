//! The recipes of the documentation that pick values: each is run as it stands, and says the same with `--jq`, with the
//! external jq and with `--query`.

use std::fs;

use serde_json::Value;

use crate::harness::tool;
use crate::readme::{blocks, ended, in_a_shell};

/// The recipes of a text: the lines of each shell block in which values are picked.
fn recipes(text: &str) -> Vec<Vec<&str>> {
    let blocks = text.split("\n```sh\n").skip(1);
    let blocks = blocks.map(|rest| rest.split("\n```").next().unwrap());
    blocks
        .filter(|block| {
            ["--jq", "--query", "| jq"]
                .iter()
                .any(|way| block.contains(way))
        })
        .map(|block| block.lines().collect())
        .collect()
}

/// What a recipe printed, as JSON: its lines, if they are no JSON.
fn value(printed: &str) -> Value {
    let lines = || printed.lines().map(Value::from).collect();
    serde_json::from_str(printed).unwrap_or_else(|_| lines())
}

#[test]
fn each_recipe_says_the_same_in_every_form() {
    let has_jq = tool("jq").is_some();
    let (served, folder) = (ended(), tempfile::tempdir().unwrap());
    let run = |line: &str| {
        let (code, out, err) = in_a_shell(line, &served, folder.path(), &[]);
        assert_eq!((code, err.as_str()), (0, ""), "{line}");
        assert!(!out.trim().is_empty(), "{line}");
        out
    };
    let mut in_two_forms = 0;
    for block in recipes(include_str!("../../docs/src/pick.md")) {
        let [built_in, external, others @ ..] = &block[..] else {
            panic!("too few forms: {block:?}");
        };
        assert!(
            built_in.contains("--jq") && external.contains("| jq "),
            "{block:?}"
        );
        let printed = run(built_in);
        if has_jq {
            assert_eq!(run(external), printed, "{external}");
            in_two_forms += 1;
        }
        for other in others {
            assert!(other.contains("--query"), "{other}");
            assert_eq!(value(&run(other)), value(&printed), "{other}");
        }
    }
    assert!(in_two_forms >= 8 || !has_jq, "{in_two_forms}");
}

#[test]
fn every_line_for_a_shell_in_the_readme_works() {
    let (served, folder) = (ended(), tempfile::tempdir().unwrap());
    for below in ["bash-completion/completions", "man/man1"] {
        fs::create_dir_all(folder.path().join(".local/share").join(below)).unwrap();
    }
    let mut run = 0;
    let blocks = blocks(include_str!("../../README.md"), "sh");
    for line in blocks.iter().flat_map(|block| block.lines()) {
        let needs_jq = line.contains("| jq");
        // cargo is what runs this.
        if line.starts_with("cargo ") || needs_jq && tool("jq").is_none() {
            continue;
        }
        let (code, _, err) = in_a_shell(line, &served, folder.path(), &[]);
        assert_eq!(code, 0, "{line}\n{err}");
        run += 1;
    }
    assert!(run >= 4, "{run}");
    let made = |path: &str| folder.path().join(".local/share").join(path).is_file();
    assert!(made("bash-completion/completions/scanq") && made("man/man1/scanq-tasks.1"));
}
