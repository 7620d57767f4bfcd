//! Completions, asked of the shells that will run them: what is offered at the end of a line that someone is typing?
//!
//! PowerShell and elvish are in no Debian, so that only the text of their scripts is looked at.

use std::path::{Path, PathBuf};

use crate::harness::{binary, finish};

/// A configuration with a profile whose name a shell would run.
const CONFIG: &str = "
[profiles.prod-cn]
cloud = \"aliyun\"
[profiles.hw]
cloud = \"huawei\"
[profiles.'$(touch planted)`touch planted`']
cloud = \"aliyun\"
";

/// What someone types, what must be offered then, and what must not.
const TYPED: &[(&str, &[&str], &[&str])] = &[
    ("scanq aliyun agent", &["agentless-tasks"], &["once-tasks"]),
    ("scanq huawei List", &["ListTasks"], &["tasks"]),
    ("scanq tasks --status ", &["timed-out", "running"], &[]),
    ("scanq tasks --kind ", &["agentless", "iac-scan"], &[]),
    (
        "scanq aliyun once-tasks --task-type image",
        &["image-registry-pull"],
        &["idc-probe-scan"],
    ),
    ("scanq tasks --profile ", &["prod-cn", "hw"], &[]),
    ("scanq tasks --region ", &["cn-hangzhou", "cn-north-4"], &[]),
    ("scanq tasks --columns ", &["native-status"], &["space-mb"]),
    (
        "scanq aliyun agentless-tasks --columns ",
        &["space-mb"],
        &["kind"],
    ),
    ("scanq profile check --sort-by ", &["latency-ms"], &[]),
    ("scanq tasks --output ", &["jsonl", "junit"], &[]),
    ("scanq tasks --color ", &["never"], &[]),
    ("scanq profile show ", &["prod-cn", "hw"], &[]),
    ("scanq completions ", &["bash", "elvish"], &[]),
];

/// The same for flags of all commands, whose values depend on the command. zsh takes those of the whole program.
const TYPED_AFTER_A_COMMAND: &[(&str, &[&str], &[&str])] = &[
    (
        "scanq aliyun once-tasks --profile ",
        &["prod-cn"],
        &["hw", "$(touch"],
    ),
    (
        "scanq huawei tasks --region ",
        &["cn-north-4"],
        &["cn-hangzhou"],
    ),
    (
        "scanq aliyun agentless-tasks --output ",
        &["jsonl"],
        &["junit"],
    ),
];

/// A folder with the script of a shell for this configuration.
fn script(shell: &str, config: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = binary(&["completions", shell]);
    command.env("SCANQ_CONFIG", &file);
    let output = finish(command);
    assert_eq!((output.code, output.err.as_str()), (0, ""), "{shell}");
    let script = folder.path().join("script");
    std::fs::write(&script, output.out).unwrap();
    (folder, script)
}

fn assert_offers(
    typed: &[(&str, &[&str], &[&str])],
    folder: &Path,
    offered: impl Fn(&str) -> String,
) {
    for (line, wanted, unwanted) in typed {
        let offered = offered(line);
        let words: Vec<_> = offered.split_whitespace().collect();
        for word in *wanted {
            assert!(words.contains(word), "{line}: no {word} in {offered}");
        }
        for word in *unwanted {
            assert!(!words.contains(word), "{line}: {word} in {offered}");
        }
    }
    assert!(!folder.join("planted").exists(), "a name was run");
}

#[test]
fn bash_offers_what_can_come_next() {
    let (folder, script) = script("bash", CONFIG);
    let Some(shell) = crate::harness::tool("bash") else {
        return;
    };
    let offered = |line: &str| {
        let ask = r#"source "$SCRIPT"
            read -ra COMP_WORDS <<< "$LINE"; [[ $LINE == *' ' ]] && COMP_WORDS+=("")
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _scanq scanq "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}"; echo "${COMPREPLY[@]}""#;
        let mut command = crate::harness::run_tool(&shell, folder.path());
        command.args(["--norc", "-c", ask]);
        command.env("SCRIPT", &script).env("LINE", line);
        crate::harness::shown(command)
    };
    assert_offers(TYPED, folder.path(), offered);
    assert_offers(TYPED_AFTER_A_COMMAND, folder.path(), offered);
}

#[test]
fn fish_offers_what_can_come_next() {
    let (folder, script) = script("fish", CONFIG);
    let Some(shell) = crate::harness::tool("fish") else {
        return;
    };
    let offered = |line: &str| {
        // What stands behind a tab is a description.
        let ask = r#"source $SCRIPT; complete -C $LINE | string replace -r '\t.*' ''; true"#;
        let mut command = crate::harness::run_tool(&shell, folder.path());
        command.args(["--no-config", "-c", ask]);
        command.env("SCRIPT", &script).env("LINE", line);
        crate::harness::shown(command)
    };
    assert_offers(TYPED, folder.path(), offered);
    assert_offers(TYPED_AFTER_A_COMMAND, folder.path(), offered);
}

/// zsh only completes while someone types: an inner shell on a terminal of its own is typed to, and writes down what its
/// completion adds.
#[test]
fn zsh_offers_what_can_come_next() {
    const HOOKS: &str = r#"
        compadd() {
            if [[ "$*" != *-[OAD]\ * ]]; then
                local -a hits
                builtin compadd -A hits "$@"
                print -rl -- $hits >> $HOME/offered
            fi
            builtin compadd "$@"
        }
        finish() { print -- '--' >> $HOME/offered; BUFFER= }
        zle -N finish
        bindkey '\t' complete-word '^X' finish
        unsetopt auto_list
    "#;
    const TYPE: &str = r#"
        zmodload zsh/zpty
        : > $HOME/offered
        typed=(${(f)LINES_TYPED})
        until_typed() {
            for i in {1..600}; do
                (( $(grep -c '^--$' $HOME/offered) == $1 )) && return
                sleep 0.02
            done
            print "nothing came of line $1"
        }
        zpty inner zsh -f -i
        zpty -w inner 'autoload -Uz compinit && compinit -u -D; source $SCRIPT; source $HOOKS; finish'
        until_typed 1
        for at in {1..$#typed}; do
            zpty -w -n inner "$typed[at]"$'\t\x18'
            until_typed $((at + 1))
        done
        zpty -d inner
        cat $HOME/offered
    "#;
    let (folder, script) = script("zsh", CONFIG);
    let Some(shell) = crate::harness::tool("zsh") else {
        return;
    };
    let hooks = folder.path().join("hooks");
    std::fs::write(&hooks, HOOKS).unwrap();
    let lines: Vec<_> = TYPED.iter().map(|(line, ..)| *line).collect();
    let mut command = crate::harness::run_tool(&shell, folder.path());
    command.args(["-f", "-c", TYPE]).env("HOOKS", &hooks);
    command.env("SCRIPT", &script);
    command.env("LINES_TYPED", lines.join("\n"));
    let shown = crate::harness::shown(command);
    let offered: Vec<_> = shown.split("--\n").skip(1).collect();
    assert_offers(TYPED, folder.path(), |line| {
        let at = lines.iter().position(|typed| *typed == line).unwrap();
        offered[at].to_owned()
    });
}

#[test]
fn scripts_for_powershell_and_elvish_know_commands_and_flags() {
    for shell in ["powershell", "elvish"] {
        let (_folder, script) = script(shell, CONFIG);
        let text = std::fs::read_to_string(script).unwrap();
        for known in ["agentless-tasks", "ListTasks", "--fail-on", "profile"] {
            assert!(text.contains(known), "{shell}: {known}");
        }
    }
    assert_eq!(finish(binary(&["completions", "tcsh"])).code, 2);
}

#[test]
fn a_broken_configuration_costs_the_profiles_and_nothing_else() {
    let (_folder, whole) = script("bash", CONFIG);
    let (_other, without) = script("bash", "[profiles.prod-cn");
    let (whole, without) = (
        std::fs::read_to_string(whole).unwrap(),
        std::fs::read_to_string(without).unwrap(),
    );
    assert!(whole.contains("prod-cn") && !without.contains("prod-cn"));
    assert!(
        without.contains("agentless-tasks") && without.contains("compgen -W \"aliyun huawei\"")
    );
}
