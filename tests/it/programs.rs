//! `--jq` and `--query`: in every command that prints JSON, and in no way that makes it less safe or less exact.

use serde_json::{Value, json};

use crate::harness::{Tamper, Tampered, World, sandbox};

fn world() -> World {
    World::new(sandbox(12)).with("TZ", "UTC")
}

/// Every command that prints JSON.
const COMMANDS: [&str; 12] = [
    "aliyun once-tasks",
    "aliyun image-fix-tasks --limit 3",
    "aliyun agentless-tasks --page 2 --page-size 5",
    "aliyun agentless-tasks -r cn-shanghai,ap-southeast-1",
    "aliyun once-task-result --task-id 1471 --task-type image-scan",
    "huawei tasks",
    "tasks",
    "tasks --limit 4 --details",
    "tasks --summary",
    "operations",
    "profile list",
    "profile show aliyun",
];

fn with_program(world: &World, line: &str, flag: &str, program: &str) -> crate::harness::Output {
    let mut args: Vec<_> = line.split_whitespace().collect();
    args.extend([flag, program]);
    world.run_args(&args)
}

#[test]
fn a_program_that_changes_nothing_changes_nothing() {
    for line in COMMANDS {
        for format in ["json", "jsonl"] {
            let line = format!("{line} -o {format}");
            let plain = world().run(&line);
            assert_eq!(plain.code, 0, "{line}: {}", plain.err);
            assert!(!plain.out.is_empty(), "{line}");
            let same = with_program(&world(), &line, "--jq", ".");
            assert_eq!((same.code, &same.out), (0, &plain.out), "{line}");
            let same = with_program(&world(), &line, "--query", "@");
            let values = |text: &str| -> Vec<Value> {
                let values = serde_json::Deserializer::from_str(text).into_iter();
                values.collect::<Result<_, _>>().unwrap()
            };
            assert_eq!(values(&same.out), values(&plain.out), "{line}");
        }
        let implied = with_program(&world(), line, "--jq", ".");
        assert_eq!(implied.out, world().run(&format!("{line} -o json")).out);
    }
}

#[test]
fn numbers_and_keys_are_as_the_server_spelled_them() {
    let item = r#"{"TaskId":"a","Zeta":12345678901234567890123,"Alpha":1.10,"N":-0,"E":1E400,"Id":9007199254740993}"#;
    let body = format!(r#"{{"PageInfo":{{"TotalCount":1}},"List":[{item}]}}"#);
    let answer = || {
        let body: &'static str = body.clone().leak();
        World::new(Tampered::new(sandbox(1), [Tamper::Answer(200, body, &[])]))
    };
    let line = "aliyun agentless-tasks -o jsonl";
    let output = with_program(&answer(), line, "--jq", ".");
    assert_eq!(output.out, format!("{item}\n"));
    let output = with_program(&answer(), line, "--jq", "[.Zeta, .Alpha, .N, .E]");
    assert_eq!(output.out, "[12345678901234567890123,1.10,-0,1E400]\n");
    let output = with_program(&answer(), "aliyun agentless-tasks", "--jq", ".List");
    assert_eq!(output.out.replace([' ', '\n'], ""), format!("[{item}]"));
    // JMESPath has machine numbers; 1E400 is none.
    let output = with_program(&answer(), line, "--query", "[Zeta, Alpha]");
    assert_eq!((output.code, output.out.as_str()), (1, ""));
    assert!(
        output.err.contains("line 1: number out of range"),
        "{}",
        output.err
    );
    let body = body.replace(",\"E\":1E400", "").leak();
    let answer = Tampered::new(sandbox(1), [Tamper::Answer(200, body, &[])]);
    let output = with_program(&World::new(answer), line, "--query", "[Zeta, Alpha, Id]");
    assert_eq!(
        output.out,
        "[1.2345678901234568e+22,1.1,9007199254740993]\n"
    );
}

#[test]
fn a_bad_program_is_told_before_anything_is_sent() {
    for (flag, program, place, hint) in [
        (
            "--jq",
            ".tasks[] | slect(.id)",
            "line 1, column 12: slect(.id)",
            "did you mean select(f)?",
        ),
        ("--jq", ".tasks[\n].id |", "at its end", ""),
        (
            "--query",
            "tasks[].len(@)",
            "line 1, column 9: len(@)",
            "did you mean length?",
        ),
        ("--query", "tasks[", "at its end", ""),
    ] {
        for line in [
            "tasks",
            "aliyun agentless-tasks -o jsonl",
            "huawei tasks --wait",
            "profile check",
        ] {
            let tampered = Tampered::new(sandbox(1), []);
            let output = with_program(&World::new(tampered.clone()), line, flag, program);
            assert_eq!(
                (output.code, output.out.as_str()),
                (2, ""),
                "{}",
                output.err
            );
            assert_eq!(tampered.count(), 0, "{line} {program}");
            let error: Value = serde_json::from_str(&output.err).unwrap();
            let error = &error["error"];
            assert_eq!(error["kind"], "usage");
            assert!(
                error["message"].as_str().unwrap().ends_with(place),
                "{error}"
            );
            assert_eq!(error["hint"].as_str().unwrap_or_default(), hint);
        }
    }
}

#[test]
fn what_does_not_go_together_is_told_before_anything_is_sent() {
    for (args, said) in [
        (&["tasks", "--jq", ".", "--query", "@"][..], "--query"),
        (
            &["--jq", ".", "tasks", "--query", "@"],
            "does not go with --jq",
        ),
        (&["tasks", "--raw-output"], "only goes with --jq or --query"),
        (
            &["tasks", "--jq", ".", "-o", "yaml"],
            "json (the default with it) and jsonl",
        ),
        (
            &["tasks", "--query", "@", "-o", "yaml"],
            "json (the default with it) and jsonl",
        ),
        (
            &["tasks", "--query", "@", "-o", "table"],
            "json (the default with it) and jsonl",
        ),
        (
            &["tasks", "--jq", ".", "-o", "junit"],
            "json (the default with it) and jsonl",
        ),
        (&["tasks", "--jq", ".", "--columns", "id"], "--columns"),
        (&["sandbox", "--jq", "."], "this command prints no JSON"),
        (&["man", "m", "--query", "@"], "this command prints no JSON"),
        (
            &["profile", "logout", "--jq", "."],
            "this command prints no JSON",
        ),
        (&["tasks", "--jq"], "--jq <PROGRAM>"),
    ] {
        let tampered = Tampered::new(sandbox(1), []);
        let output = World::new(tampered.clone()).run_args(args);
        assert_eq!(
            (output.code, tampered.count()),
            (2, 0),
            "{args:?}: {}",
            output.err
        );
        assert!(output.err.contains(said), "{args:?}: {}", output.err);
    }
}

#[test]
fn the_variable_for_the_format_gives_way() {
    for (variable, shown) in [("table", "12\n"), ("yaml", "12\n"), ("jsonl", "5\n")] {
        let world = world().with("SCANQ_OUTPUT", variable);
        let program = "if .tasks then .tasks | length else .cloud | length - 1 end";
        let output = with_program(
            &world,
            "tasks --cloud aliyun --kind agentless",
            "--jq",
            program,
        );
        assert_eq!(
            output.lines()[0],
            shown.trim(),
            "{variable}: {}",
            output.err
        );
    }
}

#[test]
fn each_line_is_seen_alone_and_nothing_is_printed_for_nothing() {
    let line = "aliyun agentless-tasks -o jsonl";
    let failed = with_program(&world(), line, "--jq", "select(.Status == 2) | .TaskId");
    let all = with_program(&world(), line, "--jq", "[.TaskId, .Status]");
    let expected: Vec<String> = all
        .lines()
        .into_iter()
        .map(|line| serde_json::from_str::<(Value, u8)>(line).unwrap())
        .filter(|(_, status)| *status == 2)
        .map(|(id, _)| id.to_string())
        .collect();
    assert!(!expected.is_empty() && expected.len() < 12);
    assert_eq!(failed.lines(), expected);
    let twice = with_program(&world(), line, "--jq", ".TaskId, .TaskId");
    assert_eq!(twice.lines().len(), 24);
    let none = with_program(&world(), line, "--jq", "empty");
    assert_eq!(
        (none.code, none.out.as_str(), none.err.as_str()),
        (0, "", "")
    );
    let raw = world().run(&format!("{line} --jq .TaskId --raw-output"));
    assert!(
        raw.lines().iter().all(|id| !id.contains('"')),
        "{}",
        raw.out
    );
    let raw = world().run("tasks --query tasks[0].status --raw-output");
    assert!(!raw.out.contains('"'), "{}", raw.out);
}

#[test]
fn changes_are_seen_one_by_one() {
    let world = World::new(Tampered::new(sandbox(20), []));
    let line = "aliyun agentless-tasks --watch -o jsonl";
    let output = with_program(&world, line, "--jq", r#""\(.id) \(.status)""#);
    assert_eq!(output.code, 0, "{}", output.err);
    let mut lines = output.lines();
    assert!(lines.len() > 20 && lines.iter().any(|line| line.ends_with("running\"")));
    lines.sort_unstable();
    lines.dedup_by_key(|line| line.split(' ').next());
    assert_eq!(lines.len(), 20);
    let world = World::new(Tampered::new(sandbox(20), []));
    let output = with_program(
        &world,
        "aliyun agentless-tasks --watch",
        "--jq",
        ".List | length",
    );
    assert_eq!((output.code, output.out.as_str()), (0, "20\n"));
}

#[test]
fn a_program_that_fails_ends_the_walk_and_names_the_line() {
    let tampered = Tampered::new(sandbox(1_000), []);
    let world = World::new(tampered.clone());
    let all = World::new(sandbox(1_000)).run("aliyun agentless-tasks -o jsonl --jq .TaskId");
    let third = all.lines()[2];
    let program = format!("if .TaskId == {third} then error(\"no\") else .TaskId end");
    let line = "aliyun agentless-tasks -o jsonl --page-size 20 --concurrency 1";
    let output = with_program(&world, line, "--jq", &program);
    assert_eq!(output.code, 1);
    assert_eq!(output.lines(), all.lines()[..2]);
    assert_eq!(
        output.err.matches("--jq: line 3: no").count(),
        1,
        "{}",
        output.err
    );
    assert!(tampered.count() <= 3, "{}", tampered.count());
    for line in ["tasks -o jsonl", "tasks", "aliyun once-tasks", "operations"] {
        let output = with_program(&self::world(), line, "--jq", "1, error(\"no\")");
        assert_eq!(
            (output.code, output.out.as_str()),
            (1, "1\n"),
            "{}",
            output.err
        );
        assert_eq!(output.err.lines().count(), 1, "{}", output.err);
        let error: Value = serde_json::from_str(&output.err).unwrap();
        assert!(error["error"]["message"].as_str().unwrap().ends_with("no"));
    }
}

#[test]
fn the_gate_and_what_is_missing_count_as_without_a_program() {
    for line in [
        "tasks --fail-on failed",
        "tasks -o jsonl --fail-on failed",
        "aliyun once-tasks --wait",
    ] {
        let world = || World::new(Tampered::new(sandbox(40), []));
        let plain = world().run(line);
        let output = with_program(&world(), line, "--jq", "empty");
        assert_eq!(
            (output.code, output.out.as_str()),
            (5, ""),
            "{line}: {}",
            output.err
        );
        assert_eq!(plain.code, 5);
        assert!(output.err.contains("\"kind\":\"gate\""), "{}", output.err);
    }
    let short = |mut page: Value| {
        page["PageInfo"]["TotalCount"] = 15.into();
        page
    };
    let script = || (0..8).map(|_| Tamper::Change(short));
    let world = World::new(Tampered::new(sandbox(12), script()));
    let output = with_program(&world, "aliyun agentless-tasks", "--jq", ".List | length");
    assert_eq!(
        (output.code, output.out.as_str()),
        (3, "12\n"),
        "{}",
        output.err
    );
    assert!(output.err.contains("did not come"), "{}", output.err);
    let failing = [Tamper::Answer(403, r#"{"Code":"Forbidden"}"#, &[])];
    let world = World::new(Tampered::new(sandbox(12), failing));
    let output = with_program(
        &world,
        "tasks",
        "--jq",
        "(.errors | length), (.tasks | length > 0)",
    );
    assert_eq!(
        (output.code, output.out.as_str()),
        (3, "1\ntrue\n"),
        "{}",
        output.err
    );
}

/// An item in which every text is hostile.
const HOSTILE: &str = r#"{"PageInfo":{"TotalCount":1},"List":[{"TaskId":"\u001b]0;owned\u0007\u001b[2J\u202egnp.exe\u0000\n\tx\u009b31m","Cut":"\ud83d"}]}"#;

#[test]
fn hostile_text_reaches_no_terminal_raw() {
    for line in [
        "aliyun agentless-tasks -o json --jq .List[].TaskId",
        "aliyun agentless-tasks -o json --jq .List[].TaskId --raw-output",
        "aliyun agentless-tasks -o jsonl --jq .",
        "aliyun agentless-tasks -o jsonl --jq .TaskId --raw-output",
        "aliyun agentless-tasks --page 1 --query List[].TaskId",
        "aliyun agentless-tasks --query List[0].TaskId --raw-output",
        "aliyun agentless-tasks --jq .List[]|error(.TaskId)",
    ] {
        for terminal in [Some(80), None] {
            let tampered = Tampered::new(sandbox(1), [Tamper::Answer(200, HOSTILE, &[])]);
            let world = World {
                terminal,
                ..World::new(tampered)
            };
            let output = world.run(line);
            assert_eq!(
                output.code == 0,
                !line.contains("error"),
                "{line}: {}",
                output.err
            );
            let is_unsafe =
                |c: char| scanq::render::safe::is_unsafe(c) && !matches!(c, '\n' | '\t');
            let raw = output.out.contains(is_unsafe);
            assert_eq!(
                raw,
                terminal.is_none() && output.code == 0,
                "{line}: {:?}",
                output.out
            );
            assert!(!output.err.contains(is_unsafe), "{:?}", output.err);
        }
    }
}

#[test]
fn an_answer_of_brackets_is_refused_and_does_no_harm() {
    let nested = |depth: usize| {
        let brackets = "[".repeat(depth) + &"]".repeat(depth);
        let body = format!(r#"{{"PageInfo":{{"TotalCount":1}},"List":[{{"TaskId":{brackets}}}]}}"#);
        let body: &'static str = body.leak();
        World::new(Tampered::new(sandbox(1), [Tamper::Answer(200, body, &[])]))
    };
    let line = "aliyun agentless-tasks -o jsonl";
    let output = with_program(&nested(9_000), line, "--jq", ".TaskId | tojson | length");
    assert_eq!(
        (output.code, output.out.as_str()),
        (0, "18000\n"),
        "{}",
        output.err
    );
    for (flag, program, why) in [
        (
            "--jq",
            "1",
            "line 1: the input is nested deeper than 10000 levels",
        ),
        ("--query", "`1`", "line 1: recursion limit exceeded"),
    ] {
        let output = with_program(&nested(500_000), line, flag, program);
        assert_eq!((output.code, output.out.as_str()), (1, ""));
        assert!(output.err.contains(why), "{}", output.err);
    }
}

#[cfg(unix)]
mod in_a_process {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use crate::harness::binary;
    use crate::terminal::Terminal;

    /// Starts the binary, interrupts it after its first line, and gives its exit code, all it printed and said.
    fn told_to_end_after_a_line(signal: &str, args: &[&str]) -> (Option<i32>, String, String) {
        let mut process = binary(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pid = process.id().to_string();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let kill = |signal: &str, pid: &str| Command::new("kill").args([signal, pid]).status();
        assert!(kill(signal, &pid).unwrap().success());
        // A process that does not end must fail the test, not hang it.
        let (_ended, end) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if end.recv_timeout(Duration::from_secs(20)) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = kill("-KILL", &pid);
            }
        });
        let mut rest = first;
        std::io::Read::read_to_string(&mut out, &mut rest).unwrap();
        let output = process.wait_with_output().unwrap();
        (
            output.status.code(),
            rest,
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    #[test]
    fn ctrl_c_and_sigterm_end_a_program_that_never_does() {
        let begun = Instant::now();
        // More than stdout's buffer holds comes first, so that the first line is seen.
        let endless = "(range(20000) | \"padding\"), last(repeat(1))";
        for (signal, line, program) in [
            ("-INT", "operations", endless),
            ("-INT", "tasks --sandbox", endless),
            ("-TERM", "tasks --sandbox -o jsonl", endless),
            (
                "-INT",
                "operations",
                "(range(20000) | \"padding\"), (def f: f; f)",
            ),
        ] {
            let mut args: Vec<_> = line.split_whitespace().collect();
            args.extend(["--jq", program]);
            let (code, out, err) = told_to_end_after_a_line(signal, &args);
            assert_eq!(code, Some(130), "{line}: {err}");
            assert!(err.contains("\"kind\":\"interrupted\""), "{err}");
            let whole = out.lines().all(|line| line == "\"padding\"");
            assert!(
                whole && out.lines().count() > 6_000,
                "{line}: {}",
                out.len()
            );
        }
        assert!(begun.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn what_a_program_gave_before_it_got_stuck_is_shown() {
        for line in ["operations", "tasks --sandbox -o jsonl"] {
            let args = format!("{line} --jq \"first\",last(repeat(1))");
            let mut terminal = Terminal::start(&args, 24, 80);
            terminal.until("output", |shown| shown.contains("\"first\"\r\n"));
            terminal.pty.write_all(b"\x03").unwrap();
            let (shown, code) = terminal.end();
            assert_eq!(code, 130, "{shown}");
            assert!(shown.contains("interrupted"), "{shown}");
        }
    }

    #[test]
    fn a_reader_that_has_had_enough_ends_it_quietly() {
        for line in ["operations", "tasks --sandbox -o jsonl"] {
            let mut args: Vec<_> = line.split_whitespace().collect();
            args.extend(["--jq", "repeat(\"more\")"]);
            let mut process = binary(&args)
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            let mut out = BufReader::new(process.stdout.take().unwrap());
            let mut first = String::new();
            out.read_line(&mut first).unwrap();
            assert_eq!(first, "\"more\"\n");
            drop(out);
            let output = process.wait_with_output().unwrap();
            let err = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                (output.status.code(), err.as_str()),
                (Some(0), ""),
                "{line}"
            );
        }
    }

    #[test]
    fn no_secret_of_the_environment_is_in_reach() {
        for program in [
            "env",
            "$ENV",
            "env.SECRET",
            "$ENV.SECRET",
            "input",
            "[inputs]",
        ] {
            let mut command = binary(&["operations", "--jq", program]);
            command.env("SECRET", "planted-secret");
            let output = crate::harness::finish(command);
            assert_eq!(output.code, 2, "{program}");
            assert!(
                !(output.out + &output.err).contains("planted-secret"),
                "{program}"
            );
        }
    }
}

#[test]
fn a_mistyped_flag_beside_a_program_is_told_as_json_too() {
    for line in ["tasks --jq . --bogus", "tasks --bogus --query=tasks"] {
        let output = World::new(sandbox(1)).run(line);
        let error: Value = serde_json::from_str(&output.err).unwrap();
        assert_eq!((output.code, &error["error"]["kind"]), (2, &json!("usage")));
    }
    let text = World::new(sandbox(1)).run("tasks --jq . -o table --bogus");
    assert!(text.err.starts_with("error: "), "{}", text.err);
}

#[test]
fn a_program_reads_the_requests_of_a_dry_run() {
    let tampered = Tampered::new(sandbox(1), []);
    let world = World::new(tampered.clone());
    let line = "aliyun agentless-tasks --raw-output --jq .requests[].method --dry-run";
    assert_eq!(world.run(line).out, "POST\n");
    let lines = world.run("tasks --dry-run -o jsonl --raw-output --jq .method");
    assert!(lines.out.lines().count() > 3 && lines.out.lines().all(|line| line == "POST"));
    for form in ["text", "curl"] {
        let refused = world.run(&format!("tasks --jq . --dry-run={form}"));
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{form}");
        assert!(refused.err.contains("--dry-run=json is"), "{}", refused.err);
    }
    assert_eq!(tampered.count(), 0);
}
