//! Why a command failed: said once, said with `-q` too, blaming what is to blame, and not because of what is not needed.

use crate::harness::{Tamper, Tampered, World, binary, finish, sandbox, signed_in};
use crate::tls::through_a_dead_proxy;

#[test]
fn one_reason_that_breaks_many_listings_is_told_once() {
    let output = through_a_dead_proxy("tasks --retries 0");
    assert_eq!(output.code, 1);
    let errors: Vec<_> = output
        .err
        .lines()
        .filter(|line| line.starts_with("error: "))
        .collect();
    assert_eq!(errors.len(), 1, "{}", output.err);
    assert!(
        errors[0].starts_with("error: 5 requests failed for the same reason: "),
        "{errors:?}"
    );
    assert!(
        output
            .err
            .contains("  target: aliyun/cn-shanghai (3), huawei/cn-north-4 (2)\n"),
        "{}",
        output.err
    );
    assert!(
        output.err.contains("hint: HTTPS_PROXY names a proxy"),
        "{}",
        output.err
    );
    // A script gets each by itself.
    let output = through_a_dead_proxy("tasks --retries 0 -o json");
    assert_eq!(output.json()["errors"].as_array().unwrap().len(), 5);
    assert_eq!(output.err.lines().count(), 5, "{}", output.err);
}

#[test]
fn a_poll_that_fails_for_one_reason_is_warned_of_once() {
    let broken = (0..8 * 5).map(|_| Tamper::Break);
    let tampered = Tampered::new(sandbox(1), broken);
    let output = World::new(tampered)
        .without("ALIBABA_CLOUD_REGION_ID")
        .run("tasks --wait --retries 4 -o jsonl");
    let warnings: Vec<_> = output
        .err
        .lines()
        .filter(|line| line.ends_with("asking again"))
        .collect();
    assert_eq!(
        warnings,
        [
            "warning: 8 requests failed for the same reason: connection reset by peer (tried 5 times); asking again"
        ],
        "{}",
        output.err
    );
}

#[test]
fn different_reasons_are_told_apart() {
    let answer = |body| Tamper::Answer(403, body, &[]);
    let script = [
        answer(r#"{"Code":"NoPermission","Message":"one"}"#),
        answer(r#"{"Code":"NoPermission","Message":"two"}"#),
    ];
    let output = World::new(Tampered::new(sandbox(5), script)).run("tasks --cloud aliyun");
    assert_eq!(output.code, 3);
    assert_eq!(output.err.matches("error: ").count(), 2, "{}", output.err);
}

#[test]
fn who_reaches_nobody_is_told_what_to_check() {
    for (endpoint, proxy, says, hint) in [
        (
            "http://127.0.0.1:1",
            "",
            "onnection refused",
            "nothing answers at this address of this machine",
        ),
        (
            "https://scanq.invalid",
            "http://127.0.0.1:1",
            "tunnel error",
            "HTTPS_PROXY names a proxy",
        ),
    ] {
        let line = format!("aliyun agentless-tasks --retries 0 --endpoint {endpoint}");
        let mut command = binary(&line.split(' ').collect::<Vec<_>>());
        command.envs(signed_in()).env("HTTPS_PROXY", proxy);
        let output = finish(command);
        assert_eq!(output.code, 1, "{output:?}");
        assert!(output.err.contains(says), "{output:?}");
        assert!(
            output.err.contains(&format!("\n  hint: {hint}")),
            "{output:?}"
        );
    }
}

#[test]
fn quiet_still_tells_why_the_exit_code_is_not_zero() {
    // Of what the server counts, one never comes.
    let lossy = || {
        (0..20).map(|_| {
            Tamper::Change(|mut page| {
                page["List"].as_array_mut().unwrap().pop();
                page
            })
        })
    };
    let run = |line: &str| World::new(Tampered::new(sandbox(5), lossy())).run(line);
    let loud = run("aliyun agentless-tasks -o csv");
    assert_eq!(loud.code, 3);
    assert!(
        loud.err.starts_with("warning: ") && loud.err.contains("did not come"),
        "{}",
        loud.err
    );
    // Scripts are told of it as they are of errors, by whichever command.
    for line in [
        "aliyun agentless-tasks",
        "tasks --kind agentless --region cn-shanghai",
    ] {
        for format in ["json", "jsonl"] {
            let output = run(&format!("{line} -o {format}"));
            assert_eq!(output.code, 3);
            let said: serde_json::Value = serde_json::from_str(&output.err).unwrap();
            assert_eq!(said["error"]["kind"], "partial", "{said}");
        }
    }
    let quiet = run("aliyun agentless-tasks -q");
    assert_eq!(quiet.code, 3);
    assert!(
        quiet
            .err
            .starts_with("error: ListAgentlessTask: the server counts 5 tasks"),
        "{}",
        quiet.err
    );
}

#[test]
fn each_cloud_takes_the_regions_that_it_knows() {
    for (line, variable, code, requests) in [
        (
            "huawei tasks --task-type iac-scan -r cn-shanghai,cn-north-4",
            "",
            0,
            1,
        ),
        (
            "huawei tasks --task-type iac-scan",
            "cn-shanghai,cn-north-4",
            0,
            1,
        ),
        ("aliyun agentless-tasks", "cn-shanghai,cn-north-4", 0, 1),
        (
            "tasks --cloud aliyun --kind agentless",
            "cn-shanghai,cn-north-4",
            0,
            1,
        ),
        ("profile check", "cn-shanghai,cn-north-4", 0, 2),
        ("profile check", "cn-north-4", 0, 1),
        ("profile check aliyun", "cn-north-4", 2, 0),
        ("huawei tasks", "cn-shanghai", 2, 0),
        ("aliyun agentless-tasks", "cn-north-4", 2, 0),
        ("tasks --cloud aliyun", "cn-north-4", 2, 0),
        ("aliyun agentless-tasks", "cn-shanghai,nowhere", 2, 0),
    ] {
        let tampered = Tampered::new(sandbox(5), []);
        let output = World::new(tampered.clone())
            .with("SCANQ_REGION", variable)
            .run(line);
        assert_eq!(
            (output.code, tampered.count()),
            (code, requests),
            "{line} {variable}: {output:?}"
        );
        if code == 2 {
            assert!(
                output
                    .err
                    .starts_with("error: SCANQ_REGION: unknown region: "),
                "{output:?}"
            );
            assert!(output.err.contains("hint: regions of "), "{output:?}");
        }
    }
}

#[test]
fn a_wrong_region_blames_what_named_it() {
    for (name, line) in [
        ("ALIBABA_CLOUD_REGION_ID", "aliyun agentless-tasks"),
        ("HUAWEICLOUD_SDK_REGION", "huawei tasks"),
    ] {
        let output = World::new(sandbox(5)).with(name, "nowhere").run(line);
        assert_eq!(output.code, 2);
        let says =
            format!("error: {name}: unknown region: nowhere\n  hint: --region overrides it\n");
        assert!(output.err.starts_with(&says), "{}", output.err);
        let output = World::new(sandbox(5)).run(&format!("{line} -r nowhere"));
        assert!(
            output
                .err
                .starts_with("error: --region: unknown region: nowhere"),
            "{output:?}"
        );
    }
}

#[test]
fn a_broken_configuration_stops_only_what_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "[profiles").unwrap();
    let man = folder.path().join("man").to_str().unwrap().to_owned();
    for (line, code) in [
        ("operations", 0),
        ("completions bash", 0),
        (&*format!("man {man}"), 0),
        ("profile logout", 0),
        ("tasks --sandbox --limit 1", 0),
        ("tasks", 2),
        ("aliyun once-tasks", 2),
        ("profile list", 2),
    ] {
        let mut command = binary(&line.split(' ').collect::<Vec<_>>());
        command.env("SCANQ_CONFIG", &file);
        let output = finish(command);
        assert_eq!(output.code, code, "{line}: {output:?}");
    }
    // It would serve until it is stopped: an address that it can't have ends it.
    let mut command = binary(&["sandbox", "--listen", "192.0.2.1:1"]);
    command.env("SCANQ_CONFIG", &file);
    let output = finish(command);
    assert!(
        output.err.contains("--listen") && !output.err.contains("config"),
        "{output:?}"
    );
}

#[test]
fn a_sandbox_is_not_asked_of_a_sandbox() {
    for line in [&["--sandbox", "sandbox"], &["sandbox", "--sandbox"]] {
        let output = finish(binary(line));
        assert_eq!(output.code, 2, "{output:?}");
        assert!(output.err.contains("this one is a sandbox"), "{output:?}");
    }
}
