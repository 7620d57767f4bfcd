//! What a user gets on a bad day: for every fault the exit code, what is said, and how many requests were sent.

use std::time::Duration;

use scanq::sandbox::fault::Fault;
use scanq::sandbox::{Sandbox, Settings};

use crate::harness::{Served, Tampered, World, clock, now};

/// A world with these faults, in-process; pauses cost no time.
fn world(tasks: u64, faults: &[&str]) -> (World, std::rc::Rc<Tampered>) {
    let faults: Vec<Fault> = faults.iter().map(|spec| spec.parse().unwrap()).collect();
    let settings = Settings {
        tasks,
        seed: 7,
        latency: Duration::ZERO,
        now: now(),
        metadata: false,
        faults,
    };
    let tampered = Tampered::new(std::rc::Rc::new(Sandbox::new(&settings, clock())), []);
    (World::new(tampered.clone()), tampered)
}

/// Fault, exit code, requests, items printed, what stderr says.
type Row = (&'static str, u8, usize, usize, &'static str);

/// One page of Alibaba Cloud.
const ALIYUN: &[Row] = &[
    ("throttle,times=2", 0, 3, 30, ""),
    ("throttle=1500,times=2", 0, 3, 30, ""),
    ("throttle", 1, 5, 0, "Throttling.User"),
    (
        "throttle=3600000",
        1,
        1,
        0,
        "the server asks to wait 3600 s",
    ),
    ("status=500,times=1", 0, 2, 30, ""),
    ("status=502,times=4", 0, 5, 30, ""),
    ("status=503", 1, 5, 0, "HTTP status 503 (tried 5 times)"),
    ("status=429,times=1", 0, 2, 30, ""),
    ("status=403", 4, 1, 0, "HTTP status 403"),
    ("status=404", 1, 1, 0, "HTTP status 404"),
    ("html,times=1", 0, 2, 30, ""),
    ("html", 1, 5, 0, "the answer can't be read"),
    ("drop,times=1", 0, 2, 30, ""),
    ("reset,times=3", 0, 4, 30, ""),
    ("truncate,times=1", 0, 2, 30, ""),
    ("truncate", 1, 5, 0, "cut off"),
    ("slow=2s", 0, 1, 30, ""),
    ("slow=40s,times=1", 0, 2, 30, ""),
    ("hang,times=1", 0, 2, 30, ""),
    ("hang", 1, 5, 0, "no answer within"),
    ("wrong-length,times=1", 0, 2, 30, ""),
    ("gzip", 0, 1, 30, ""),
    (
        "endless",
        1,
        1,
        0,
        "smaller pages may fit: scanq aliyun agentless-tasks --page-size 10",
    ),
    ("invalid-json,times=1", 0, 2, 30, ""),
    ("invalid-json", 1, 5, 0, "the answer can't be read"),
    ("wrong-types", 0, 1, 30, ""),
    ("duplicates,times=1", 0, 2, 30, ""),
    (
        "duplicates",
        3,
        2,
        29,
        "the server counts 30 tasks, but 1 of them did not come",
    ),
    (
        "losses",
        3,
        1,
        29,
        "the server counts 30 tasks, but 1 of them did not come",
    ),
    ("drift=5", 3, 1, 30, "did not come"),
    ("drift=-3", 0, 1, 30, ""),
    ("expired-token", 4, 1, 0, "InvalidSecurityToken.Expired"),
    ("skew=+20m", 0, 2, 30, ""),
    ("skew=-20m", 0, 2, 30, ""),
    ("skew=99y", 0, 2, 30, ""),
    ("skew=+10m", 0, 1, 30, ""),
    (
        "redirect=https://elsewhere.example/",
        1,
        5,
        0,
        "HTTP status 302",
    ),
    ("nonce-used,times=1", 0, 2, 30, ""),
];

/// One page of Huawei Cloud.
const HUAWEI: &[Row] = &[
    ("throttle,times=2", 0, 3, 30, ""),
    ("throttle=1500,times=2", 0, 3, 30, ""),
    ("throttle", 1, 5, 0, "APIGW.0308"),
    (
        "throttle=3600000",
        1,
        1,
        0,
        "the server asks to wait 3600 s",
    ),
    ("status=504,times=1", 0, 2, 30, ""),
    ("html,times=1", 0, 2, 30, ""),
    ("drop,times=1", 0, 2, 30, ""),
    ("hang,times=1", 0, 2, 30, ""),
    ("wrong-types", 0, 1, 30, ""),
    (
        "losses",
        3,
        2,
        29,
        "the server counts 30 tasks, but 1 of them did not come",
    ),
    ("expired-token", 4, 1, 0, "APIGW.0307"),
    ("skew=+20m", 0, 2, 30, ""),
    ("skew=-20m", 0, 2, 30, ""),
    (
        "redirect=https://elsewhere.example/",
        1,
        5,
        0,
        "HTTP status 302",
    ),
];

#[test]
fn every_fault_has_a_known_outcome() {
    let clouds = [
        ("aliyun agentless-tasks -o jsonl --utc", ALIYUN),
        ("huawei tasks --task-type cluster-scan -o jsonl", HUAWEI),
    ];
    for (line, rows) in clouds {
        for (fault, code, requests, items, says) in rows {
            let (world, sent) = world(30, &[fault]);
            let output = world.run(line);
            let is = (output.code, sent.count(), output.lines().len());
            assert_eq!(
                is,
                (*code, *requests, *items),
                "{line} {fault}: {}",
                output.err
            );
            assert!(output.err.contains(says), "{line} {fault}: {}", output.err);
            assert!(
                sent.sent
                    .borrow()
                    .iter()
                    .all(|url| !url.contains("elsewhere")),
                "{fault}: followed a redirect"
            );
        }
    }
}

#[test]
fn no_retries_means_no_second_request_whatever_happens() {
    for (fault, ..) in ALIYUN.iter().filter(|row| !row.0.starts_with("duplicates")) {
        let (world, sent) = world(30, &[fault]);
        world.run("aliyun agentless-tasks --retries 0");
        assert_eq!(sent.count(), 1, "{fault}");
    }
}

#[test]
fn a_call_never_lasts_longer_than_it_was_told() {
    for fault in ["hang", "slow=1h", "throttle=2500", "status=503"] {
        let (world, _) = world(30, &[fault]);
        let started = std::rc::Rc::new(std::cell::Cell::new(None));
        let transport = Stopwatch(world.transport.clone(), started.clone());
        let output = World {
            transport: std::rc::Rc::new(transport),
            ..world
        }
        .run("aliyun agentless-tasks --timeout 2s --retries 4");
        assert_eq!(output.code, 1, "{fault}");
        let last = started.get().unwrap();
        assert!(
            last <= Duration::from_secs(10),
            "{fault}: still sending after {last:?}"
        );
    }
}

/// Notes when, counted from the first, the last request was sent, on the paused clock.
struct Stopwatch(
    std::rc::Rc<dyn scanq::transport::Transport>,
    std::rc::Rc<std::cell::Cell<Option<Duration>>>,
);

impl scanq::transport::Transport for Stopwatch {
    fn send(&self, request: scanq::provider::Signed) -> scanq::transport::Sending<'_> {
        thread_local!(static FIRST: std::cell::Cell<Option<tokio::time::Instant>> = const { std::cell::Cell::new(None) });
        let sending = self.0.send(request);
        let now = tokio::time::Instant::now();
        if self.1.get().is_none() {
            FIRST.set(Some(now));
        }
        self.1.set(FIRST.get().map(|first| now - first));
        sending
    }
}

#[test]
fn one_bad_page_among_many_costs_one_more_request_and_no_item() {
    for fault in [
        "throttle,after=3,times=1",
        "drop,after=2,times=1",
        "truncate,after=4,times=1",
        "status=502,after=1,times=1",
    ] {
        let (world, sent) = world(1000, &[fault]);
        let output = world.run("aliyun agentless-tasks -o jsonl");
        assert_eq!(
            (output.code, output.lines().len(), sent.count()),
            (0, 1000, 11),
            "{fault}: {}",
            output.err
        );
    }
}

#[test]
fn one_throttled_operation_slows_only_itself() {
    let (world, _) = world(30, &["throttle,on=ListAgentlessTask"]);
    let output = world.run("tasks -o json");
    assert_eq!(output.code, 3);
    let document = output.json();
    assert_eq!(document["tasks"].as_array().unwrap().len(), 4 * 30);
    assert_eq!(document["errors"][0]["code"], "Throttling.User");
}

#[test]
fn over_a_real_socket_the_same_faults_come_to_the_same() {
    for (fault, code, items) in [
        ("drop,times=1", 0, 30),
        ("reset,times=1", 0, 30),
        ("truncate,times=1", 0, 30),
        ("wrong-length,times=1", 0, 30),
        ("slow=200ms", 0, 30),
        ("hang,times=1", 0, 30),
        ("status=502,times=1", 0, 30),
        ("html,times=1", 0, 30),
        ("endless", 1, 0),
        ("drop", 1, 0),
        ("redirect=http://127.0.0.1:1/", 1, 0),
        ("skew=+20m", 0, 30),
        ("p", 2, 0),
    ] {
        if fault == "p" {
            let output =
                crate::harness::finish(crate::harness::binary(&["sandbox", "--fault", "explode"]));
            assert_eq!(output.code, code);
            assert!(output.err.contains("known are throttle"), "{}", output.err);
            continue;
        }
        let served = Served::start(&["--tasks", "30", "--fault", fault]);
        let output = served.run(
            "aliyun agentless-tasks -o jsonl --timeout 2s --retries 1",
            &[],
        );
        assert_eq!(
            (output.code, output.lines().len()),
            (code, items),
            "{fault}: {}",
            output.err
        );
    }
}

#[test]
fn a_server_that_breaks_off_is_not_said_to_be_absent() {
    for fault in ["drop", "reset", "truncate"] {
        let served = Served::start(&["--fault", fault]);
        let output = served.run("aliyun agentless-tasks --retries 0", &[]);
        assert_eq!(output.code, 1, "{fault}");
        assert!(
            output.err.contains("did not hold") && !output.err.contains("nothing answers"),
            "{fault}: {}",
            output.err
        );
    }
}

/// What a command has said that is interrupted once the first page has come, after which nothing comes any more.
#[cfg(unix)]
fn interrupted(line: &str) -> (String, String) {
    let served = Served::start(&["--tasks", "250", "--fault", "hang,after=1"]);
    let words: Vec<_> = line.split_whitespace().collect();
    let mut command = crate::harness::binary(&words);
    command.args(["--concurrency", "1"]);
    command.envs(served.env.iter().map(|(name, value)| (name, value)));
    let pipe = std::process::Stdio::piped;
    let child = command.stdout(pipe()).stderr(pipe()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{line}");
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (out, err)
}

#[cfg(unix)]
#[test]
fn an_interrupted_command_has_printed_what_arrived_and_closes_its_document() {
    let document = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    for format in ["json", "jsonl", "csv"] {
        let line = format!("aliyun agentless-tasks --no-header -o {format}");
        let (out, err) = interrupted(&line);
        let items = match format {
            "json" => document(&out)["List"].as_array().unwrap().len(),
            _ => out.lines().count(),
        };
        assert_eq!(items, 100, "{format}");
        assert!(
            err.contains("100 tasks arrived before this") && err.contains("interrupted"),
            "{err}"
        );
    }
    let (changes, _) = interrupted("tasks --watch -o jsonl -r cn-shanghai");
    assert_eq!(changes.lines().count(), 100);
    let (rows, err) = interrupted("profile check -o jsonl");
    assert_eq!(rows.lines().count(), 1, "{rows}");
    assert!(err.contains("interrupted"), "{err}");
    let (all, _) = interrupted("tasks -o json -r cn-shanghai");
    let all = document(&all);
    assert_eq!(all["tasks"].as_array().unwrap().len(), 100);
    assert_eq!(all["errors"][0]["kind"], "interrupted");
}

/// A pipe that nobody reads is full after 64 KiB: then the process can't take note of the first signal.
#[cfg(unix)]
#[test]
fn a_second_signal_ends_what_a_reader_holds_up() {
    let served = Served::start(&["--tasks", "1000"]);
    for signal in ["-INT", "-TERM"] {
        let line = ["aliyun", "agentless-tasks", "-o", "jsonl"];
        let mut command = crate::harness::binary(&line);
        command.envs(served.env.iter().map(|(name, value)| (name, value)));
        let (_unread, writer) = std::io::pipe().unwrap();
        let mut process = command.stdout(writer).spawn().unwrap();
        let mut kill = std::process::Command::new("kill");
        kill.args([signal, &process.id().to_string()]);
        for _ in 0..2 {
            std::thread::sleep(std::time::Duration::from_secs(1));
            assert_eq!(process.try_wait().unwrap(), None);
            assert!(kill.status().unwrap().success());
        }
        assert_eq!(process.wait().unwrap().code(), Some(130));
    }
}

#[cfg(unix)]
#[test]
fn signing_in_can_be_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let profile = "[profiles.slow]\ncloud = \"aliyun\"\nregions = [\"cn-shanghai\"]\n";
    let credentials = "credentials = { command = [\"/bin/sleep\", \"20\"] }\n";
    std::fs::write(&config, format!("{profile}{credentials}")).unwrap();
    for line in [
        "aliyun agentless-tasks -p slow -o json",
        "tasks -p slow -o json",
        "profile show slow -o json",
        "profile check slow -o json",
    ] {
        let mut command = crate::harness::binary(&line.split_whitespace().collect::<Vec<_>>());
        let pipe = std::process::Stdio::piped;
        command.env("SCANQ_CONFIG", &config).stdout(pipe());
        let child = command.stderr(pipe()).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(1));
        let mut kill = std::process::Command::new("kill");
        kill.args(["-TERM", &child.id().to_string()]);
        assert!(kill.status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{line}");
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.contains("\"kind\":\"interrupted\""), "{line}: {err}");
    }
}

#[test]
fn a_sandboxs_environment_is_for_every_command_whatever_else_is_configured() {
    let served = Served::start(&[]);
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join(".config/scanq");
    std::fs::create_dir_all(&folder).unwrap();
    let profile = |name: &str, cloud: &str| {
        format!("[profiles.{name}]\ncloud = \"{cloud}\"\ncredentials = {{ aliyun_cli = \"x\" }}\n")
    };
    std::fs::write(folder.join("config.toml"), profile("aliyun", "aliyun")).unwrap();
    let home = home.path().to_str().unwrap();
    for name in [
        "SCANQ_PROFILE",
        "SCANQ_REGION",
        "HUAWEICLOUD_SDK_TOKEN",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
    ] {
        let set = served
            .env
            .iter()
            .any(|(known, value)| known == name && value.is_empty());
        assert!(set, "{name}");
    }
    for line in [
        "tasks --summary",
        "aliyun agentless-tasks",
        "huawei tasks",
        "profile check",
    ] {
        let output = served.run(line, &[("HOME", home)]);
        assert_eq!(output.code, 0, "{line}: {}", output.err);
    }
}
