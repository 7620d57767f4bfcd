//! Completions and manual pages, read by the shells and tools that will read them.

use crate::harness::{binary, finish};

#[test]
fn every_shell_gets_completions_that_know_the_operations() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = finish(binary(&["completions", shell]));
        assert_eq!((output.code, output.err.as_str()), (0, ""), "{shell}");
        for known in ["agentless-tasks", "fail-on", "image-scan"] {
            assert!(output.out.contains(known), "{shell}: {known}");
        }
    }
    assert_eq!(finish(binary(&["completions", "tcsh"])).code, 2);
}

#[cfg(unix)]
#[test]
fn bash_completes_commands_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("scanq.bash");
    std::fs::write(&script, finish(binary(&["completions", "bash"])).out).unwrap();
    let complete = |words: &str| {
        let line = format!(
            "source {}; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _scanq scanq \"${{COMP_WORDS[-1]}}\" \
             \"${{COMP_WORDS[-2]}}\"; echo ${{COMPREPLY[@]}}",
            script.display()
        );
        let output = std::process::Command::new("bash")
            .args(["-c", &line])
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(complete("scanq aliyun agent"), "agentless-tasks");
    assert!(complete("scanq aliyun once-tasks --task-type image").contains("image-registry-pull"));
}

#[test]
fn every_command_gets_a_manual_page() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man/man1");
    let output = finish(binary(&["man", pages.to_str().unwrap()]));
    assert_eq!(
        (output.code, output.out.as_str()),
        (0, ""),
        "{}",
        output.err
    );
    for name in [
        "scanq",
        "scanq-tasks",
        "scanq-aliyun-once-tasks",
        "scanq-huawei-tasks",
        "scanq-profile-check",
    ] {
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(
            page.contains(".SH NAME") && page.contains(".SH DESCRIPTION"),
            "{name}"
        );
    }
    #[cfg(unix)]
    let nowhere = finish(binary(&["man", "/dev/null/x"]));
    #[cfg(unix)]
    assert_ne!(nowhere.code, 0);
}
