//! Every command of the README is run.

use crate::harness::{binary, finish};

const README: &str = include_str!("../../README.md");

/// The lines of the fenced blocks with this tag.
fn blocks(tag: &str) -> Vec<String> {
    let fence = format!("```{tag}\n");
    README
        .split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_tour_can_be_taken() {
    let mut taken = 0;
    for line in blocks("console").iter().flat_map(|block| block.lines()) {
        let command = line
            .strip_prefix("$ scanq ")
            .unwrap_or_else(|| panic!("not a command: {line}"));
        let output = finish(binary(&command.split_whitespace().collect::<Vec<_>>()));
        assert_eq!((output.code, output.err.as_str()), (0, ""), "{line}");
        assert!(!output.out.is_empty(), "{line}");
        taken += 1;
    }
    assert!(taken >= 7);
}

#[test]
fn the_configuration_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, &blocks("toml")[0]).unwrap();
    let mut command = binary(&["profile", "list", "-o", "csv", "--no-header"]);
    command.env("SCANQ_CONFIG", &path);
    let output = finish(command);
    assert_eq!(
        (output.code, output.lines().len()),
        (0, 3),
        "{}",
        output.err
    );
}

#[cfg(unix)]
#[test]
fn the_sandbox_recipe_works_in_a_shell() {
    let recipe = blocks("sh")
        .into_iter()
        .find(|block| block.contains("--print-env"))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_scanq"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let script = format!("{recipe}\nstatus=$?; kill %1 2>/dev/null || kill $!; exit $status");
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.path())
        .current_dir(folder.path())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(shown.lines().count(), 11, "{shown}");
}

#[test]
fn the_commands_of_the_quick_start_are_the_gates() {
    let gate = include_str!("../../.ci/run");
    let commands = blocks("sh");
    assert_eq!(commands[0].trim(), "cargo run --release -- tasks --sandbox");
    assert_eq!(commands[1].trim(), "cargo test");
    assert!(gate.contains("cargo test --locked"));
}
