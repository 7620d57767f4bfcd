//! What went wrong, what to do, and which exit code says so; and that bad input is caught before anything is sent.

use crate::harness::{Served, Tamper, Tampered, World, binary, finish, sandbox};
use crate::tls::{through_a_dead_proxy, with_an_unknown_authority};

/// Runs a command that must not send anything.
fn refused(line: &str) -> crate::harness::Output {
    let tampered = Tampered::new(sandbox(5), []);
    let output = World::new(tampered.clone()).run(line);
    assert_eq!(tampered.count(), 0, "{line} sent something");
    output
}

#[test]
fn bad_input_is_a_usage_error_before_anything_is_sent() {
    for (line, says) in [
        (
            "aliyun once-tasks --region cn-nowhere",
            "unknown region: cn-nowhere",
        ),
        (
            "aliyun once-tasks --region cn-north-4",
            "cn-north-4 is a region of Huawei Cloud HSS",
        ),
        (
            "huawei tasks --region cn-shanghai",
            "unknown region: cn-shanghai",
        ),
        ("tasks --region nowhere", "unknown region: nowhere"),
        ("aliyun once-tasks --since yesterday", "not a time"),
        (
            "aliyun once-tasks --since 1700000000",
            "did you mean 1700000000000?",
        ),
        (
            "aliyun once-tasks --since 1h --until 2h",
            "is before --since",
        ),
        ("tasks --since 1h --until 2h", "is before --since"),
        ("aliyun once-tasks --page-size 0", "0 is not in"),
        ("aliyun once-tasks --page 0", "0 is not in"),
        ("aliyun once-tasks --limit 0", "0 is not in"),
        (
            "aliyun once-tasks --limit 5 --page 2",
            "cannot be used with",
        ),
        ("huawei tasks --page-size 9", "must be from 10 to 200: 9"),
        (
            "huawei tasks --page-size 201",
            "must be from 10 to 200: 201",
        ),
        (
            "huawei tasks --task-type iac-scan --page 10002 --page-size 200",
            "at most 2000000: 2000200",
        ),
        (
            "huawei tasks --task-type iac-scan --offset 2000001",
            "at most 2000000: 2000001",
        ),
        ("huawei tasks --page 2", "name one with --task-type"),
        (
            "huawei tasks --task-type iac-scan --scan-type-list benchmark",
            "only goes with --task-type cluster-scan",
        ),
        (
            "huawei tasks --file-type dockerfile --scan-type-list benchmark",
            "give one",
        ),
        (
            "aliyun once-task-result --task-id 1",
            "one of --task-type and --task-name is required",
        ),
        ("aliyun agentless-tasks --task-id-list a,b", "--root-task"),
        (
            "aliyun once-tasks --columns task-id,nope",
            "unknown column: nope",
        ),
        ("aliyun once-tasks --sort-by nope", "unknown column: nope"),
        (
            "aliyun once-tasks -o json --columns task-id",
            "only goes with the formats",
        ),
        (
            "aliyun once-tasks -o xml",
            "possible values: table, wide, json",
        ),
        (
            "aliyun once-tasks --endpoint http://example.com",
            "plain http is only allowed to loopback",
        ),
        (
            "aliyun once-tasks --endpoint https://u:p4ss@example.com",
            "must not hold credentials",
        ),
        ("aliyun once-tasks --timeout 0s", "must be more than 0"),
        (
            "aliyun once-tasks --signature md5",
            "possible values: acs3, rpc",
        ),
        ("aliyun no-such-thing", "unrecognized subcommand"),
    ] {
        let output = refused(line);
        assert_eq!(output.code, 2, "{line}: {}", output.err);
        assert!(output.err.contains(says), "{line}: {}", output.err);
        assert!(
            output.out.is_empty() && !output.err.contains("p4ss"),
            "{line}"
        );
    }
}

#[test]
fn an_empty_value_is_not_taken_for_no_filter() {
    let tampered = Tampered::new(sandbox(5), []);
    let output = World::new(tampered.clone()).run_args(&["aliyun", "once-tasks", "--task-id", ""]);
    assert_eq!((output.code, tampered.count()), (2, 0), "{}", output.err);
}

#[test]
fn a_value_that_the_documentation_does_not_list_is_sent_after_a_warning() {
    let tampered = Tampered::new(sandbox(5), []);
    let output =
        World::new(tampered.clone()).run("aliyun once-tasks --task-type NEW_SCAN -o jsonl");
    assert_eq!(output.code, 0);
    assert!(
        output
            .err
            .contains("warning: --task-type: the documentation does not list this value"),
        "{}",
        output.err
    );
    assert!(tampered.sent.borrow()[0].contains("TaskType=NEW_SCAN"));
}

#[test]
fn without_credentials_every_place_that_was_looked_at_is_named() {
    let signed_out = || {
        World::new(sandbox(5))
            .without("ALIBABA_CLOUD_ACCESS_KEY_ID")
            .without("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    };
    let output = signed_out().run("aliyun once-tasks");
    assert_eq!(output.code, 4);
    assert!(
        output
            .err
            .contains("ALIBABA_CLOUD_ACCESS_KEY_ID is not set"),
        "{}",
        output.err
    );
    let passed_over = signed_out().run("tasks -o jsonl");
    assert_eq!(passed_over.code, 0);
    assert!(
        passed_over
            .err
            .contains("Alibaba Cloud Security Center is passed over"),
        "{}",
        passed_over.err
    );
    let neither = signed_out()
        .without("HUAWEICLOUD_SDK_AK")
        .without("HUAWEICLOUD_SDK_SK")
        .run("tasks");
    assert_eq!(neither.code, 4);
    assert!(
        neither.err.contains("aliyun: looked at") && neither.err.contains("huawei: looked at"),
        "{}",
        neither.err
    );
}

#[test]
fn a_missing_region_or_project_names_the_variable_to_set() {
    let world = World::new(sandbox(5)).without("HUAWEICLOUD_SDK_REGION");
    let output = world.run("huawei tasks");
    assert_eq!(output.code, 2);
    assert!(
        output.err.contains("HUAWEICLOUD_SDK_REGION"),
        "{}",
        output.err
    );
    // IAM is asked for the project of the region: here it knows none.
    let world = World::new(sandbox(5)).without("HUAWEICLOUD_SDK_PROJECT_ID");
    let output = world.run("huawei tasks --region cn-east-3");
    assert_eq!(output.code, 2);
    assert!(
        output.err.contains("HUAWEICLOUD_SDK_PROJECT_ID"),
        "{}",
        output.err
    );
}

/// Every class of failure as a user sees it: what failed, why, and what to do next.
#[test]
fn failures_teach() {
    let mut shown = String::new();
    let mut show = |name: &str, output: crate::harness::Output| {
        assert!(
            output.err.contains("hint: "),
            "{name} does not say what to do next: {}",
            output.err
        );
        shown.push_str(&format!("## {name}\n{}\n", output.shown()));
    };
    let nobody = World::new(sandbox(5))
        .without("ALIBABA_CLOUD_ACCESS_KEY_ID")
        .without("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
        .without("HUAWEICLOUD_SDK_AK")
        .without("HUAWEICLOUD_SDK_SK");
    show("no credentials", nobody.run("aliyun once-tasks"));
    show("no credentials of either cloud", nobody.run("tasks"));
    let world = World::new(sandbox(0));
    show(
        "unknown region",
        world.run("huawei tasks --region cn-shanghai"),
    );
    let variable = world.with("ALIBABA_CLOUD_REGION_ID", "cn-nowhere");
    show(
        "unknown region in a variable",
        variable.run("aliyun once-tasks"),
    );
    let world = World::new(sandbox(0));
    show("wrong centre", world.run("aliyun agentless-tasks"));
    let broken = || Tampered::new(sandbox(5), (0..9).map(|_| Tamper::Break));
    show(
        "connection breaks",
        World::new(broken()).run("huawei tasks --task-type iac-scan"),
    );
    let dead = through_a_dead_proxy("tasks --retries 0");
    show("proxy that does not answer", dead);
    let unknown = with_an_unknown_authority("aliyun agentless-tasks --retries 0");
    show("certificate of an unknown authority", unknown);
    let cases: &[(&str, &str, u16, &str)] = &[
        (
            "no permission",
            "aliyun agentless-tasks",
            403,
            r#"{"Code":"NoPermission","Message":"caller has no permission","RequestId":"R-1"}"#,
        ),
        (
            "unknown key",
            "aliyun once-tasks",
            404,
            r#"{"Code":"InvalidAccessKeyId.NotFound","Message":"Specified access key is not found.","RequestId":"R-1"}"#,
        ),
        (
            "wrong secret",
            "aliyun once-tasks",
            400,
            r#"{"Code":"SignatureDoesNotMatch","Message":"Specified signature does not match our calculation. server StringToSign is [ACS3]","RequestId":"R-1"}"#,
        ),
        (
            "expired token",
            "aliyun once-tasks",
            403,
            r#"{"Code":"InvalidSecurityToken.Expired","Message":"Specified SecurityToken is expired.","RequestId":"R-1"}"#,
        ),
        (
            "missing parameter",
            "aliyun once-tasks",
            400,
            r#"{"Code":"MissingTaskType","Message":"TaskType is mandatory for this action.","RequestId":"R-1"}"#,
        ),
        (
            "throttled",
            "aliyun once-tasks",
            400,
            r#"{"Code":"Throttling.User","Message":"Request was denied due to user flow control.","RequestId":"R-1"}"#,
        ),
        (
            "clock off",
            "aliyun once-tasks",
            400,
            r#"{"Code":"InvalidTimeStamp.Expired","Message":"Specified time stamp or date value is expired.","RequestId":"R-1"}"#,
        ),
        (
            "server fails",
            "aliyun once-tasks",
            500,
            r#"{"Code":"InternalError","Message":"The request has failed due to some unknown error.","RequestId":"R-1"}"#,
        ),
        (
            "gateway",
            "aliyun once-tasks",
            502,
            "<html><body>Bad Gateway</body></html>",
        ),
        (
            "web page",
            "aliyun once-tasks",
            200,
            "<html>Sign in to the network</html>",
        ),
        (
            "undecodable answer",
            "aliyun once-tasks",
            200,
            r#"{"OnceTasks":[{"TaskId":"#,
        ),
        (
            "huawei permission",
            "huawei tasks",
            400,
            r#"{"error_code":"HSS.0013","error_msg":"Insufficient permissions","request_id":"R-2"}"#,
        ),
        (
            "huawei signature",
            "huawei tasks",
            401,
            r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:POST|/","request_id":"R-2"}"#,
        ),
        (
            "huawei clock off",
            "huawei tasks",
            401,
            r#"{"error_code":"APIGW.0301","error_msg":"Incorrect IAM authentication information: x-sdk-date has expired","request_id":"R-2"}"#,
        ),
        (
            "huawei throttled",
            "huawei tasks",
            429,
            r#"{"error_code":"APIGW.0308","error_msg":"The throttling threshold has been reached.","request_id":"R-2"}"#,
        ),
        ("huawei gateway", "huawei tasks", 503, ""),
        (
            "huawei token",
            "huawei tasks",
            401,
            r#"{"error_code":"APIGW.0307","error_msg":"The token must be updated.","request_id":"R-2"}"#,
        ),
        (
            "huawei invalid",
            "huawei tasks",
            400,
            r#"{"error_code":"HSS.0001","error_msg":"Invalid parameter","request_id":"R-2"}"#,
        ),
    ];
    for (name, line, status, body) in cases {
        let date = &[("date", "Sun, 22 Nov 2026 09:00:00 GMT")];
        let always = (0..20).map(|_| Tamper::Answer(*status, body, date));
        show(
            name,
            World::new(Tampered::new(sandbox(5), always)).run(line),
        );
    }
    // Systems number their errors each in their own way.
    let shown = shown
        .replace(" (os error 111)", "")
        .replace(" (os error 61)", "");
    insta::assert_snapshot!(shown);
}

#[test]
fn with_json_output_the_error_is_json_too() {
    let denied = Tamper::Answer(
        403,
        r#"{"Code":"NoPermission","Message":"caller has no permission","RequestId":"R-1"}"#,
        &[],
    );
    let output =
        World::new(Tampered::new(sandbox(5), [denied])).run("aliyun agentless-tasks -o json");
    let error: serde_json::Value = serde_json::from_str(&output.err).unwrap();
    let error = &error["error"];
    assert_eq!(
        (error["kind"].as_str(), error["code"].as_str()),
        (Some("permission"), Some("NoPermission"))
    );
    assert_eq!(error["request_id"], "R-1");
    assert!(
        error["hint"]
            .as_str()
            .unwrap()
            .contains("yundun-sas:ListAgentlessTask")
    );
}

#[test]
fn what_may_pass_is_tried_again_and_what_may_not_is_not() {
    let throttled = || {
        Tamper::Answer(
            400,
            r#"{"Code":"Throttling.User","Message":"m"}"#,
            &[("x-acs-retry-after", "1500")],
        )
    };
    let unavailable = || Tamper::Answer(503, "", &[]);
    let denied = || Tamper::Answer(403, r#"{"Code":"NoPermission","Message":"m"}"#, &[]);
    let cases: Vec<(&str, Vec<Tamper>, u8, usize)> = vec![
        ("throttled", vec![throttled()], 0, 2),
        ("unavailable", vec![unavailable(), unavailable()], 0, 3),
        (
            "connection",
            vec![Tamper::Break, Tamper::Break, Tamper::Break, Tamper::Break],
            0,
            5,
        ),
        (
            "cut short",
            vec![Tamper::Answer(200, r#"{"List":["#, &[])],
            0,
            2,
        ),
        ("never", (0..9).map(|_| Tamper::Break).collect(), 1, 5),
        ("denied", vec![denied()], 4, 1),
    ];
    for (name, script, code, requests) in cases {
        let tampered = Tampered::new(sandbox(5), script);
        let output = World::new(tampered.clone()).run("aliyun agentless-tasks -o jsonl");
        assert_eq!(
            (output.code, tampered.count()),
            (code, requests),
            "{name}: {}",
            output.err
        );
    }
}

#[test]
fn no_retries_means_one_request() {
    let tampered = Tampered::new(sandbox(5), [Tamper::Break]);
    let output = World::new(tampered.clone()).run("aliyun agentless-tasks --retries 0");
    assert_eq!((output.code, tampered.count()), (1, 1));
}

#[test]
fn every_try_has_a_nonce_and_a_signature_of_its_own() {
    let tampered = Tampered::new(sandbox(5), [Tamper::Break, Tamper::Break]);
    let output =
        World::new(tampered.clone()).run("aliyun agentless-tasks --signature rpc -o jsonl");
    assert_eq!(output.code, 0, "{}", output.err);
    let sent = tampered.sent.borrow();
    let nonces: std::collections::HashSet<_> = sent
        .iter()
        .map(|url| {
            url.split('&')
                .find(|part| part.starts_with("SignatureNonce="))
                .unwrap()
        })
        .collect();
    assert_eq!((sent.len(), nonces.len()), (3, 3));
}

#[test]
fn a_clock_that_is_off_is_corrected_once_by_the_servers_date() {
    let date = [("date", "Sun, 22 Nov 2026 09:00:00 GMT")];
    let expired = || {
        Tamper::Answer(
            400,
            r#"{"Code":"InvalidTimeStamp.Expired","Message":"Specified time stamp or date value is expired."}"#,
            date.to_vec().leak(),
        )
    };
    let tampered = Tampered::new(sandbox(5), [expired(), expired()]);
    let output = World::new(tampered.clone()).run("aliyun agentless-tasks --signature rpc");
    assert_eq!((output.code, tampered.count()), (4, 2), "{}", output.err);
    let sent = tampered.sent.borrow();
    assert!(
        sent[1].contains("Timestamp=2026-11-22T09%3A00%3A00Z"),
        "{}",
        sent[1]
    );
    assert!(output.err.contains("set this machine's clock"));
}

#[test]
fn a_longer_wait_than_the_call_may_take_is_not_waited_for() {
    let far = || {
        Tamper::Answer(
            400,
            r#"{"Code":"Throttling","Message":"m"}"#,
            &[("x-acs-retry-after", "3600000")],
        )
    };
    let tampered = Tampered::new(sandbox(5), [far()]);
    let output = World::new(tampered.clone()).run("aliyun agentless-tasks");
    assert_eq!((output.code, tampered.count()), (1, 1));
    assert!(
        output.err.contains("the server asks to wait 3600 s"),
        "{}",
        output.err
    );
}

#[test]
fn one_cloud_that_fails_does_not_hide_the_other() {
    let failing = std::rc::Rc::new(Half(sandbox(5)));
    let output = World::new(failing).run("tasks -o json");
    assert_eq!(output.code, 3, "{}", output.err);
    let document = output.json();
    assert!(
        document["tasks"]
            .as_array()
            .unwrap()
            .iter()
            .all(|task| task["cloud"] == "huawei")
    );
    assert_eq!(document["errors"].as_array().unwrap().len(), 3);
    assert_eq!(
        document["errors"][0]["target"],
        "aliyun/cn-shanghai DescribeOnceTaskLeafRecordPage"
    );
}

/// A sandbox in which Alibaba Cloud is denied.
struct Half(std::rc::Rc<scanq::sandbox::Sandbox>);

impl scanq::transport::Transport for Half {
    fn send(&self, request: scanq::provider::Signed) -> scanq::transport::Sending<'_> {
        if request.url.contains("/v5/") {
            return self.0.send(request);
        }
        let body = r#"{"Code":"NoPermission","Message":"caller has no permission"}"#;
        Box::pin(async move {
            Ok(scanq::transport::Reply {
                status: 403,
                headers: Vec::new(),
                body: body.into(),
            })
        })
    }
}

#[test]
fn secrets_stay_secret_whatever_fails() {
    let served = Served::start(&[]);
    let planted = [
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "PLANTED-secret-1"),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", "PLANTED-token-2"),
        ("HUAWEICLOUD_SDK_SK", "PLANTED-secret-3"),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", "PLANTED-token-4"),
    ];
    for line in [
        "tasks -vv",
        "tasks -vv -o json",
        "aliyun once-tasks -vv --signature rpc",
        "aliyun once-tasks -vv --signature rpc --endpoint http://127.0.0.1:1 --retries 0",
        "huawei tasks -vv",
    ] {
        let output = served.run(line, &planted);
        assert_ne!(output.code, 0, "{line}");
        assert!(
            output.out.is_empty() || line.contains("json"),
            "{line}: {}",
            output.out
        );
        let all = format!("{}{}", output.out, output.err);
        assert!(
            !all.contains("PLANTED") && !all.contains("Signature="),
            "{line}: {all}"
        );
    }
    let token = served.run(
        "huawei tasks -vv",
        &[("HUAWEICLOUD_SDK_TOKEN", "PLANTED-token-5")],
    );
    assert_eq!(token.code, 4);
    assert!(!format!("{token:?}").contains("PLANTED"));
}

#[test]
fn a_reader_that_has_enough_ends_it_quietly() {
    let mut command = binary(&["aliyun", "agentless-tasks", "--sandbox", "-o", "jsonl"]);
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What a command comes to whose reader has left before it wrote anything.
fn unread(served: &Served, line: &str) -> (Option<i32>, String) {
    let mut command = binary(&line.split_whitespace().collect::<Vec<_>>());
    command.envs(served.env.iter().map(|(name, value)| (name, value)));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    command.stdout(writer);
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), err)
}

#[test]
fn a_reader_that_has_left_changes_neither_the_gate_nor_what_failed() {
    let served = Served::start(&[]);
    for line in [
        "tasks --fail-on failed -o json",
        "tasks --fail-on failed -o jsonl",
        "tasks --fail-on failed -o jsonl --jq .id",
        "tasks --fail-on failed --wait -o wide",
        "tasks --fail-on failed --wait -o csv",
        "aliyun agentless-tasks --fail-on failed -o jsonl --page-size 1",
        "aliyun agentless-tasks --fail-on failed --wait --status failed",
    ] {
        let (code, err) = unread(&served, line);
        assert_eq!(code, Some(5), "{line}: {err}");
        let one_line = err.lines().count() == 1;
        assert!(one_line && err.contains(" tasks failed: "), "{err}");
    }
    let short = Served::start(&["--fault", "losses"]);
    let (code, err) = unread(&short, "aliyun agentless-tasks");
    assert_eq!(code, Some(3), "{err}");
    let broken = Served::start(&["--fault", "status=502"]);
    let (code, err) = unread(&broken, "tasks -o json --retries 0");
    assert_eq!(code, Some(1), "{err}");
    assert!(!err.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_not_a_panic() {
    let mut command = binary(&["aliyun", "agentless-tasks", "--sandbox", "-o", "json"]);
    command.stdout(
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap(),
    );
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("write results"));
    let mut help = binary(&["--help"]);
    help.stdout(
        std::fs::OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .unwrap(),
    );
    assert_eq!(help.output().unwrap().status.code(), Some(1));
}

#[test]
fn an_address_where_nobody_listens_is_a_network_error() {
    let output = finish({
        let mut command = binary(&[
            "aliyun",
            "once-tasks",
            "--endpoint",
            "http://127.0.0.1:1",
            "--retries",
            "0",
        ]);
        command.envs(crate::harness::signed_in());
        command
    });
    assert_eq!(output.code, 1);
    assert!(
        output.err.contains("endpoint: http://127.0.0.1:1"),
        "{}",
        output.err
    );
}

#[test]
fn no_number_of_a_server_or_a_user_is_too_large() {
    let far = || Tamper::Answer(503, "", &[("retry-after", "18446744073709551615")]);
    let output = World::new(Tampered::new(sandbox(5), [far()])).run("aliyun agentless-tasks");
    assert_eq!(output.code, 1, "{}", output.err);
    for line in [
        "aliyun agentless-tasks --timeout 100000000000y",
        "tasks --wait --interval 500000000000y",
        "tasks --since 99999999999999y",
    ] {
        assert_eq!(refused(line).code, 2, "{line}");
    }
}

#[test]
fn one_address_is_never_told_the_keys_of_two_clouds() {
    let output = refused("tasks --endpoint https://one.example");
    assert_eq!(output.code, 2);
    assert!(
        output.err.contains("several clouds are asked"),
        "{}",
        output.err
    );
    assert_eq!(
        refused("profile check --endpoint https://one.example").code,
        2
    );
    let tampered = Tampered::new(sandbox(5), []);
    let output =
        World::new(tampered.clone()).run("tasks --cloud aliyun --endpoint https://one.example");
    assert_eq!((output.code, tampered.count()), (0, 3), "{}", output.err);
}

#[test]
fn a_wrong_command_line_is_json_too_where_scripts_read_errors() {
    for line in [
        "tasks -o json --limit x",
        "tasks --output=jsonl --bogus",
        "tasks -ojson --bogus",
        "aliyun nothing -o json",
    ] {
        let output = refused(line);
        let error: serde_json::Value = serde_json::from_str(&output.err)
            .unwrap_or_else(|e| panic!("{line}: {e}: {}", output.err));
        assert_eq!(
            (output.code, error["error"]["kind"].as_str()),
            (2, Some("usage"))
        );
    }
    let mut command = binary(&["aliyun"]);
    command.env("SCANQ_OUTPUT", "json");
    assert!(finish(command).err.contains("a command is missing"));
}

#[test]
fn the_most_talkative_level_shows_headers_and_masks_what_signs_in() {
    let output = World::new(sandbox(5)).run("aliyun agentless-tasks -vv");
    assert!(
        output.err.contains("> x-acs-action: ListAgentlessTask"),
        "{}",
        output.err
    );
    assert!(
        output.err.contains("> authorization: ****") && output.err.contains("< HTTP 200"),
        "{}",
        output.err
    );
    assert!(
        !World::new(sandbox(5))
            .run("aliyun agentless-tasks -v")
            .err
            .contains("authorization")
    );
}
