//! The direction of dependencies, and declarations that can be forgotten: held by reading the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// A module: its root file and everything below.
fn module(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{folder}.rs"));
    let text = fs::read_to_string(&root).unwrap();
    let mut found = sources(folder);
    found.push((root, text));
    found
}

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

/// The part of a file before its tests.
fn code(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap()
}

fn mentions(text: &str, module: &str) -> bool {
    code(text)
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .any(|line| {
            // `crate::cli` is not the beginning of `crate::client`.
            let is_whole =
                |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
            line.match_indices(module)
                .any(|(at, found)| is_whole(&line[at + found.len()..]))
        })
}

#[test]
fn data_flows_one_way() {
    let forbidden: &[(&str, &[&str])] = &[
        (
            "src/provider",
            &[
                "crate::cli",
                "crate::commands",
                "crate::render",
                "crate::sandbox",
                "crate::client",
                "reqwest",
            ],
        ),
        (
            "src/operation",
            &[
                "crate::cli",
                "crate::commands",
                "crate::render",
                "crate::sandbox",
                "crate::client",
            ],
        ),
        (
            "src/render",
            &[
                "crate::cli",
                "crate::commands",
                "crate::sandbox",
                "crate::client",
                "crate::provider",
            ],
        ),
        (
            "src/client",
            &[
                "crate::cli",
                "crate::commands",
                "crate::render",
                "crate::sandbox",
            ],
        ),
        (
            "src/sandbox",
            &["crate::cli", "crate::commands", "crate::render"],
        ),
        ("src/cli", &["crate::commands", "crate::sandbox"]),
        (
            "src/task",
            &[
                "crate::cli",
                "crate::commands",
                "crate::client",
                "crate::render",
                "crate::sandbox",
                "crate::provider",
            ],
        ),
        (
            "src/config",
            &[
                "crate::cli",
                "crate::commands",
                "crate::client",
                "crate::render",
                "crate::sandbox",
            ],
        ),
        ("src/provider/huawei", &["provider::aliyun"]),
        ("src/provider/aliyun", &["provider::huawei"]),
        (
            "src/credential",
            &[
                "crate::cli",
                "crate::commands",
                "crate::client",
                "crate::render",
                "crate::sandbox",
            ],
        ),
    ];
    for (folder, modules) in forbidden {
        for (path, text) in module(folder) {
            for module in *modules {
                assert!(
                    !mentions(&text, module),
                    "{} mentions {module}",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn effects_have_one_place_each() {
    for (path, text) in sources("src") {
        assert!(
            !text.contains("use crate::{"),
            "{} hides what it uses from these tests",
            path.display()
        );
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !mentions(&text, "reqwest") || name == "http.rs",
            "{} uses reqwest",
            path.display()
        );
        assert!(
            !["std::env::var", "std::env::vars_os"]
                .iter()
                .any(|read| mentions(&text, read))
                || name == "context.rs",
            "{} reads the environment",
            path.display()
        );
        assert!(
            !mentions(&text, "Utc::now") || name == "context.rs",
            "{} reads the clock",
            path.display()
        );
        assert!(
            text.starts_with("//! "),
            "{} does not say what it is for",
            path.display()
        );
    }
}

#[test]
fn every_operation_file_is_registered() {
    for (folder, list) in [
        (
            "src/provider/aliyun/sas",
            include_str!("../../src/provider/aliyun/sas.rs"),
        ),
        (
            "src/provider/huawei/hss",
            include_str!("../../src/provider/huawei/hss.rs"),
        ),
    ] {
        for (path, _) in sources(folder) {
            let entry = format!(
                "Entry::of::<{}::",
                path.file_stem().unwrap().to_str().unwrap()
            );
            assert!(list.contains(&entry), "{} is not listed", path.display());
        }
    }
}
