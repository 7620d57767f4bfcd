//! Every command of the documentation is run, every link in it leads somewhere, and what CONTRIBUTING.md names exists.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::{binary, finish};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page, with its text.
fn pages() -> Vec<(PathBuf, String)> {
    let folder = fs::read_dir(root().join("docs/src")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let mut pages: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    pages.sort();
    pages
}

/// The lines of a text, each with the tag of the fenced block in which it stands; none for prose.
fn tagged(text: &str) -> Vec<(Option<&str>, &str)> {
    let (mut tag, mut lines) = (None, Vec::new());
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if tag.is_some() => tag = None,
            Some(opened) => tag = Some(opened),
            None => lines.push((tag, line)),
        }
    }
    assert_eq!(tag, None, "a block is not closed");
    lines
}

/// Where the links of a page's prose lead.
fn links(text: &str) -> Vec<&str> {
    let prose = tagged(text).into_iter().filter(|(tag, _)| tag.is_none());
    let after = prose.flat_map(|(_, line)| line.split("](").skip(1));
    after.filter_map(|rest| rest.split(')').next()).collect()
}

/// The anchors that a page's headings make, on GitHub as in a book.
fn anchors(text: &str) -> Vec<String> {
    let lines = tagged(text).into_iter().filter(|(tag, _)| tag.is_none());
    let headings = lines
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| line.trim_start_matches('#').trim_start());
    let slug = |heading: &str| {
        let kept = heading.to_lowercase().replace(' ', "-");
        kept.replace(|c: char| !c.is_alphanumeric() && c != '-' && c != '_', "")
    };
    headings.map(slug).collect()
}

#[test]
fn every_command_of_the_documentation_exits_as_it_says() {
    let mut run = 0;
    for (path, text) in pages() {
        for (_, line) in tagged(&text)
            .into_iter()
            .filter(|(tag, _)| *tag == Some("console"))
        {
            let place = format!("{}: {line}", path.display());
            let command = line
                .strip_prefix("$ scanq")
                .unwrap_or_else(|| panic!("not a command: {place}"));
            let (command, code) = match command.split_once(" # exit ") {
                Some((command, code)) => (command, code.parse().unwrap()),
                None => (command, 0),
            };
            let output = finish(binary(&command.split_whitespace().collect::<Vec<_>>()));
            assert_eq!(output.code, code, "{place}\n{}", output.err);
            assert!(!(output.out + &output.err).is_empty(), "{place}");
            run += 1;
        }
    }
    assert!(run >= 60, "{run}");
}

#[test]
fn every_link_of_the_documentation_leads_somewhere() {
    let mut followed = 0;
    let book = root().join("docs/src");
    let others = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "benches/README.md",
        "fixtures/credentials/README.md",
    ];
    let paths = pages().into_iter().map(|(path, _)| path);
    for path in paths.chain(others.map(|name| root().join(name))) {
        let text = fs::read_to_string(&path).unwrap();
        for link in links(&text)
            .into_iter()
            .filter(|link| !link.contains("://"))
        {
            let place = format!("{}: {link}", path.display());
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().unwrap().join(file),
            };
            assert!(target.is_file(), "{place}");
            // What is no page of the book is not there when the book is read.
            assert!(
                !path.starts_with(&book) || target.parent() == Some(&book),
                "{place}"
            );
            let is_known = anchor.is_empty()
                || anchors(&fs::read_to_string(&target).unwrap())
                    .iter()
                    .any(|a| a == anchor);
            assert!(is_known, "{place}");
            followed += 1;
        }
    }
    assert!(followed >= 38, "{followed}");
}

#[test]
fn the_summary_lists_every_page_once() {
    let pages = pages();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let (summary, pages): (Vec<_>, Vec<_>) = pages
        .iter()
        .partition(|(path, _)| path.ends_with("SUMMARY.md"));
    let listed = links(&summary[0].1);
    let distinct: BTreeSet<_> = listed.iter().map(|link| (*link).to_owned()).collect();
    let written: BTreeSet<_> = pages.iter().map(|(path, _)| name(path)).collect();
    // mdBook would make it the index, and links to it lead nowhere.
    assert!(!written.contains("readme.md"));
    assert_eq!((distinct.len(), distinct), (listed.len(), written));
}

#[test]
fn every_configuration_file_of_the_documentation_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    let mut read = 0;
    for (page, text) in pages() {
        let lines = tagged(&text)
            .into_iter()
            .filter(|(tag, _)| *tag == Some("toml"));
        let config: String = lines.map(|(_, line)| format!("{line}\n")).collect();
        if !config.is_empty() {
            fs::write(&path, &config).unwrap();
            let mut command = binary(&["profile", "list"]);
            command.env("SCANQ_CONFIG", &path);
            let output = finish(command);
            assert_eq!(output.code, 0, "{}: {}", page.display(), output.err);
            read += 1;
        }
    }
    assert!(read >= 1);
}

/// Whether code in a text is the path of something in the repository, and not a placeholder or a command.
fn is_path(code: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let ends = [".rs", ".md", ".toml", ".json", ".py", ".yml", ".txt"];
    code.chars().all(is_plain) && (code.contains('/') || ends.iter().any(|end| code.ends_with(end)))
}

#[test]
fn every_path_that_contributing_names_exists() {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let prose = tagged(&text).into_iter().filter(|(tag, _)| tag.is_none());
    let named: BTreeSet<_> = prose
        .flat_map(|(_, line)| line.split('`').skip(1).step_by(2))
        .filter(|code| is_path(code))
        .collect();
    assert!(named.len() >= 30, "{named:?}");
    for path in named {
        assert!(root().join(path).exists(), "{path}");
    }
}
