//! `-v` and `-vv`: what is told of each request, and that it stays readable.

use crate::harness::{Served, Tamper, Tampered, World, sandbox};

/// A line of `-v` by its columns: what came, milliseconds, bytes if there are any, and the rest.
#[derive(Debug, PartialEq)]
struct Line<'l> {
    what: &'l str,
    bytes: Option<usize>,
    rest: &'l str,
}

fn line(text: &str) -> Line<'_> {
    let (what, after) = text.split_at(9);
    let (ms, after) = after.split_at(10);
    let (bytes, rest) = after.split_at(18);
    assert!(
        ms.ends_with(" ms") && ms[..7].trim().parse::<u64>().is_ok(),
        "{text}"
    );
    let bytes = bytes.trim().strip_suffix(" bytes");
    Line {
        what: what.trim_end(),
        bytes: bytes.map(|bytes| bytes.parse().unwrap()),
        rest,
    }
}

#[test]
fn each_try_is_a_line_of_aligned_columns() {
    let throttled = Tamper::Answer(
        400,
        r#"{"Code":"Throttling.User","Message":"slow down"}"#,
        &[("x-acs-retry-after", "1500")],
    );
    let tampered = Tampered::new(sandbox(0), [throttled, Tamper::Break]);
    let output = World::new(tampered).run("aliyun agentless-tasks -v --columns task-id");
    assert_eq!(output.code, 0, "{output:?}");
    let lines: Vec<_> = output
        .err
        .lines()
        .filter(|text| !text.starts_with("hint"))
        .collect();
    let [first, retry, second, again, third] = lines[..] else {
        panic!("{output:?}");
    };
    let name = "aliyun/cn-shanghai ListAgentlessTask";
    let told = |what, bytes, rest: String| (what, bytes, rest);
    let seen = |text| {
        let line = line(text);
        (line.what, line.bytes, line.rest.to_owned())
    };
    assert_eq!(seen(first), told("HTTP 400", Some(48), name.into()));
    assert_eq!(
        seen(retry),
        told("retry in", None, format!("{name}: slow down"))
    );
    assert!(retry.contains("  1500 ms "), "{retry}");
    assert_eq!(
        seen(second),
        told("no answer", None, format!("{name} (try 2 of 5)"))
    );
    assert_eq!(
        seen(again),
        told(
            "retry in",
            None,
            format!("{name}: connection reset by peer")
        )
    );
    let third = line(third);
    assert_eq!(
        (third.what, third.rest),
        ("HTTP 200", &*format!("{name} (try 3 of 5)"))
    );
}

#[test]
fn the_size_of_what_is_sent_is_told_too() {
    let output = World::new(sandbox(0)).run("huawei tasks -v --task-type iac-scan");
    let told = line(output.err.lines().next().unwrap());
    assert_eq!(told.rest, "huawei/cn-north-4 ListTasks (sent 24 bytes)");
    let silent = World::new(sandbox(0)).run("huawei tasks --task-type iac-scan");
    assert!(silent.err.is_empty(), "{silent:?}");
}

#[test]
fn a_sign_in_is_told_like_any_request_without_its_password() {
    let served = Served::start(&[]);
    let output = served.run(
        "huawei tasks -vv --no-cache --limit 1 --task-type iac-scan",
        &[
            ("HUAWEICLOUD_SDK_AK", ""),
            ("HUAWEICLOUD_SDK_SK", ""),
            ("OS_USERNAME", "sandbox-user"),
            ("OS_PASSWORD", "sandbox-password"),
            ("OS_USER_DOMAIN_NAME", "sandbox-domain"),
            ("OS_PROJECT_NAME", "cn-north-4"),
        ],
    );
    assert_eq!(output.code, 0, "{output:?}");
    let address = served.address();
    for text in [
        &*format!("> POST {address}/v3/auth/tokens"),
        &format!("password sign-in at {address} (sent "),
        "< x-subject-token: ****",
        "> x-auth-token: ****",
        "< content-type: application/json",
    ] {
        assert!(output.err.contains(text), "{text}: {}", output.err);
    }
    assert!(!output.err.contains("sandbox-password"), "{}", output.err);
}

#[test]
fn a_signature_in_the_query_is_not_shown() {
    let output = World::new(sandbox(0)).run("aliyun agentless-tasks -vv --signature rpc");
    assert!(
        output
            .err
            .contains("> POST https://tds.cn-shanghai.aliyuncs.com/\n"),
        "{}",
        output.err
    );
    assert!(!output.err.contains("Signature"), "{}", output.err);
}
