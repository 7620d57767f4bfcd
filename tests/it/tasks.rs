//! `scanq tasks`: filters that hold for every cloud, counts, and what is left of the rest when some of it fails.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Output, Tamper, Tampered, World, sandbox};

fn run(line: &str) -> (Output, Vec<String>) {
    let tampered = Tampered::new(sandbox(40), []);
    let output = World::new(tampered.clone()).run(line);
    let sent = tampered.sent.borrow().clone();
    (output, sent)
}

fn tasks(line: &str) -> Vec<Value> {
    let (output, _) = run(&format!("{line} -o json"));
    assert_eq!((output.code, output.err.as_str()), (0, ""), "{line}");
    output.json()["tasks"].as_array().unwrap().clone()
}

fn values(tasks: &[Value], field: &str) -> BTreeSet<String> {
    tasks
        .iter()
        .map(|task| task[field].as_str().unwrap_or_default().to_owned())
        .collect()
}

type Holds<'h> = &'h dyn Fn(&Value) -> bool;

#[test]
fn every_filter_leaves_exactly_what_it_says() {
    let all = tasks("tasks");
    let count = |holds: &dyn Fn(&Value) -> bool| all.iter().filter(|task| holds(task)).count();
    let text = |task: &Value, field: &str| task[field].as_str().unwrap_or_default().to_lowercase();
    let cases: [(&str, Holds<'_>); 10] = [
        ("--status failed", &|task| task["status"] == "failed"),
        ("--status running,pending", &|task| {
            task["status"] == "running" || task["status"] == "pending"
        }),
        ("--status partial", &|task| task["status"] == "partial"),
        ("--kind agentless,iac-scan", &|task| {
            task["kind"] == "agentless" || task["kind"] == "iac-scan"
        }),
        ("--cloud huawei --status succeeded", &|task| {
            task["cloud"] == "huawei" && task["status"] == "succeeded"
        }),
        ("--name nightly", &|task| {
            text(task, "name").contains("nightly")
        }),
        ("--target prod", &|task| {
            text(task, "target").contains("prod")
        }),
        ("--target PROD/", &|task| {
            text(task, "target").contains("prod/")
        }),
        ("--kind agentless --target WEB", &|task| {
            task["kind"] == "agentless" && text(task, "target").contains("web")
        }),
        ("--id a", &|task| text(task, "id").contains('a')),
    ];
    for (flags, holds) in cases {
        let found = tasks(&format!("tasks {flags}"));
        assert!(found.iter().all(holds), "{flags}");
        assert_eq!(found.len(), count(holds), "{flags}");
        assert!(!found.is_empty() && found.len() < all.len(), "{flags}");
    }
}

#[test]
fn a_kind_that_is_not_asked_for_by_default_is_asked_for_by_name() {
    let found = tasks("tasks --kind image-registry-pull");
    assert_eq!(found.len(), 40);
    assert_eq!(
        values(&found, "kind"),
        ["image-registry-pull".to_owned()].into()
    );
    let (output, sent) = run("tasks --kind nonsense");
    assert_eq!((output.code, sent.len()), (2, 0));
    assert!(output.err.contains("cluster-scan"), "{}", output.err);
}

#[test]
fn the_server_is_asked_for_less_where_it_can_be() {
    for (flags, requests) in [
        ("", 5),
        ("--kind agentless", 1),
        ("--kind agentless,cluster-scan", 2),
        // Only Huawei Cloud knows tasks that failed in part.
        ("--status partial", 2),
        // Neither image fixes nor agentless scans wait to start.
        ("--status pending", 3),
        ("--kind image-fix --status timed-out", 0),
    ] {
        let (output, sent) = run(&format!("tasks {flags} -o json"));
        assert_eq!(
            (output.code, sent.len()),
            (0, requests),
            "{flags}: {sent:?}"
        );
    }
    for (flags, param) in [
        ("--kind agentless --status timed-out", "Status=4"),
        ("--kind image-fix --status running", "Status=1"),
        ("--kind image-scan --status succeeded", "SUCCESS"),
        ("--kind image-registry-pull", "TaskType=IMAGE_REGISTRY_PULL"),
        ("--kind agentless --since 1h", "StartTime=1795309200000"),
    ] {
        let (_, sent) = run(&format!("tasks {flags}"));
        assert!(sent[0].contains(param), "{flags}: {sent:?}");
    }
    // No page says how a service compares names and targets: they are compared here.
    let (_, sent) = run("tasks --kind agentless --target web --name scan");
    assert!(!sent[0].contains("TargetName"), "{sent:?}");
    // FAIL is no documented value of that parameter, so those tasks are told apart here.
    let (_, sent) = run("tasks --kind image-scan --status failed");
    assert!(!sent[0].contains("StatusList"), "{sent:?}");
}

#[test]
fn the_limit_counts_what_is_left_after_filtering() {
    let all = tasks("tasks --status failed");
    let few = tasks("tasks --status failed --limit 2");
    assert_eq!(few[..], all[..2]);
}

#[test]
fn a_summary_counts_by_cloud_kind_and_status() {
    let all = tasks("tasks");
    let (output, _) = run("tasks --summary -o json");
    let document = output.json();
    let groups = document["summary"].as_array().unwrap();
    let sum: u64 = groups
        .iter()
        .map(|group| group["count"].as_u64().unwrap())
        .sum();
    assert_eq!(sum as usize, all.len());
    for group in groups {
        let same = |task: &&Value| {
            ["cloud", "kind", "status"]
                .iter()
                .all(|field| task[field] == group[field])
        };
        assert_eq!(group["count"], all.iter().filter(same).count());
    }
    assert_eq!(document["errors"], serde_json::json!([]));
    // Counts have no changes to be told one by one.
    let (watched, sent) = run("tasks --summary --watch");
    assert_eq!((watched.code, sent.len()), (2, 0));
    assert!(
        watched
            .err
            .contains("'--summary' cannot be used with '--watch'"),
        "{}",
        watched.err
    );
    let lines = run("tasks --summary -o jsonl").0;
    assert_eq!(lines.lines().len(), groups.len());
    insta::assert_snapshot!(run("tasks --summary").0.out);
    let csv = run("tasks --summary -o csv").0;
    assert_eq!(csv.lines()[0], "cloud,kind,status,count");
}

#[test]
fn details_are_objects_and_only_where_asked_for() {
    let plain = tasks("tasks --kind agentless,image-scan");
    assert!(plain.iter().all(|task| task.get("details").is_none()));
    let found = tasks("tasks --kind agentless,image-scan --details");
    let with = |kind: &str| found.iter().find(|task| task["kind"] == kind).unwrap();
    let projects = &with("agentless")["details"]["projects"];
    assert!(projects["vul"].is_u64(), "{projects}");
    let ended = found
        .iter()
        .find(|task| task["kind"] == "image-scan" && task["status"] == "succeeded")
        .unwrap();
    let stage = &ended["details"]["stages"][0];
    assert_eq!(stage["name"], "forbiddenPackageInfo");
    assert_eq!(stage["ended_at"], "2023-09-04T01:37:16Z");
    let table = run("tasks --kind agentless --details --limit 1").0.out;
    assert!(
        table.contains("DETAILS") && table.contains("vul 35%"),
        "{table}"
    );
    let wide = run("aliyun once-tasks -o wide").0.out;
    assert!(wide.contains("binary 2023-09-04T01:37:25Z"), "{wide}");
}

const DENIED: Tamper = Tamper::Answer(403, r#"{"Code":"NoPermission","Message":"no"}"#, &[]);
const WRONG: Tamper = Tamper::Answer(400, r#"{"Code":"UnexpectedParam","Message":"no"}"#, &[]);

#[test]
fn one_failure_does_not_hide_the_rest() {
    let tampered = Tampered::new(sandbox(5), [DENIED]);
    let output = World::new(tampered).run("tasks --cloud aliyun -o json");
    let document = output.json();
    assert_eq!(output.code, 3);
    assert_eq!(document["tasks"].as_array().unwrap().len(), 10);
    assert_eq!(document["errors"][0]["code"], "NoPermission");
}

#[test]
fn if_nobody_answers_the_failures_decide() {
    let run = |script: Vec<Tamper>| {
        let tampered = Tampered::new(sandbox(5), script);
        World::new(tampered).run("tasks --cloud aliyun").code
    };
    assert_eq!(run(vec![DENIED, DENIED, DENIED]), 4);
    assert_eq!(run(vec![DENIED, WRONG, DENIED]), 1);
}

#[test]
fn junit_shows_each_task_as_a_test_case() {
    let all = tasks("tasks --kind iac-scan");
    let (output, _) = run("tasks --kind iac-scan -o junit --fail-on failed");
    assert_eq!(output.code, 5);
    let with = |status: &str| all.iter().filter(|task| task["status"] == status).count();
    let count = |text: &str| output.out.matches(text).count();
    assert_eq!(count("<testcase "), all.len());
    assert_eq!(count("<failure "), with("failed") + with("partial"));
    assert_eq!(count("<skipped "), with("pending") + with("running"));
    assert!(
        output
            .out
            .contains("<testsuite name=\"huawei.iac-scan\" tests=\"40\"")
    );
    for line in ["aliyun agentless-tasks", "operations", "tasks --summary"] {
        let (output, sent) = run(&format!("{line} -o junit"));
        assert_eq!((output.code, sent.len()), (2, 0), "{line}");
    }
    let tampered = Tampered::new(sandbox(5), [DENIED]);
    let output = World::new(tampered).run("tasks --kind agentless -o junit");
    assert_eq!(output.code, 4);
    assert!(output.out.contains("<error message="), "{}", output.out);
}
