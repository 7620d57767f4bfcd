//! Did you mean? Wherever a known name is mistyped, the one that was meant is suggested, and nothing is sent.

use crate::harness::{Output, Tampered, World, binary, finish, sandbox};

fn assert_suggests(output: &Output, asked: &str, meant: &str) {
    assert_eq!((output.code, output.out.as_str()), (2, ""), "{asked}");
    assert!(output.err.contains(meant), "{asked}: {}", output.err);
}

#[test]
fn whatever_has_a_known_name_is_suggested() {
    for (line, meant) in [
        // Commands, with and without their cloud, by either name.
        ("taks", "similar subcommand exists: 'tasks'"),
        ("aliyun once-taks", "'once-tasks'"),
        ("aliyun listagentlesstask", "'aliyun ListAgentlessTask'"),
        (
            "aliyun DESCRIBEIMAGEFIXTASK",
            "'aliyun DescribeImageFixTask'",
        ),
        ("agentless-task", "'aliyun agentless-tasks'"),
        ("huawei once-tasks", "'aliyun once-tasks'"),
        ("profile chek", "'check'"),
        // Flags.
        ("tasks --sumary", "'--summary'"),
        (
            "aliyun agentless-tasks --target-typ image",
            "'--target-type'",
        ),
        // Values of closed lists.
        ("tasks --cloud alyun", "similar value exists: 'aliyun'"),
        ("tasks --kind agentles", "'agentless'"),
        ("tasks --status runing", "'running'"),
        ("tasks --fail-on timeout", "'timed-out'"),
        ("tasks -o jsn", "'json'"),
        ("tasks --color neverr", "'never'"),
        ("tasks --signature acs", "'acs3'"),
        ("completions bsh", "'bash'"),
        (
            "sandbox --fault throtle=5,times=2",
            "hint: did you mean throttle?",
        ),
        // Columns.
        ("tasks --columns cloud,statsu", "hint: did you mean status?"),
        ("tasks --sort-by startd", "hint: did you mean started?"),
        (
            "aliyun agentless-tasks --columns spacemb",
            "hint: did you mean space-mb?",
        ),
        (
            "operations --columns permision",
            "hint: did you mean permission?",
        ),
        // Regions.
        (
            "tasks --region cn-shanghia",
            "hint: did you mean cn-shanghai?",
        ),
        (
            "aliyun once-tasks -r cn-hangzou",
            "hint: did you mean cn-hangzhou?",
        ),
        (
            "huawei tasks -r cn-nort-4",
            "hint: did you mean cn-north-4?",
        ),
        // Profiles.
        ("tasks --profile aliyunn", "hint: did you mean aliyun?"),
        ("profile show hauwei", "hint: did you mean huawei?"),
    ] {
        let tampered = Tampered::new(sandbox(5), []);
        let output = World::new(tampered.clone()).run(line);
        assert_suggests(&output, line, meant);
        assert_eq!(tampered.count(), 0, "{line}");
    }
}

#[test]
fn variables_and_files_are_no_different() {
    for (name, value, meant) in [
        ("SCANQ_OUTPUT", "jsno", "did you mean json?"),
        ("SCANQ_REGION", "cn-shanghia", "did you mean cn-shanghai?"),
        ("SCANQ_ALIYUN_SIGNATURE", "acs", "did you mean acs3?"),
        ("SCANQ_LOG", "trac", "did you mean trace?"),
        ("SCANQ_PROFILE", "aliyn", "did you mean aliyun?"),
    ] {
        let world = World::new(sandbox(5)).with(name, value);
        assert_suggests(&world.run("tasks"), name, meant);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    for (config, meant) in [
        ("cloud = 'alyun'", "did you mean aliyun?"),
        (
            "cloud = 'aliyun'\nregions = ['cn-hangzou']",
            "did you mean cn-hangzhou?",
        ),
        ("cloud = 'aliyun'\nregoins = []", "did you mean regions?"),
    ] {
        std::fs::write(&file, format!("[profiles.a]\n{config}\n")).unwrap();
        let mut command = binary(&["profile", "list"]);
        command.env("SCANQ_CONFIG", &file);
        assert_suggests(&finish(command), config, meant);
    }
}

#[test]
fn what_is_like_nothing_gets_no_suggestion() {
    for line in [
        "xyzzy",
        "tasks --columns xyzzy",
        "tasks --region xyzzy",
        "tasks --status xyzzy",
    ] {
        let output = World::new(sandbox(5)).run(line);
        assert_eq!(output.code, 2);
        for words in ["did you mean", "similar"] {
            assert!(!output.err.contains(words), "{line}: {}", output.err);
        }
    }
}

#[test]
fn a_value_of_an_open_list_is_sent_as_it_is_and_the_nearest_is_named() {
    for (value, hint) in [
        ("runing", "hint: did you mean running?\n"),
        ("IMAGE_SKAN", ""),
    ] {
        let output = World::new(sandbox(5)).run(&format!(
            "aliyun once-tasks -r cn-shanghai --status {value}"
        ));
        let warning = format!(
            "warning: --status-list: the documentation does not list this value, it is sent as it is: {value}\n"
        );
        assert_eq!((output.code, output.err), (0, warning + hint), "{value}");
    }
}

#[test]
fn scripts_read_the_advice_too() {
    let output = World::new(sandbox(5)).run("tasks --status runing -o json");
    let error: serde_json::Value = serde_json::from_str(&output.err).unwrap();
    let hint = error["error"]["hint"].as_str().unwrap();
    assert!(
        hint.contains("a similar value exists: 'running'") && hint.contains("timed-out"),
        "{hint}"
    );
}

#[test]
fn closed_lists_are_read_in_any_case_and_with_either_dash() {
    for line in [
        "tasks --status TIMED_OUT,Failed --cloud ALIYUN --kind IMAGE_SCAN -o JSON",
        "aliyun once-tasks --fail-on Timed-Out --signature ACS3 -o CSV",
    ] {
        let output = World::new(sandbox(30)).run(line);
        assert!(
            [0, 5].contains(&output.code) && !output.out.is_empty(),
            "{line}: {}",
            output.err
        );
        assert!(
            !output.out.contains("succeeded") || !line.starts_with("tasks"),
            "{line}"
        );
    }
}
