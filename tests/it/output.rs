//! Every format, in a pipe and on a terminal.

use serde_json::Value;

use crate::harness::{Tamper, Tampered, World, sandbox};

fn world() -> World {
    World::new(sandbox(12)).with("TZ", "UTC")
}

#[test]
fn each_format_says_the_same() {
    let mut shown = String::new();
    for format in ["table", "wide", "csv", "tsv", "jsonl", "json", "yaml"] {
        let output = world().run(&format!(
            "aliyun agentless-tasks --limit 2 --utc -o {format}"
        ));
        assert_eq!((output.code, output.err.as_str()), (0, ""));
        shown.push_str(&format!("## {format}\n{}\n", output.out));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn each_operations_table_is_pleasant() {
    let mut shown = String::new();
    for line in [
        "aliyun once-tasks --limit 4",
        "aliyun image-fix-tasks --limit 4",
        "aliyun agentless-tasks --limit 4",
        "aliyun once-task-result --task-id 1471 --task-type image-scan",
        "huawei tasks --limit 4",
        "tasks --limit 8",
        "operations",
    ] {
        let output = world().run(&format!("{line} --utc"));
        shown.push_str(&format!("$ scanq {line}\n{}\n", output.out));
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn a_terminal_is_not_overflowed_and_says_what_it_leaves_out() {
    use unicode_width::UnicodeWidthStr;
    for columns in [40, 80, 120, 200] {
        let world = World {
            terminal: Some(columns),
            ..world()
        };
        let output = world.run("aliyun image-fix-tasks --color never");
        for line in output.lines() {
            assert!(line.width() <= columns.into(), "{columns}: {line}");
        }
        assert_eq!(
            output.err.contains("no room for the columns"),
            columns <= 80,
            "{columns}: {}",
            output.err
        );
        // What was asked for is there, on lines that the terminal wraps.
        for flags in ["-o wide", "--columns old-uuid,new-uuid,task-id,status"] {
            let output = world.run(&format!("aliyun image-fix-tasks --color never {flags}"));
            let header: Vec<_> = output.lines()[0].split_whitespace().collect();
            assert_eq!(header.len(), if flags == "-o wide" { 13 } else { 4 });
            assert_eq!(output.err, "", "{columns}");
        }
    }
}

#[test]
fn a_table_on_a_terminal_says_how_long_ago_and_everything_else_when() {
    let started = |terminal, flags| {
        let world = World {
            terminal,
            ..World::new(sandbox(5))
        };
        let line = format!("aliyun agentless-tasks --columns started --no-header {flags}");
        world.run(&line).out
    };
    let all = |out: &str, test: fn(&str) -> bool| out.lines().count() == 5 && out.lines().all(test);
    assert!(all(&started(Some(80), ""), |line| line.ends_with(" ago")));
    for exact in [
        started(Some(80), "-o wide"),
        started(Some(80), "--utc"),
        started(None, ""),
        started(Some(80), "-o csv"),
    ] {
        assert!(all(&exact, |line| line.starts_with("2026-1")), "{exact}");
    }
}

#[test]
fn a_column_that_is_not_known_is_told_before_anyone_signs_in() {
    for line in [
        "aliyun once-tasks --columns taget",
        "huawei tasks --sort-by statis",
    ] {
        let signed_out = World::new(sandbox(1))
            .without("ALIBABA_CLOUD_ACCESS_KEY_ID")
            .without("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
            .without("HUAWEICLOUD_SDK_AK")
            .without("HUAWEICLOUD_SDK_SK");
        let output = signed_out.run(line);
        assert_eq!((output.code, output.out.as_str()), (2, ""), "{line}");
        assert!(output.err.contains("did you mean"), "{}", output.err);
    }
}

#[test]
fn colour_is_for_terminals() {
    let terminal = || World {
        terminal: Some(120),
        ..world()
    };
    assert!(terminal().run("aliyun once-tasks").out.contains("\x1b["));
    assert!(
        !terminal()
            .with("NO_COLOR", "1")
            .run("aliyun once-tasks")
            .out
            .contains('\x1b')
    );
    assert!(
        !terminal()
            .run("aliyun once-tasks --color never")
            .out
            .contains('\x1b')
    );
    assert!(!world().run("aliyun once-tasks").out.contains('\x1b'));
    assert!(
        world()
            .run("aliyun once-tasks --color always")
            .out
            .contains("\x1b[")
    );
}

#[test]
fn columns_are_chosen_sorted_and_left_without_header() {
    let output = world().run(
        "aliyun agentless-tasks --columns started,task-id --sort-by started --no-header -o tsv",
    );
    let rows: Vec<Vec<_>> = output
        .lines()
        .into_iter()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(rows.len(), 12);
    assert!(
        rows.iter()
            .all(|row| row.len() == 2 && row[0].ends_with('Z'))
    );
    assert!(rows.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
}

#[test]
fn variables_stand_in_for_flags_and_flags_win() {
    let json = world().with("SCANQ_OUTPUT", "json");
    assert!(json.run("aliyun once-tasks").out.starts_with('{'));
    assert!(
        json.run("aliyun once-tasks -o table")
            .out
            .starts_with("TASK-ID")
    );
    let wrong = world().with("SCANQ_OUTPUT", "xml").run("aliyun once-tasks");
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("SCANQ_OUTPUT"), "{}", wrong.err);
}

#[test]
fn a_merged_document_describes_itself() {
    let document = World::new(sandbox(250))
        .run("aliyun once-tasks -o json")
        .json();
    let items = document["OnceTasks"].as_array().unwrap().len();
    assert_eq!(items, 250);
    assert_eq!(
        document["PageInfo"],
        serde_json::json!({"CurrentPage": 1, "PageSize": 250, "TotalCount": 250, "Count": 250})
    );
    assert!(document["RequestId"].is_string());
    let limited = World::new(sandbox(250))
        .run("aliyun once-tasks -o json --limit 3")
        .json();
    assert_eq!(limited["PageInfo"]["Count"], 3);
    assert_eq!(limited["PageInfo"]["TotalCount"], 250);
}

/// An item in which every text is hostile.
const HOSTILE: &str = r#"{"PageInfo":{"TotalCount":1},"List":[{"TaskId":"=1+cmd|'/c calc'!A1","TargetName":"\u001b]0;owned\u0007\u001b[2J\u202egnp.exe\u0000\n\tx\u009b31m","InstanceName":"@SUM(A1)","Status":"\u001b[31m","Result":"\u2028"}]}"#;

#[test]
fn hostile_text_reaches_no_terminal_raw() {
    for (format, terminal) in [
        ("table", None),
        ("wide", None),
        ("tsv", None),
        ("table", Some(500)),
        ("wide", Some(500)),
        ("tsv", Some(500)),
        ("csv", Some(500)),
        ("jsonl", Some(500)),
    ] {
        {
            let tampered = Tampered::new(sandbox(1), [Tamper::Answer(200, HOSTILE, &[])]);
            let world = World {
                terminal,
                ..World::new(tampered)
            };
            let output = world.run(&format!("aliyun agentless-tasks -o {format} --color never"));
            assert_eq!(output.code, 0);
            let raw = output
                .out
                .chars()
                .find(|c| scanq::render::safe::is_unsafe(*c) && !matches!(c, '\n' | '\t'));
            assert_eq!(raw, None, "{format}: {:?}", output.out);
            assert_eq!(
                output.lines().len(),
                if format == "jsonl" { 1 } else { 2 },
                "{format}"
            );
        }
    }
}

#[test]
fn hostile_text_is_lossless_where_programs_read_it() {
    let answer = || Tampered::new(sandbox(1), [Tamper::Answer(200, HOSTILE, &[])]);
    let sent: Value = serde_json::from_str(HOSTILE).unwrap();
    for terminal in [None, Some(80)] {
        let world = World {
            terminal,
            ..World::new(answer())
        };
        assert_eq!(
            world.run("aliyun agentless-tasks -o json").json()["List"],
            sent["List"]
        );
    }
    let line = World::new(answer()).run("aliyun agentless-tasks -o jsonl");
    assert_eq!(
        serde_json::from_str::<Value>(&line.out).unwrap(),
        sent["List"][0]
    );
    let csv = World::new(answer())
        .run("aliyun agentless-tasks -o csv --columns task-id,instance --no-header")
        .out;
    assert_eq!(csv, "'=1+cmd|'/c calc'!A1,'@SUM(A1)\n");
}

#[test]
fn an_item_of_the_wrong_type_is_a_row_without_values() {
    let body = r#"{"PageInfo":{"TotalCount":3},"List":[7,null,{"TaskId":"a","Status":[1],"Progress":{}}]}"#;
    let tampered = Tampered::new(sandbox(1), [Tamper::Answer(200, body, &[])]);
    let output = World::new(tampered)
        .run("aliyun agentless-tasks --columns task-id,status,progress -o tsv --no-header");
    assert_eq!(output.out, "\tunknown\t\n\tunknown\t\na\tunknown\t\n");
}

#[test]
fn unified_tasks_have_every_promised_field() {
    let output = World::new(sandbox(12)).run("tasks -o json");
    assert_eq!(output.code, 0, "{}", output.err);
    let document = output.json();
    assert_eq!(document["errors"], serde_json::json!([]));
    let tasks = document["tasks"].as_array().unwrap();
    assert_eq!(tasks.len(), 12 * 5);
    let promised = [
        "cloud",
        "profile",
        "region",
        "operation",
        "kind",
        "id",
        "name",
        "target",
        "status",
        "native_status",
        "progress",
        "started_at",
        "ended_at",
        "duration_ms",
        "message",
    ];
    for task in tasks {
        let keys: Vec<_> = task.as_object().unwrap().keys().collect();
        assert_eq!(keys, promised);
    }
    let started: Vec<_> = tasks
        .iter()
        .map(|task| task["started_at"].as_str())
        .collect();
    assert!(started.is_sorted_by(|a, b| a >= b), "newest first");
}

#[test]
fn centres_that_several_regions_share_are_asked_once() {
    let tampered = Tampered::new(sandbox(5), []);
    let world = World::new(tampered.clone());
    let output = world
        .run("aliyun agentless-tasks -r cn-hangzhou,cn-beijing,us-east-1,eu-central-1 -o jsonl");
    assert_eq!((output.code, tampered.count()), (0, 2), "{}", output.err);
    let centres: Vec<_> = tampered
        .sent
        .borrow()
        .iter()
        .map(|url| url.split('/').nth(2).unwrap().to_owned())
        .collect();
    assert_eq!(
        centres,
        [
            "tds.cn-shanghai.aliyuncs.com",
            "tds.ap-southeast-1.aliyuncs.com"
        ]
    );
}

#[test]
fn an_empty_answer_hints_at_the_other_centre() {
    let output = World::new(sandbox(0)).run("aliyun agentless-tasks");
    assert_eq!(output.code, 0);
    assert!(
        output.err.contains("--region ap-southeast-1"),
        "{}",
        output.err
    );
}

#[cfg(unix)]
#[test]
fn times_are_local_where_nothing_else_is_asked() {
    let run = |line: &str, zone: &str| {
        let mut command = crate::harness::binary(&line.split_whitespace().collect::<Vec<_>>());
        command.env("TZ", zone);
        crate::harness::finish(command).out
    };
    let line = "aliyun agentless-tasks --sandbox --limit 1 --no-header --columns started";
    let (shanghai, utc) = (
        run(line, "Asia/Shanghai"),
        run(&format!("{line} --utc"), "Asia/Shanghai"),
    );
    let parse = |text: &str| {
        chrono::NaiveDateTime::parse_from_str(
            text.trim().trim_end_matches('Z'),
            "%Y-%m-%d %H:%M:%S",
        )
        .unwrap()
    };
    let ahead = parse(&shanghai) - parse(&utc);
    // The two worlds may have begun in different minutes.
    assert!(
        (ahead - chrono::TimeDelta::hours(8)).num_minutes().abs() <= 1,
        "{shanghai} {utc}"
    );
}
