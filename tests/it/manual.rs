//! Manual pages, read by the program that will read them.

use std::path::PathBuf;

use crate::harness::{binary, finish};

/// A folder with the pages.
fn pages() -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().unwrap();
    let man = folder.path().join("man/man1");
    let output = finish(binary(&["man", man.to_str().unwrap()]));
    assert_eq!(
        (output.code, output.out.as_str()),
        (0, ""),
        "{}",
        output.err
    );
    let pages = std::fs::read_dir(man).unwrap();
    let mut pages: Vec<_> = pages.map(|page| page.unwrap().path()).collect();
    pages.sort();
    (folder, pages)
}

fn count(command: &clap::Command) -> usize {
    1 + command.get_subcommands().map(count).sum::<usize>()
}

#[test]
fn every_command_has_a_page() {
    let (_folder, pages) = pages();
    assert_eq!(pages.len(), count(&scanq::cli::command()));
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        for section in ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS"] {
            let heading = format!(".SH {section}\n");
            assert!(text.contains(&heading), "{}: {section}", page.display());
        }
        assert!(text.contains(".SH \"EXIT CODES\""), "{}", page.display());
    }
    let path = |name: &str| pages[0].with_file_name(format!("{name}.1"));
    for name in ["scanq", "scanq-tasks", "scanq-huawei-tasks", "scanq-man"] {
        let text = std::fs::read_to_string(path(name)).unwrap();
        assert!(text.contains(".SH EXAMPLES\n"), "{name}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn man_shows_every_page_without_a_warning() {
    let (folder, pages) = pages();
    let Some(man) = crate::harness::tool("man") else {
        return;
    };
    for page in pages {
        let mut command = crate::harness::run_tool(&man, folder.path());
        command.args(["--warnings", "-l"]).arg(&page);
        command.env("LC_ALL", "C.UTF-8").env("MANWIDTH", "80");
        let shown = crate::harness::shown(command);
        let name = page.file_stem().unwrap().to_str().unwrap();
        // Typewriters overstrike: bold letters come twice.
        assert!(shown.contains(name), "{shown}");
        for word in ["EXIT CODES", "usage or configuration"] {
            assert!(shown.contains(word), "{name}: {shown}");
        }
        let is_cut = |line: &&str| line.chars().count() > 80 && !line.contains("https://");
        assert_eq!(shown.lines().find(is_cut), None, "{name}");
    }
}

#[test]
fn pages_that_can_not_be_written_are_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = finish(binary(&["man", file.join("below").to_str().unwrap()]));
    assert!(
        output.code == 1 && output.err.contains("below"),
        "{output:?}"
    );
}
