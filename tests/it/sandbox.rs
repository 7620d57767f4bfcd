//! The binary against the binary: real requests over a real socket, checked as the clouds check them.

use crate::harness::{Served, binary, finish};

#[test]
fn every_command_works_over_a_real_socket() {
    let served = Served::start(&["--tasks", "130"]);
    for (line, lines) in [
        ("aliyun once-tasks -o jsonl", 130),
        ("aliyun image-fix-tasks -o jsonl", 130),
        ("aliyun agentless-tasks -o jsonl", 130),
        (
            "aliyun once-task-result --task-id 1471 --task-type image-scan -o jsonl",
            1,
        ),
        ("huawei tasks -o jsonl", 260),
        ("aliyun DescribeImageFixTask -o jsonl --limit 5", 5),
        ("aliyun agentless-tasks -o jsonl --signature rpc", 130),
        ("tasks -o jsonl", 650),
    ] {
        let output = served.run(line, &[]);
        assert_eq!(
            (output.code, output.lines().len()),
            (0, lines),
            "{line}: {}",
            output.err
        );
    }
}

#[test]
fn temporary_keys_and_tokens_are_taken_with_what_belongs_to_them() {
    use scanq::sandbox::keys::{ALIYUN_STS, HUAWEI_STS, HUAWEI_TOKEN};
    let served = Served::start(&[]);
    let aliyun = [
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", ALIYUN_STS.0),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", ALIYUN_STS.1),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", ALIYUN_STS.2),
    ];
    for signature in ["acs3", "rpc"] {
        let line = format!("aliyun once-tasks --signature {signature}");
        assert_eq!(served.run(&line, &aliyun).code, 0);
        let without = served.run(&line, &aliyun[..2]);
        assert_eq!(without.code, 4);
        assert!(
            without.err.contains("code: MissingSecurityToken"),
            "{}",
            without.err
        );
    }
    let huawei = [
        ("HUAWEICLOUD_SDK_AK", HUAWEI_STS.0),
        ("HUAWEICLOUD_SDK_SK", HUAWEI_STS.1),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", HUAWEI_STS.2),
    ];
    assert_eq!(served.run("huawei tasks", &huawei).code, 0);
    assert_eq!(served.run("huawei tasks", &huawei[..2]).code, 4);
    assert_eq!(
        served
            .run("huawei tasks", &[("HUAWEICLOUD_SDK_TOKEN", HUAWEI_TOKEN)])
            .code,
        0
    );
    assert_eq!(
        served
            .run("huawei tasks", &[("HUAWEICLOUD_SDK_TOKEN", "other")])
            .code,
        4
    );
}

#[test]
fn wrong_secrets_are_refused() {
    let served = Served::start(&[]);
    for (line, name, code) in [
        (
            "aliyun once-tasks",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "SignatureDoesNotMatch",
        ),
        (
            "aliyun once-tasks --signature rpc",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
            "SignatureDoesNotMatch",
        ),
        (
            "aliyun once-tasks",
            "ALIBABA_CLOUD_ACCESS_KEY_ID",
            "InvalidAccessKeyId.NotFound",
        ),
        ("huawei tasks", "HUAWEICLOUD_SDK_SK", "APIGW.0301"),
        ("huawei tasks", "HUAWEICLOUD_SDK_AK", "APIGW.0301"),
        ("huawei tasks", "HUAWEICLOUD_SDK_PROJECT_ID", "APIGW.0302"),
    ] {
        let output = served.run(line, &[(name, "wrong")]);
        assert_eq!(output.code, 4, "{line}");
        assert!(
            output.err.contains(&format!("code: {code}")),
            "{line}: {}",
            output.err
        );
    }
}

/// Sends a request as it stands and gives the status and the body.
fn post(served: &Served, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    use std::io::{Read, Write};
    let address = served.address().strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    write!(stream, "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (status, body)
}

#[test]
fn what_is_not_signed_gets_the_documented_envelopes() {
    let served = Served::start(&[]);
    let (status, body) = post(
        &served,
        "/?Action=ListAgentlessTask&Version=2018-12-03",
        &[],
    );
    assert_eq!(status, 400);
    let error: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(error["Code"], "MissingAccessKeyId");
    for key in ["RequestId", "HostId", "Message", "Recommend"] {
        assert!(error[key].is_string(), "{body}");
    }
    let (status, body) = post(&served, "/v5/p/common/tasks/batch-query", &[]);
    assert_eq!(status, 401);
    let error: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(error["error_code"], "APIGW.0301");
    assert!(error["error_msg"].is_string() && error["request_id"].is_string());
}

#[test]
fn a_request_can_not_be_repeated_or_sent_late() {
    use scanq::provider::{Endpoint, Request, Scheme, Signing, by_id};
    let served = Served::start(&[]);
    let (id, secret) = scanq::sandbox::keys::ALIYUN;
    let credential = scanq::credential::Credential::Keys {
        id: id.into(),
        secret: scanq::credential::Secret::new(secret),
        security_token: None,
    };
    let request = Request {
        api: "ListAgentlessTask",
        version: "2018-12-03",
        method: "POST",
        path: "/".into(),
        query: vec![("PageSize".into(), "1".into())],
        body: None,
        project_id: None,
    };
    let endpoint = Endpoint::parse("test", served.address()).unwrap();
    let send = |minutes: i64, nonce: &str, scheme| {
        let now = chrono::Utc::now() + chrono::TimeDelta::minutes(minutes);
        let signing = Signing {
            endpoint: &endpoint,
            credential: &credential,
            now,
            nonce,
            scheme,
        };
        let signed = (by_id("aliyun").unwrap().sign)(&request, &signing);
        let headers: Vec<_> = signed
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let (status, body) = post(
            &served,
            signed.url.strip_prefix(served.address()).unwrap(),
            &headers,
        );
        let code = serde_json::from_str::<serde_json::Value>(&body).unwrap()["Code"]
            .as_str()
            .unwrap_or("")
            .to_owned();
        (status, code)
    };
    for scheme in [Scheme::Current, Scheme::Rpc] {
        let nonce = format!("nonce-{scheme:?}");
        assert_eq!(send(0, &nonce, scheme), (200, String::new()));
        assert_eq!(send(0, &nonce, scheme), (400, "SignatureNonceUsed".into()));
        assert_eq!(
            send(-16, "late", scheme),
            (400, "InvalidTimeStamp.Expired".into())
        );
        assert_eq!(
            send(16, "early", scheme),
            (400, "InvalidTimeStamp.Expired".into())
        );
        assert_eq!(
            send(-14, &format!("{nonce}-just"), scheme),
            (200, String::new())
        );
    }
}

#[test]
fn tasks_advance_from_poll_to_poll_until_all_have_ended() {
    let served = Served::start(&["--tasks", "30"]);
    let open = || {
        let output = served.run("aliyun agentless-tasks --status running -o jsonl", &[]);
        output.lines().len()
    };
    let first = open();
    assert!(first > 0);
    for _ in 0..12 {
        open();
    }
    assert_eq!(open(), 0);
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let list = |seed: &str| {
        let served = Served::start(&["--seed", seed, "--now", "2026-11-22T02:00:00Z"]);
        served.run("aliyun agentless-tasks -o jsonl", &[]).out
    };
    assert_eq!(list("5"), list("5"));
    assert_ne!(list("5"), list("6"));
}

#[test]
fn the_sandbox_only_listens_on_loopback() {
    let output = finish(binary(&["sandbox", "--listen", "0.0.0.0:0"]));
    assert_eq!(output.code, 2);
    assert!(
        output.err.contains("only listens on loopback"),
        "{}",
        output.err
    );
}

#[test]
fn one_flag_or_variable_asks_a_sandbox_in_the_process() {
    let flag = finish(binary(&["tasks", "--sandbox", "-o", "json"]));
    assert_eq!((flag.code, flag.err.as_str()), (0, ""));
    let clouds: std::collections::BTreeSet<_> = flag.json()["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["cloud"].to_string())
        .collect();
    assert_eq!(clouds.len(), 2);
    let mut command = binary(&["huawei", "tasks", "-o", "jsonl"]);
    command.env("SCANQ_SANDBOX", "1");
    assert_eq!(finish(command).code, 0);
}
