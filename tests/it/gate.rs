//! The gate: `--fail-on`, what is said of it, and what a CI system gets to see.

use crate::harness::{Tampered, World, sandbox};

fn world() -> World {
    World::new(sandbox(40))
}

#[test]
fn a_caught_status_exits_with_5_and_says_why_in_the_last_line() {
    let all = world().run("aliyun agentless-tasks -o tsv --no-header --columns status,task-id");
    let failed: Vec<_> = all
        .lines()
        .into_iter()
        .filter(|line| line.starts_with("timed-out\t"))
        .collect();
    assert!(all.code == 0 && !failed.is_empty());
    for format in ["table", "csv", "yaml"] {
        let output = world().run(&format!(
            "aliyun agentless-tasks --fail-on timed-out -o {format}"
        ));
        assert_eq!(output.code, 5);
        assert!(output.out.len() > 100);
        let last = output.err.lines().last().unwrap();
        let count = format!("gate: {} of 40 tasks timed out: ", failed.len());
        assert!(last.starts_with(&count), "{last}");
        let first = failed[0].split('\t').nth(1).unwrap();
        assert!(last.contains(first), "{last}");
    }
}

#[test]
fn a_gate_that_catches_nothing_is_open() {
    for line in [
        "aliyun agentless-tasks --fail-on pending,partial",
        "huawei tasks --task-type iac-scan --fail-on timed-out",
        "tasks --cloud aliyun --fail-on partial",
    ] {
        let output = world().run(line);
        assert_eq!((output.code, output.err.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn every_command_that_prints_tasks_has_the_gate() {
    for line in [
        "aliyun once-tasks",
        "aliyun image-fix-tasks",
        "aliyun agentless-tasks",
        "huawei tasks",
        "tasks",
        "tasks -o jsonl",
        "tasks --summary",
    ] {
        let output = world().run(&format!("{line} --fail-on succeeded"));
        assert_eq!(output.code, 5, "{line}: {}", output.err);
    }
    let result = "aliyun once-task-result --task-id 1 --task-type image-scan";
    let all = "--fail-on pending,running,succeeded,timed-out";
    assert_eq!(world().run(&format!("{result} {all}")).code, 5);
}

#[test]
fn only_what_is_printed_is_judged() {
    let newest = world().run("tasks --cloud aliyun --kind agentless --limit 2 -o json");
    let statuses: Vec<_> = newest.json()["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["status"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(statuses, ["running", "running"]);
    let line = "tasks --cloud aliyun --kind agentless --limit 2 --fail-on succeeded,failed";
    assert_eq!(world().run(line).code, 0);
}

#[test]
fn scripts_read_the_verdict_as_json() {
    let output = world().run("aliyun agentless-tasks --fail-on timed-out -o jsonl");
    let last: serde_json::Value = serde_json::from_str(output.err.lines().last().unwrap()).unwrap();
    assert_eq!(last["error"]["kind"], "gate");
    assert_eq!((output.code, output.lines().len()), (5, 40));
}

#[test]
fn an_unknown_status_is_a_usage_error() {
    let tampered = Tampered::new(sandbox(5), []);
    let output = World::new(tampered.clone()).run("tasks --fail-on broken");
    assert_eq!((output.code, tampered.count()), (2, 0));
    assert!(output.err.contains("timed-out"), "{}", output.err);
}

#[test]
fn a_runner_gets_annotations_on_stderr_and_a_table_in_its_summary() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.md");
    std::fs::write(&path, "before\n").unwrap();
    let line = "tasks --kind agentless --fail-on timed-out --limit 38";
    let plain = world().run(line);
    let output = world()
        .with("GITHUB_ACTIONS", "true")
        .with("GITHUB_STEP_SUMMARY", path.to_str().unwrap())
        .run(line);
    assert_eq!((output.code, &output.out), (5, &plain.out));
    let annotations: Vec<_> = output
        .err
        .lines()
        .filter(|line| line.starts_with("::error title=aliyun agentless timed-out::"))
        .collect();
    assert!(!annotations.is_empty());
    assert_eq!(output.err.lines().last(), plain.err.lines().last());
    let summary = std::fs::read_to_string(&path).unwrap();
    assert!(summary.starts_with("before\n### scanq: "), "{summary}");
    let rows = summary
        .lines()
        .filter(|line| line.contains("| timed-out |"));
    assert_eq!(rows.count(), annotations.len(), "{summary}");
}

#[test]
fn an_open_gate_tells_the_runner_nothing() {
    let output = world()
        .with("GITHUB_ACTIONS", "true")
        .run("tasks --fail-on unknown");
    assert_eq!((output.code, output.err.as_str()), (0, ""));
}
