//! What a server or a file can send: nothing of it may break, leak, run or hide anything.

use std::fmt::Write as _;
use std::fs;

use scanq::provider::{self, Answer};

use crate::harness::{Tamper, Tampered, World, binary, finish, sandbox};

const FORMATS: [&str; 7] = ["table", "wide", "json", "jsonl", "csv", "tsv", "yaml"];

/// Runs a listing that gets this one page as its answer.
fn listing(body: String, line: &str) -> crate::harness::Output {
    let tampered = Tampered::new(sandbox(1), [Tamper::Answer(200, body.leak(), &[])]);
    World::new(tampered).run(&format!("aliyun agentless-tasks --retries 0 {line}"))
}

fn page(item: &str) -> String {
    format!(r#"{{"PageInfo":{{"TotalCount":1}},"List":[{item}]}}"#)
}

#[test]
fn every_format_survives_every_kind_of_oddity() {
    let megabyte = "x".repeat(1 << 20);
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let items = [
        format!(r#"{{"TaskId":"{megabyte}","TargetName":"{megabyte}"}}"#),
        format!(r#"{{"TaskId":"deep","Unknown":{deep}}}"#),
        format!(
            r#"{{"TaskId":"huge","StartTime":{0},"Progress":{0},"Status":{0},"MeasureSpace":1e999999}}"#,
            "9".repeat(400)
        ),
        r#"{"TaskId":"a","TaskId":"b","Status":2,"Status":3}"#.to_owned(),
        r#"{"TaskId":"\ud83e\udd80 \u0000 \ufffe","TargetName":"\r\n\t\u001b[2J\u202e"}"#
            .to_owned(),
        r#"{"":"","Status":-1,"StartTime":-9223372036854775808,"EndTime":9223372036854775807}"#
            .to_owned(),
        r#"{"Extension":[],"ProgressByProject":{"a":1},"MeasureSpace":"NaN","Progress":-5}"#
            .to_owned(),
    ];
    for item in &items {
        for format in FORMATS {
            let output = listing(page(item), &format!("-o {format}"));
            let shown = &item[..item.len().min(60)];
            assert_eq!(
                output.code,
                0,
                "{format} {shown}: {}",
                &output.err[..output.err.len().min(300)]
            );
            assert!(!output.out.is_empty(), "{format} {shown}");
        }
        let tasks = Tampered::new(
            sandbox(1),
            (0..9).map(|_| Tamper::Answer(200, page(item).leak(), &[])),
        );
        World::new(tasks).run("tasks -o json").json();
    }
}

#[test]
fn lone_surrogates_and_broken_text_are_errors_not_guesses() {
    let broken = listing(page(r#"{"TaskId":"\ud800"}"#), "-o jsonl");
    assert_eq!(
        broken.out.trim_end(),
        r#"{"TaskId":"\ud800"}"#,
        "{}",
        broken.err
    );
    let entry = provider::operation("ListAgentlessTask").unwrap();
    for bytes in [
        &b"{\"List\":[\"\xff\"],\"PageInfo\":{}}"[..],
        b"",
        b"\0",
        b"[",
        b"{\"List\":[]",
        b"{}{}",
    ] {
        let page =
            scanq::operation::page::Page::decode(entry.meta, bytes::Bytes::copy_from_slice(bytes));
        assert!(page.is_err(), "{bytes:?}");
    }
}

/// Runs `tasks` where every query gets a page with this one item of an agentless task.
fn tasks(item: &str, line: &str) -> crate::harness::Output {
    let answers = (0..9).map(|_| Tamper::Answer(200, page(item).leak(), &[]));
    let world = World::new(Tampered::new(sandbox(1), answers));
    world.run(&format!(
        "tasks --cloud aliyun --region cn-shanghai --kind agentless {line}"
    ))
}

#[test]
fn an_odd_field_never_hides_that_a_task_failed() {
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for (field, target) in [
        (r#""TargetName":"x\ud800y""#, "x\u{fffd}y".into()),
        (r#""Progress":1e400"#, serde_json::Value::Null),
        (
            r#""Result":"one","Result":"other""#,
            serde_json::Value::Null,
        ),
        (&*format!(r#""TargetName":{deep}"#), serde_json::Value::Null),
    ] {
        let item = format!(r#"{{"TaskId":"t1","Status":3,{field}}}"#);
        let output = tasks(&item, "--fail-on failed -o json");
        assert_eq!(output.code, 5, "{field}: {}", output.err);
        let task = &output.json()["tasks"][0];
        assert_eq!((&task["id"], &task["target"]), (&"t1".into(), &target));
        for line in ["-o table", "-o jsonl", "-o yaml", "--page 1 -o csv"] {
            let output = listing(page(&item), &format!("--fail-on failed {line}"));
            assert_eq!(output.code, 5, "{line} {field}: {}", output.err);
        }
    }
    // The numbers of failed parts are in an object of their own.
    let item = r#"{"task_id":"h1","task_type":"iac_scan","task_status":"finished",
        "iac_scan_info":{"file_type":"\udc00","failed_file_num":12}}"#;
    let body = format!(r#"{{"total_num":1,"data_list":[{item}]}}"#);
    let tampered = Tampered::new(sandbox(1), [Tamper::Answer(200, body.leak(), &[])]);
    let line = "huawei tasks --task-type iac-scan --fail-on failed";
    assert_eq!(World::new(tampered).run(line).code, 5);
}

#[test]
fn half_a_surrogate_pair_ends_no_document() {
    let item = r#"{"TaskId":"a","TargetName":"x\ud800y","\udfff":[1.10]}"#;
    let body = format!(r#"{{"PageInfo":{{"TotalCount":1,"Note":"\ud800"}},"List":[{item}]}}"#);
    let yaml = listing(body.clone(), "-o yaml");
    assert_eq!(
        (yaml.code, &*yaml.out),
        (
            0,
            "List:\n  - TaskId: a\n    TargetName: \"x\u{fffd}y\"\n    \"\u{fffd}\":\n      - 1.10\nPageInfo:\n  \
             TotalCount: 1\n  Note: \"\u{fffd}\"\n"
        ),
        "{}",
        yaml.err
    );
    assert_eq!(listing(body.clone(), "-o yaml --page 1").code, 0);
    let json = listing(body, "-o json");
    assert_eq!(json.code, 0, "{}", json.err);
    assert!(json.out.contains(r#""Note": "\ud800""#), "{}", json.out);
}

#[test]
fn items_that_are_no_objects_are_a_partial_answer() {
    for item in ["7", "null", r#"["t1","name",2,"web",3]"#] {
        let output = tasks(item, "--fail-on failed -o json");
        assert_eq!(output.code, 3, "{item}: {}", output.err);
        assert_eq!(output.json()["tasks"][0]["status"], "unknown");
        assert!(output.err.contains("are no JSON objects"), "{}", output.err);
        let output = listing(page(item), "-o csv");
        assert_eq!(output.code, 3, "{item}: {}", output.err);
        assert!(output.err.contains("are no JSON objects"), "{}", output.err);
    }
}

#[test]
fn a_page_of_very_many_items_is_printed_whole() {
    let mut items = String::new();
    for number in 0..1_000_000 {
        write!(
            items,
            "{}{{\"TaskId\":{number}}}",
            if number == 0 { "" } else { "," }
        )
        .unwrap();
    }
    let body = format!(r#"{{"PageInfo":{{"TotalCount":1000000}},"List":[{items}]}}"#);
    assert_eq!(listing(body, "-o jsonl").lines().len(), 1_000_000);
}

#[test]
fn hostile_errors_are_shown_safely() {
    let body = r#"{"Code":"\u001b[31mX\n","Message":"\u001b]0;owned\u0007 line\nbreak \u202e","RequestId":"\u0000"}"#;
    let tampered = Tampered::new(sandbox(1), [Tamper::Answer(403, body, &[])]);
    let output = World::new(tampered).run("aliyun agentless-tasks");
    assert_eq!(output.code, 4);
    let raw = output
        .err
        .chars()
        .find(|c| scanq::render::safe::is_unsafe(*c) && *c != '\n');
    assert_eq!(raw, None, "{:?}", output.err);
}

#[test]
fn no_server_writes_a_line_of_its_own_on_stderr() {
    let lines = |output: &crate::harness::Output| {
        let begins = [
            "error: ",
            "  ",
            "gate: ",
            "warning: ",
            "note: ",
            "HTTP ",
            "retry in ",
        ];
        for line in output.err.lines() {
            let is_ours = begins.iter().any(|begin| line.starts_with(begin));
            assert!(is_ours, "{line:?} of {:?}", output.err);
        }
        output.err.lines().count()
    };
    let body =
        r#"{"Code":"X\n::error::a","Message":"bad\n::error::pwned","RequestId":"R\n::error::b"}"#;
    for line in ["aliyun agentless-tasks", "tasks --kind agentless -v"] {
        let answers = (0..20).map(|_| Tamper::Answer(500, body, &[]));
        let output = World::new(Tampered::new(sandbox(1), answers)).run(line);
        assert!(
            output.err.contains("bad\\n::error::pwned"),
            "{}",
            output.err
        );
        assert!(lines(&output) >= 4);
    }
    let item =
        r#"{"TaskId":"t\n::error::id","Status":3,"TargetName":"web\n::warning::pwned\u001b[2J"}"#;
    for line in [
        "--fail-on failed",
        "--wait",
        "--wait --fail-on unknown,failed",
    ] {
        let output = tasks(item, line);
        assert_eq!(output.code, 5);
        assert!(
            output.err.contains("gate: ") && lines(&output) == 1,
            "{}",
            output.err
        );
    }
}

#[test]
fn every_classification_is_reviewed() {
    let aliyun = [
        "InvalidAccessKeyId.NotFound",
        "InvalidAccessKeyId.Inactive",
        "Forbidden.AccessKeyDisabled",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "InvalidSignatureMethod",
        "InvalidTimeStamp.Expired",
        "InvalidTimeStamp.Format",
        "SignatureNonceUsed",
        "InvalidSecurityToken.Expired",
        "InvalidSecurityToken.Malformed",
        "InvalidSecurityToken.MismatchWithAccessKey",
        "MissingSecurityToken",
        "MissingParameter",
        "MissingTaskType",
        "InvalidParameter",
        "InvalidApi.NotFound",
        "InvalidAction.NotFound",
        "InvalidVersion",
        "InvalidProduct.NotFound",
        "InvalidProtocol.NeedSsl",
        "UnsupportedHTTPMethod",
        "Throttling.User",
        "Throttling.Api",
        "Throttling",
        "Throttling.Api.Concurrency",
        "ServiceUnavailableTemporary",
        "SystemBusy",
        "ServiceBusy",
        "ServiceUnavailable",
        "InternalError",
        "UnknownError",
        "InternalFailure",
        "ServerError",
        "NoPermission",
        "Forbidden.RAM",
        "Forbidden",
        "-101",
        "",
    ];
    let huawei = [
        "APIGW.0101",
        "APIGW.0103",
        "APIGW.0201",
        "APIGW.0301",
        "APIGW.0302",
        "APIGW.0303",
        "APIGW.0304",
        "APIGW.0307",
        "APIGW.0308",
        "APIG.0308",
        "APIGW.0310",
        "APIGW.0401",
        "APIGW.0501",
        "APIGW.0602",
        "APIGW.0605",
        "APIGW.0610",
        "APIGW.0613",
        "APIGW.0802",
        "HSS.0001",
        "HSS.0002",
        "HSS.0010",
        "HSS.0011",
        "HSS.0013",
        "HSS.0014",
        "HSS.0041",
        "HSS.1011",
        "IAM.0011",
        "",
    ];
    let statuses = [200, 302, 400, 401, 403, 404, 413, 429, 500, 502, 503, 504];
    let mut shown = String::new();
    for (cloud, codes) in [("aliyun", &aliyun[..]), ("huawei", &huawei[..])] {
        let judge = provider::by_id(cloud).unwrap().failure;
        for code in codes {
            let body = match cloud {
                _ if code.is_empty() => String::new(),
                "aliyun" => format!(r#"{{"Code":"{code}","Message":"m"}}"#),
                _ => format!(r#"{{"error_code":"{code}","error_msg":"m"}}"#),
            };
            let mut rows: Vec<(String, Vec<String>)> = Vec::new();
            for status in statuses {
                let answer = Answer {
                    status,
                    header: &|_| None,
                    body: body.as_bytes(),
                    permission: "p",
                };
                let meaning = match judge(&answer) {
                    Some(failure) => format!("{:?}, {:?}", failure.kind, failure.retry),
                    None => "an answer".to_owned(),
                };
                match rows.iter_mut().find(|(known, _)| *known == meaning) {
                    Some((_, statuses)) => statuses.push(status.to_string()),
                    None => rows.push((meaning, vec![status.to_string()])),
                }
            }
            for (meaning, statuses) in rows {
                writeln!(
                    shown,
                    "{cloud} {code:40} {:50} {meaning}",
                    statuses.join(" ")
                )
                .unwrap();
            }
        }
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn odd_files_are_errors_or_passed_over_and_never_block() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    let run = |path: &std::path::Path| {
        let mut command = binary(&["profile", "list"]);
        command.env("SCANQ_CONFIG", path);
        finish(command)
    };
    fs::create_dir(home.path().join("folder")).unwrap();
    let folder = run(&home.path().join("folder"));
    assert!(
        folder.code == 2 && folder.err.contains("not a file"),
        "{}",
        folder.err
    );
    for (bytes, says) in [
        (&b"\xff\xfe\0\0"[..], "not UTF-8"),
        (&vec![b'#'; 2 << 20][..], "larger than"),
        (b"[profiles", "line 1"),
    ] {
        fs::write(&config, bytes).unwrap();
        let output = run(&config);
        assert!(
            output.code == 2 && output.err.contains(says),
            "{}",
            output.err
        );
    }
    #[cfg(unix)]
    {
        let fifo = home.path().join("fifo");
        assert!(
            std::process::Command::new("mkfifo")
                .arg(&fifo)
                .status()
                .unwrap()
                .success()
        );
        let output = run(&fifo);
        assert!(
            output.code == 2 && output.err.contains("not a file"),
            "{}",
            output.err
        );
        let (one, other) = (home.path().join("one"), home.path().join("other"));
        std::os::unix::fs::symlink(&one, &other).unwrap();
        std::os::unix::fs::symlink(&other, &one).unwrap();
        let output = run(&one);
        assert_eq!(output.code, 2, "{}", output.err);
        // In a place where nobody asked for it, the same is passed over with a warning.
        fs::create_dir(home.path().join(".aliyun")).unwrap();
        fs::rename(&fifo, home.path().join(".aliyun/config.json")).unwrap();
        let mut command = binary(&["aliyun", "once-tasks"]);
        command
            .env("HOME", home.path())
            .env("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true");
        let output = finish(command);
        assert!(
            output.code == 4 && output.err.contains("not a file: passed over"),
            "{}",
            output.err
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn secrets_are_in_no_argument_and_no_core_dump() {
    let served = crate::harness::Served::start(&["--fault", "hang"]);
    let mut command = binary(&["aliyun", "once-tasks"]);
    command.envs(served.env.iter().map(|(name, value)| (name, value)));
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let process = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
    let arguments = process("cmdline");
    assert!(
        arguments.contains("once-tasks") && !arguments.contains(scanq::sandbox::keys::ALIYUN.1)
    );
    let limits = process("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
    child.kill().unwrap();
    child.wait().unwrap();
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, cases: 300, ..Default::default() })]

    /// Whatever is asked, what the client signs is what the verifier computes from the wire.
    #[test]
    fn any_parameter_is_signed_as_it_arrives(name in "\\PC{1,40}", id in "\\PC{1,20}", rpc: bool) {
        let line = ["aliyun", "agentless-tasks", "--retries", "0", "--target-name", &name, "--task-id", &id];
        let mut args = line.to_vec();
        if rpc {
            args.extend(["--signature", "rpc"]);
        }
        let output = World::new(sandbox(1)).run_args(&args);
        proptest::prop_assert!(output.code == 0 || output.err.contains("unexpected argument") || output.err.contains("a value is required"), "{}", output.err);
        let huawei = ["huawei", "tasks", "--retries", "0", "--task-type", "cluster_scan", "--task-name", &name];
        let output = World::new(sandbox(1)).run_args(&huawei);
        proptest::prop_assert!(output.code == 0 || output.err.contains("unexpected argument") || output.err.contains("a value is required"), "{}", output.err);
    }
}
