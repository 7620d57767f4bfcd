//! `--wait`: until every matching task has ended, through whatever happens on the way, with no request too many.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use scanq::provider::Signed;
use scanq::sandbox::Sandbox;
use scanq::transport::{Sending, Transport};
use serde_json::Value;
use tokio::time::Instant;

use crate::harness::{Tamper, Tampered, World, sandbox};

/// Runs a command against a fresh sandbox and gives what it did and how many requests it sent.
fn run(tasks: u64, script: Vec<Tamper>, line: &str) -> (crate::harness::Output, usize) {
    let tampered = Tampered::new(sandbox(tasks), script);
    let output = World::new(tampered.clone()).run(line);
    (output, tampered.count())
}

/// A sandbox that notes when it is asked, and changes answers by the number of the request.
struct Timed {
    sandbox: Rc<Sandbox>,
    began: Cell<Option<Instant>>,
    asked: RefCell<Vec<f64>>,
    change: fn(usize, Value) -> Value,
}

impl Timed {
    fn new(tasks: u64, change: fn(usize, Value) -> Value) -> Rc<Self> {
        Rc::new(Timed {
            sandbox: sandbox(tasks),
            began: Cell::default(),
            asked: RefCell::default(),
            change,
        })
    }
}

impl Transport for Timed {
    fn send(&self, request: Signed) -> Sending<'_> {
        if self.began.get().is_none() {
            tokio::time::pause();
            self.began.set(Some(Instant::now()));
        }
        let elapsed = self.began.get().unwrap().elapsed();
        let number = self.asked.borrow().len();
        self.asked.borrow_mut().push(elapsed.as_secs_f64());
        Box::pin(async move {
            let mut reply = self.sandbox.send(request).await?;
            let value = (self.change)(number, serde_json::from_slice(&reply.body)?);
            reply.body = value.to_string().into();
            Ok(reply)
        })
    }
}

/// Whether requests were sent at these seconds. The clock only stands still from the first request on: what a busy machine
/// took before it is missing from deadlines.
fn assert_times(asked: &[f64], expected: &[f64]) {
    let close = |(a, b): (&f64, &f64)| (a - b).abs() < 0.9;
    assert!(
        asked.len() == expected.len() && asked.iter().zip(expected).all(close),
        "{asked:?}, not {expected:?}"
    );
}

fn all_running(_: usize, mut document: Value) -> Value {
    for item in document["List"].as_array_mut().unwrap() {
        item["Status"] = 1.into();
        item["Progress"] = 10.into();
    }
    document
}

/// None, until the fourth request.
fn late(number: usize, mut document: Value) -> Value {
    if number < 3 {
        document["List"] = Value::Array(Vec::new());
        document["PageInfo"]["TotalCount"] = 0.into();
    }
    document
}

const BAD_GATEWAY: Tamper = Tamper::Answer(502, "<html>bad gateway</html>", &[]);
const THROTTLED: Tamper = Tamper::Answer(
    503,
    r#"{"Code":"Throttling.User","Message":"slow down"}"#,
    &[],
);
const DENIED: Tamper = Tamper::Answer(403, r#"{"Code":"NoPermission","Message":"no"}"#, &[]);

#[test]
fn a_wait_ends_when_every_task_has_ended() {
    for (line, key) in [
        ("aliyun once-tasks", "OnceTasks"),
        ("aliyun image-fix-tasks", "BuildTasks"),
        ("aliyun agentless-tasks", "List"),
        ("huawei tasks", "data_list"),
    ] {
        let before = run(40, vec![], &format!("{line} -o json")).0;
        // The sandbox's tasks fail now and then: the gate has a test of its own.
        let (output, _) = run(
            40,
            vec![],
            &format!("{line} --wait --fail-on unknown -o json"),
        );
        let document = output.json();
        let items = document[key].as_array().unwrap();
        assert_eq!(items.len(), before.json()[key].as_array().unwrap().len());
        for open in ["INIT", "START", "ready", "running"] {
            assert!(
                !output.out.contains(&format!("\"{open}\"")),
                "{line}: {open}"
            );
        }
        assert!(items.iter().all(|item| item["Status"] != 1), "{line}");
        assert_eq!(output.code, 0, "{line}");
        assert_ne!(before.out, output.out);
    }
}

#[test]
fn a_wait_of_k_polls_over_p_pages_sends_k_times_p_requests() {
    let timed = Timed::new(250, |_, document| document);
    World::new(timed.clone()).run("aliyun agentless-tasks --wait");
    let mut times = timed.asked.borrow().clone();
    times.dedup();
    let polls = times.len();
    assert!(polls > 2);
    for (size, pages) in [(100, 3), (50, 5), (25, 10)] {
        let line = format!("aliyun agentless-tasks --wait --page-size {size}");
        assert_eq!(run(250, vec![], &line).1, polls * pages, "{size}");
    }
    let (output, sent) = run(
        250,
        vec![],
        "aliyun agentless-tasks --wait --limit 30 -o json",
    );
    let printed = output.json()["List"].as_array().unwrap().len();
    assert_eq!((sent, printed), (polls, 30));
}

#[test]
fn tasks_of_all_clouds_are_waited_for_in_one_shape() {
    let (output, sent) = run(20, vec![], "tasks --wait -o json");
    let document = output.json();
    let tasks = document["tasks"].as_array().unwrap();
    assert_eq!((tasks.len(), sent % 5), (100, 0));
    let open = |task: &Value| task["status"] == "running" || task["status"] == "pending";
    assert!(!tasks.iter().any(open));
    assert_eq!(output.code, 5);
    assert!(output.err.contains("\"kind\":\"gate\""), "{}", output.err);
}

#[test]
fn the_result_of_one_task_can_be_waited_for() {
    let line = "aliyun once-task-result --task-id 3 --task-type image-scan --wait --interval 1s";
    let (output, _) = run(2, vec![], &format!("{line} -o json"));
    let status = &output.json()["TaskInfo"]["Status"];
    assert!(status == "SUCCESS" || status == "TIMEOUT", "{status}");
    assert_eq!(output.code, if status == "SUCCESS" { 0 } else { 5 });
}

#[test]
fn what_passes_is_survived() {
    let quiet = run(
        40,
        vec![],
        "aliyun agentless-tasks --wait -o json --fail-on unknown",
    );
    let troubles = vec![Tamper::Pass, BAD_GATEWAY, THROTTLED, Tamper::Break];
    let (output, sent) = run(
        40,
        troubles,
        "aliyun agentless-tasks --wait -o json --fail-on unknown --retries 0",
    );
    assert_eq!((output.code, quiet.0.code), (0, 0));
    assert_eq!(sent, quiet.1 + 3);
    assert_eq!(output.out, quiet.0.out);
    let warnings: Vec<_> = output.err.lines().collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].ends_with("; asking again"), "{warnings:?}");
}

#[test]
fn what_does_not_pass_ends_the_wait() {
    let (output, sent) = run(40, vec![DENIED], "aliyun agentless-tasks --wait");
    assert_eq!((output.code, sent, output.out.as_str()), (4, 1, ""));
    let (output, sent) = run(
        40,
        vec![Tamper::Pass, DENIED],
        "aliyun agentless-tasks --wait",
    );
    assert_eq!((output.code, sent), (4, 2));
    assert!(output.out.contains("running"), "{}", output.out);
}

#[test]
fn one_cloud_that_denies_does_not_end_the_wait_for_the_other() {
    let (output, sent) = run(
        20,
        vec![DENIED],
        "tasks --kind image-fix,cluster-scan --wait --fail-on unknown -o json",
    );
    let document = output.json();
    assert_eq!(output.code, 3);
    assert_eq!(document["errors"][0]["kind"], "permission");
    assert_eq!(document["tasks"].as_array().unwrap().len(), 20);
    // The denied listing is not asked again.
    let alone = run(20, vec![], "tasks --kind cluster-scan --wait").1;
    assert_eq!(sent, alone + 1);
}

#[test]
fn pauses_grow_gently_and_the_deadline_is_met_to_the_poll() {
    let timed = Timed::new(2, all_running);
    let output = World::new(timed.clone())
        .run("aliyun agentless-tasks --wait --interval 4s --wait-timeout 60s");
    assert_eq!(output.code, 124);
    assert_eq!(output.out.matches("running").count(), 2);
    assert!(
        output
            .err
            .contains("gave up waiting after 1m 0s: 2 of 2 tasks have not ended: "),
        "{}",
        output.err
    );
    let asked = timed.asked.borrow();
    // 4 s, then 5, 6.25, 7.81, 9.77, 12.21, and what is left.
    assert_times(&asked, &[0.0, 4.0, 9.0, 15.25, 23.07, 32.83, 45.04, 60.0]);
}

#[test]
fn pauses_grow_no_further_than_six_intervals() {
    let timed = Timed::new(2, all_running);
    World::new(timed.clone())
        .run("aliyun agentless-tasks --wait --interval 1s --wait-timeout 200s");
    let asked = timed.asked.borrow();
    let longest = asked
        .windows(2)
        .map(|two| two[1] - two[0])
        .fold(0.0, f64::max);
    assert!((5.9..6.1).contains(&longest), "{longest}");
}

#[test]
fn a_deadline_that_is_over_at_once_still_asks_once() {
    let (output, sent) = run(
        40,
        vec![],
        "aliyun agentless-tasks --wait --wait-timeout 0s --fail-on unknown",
    );
    assert_eq!((output.code, sent), (124, 1));
}

#[test]
fn a_server_that_never_answers_is_a_failure_not_a_timeout() {
    let down = (0..40).map(|_| BAD_GATEWAY).collect();
    let line = "aliyun agentless-tasks --wait --wait-timeout 20s --retries 0 -o json";
    let (output, sent) = run(40, down, line);
    assert_eq!((output.code, output.out.as_str()), (1, ""));
    assert_eq!(sent, 3);
}

#[test]
fn a_server_that_goes_down_leaves_what_is_known() {
    let mut script: Vec<_> = (0..40).map(|_| BAD_GATEWAY).collect();
    script.insert(0, Tamper::Pass);
    let line =
        "aliyun agentless-tasks --wait --wait-timeout 20s --retries 0 -o jsonl --fail-on unknown";
    let (output, _) = run(40, script, line);
    assert_eq!(
        (output.code, output.lines().len()),
        (124, 40),
        "{}",
        output.err
    );
}

#[test]
fn fail_fast_ends_at_the_first_failure() {
    let (all, until_ended) = run(40, vec![], "aliyun agentless-tasks --wait");
    let (output, sent) = run(40, vec![], "aliyun agentless-tasks --wait --fail-fast");
    assert_eq!((all.code, output.code), (5, 5));
    assert!(sent < until_ended && sent == 1);
    assert!(output.out.contains("running"));
}

#[test]
fn no_match_is_an_answer_unless_one_is_waited_for() {
    let timed = Timed::new(3, late);
    let line = "aliyun agentless-tasks --wait --fail-on unknown -o jsonl";
    let output = World::new(timed.clone()).run(line);
    assert_eq!((output.code, timed.asked.borrow().len()), (0, 1));
    let timed = Timed::new(3, late);
    let output = World::new(timed.clone()).run(&format!("{line} --wait-for-appear 5m"));
    assert_eq!(
        (output.code, output.lines().len()),
        (0, 3),
        "{}",
        output.err
    );
    let timed = Timed::new(3, late);
    let output = World::new(timed.clone()).run(&format!("{line} --wait-for-appear 15s"));
    assert_eq!(output.code, 124);
    assert!(output.err.contains("no task matched"), "{}", output.err);
    assert_times(&timed.asked.borrow(), &[0.0, 10.0, 15.0]);
}

/// From the third request on there is one more task.
fn joined(number: usize, mut document: Value) -> Value {
    let list = document["List"].as_array_mut().unwrap();
    list.iter_mut()
        .for_each(|item| item["Status"] = if number < 4 { 1 } else { 2 }.into());
    if number < 2 {
        list.truncate(2);
        document["PageInfo"]["TotalCount"] = 2.into();
    }
    document
}

#[test]
fn tasks_that_begin_late_join_a_filter_but_not_a_list_of_ids() {
    let timed = Timed::new(3, joined);
    let line = "tasks --kind agentless --wait -o json";
    let output = World::new(timed).run(line);
    assert_eq!(output.json()["tasks"].as_array().unwrap().len(), 3);
    let all = output.json();
    let ids: Vec<_> = all["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["id"].as_str().unwrap())
        .collect();
    let timed = Timed::new(3, joined);
    let output = World::new(timed).run(&format!("{line} --id {}", ids.join(",")));
    assert_eq!(
        (
            output.code,
            output.json()["tasks"].as_array().unwrap().len()
        ),
        (0, 2)
    );
}

#[test]
fn a_task_is_followed_when_it_leaves_the_status_it_was_found_by() {
    for line in [
        "aliyun agentless-tasks --status running --wait --fail-on succeeded -o jsonl",
        "tasks --kind agentless --status running --wait --fail-on succeeded -o jsonl",
    ] {
        let (output, _) = run(40, vec![], line);
        assert_eq!(
            (output.code, output.lines().len()),
            (5, 3),
            "{line}: {}",
            output.err
        );
        assert!(
            output.err.contains("of 3 tasks succeeded"),
            "{}",
            output.err
        );
    }
}

fn one_unknown(_: usize, mut document: Value) -> Value {
    document["List"][0]["Status"] = 9.into();
    document
}

#[test]
fn an_unknown_state_is_told_and_not_waited_for() {
    let timed = Timed::new(1, one_unknown);
    let output = World::new(timed.clone()).run("aliyun agentless-tasks --wait");
    assert_eq!((output.code, timed.asked.borrow().len()), (0, 1));
    assert!(
        output.err.contains("unknown state and not waited for"),
        "{}",
        output.err
    );
}

#[test]
fn a_page_is_not_waited_for() {
    for flag in ["--wait", "--watch"] {
        let (output, sent) = run(
            40,
            vec![],
            &format!("aliyun agentless-tasks {flag} --page 1"),
        );
        assert_eq!((output.code, sent), (2, 0), "{flag}");
    }
}

#[test]
fn a_poll_that_hangs_is_cut_off_soon_after_the_deadline() {
    struct Hanging(Cell<Option<Instant>>);
    impl Transport for Hanging {
        fn send(&self, _: Signed) -> Sending<'_> {
            if self.0.get().is_none() {
                tokio::time::pause();
                self.0.set(Some(Instant::now()));
            }
            Box::pin(std::future::pending())
        }
    }
    struct Watched(Rc<Hanging>, Rc<Cell<Duration>>);
    impl Transport for Watched {
        fn send(&self, request: Signed) -> Sending<'_> {
            let sending = self.0.send(request);
            self.1.set(self.0.0.get().unwrap().elapsed());
            sending
        }
    }
    let last = Rc::new(Cell::new(Duration::ZERO));
    let world = World::new(Rc::new(Watched(
        Rc::new(Hanging(Cell::default())),
        Rc::clone(&last),
    )));
    let output = world.run("aliyun agentless-tasks --wait --wait-timeout 70s --timeout 30s");
    assert_eq!(output.code, 1, "{}", output.err);
    assert!(last.get() <= Duration::from_secs(100), "{:?}", last.get());
}

/// A wait with a password sign-in whose first token is this one; `script` is what happens after it. Gives what it
/// did, and how often it signed in.
fn waits_signed_in(
    token: &'static str,
    script: impl IntoIterator<Item = Tamper>,
) -> (crate::harness::Output, usize) {
    let headers = &[("x-subject-token", "sandbox-x-auth-token")];
    let script = std::iter::once(Tamper::Answer(201, token, headers)).chain(script);
    let tampered = Tampered::new(sandbox(30), script);
    let world = World {
        env: Vec::new(),
        ..World::new(tampered.clone())
    };
    let output = world
        .with("OS_USERNAME", "sandbox-user")
        .with("OS_PASSWORD", "sandbox-password")
        .with("OS_USER_DOMAIN_NAME", "sandbox-domain")
        .with("OS_REGION_NAME", "cn-north-4")
        .run("huawei tasks --task-type iac-scan --wait --interval 40s --wait-timeout 3m --fail-on unknown");
    let sent = tampered.sent.borrow();
    let is_sign_in = |url: &&String| url.contains("/v3/auth/tokens");
    (output, sent.iter().filter(is_sign_in).count())
}

fn bad_gateway(_: u8) -> Tamper {
    Tamper::Answer(502, "", &[])
}

#[test]
fn a_lease_that_could_not_be_renewed_is_renewed_at_a_later_poll() {
    let a_minute = r#"{"token":{"expires_at":"2026-11-22T02:01:00.000000Z","project":{"id":"5a9d0b0c2f0d4c6e9b1c7d3e5f708192"}}}"#;
    let (output, sign_ins) = waits_signed_in(a_minute, (0..3).map(bad_gateway));
    // The first, three that met a gateway, and the one that brought a token which lasts.
    assert_eq!((output.code, sign_ins), (124, 5), "{}", output.err);
    let told = output.err.matches("sign in again").count();
    assert_eq!(told, 1, "{}", output.err);
}

#[test]
fn a_refused_token_that_could_not_be_renewed_does_not_end_the_wait() {
    let a_day = r#"{"token":{"expires_at":"2026-11-23T02:00:00.000000Z","project":{"id":"5a9d0b0c2f0d4c6e9b1c7d3e5f708192"}}}"#;
    let refused = || {
        let body = r#"{"error_code":"APIGW.0307","error_msg":"The token must be updated."}"#;
        Tamper::Answer(401, body, &[])
    };
    let script = std::iter::once(refused())
        .chain((0..3).map(bad_gateway))
        .chain([refused()]);
    let (output, sign_ins) = waits_signed_in(a_day, script);
    assert_eq!((output.code, sign_ins), (124, 5), "{}", output.err);
    assert!(output.err.contains("sign in again"), "{}", output.err);
}

#[test]
fn a_poll_in_flight_at_the_deadline_has_the_time_that_its_profile_allows() {
    let fault = "slow=60s".parse().unwrap();
    let settings = scanq::sandbox::Settings {
        tasks: 3,
        seed: 7,
        latency: Duration::ZERO,
        now: crate::harness::now(),
        metadata: false,
        faults: vec![fault],
    };
    let sandbox = Rc::new(Sandbox::new(&settings, crate::harness::clock()));
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("config.toml");
    let profile = |timeout| {
        format!(
            "[profiles.far]\ncloud = \"aliyun\"\nregions = [\"cn-hangzhou\"]\ntimeout = \"{timeout}\""
        )
    };
    for (timeout, code, says) in [
        ("90s", 124, "gave up waiting after 10s: "),
        ("5s", 1, "no answer"),
    ] {
        std::fs::write(&config, profile(timeout)).unwrap();
        let output = World::new(Tampered::new(Rc::clone(&sandbox), []))
            .with("SCANQ_CONFIG", config.to_str().unwrap())
            .run("aliyun agentless-tasks -p far --wait --wait-timeout 10s --fail-on unknown --retries 0");
        assert_eq!(output.code, code, "{timeout}: {}", output.err);
        assert!(output.err.contains(says), "{timeout}: {}", output.err);
    }
}
