//! What holds for every operation of every cloud, read from their one list.

use std::collections::BTreeSet;

use scanq::operation::{Entry, Items};
use scanq::provider::{self, Provider};
use serde_json::{Map, Value};

use crate::harness::{Tampered, World, sandbox};

fn all() -> Vec<(&'static Provider, &'static Entry)> {
    provider::operations().collect()
}

/// A command line that needs nothing else: what is no listing has its flags in its first example.
fn line(provider: &Provider, entry: &Entry, name: &str) -> String {
    let flags = match entry.meta.paging {
        Some(_) => String::new(),
        None => {
            let example = entry.meta.examples[0].line.replace("\\\n", " ");
            let flags = example.split_whitespace().skip(3);
            let flags: Vec<_> = flags.filter(|flag| *flag != "--sandbox").collect();
            flags.join(" ")
        }
    };
    format!("{} {name} {flags}", provider.id)
}

/// The sample's items, parsed.
fn sample_items(entry: &Entry) -> Vec<Value> {
    let documents = entry
        .meta
        .samples
        .iter()
        .map(|sample| serde_json::from_str::<Value>(sample.body).unwrap());
    documents
        .flat_map(|document| match entry.meta.items {
            Items::List { key, .. } => document[key].as_array().unwrap().clone(),
            Items::Document => vec![document],
        })
        .collect()
}

#[test]
fn each_is_asked_by_its_readable_and_by_its_api_name() {
    for (provider, entry) in all() {
        for name in [entry.meta.command, entry.meta.api] {
            let world = World::new(sandbox(30));
            let output = world.run(&format!("{} -o json", line(provider, entry, name)));
            assert_eq!(output.code, 0, "{name}: {}", output.err);
            if let Items::List { key, .. } = entry.meta.items {
                let items = output.json()[key].as_array().unwrap().len();
                assert!(items >= 30, "{name}: {items}");
            }
        }
    }
}

#[test]
fn every_documented_parameter_is_a_flag() {
    let documented: Map<String, Value> =
        serde_json::from_str(include_str!("../../fixtures/parameters.json")).unwrap();
    assert_eq!(
        documented.len(),
        all().len(),
        "every operation has its documented parameters in fixtures/"
    );
    let tree = scanq::cli::command();
    for (provider, entry) in all() {
        let command = tree
            .find_subcommand(provider.id)
            .unwrap()
            .find_subcommand(entry.meta.command)
            .unwrap();
        let mut flags = BTreeSet::new();
        for arg in command.get_arguments() {
            flags.extend(arg.get_long().map(str::to_owned));
            flags.extend(
                arg.get_all_aliases()
                    .unwrap_or_default()
                    .into_iter()
                    .map(str::to_owned),
            );
        }
        for parameter in documented[entry.meta.api].as_array().unwrap() {
            let flag = kebab(parameter.as_str().unwrap());
            assert!(
                flags.contains(&flag),
                "{}: --{flag} is missing",
                entry.meta.api
            );
        }
    }
}

/// `RootTaskId` and `root_task_id` as a flag: `root-task-id`.
fn kebab(name: &str) -> String {
    let mut flag = String::new();
    for c in name.replace('_', "-").chars() {
        if c.is_ascii_uppercase() && !flag.is_empty() {
            flag.push('-');
        }
        flag.push(c.to_ascii_lowercase());
    }
    flag
}

#[test]
fn every_field_of_the_documented_sample_is_modelled() {
    for (_, entry) in all() {
        for sample in sample_items(entry) {
            let text = sample.to_string();
            let view = (entry.view)(&text).unwrap();
            is_modelled(entry.meta.api, &sample, &view.json());
        }
    }
}

/// Each key of the sample stands in the typed view, with the same meaning.
fn is_modelled(path: &str, sample: &Value, view: &Value) {
    match sample {
        Value::Object(object) => {
            for (key, value) in object {
                let path = format!("{path}.{key}");
                is_modelled(
                    &path,
                    value,
                    view.get(key)
                        .unwrap_or_else(|| panic!("{path} is not modelled")),
                );
            }
        }
        Value::Array(list) => {
            let seen = view.as_array().unwrap();
            assert_eq!(list.len(), seen.len(), "{path}");
            list.iter()
                .zip(seen)
                .for_each(|(value, view)| is_modelled(path, value, view));
        }
        scalar => {
            let text = |value: &Value| {
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            };
            assert_eq!(text(scalar), text(view), "{path}");
        }
    }
}

#[test]
fn each_stage_of_a_tasks_life_means_what_it_says() {
    use scanq::task::Status;
    for (_, entry) in all() {
        let lifecycle = &entry.meta.lifecycle;
        let stages = lifecycle
            .pending
            .map(|stage| (stage, Status::Pending))
            .into_iter()
            .chain([(lifecycle.running, Status::Running)])
            .chain(lifecycle.ends.iter().copied());
        for (stage, status) in stages {
            for mut item in sample_items(entry) {
                overlay(&mut item, &serde_json::from_str(stage).unwrap());
                let text = item.to_string();
                let view = (entry.view)(&text).unwrap();
                assert_eq!(view.facts().status, status, "{}: {stage}", entry.meta.api);
            }
        }
    }
}

fn overlay(item: &mut Value, patch: &Value) {
    for (key, change) in patch.as_object().unwrap() {
        match (change, item.get_mut(key)) {
            (Value::Object(_), Some(below)) => overlay(below, change),
            (Value::Object(_), None) => {}
            _ => item[key] = change.clone(),
        }
    }
}

#[test]
fn each_has_columns_a_permission_and_a_documentation_address() {
    for (_, entry) in all() {
        let columns = (entry.columns)();
        let names: BTreeSet<_> = columns.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names.len(),
            columns.len(),
            "{}: a column has no name of its own",
            entry.meta.api
        );
        assert!(columns.iter().filter(|(_, wide)| !wide).count() >= 4);
        assert!(columns.iter().any(|(name, _)| *name == "status"));
        let sample = sample_items(entry).remove(0).to_string();
        let view = (entry.view)(&sample).unwrap();
        for index in 0..columns.len() {
            view.cell(index);
        }
        assert!(!entry.meta.permission.is_empty());
        assert!(entry.meta.doc.starts_with("https://"), "{}", entry.meta.doc);
    }
}

#[test]
fn listings_need_no_flag_and_page() {
    for (provider, entry) in all()
        .into_iter()
        .filter(|(_, entry)| matches!(entry.meta.items, Items::List { .. }))
    {
        assert!(
            entry.meta.paging.is_some() && entry.meta.period.is_some(),
            "{}",
            entry.meta.api
        );
        let output =
            World::new(sandbox(15)).run(&format!("{} {}", provider.id, entry.meta.command));
        assert_eq!(output.code, 0, "{}", output.err);
    }
}

#[test]
fn the_required_parameters_are_sent_and_the_sandbox_insists_on_them() {
    for (provider, entry) in all() {
        let tampered = Tampered::new(sandbox(30), []);
        let output = World::new(tampered.clone()).run(&line(provider, entry, entry.meta.command));
        assert_eq!(output.code, 0);
        for name in entry
            .meta
            .required
            .iter()
            .filter(|_| provider.id == "aliyun")
        {
            assert!(
                tampered.sent.borrow()[0].contains(&format!("{name}=")),
                "{name}"
            );
        }
    }
}

#[test]
fn items_come_out_as_the_server_sent_them() {
    for (provider, entry) in all() {
        let Items::List { key, .. } = entry.meta.items else {
            continue;
        };
        // The answer of a newer service: fields nobody knows, numbers that no machine number holds.
        let total = r#""PageInfo":{"TotalCount":1},"total_num":1"#;
        let item = r#"{"x":12345678901234567890123,"y":1.10,"z":"a\u00e9","é":[ ],"TaskId":7}"#;
        let body: &'static str = format!("{{\"{key}\":[{item}],{total}}}").leak();
        let tampered = Tampered::new(sandbox(1), [crate::harness::Tamper::Answer(200, body, &[])]);
        let task_type = if provider.id == "huawei" {
            " --task-type cluster-scan"
        } else {
            ""
        };
        let output = World::new(tampered).run(&format!(
            "{} {}{task_type} -o jsonl",
            provider.id, entry.meta.command
        ));
        assert_eq!(output.out.trim_end(), item, "{}", output.err);
    }
}

#[test]
fn the_list_of_operations_names_them_all() {
    let output = World::new(sandbox(1)).run("operations -o json");
    let listed = output.json()["operations"].as_array().unwrap().len();
    assert_eq!(listed, all().len());
    for (_, entry) in all() {
        assert!(output.out.contains(entry.meta.api) && output.out.contains(entry.meta.doc));
    }
}

#[test]
fn what_a_listing_can_be_asked_for_holds_for_its_tasks() {
    for (_, entry) in scanq::provider::operations() {
        let meta = entry.meta;
        let params: Vec<_> = meta.filters.iter().map(|filter| filter.param).collect();
        if meta.paging.is_none() {
            continue;
        }
        assert!(!meta.narrow.kinds.is_empty(), "{} has no kinds", meta.api);
        let status = meta.narrow.status.as_ref().unwrap();
        let asked = meta.narrow.kinds.iter().filter_map(|kind| kind.ask);
        for param in asked.map(|(param, _)| param).chain([status.param]) {
            assert!(params.contains(&param), "{} knows no {param}", meta.api);
        }
        for (_, comes_to) in meta.lifecycle.ends {
            let listed = status.natives.iter().any(|(_, all)| all.contains(comes_to));
            assert!(
                listed || status.unlisted.contains(comes_to),
                "{} can't be asked for {comes_to}",
                meta.api
            );
        }
    }
}
