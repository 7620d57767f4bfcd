//! Every command of the README is run, and its output is what the README shows; so are the recipes of its neighbours.

use crate::harness::{binary, finish};

const README: &str = include_str!("../../README.md");
const GATE: &str = include_str!("../../docs/src/gate.md");
const SANDBOX: &str = include_str!("../../docs/src/sandbox.md");
const PROFILES: &str = include_str!("../../docs/src/profiles.md");

/// The lines of the fenced blocks with this tag.
pub fn blocks(page: &str, tag: &str) -> Vec<String> {
    let fence = format!("```{tag}\n");
    page.split(&fence)
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

/// A text with each time in it replaced: the sandbox's world is built around the moment of the command.
fn without_times(text: &str) -> String {
    let is_time = |word: &&str| {
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        digits >= 6
            && word
                .chars()
                .all(|c| c.is_ascii_digit() || "-:.TZ,".contains(c))
    };
    let masked = text
        .split(' ')
        .map(|word| Some(word).filter(is_time).map_or(word, |_| "TIME"));
    masked.collect::<Vec<_>>().join(" ")
}

#[test]
fn the_tour_can_be_taken_and_shows_what_it_says() {
    let mut taken = 0;
    for block in blocks(README, "text") {
        let (line, shown) = block.split_once('\n').unwrap();
        let command = line.strip_prefix("$ scanq ").unwrap();
        let (command, code) = command.split_once(" # exit ").unwrap_or((command, "0"));
        let args = shlex::split(command).unwrap();
        let output = finish(binary(&args.iter().map(String::as_str).collect::<Vec<_>>()));
        assert_eq!(output.code.to_string(), code, "{line}\n{}", output.err);
        let said = format!("{}{}", output.out, output.err);
        assert_eq!(without_times(&said), without_times(shown), "{line}\n{said}");
        taken += 1;
    }
    for line in blocks(README, "console")
        .iter()
        .flat_map(|block| block.lines())
    {
        let command = line.strip_prefix("$ scanq ").unwrap();
        let output = finish(binary(&command.split_whitespace().collect::<Vec<_>>()));
        assert_eq!(output.code, 0, "{line}\n{}", output.err);
        assert!(!output.out.is_empty(), "{line}");
        taken += 1;
    }
    assert!(taken >= 11, "{taken}");
}

#[test]
fn the_configuration_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, &blocks(PROFILES, "toml")[0]).unwrap();
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
    let recipe = blocks(SANDBOX, "sh")
        .into_iter()
        .find(|block| block.contains("--print-env"))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_scanq"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let output = std::process::Command::new("sh")
        .args(["-e", "-c", &recipe])
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
    assert_eq!(shown.lines().count(), 4, "{shown}");
}

#[test]
fn the_commands_of_the_quick_start_are_the_gates() {
    let gate = include_str!("../../.ci/run");
    let commands = blocks(README, "sh");
    assert_eq!(commands[0].trim(), "cargo run --release -- tasks --sandbox");
    assert_eq!(commands[1].trim(), "cargo test");
    assert!(gate.contains("cargo test --locked"));
}

/// Runs a script of the README in a folder, with the binary in the PATH, against a sandbox.
#[cfg(unix)]
pub fn in_a_shell(
    script: &str,
    served: &crate::harness::Served,
    folder: &std::path::Path,
    more: &[(&str, &str)],
) -> (i32, String, String) {
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_scanq"));
    let path = std::env::var("PATH").unwrap();
    let output = std::process::Command::new("sh")
        .args(["-e", "-c", script])
        .env_clear()
        .env(
            "PATH",
            format!("{}:{path}", bin.parent().unwrap().display()),
        )
        .env("HOME", folder)
        .envs(served.env.iter().map(|(name, value)| (name, value)))
        .envs(more.iter().copied())
        .current_dir(folder)
        .output()
        .unwrap();
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    )
}

/// The recipe for this path, which it names.
fn recipe(tag: &str, path: &str) -> String {
    let mut recipes = [README, GATE]
        .into_iter()
        .flat_map(|page| blocks(page, tag));
    let found = recipes.find(|block| block.contains(path));
    found.unwrap_or_else(|| panic!("no recipe for {path}"))
}

/// A sandbox in which the scans have ended: they advance from poll to poll.
#[cfg(unix)]
pub fn ended() -> crate::harness::Served {
    let served = crate::harness::Served::start(&["--tasks", "40", "--seed", "7"]);
    for _ in 0..12 {
        assert_eq!(served.run("tasks --summary", &[]).code, 0);
    }
    served
}

#[cfg(unix)]
#[test]
fn the_recipe_for_github_actions_works() {
    let recipe = recipe("yaml", ".github/workflows");
    let script: String = recipe
        .split_once("        run: |\n")
        .unwrap()
        .1
        .lines()
        .map_while(|line| line.strip_prefix("          "))
        .map(|line| format!("{line}\n"))
        .collect();
    let (served, folder) = (ended(), tempfile::tempdir().unwrap());
    let summary = folder.path().join("summary.md");
    let runner = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
    ];
    let (code, out, err) = in_a_shell(&script, &served, folder.path(), &runner);
    assert_eq!((code, out.as_str()), (5, ""), "{err}");
    assert!(err.starts_with("::error title="), "{err}");
    let xml = std::fs::read_to_string(folder.path().join("scans.xml")).unwrap();
    assert!(xml.contains("<failure ") && xml.ends_with("</testsuites>\n"));
    let table = std::fs::read_to_string(summary).unwrap();
    assert!(table.contains("| aliyun | image-fix | failed |"), "{table}");
    assert!(recipe.contains("path: scans.xml"));
}

#[cfg(unix)]
#[test]
fn the_recipe_for_gitlab_works() {
    let recipe = recipe("yaml", ".gitlab-ci.yml");
    let lines: Vec<_> = recipe
        .split_once("  script:\n")
        .unwrap()
        .1
        .lines()
        .map_while(|line| line.strip_prefix("    - "))
        .collect();
    assert_eq!(lines.len(), 2);
    let (served, folder) = (ended(), tempfile::tempdir().unwrap());
    let (code, _, err) = in_a_shell(lines[0], &served, folder.path(), &[]);
    assert!(code == 5 && err.starts_with("gate: "), "{err}");
    let xml = std::fs::read_to_string(folder.path().join("scans.xml")).unwrap();
    assert!(xml.contains("<testsuite name=\"huawei.iac-scan\""), "{xml}");
    let (code, out, _) = in_a_shell(lines[1], &served, folder.path(), &[]);
    assert!(code == 0 && out.starts_with("CLOUD"), "{out}");
    assert!(recipe.contains("junit: scans.xml"));
}

#[cfg(unix)]
#[test]
fn the_recipe_for_cron_is_silent_unless_there_is_work() {
    let script = recipe("sh", "/etc/cron.hourly");
    let (served, folder) = (ended(), tempfile::tempdir().unwrap());
    let env = folder.path().join("scanq.env");
    std::fs::write(&env, "HUAWEICLOUD_SDK_AK=$HUAWEICLOUD_SDK_AK\n").unwrap();
    let variables = [("SCANQ_ENV", env.to_str().unwrap())];
    let script = format!("set +e\n{script}");
    let longer = script.replace("--since 2h", "--since 2d");
    assert_ne!(longer, script);
    let (code, out, err) = in_a_shell(&longer, &served, folder.path(), &variables);
    assert!(
        code == 5 && out.contains("failed") && err.contains("gate: "),
        "{err}"
    );
    let calm = script.replace("--since 2h", "--since 1s");
    let quiet = in_a_shell(&calm, &served, folder.path(), &variables);
    assert_eq!(quiet, (0, String::new(), String::new()));
    let wrong = [
        ("SCANQ_ENV", env.to_str().unwrap()),
        ("SCANQ_REGION", "nowhere"),
    ];
    let (code, out, _) = in_a_shell(&script, &served, folder.path(), &wrong);
    assert!(code == 2 && out.contains("exit code 2"), "{out}");
}
