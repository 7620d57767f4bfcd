//! Flags, variables, the configuration file: which one wins, and which one is told of a mistake.

use scanq::sandbox::keys;

use crate::harness::{self, Output, Served, Tampered, World, binary, finish, sandbox};
use crate::profiles::Home;

/// Two accounts of Alibaba Cloud with one of Huawei Cloud between them, by name.
const THREE: &str = "
    [profiles.audit]
    cloud = \"aliyun\"
    [profiles.hw]
    cloud = \"huawei\"
    [profiles.prod]
    cloud = \"aliyun\"
";

/// The same world, signed in to both clouds by variables.
fn signed_in(mut world: World) -> World {
    let variables = harness::signed_in().into_iter();
    let variables = variables.filter(|(name, _)| *name != "ALIBABA_CLOUD_REGION_ID");
    world
        .env
        .extend(variables.map(|(name, value)| (name, value.to_owned())));
    world
}

fn refused(output: &Output, says: &[&str]) {
    assert_eq!((output.code, output.out.as_str()), (2, ""), "{output:?}");
    for words in says {
        assert!(output.err.contains(words), "{words}: {}", output.err);
    }
}

#[test]
fn a_sandbox_asks_the_built_in_profile_that_is_named_and_no_other() {
    let server = sandbox(3);
    let world = || World::new(server.clone());
    let named = world().run("tasks --sandbox -p huawei --columns profile --no-header -o csv");
    assert_eq!(named.code, 0, "{}", named.err);
    assert!(named.lines().iter().all(|profile| *profile == "huawei"));
    let asked = server.requests().len();
    let elsewhere = world().run("tasks --sandbox -p huawei -r cn-hangzhou");
    refused(&elsewhere, &["--region: unknown region: cn-hangzhou"]);
    let nobody = world().run("tasks --sandbox -p huawie");
    refused(
        &nobody,
        &["--profile: no such profile: huawie", "did you mean huawei?"],
    );
    assert_eq!(server.requests().len(), asked);
}

#[test]
fn a_variable_for_real_profiles_does_not_keep_anyone_from_a_sandbox() {
    let world = || World::new(sandbox(3));
    let clouds = |profiles: &str| {
        let output = world()
            .with("SCANQ_PROFILE", profiles)
            .run("tasks --sandbox --summary -o csv");
        assert_eq!(output.code, 0, "{}", output.err);
        ["aliyun", "huawei"].map(|cloud| output.out.contains(cloud))
    };
    assert_eq!(clouds("prod"), [true, true]);
    assert_eq!(clouds("huawei"), [false, true]);
}

#[test]
fn a_profile_that_is_named_twice_is_asked_once() {
    let home = Home::new(THREE, &[]);
    let ask = |line: &str| {
        let server = sandbox(3);
        let output = signed_in(home.world(server.clone())).run(line);
        assert_eq!(output.code, 0, "{}", output.err);
        (output.out, server.requests().len())
    };
    let once = ask("tasks -p prod --summary -o csv");
    assert_eq!(ask("tasks -p prod,prod --summary -o csv"), once);
    assert_eq!(
        ask("aliyun once-tasks -p prod,prod"),
        ask("aliyun once-tasks -p prod")
    );
    let (checked, requests) = ask("profile check prod hw prod -o jsonl");
    // Security Center has two centres.
    assert_eq!((checked.lines().count(), requests), (3, 3));
}

#[test]
fn each_cloud_is_told_of_once_however_its_profiles_are_named() {
    let home = Home::new(THREE, &[]);
    for line in ["tasks -r cn-nowhere", "profile check -r cn-nowhere"] {
        let output = home.world(sandbox(1)).run(line);
        refused(&output, &["unknown region: cn-nowhere"]);
        assert_eq!(
            output.err.matches("regions of aliyun").count(),
            1,
            "{}",
            output.err
        );
    }
    let output = home
        .world(sandbox(1))
        .run("tasks --endpoint https://a.example");
    refused(
        &output,
        &["set SCANQ_ALIYUN_ENDPOINT and SCANQ_HUAWEI_ENDPOINT\n"],
    );
}

#[test]
fn what_names_a_profile_that_is_not_there_is_told_so() {
    let home = Home::new(THREE, &[]);
    let world = || home.world(sandbox(1));
    refused(
        &world().run("tasks -p pord"),
        &["--profile: no such profile: pord", "did you mean prod?"],
    );
    let by_variable = world().with("SCANQ_PROFILE", "nope");
    refused(
        &by_variable.run("tasks"),
        &["SCANQ_PROFILE: no such profile: nope"],
    );
    refused(
        &by_variable.run("aliyun once-tasks"),
        &["SCANQ_PROFILE: no such profile: nope"],
    );
    let several = world()
        .with("SCANQ_PROFILE", "prod,audit")
        .run("aliyun once-tasks");
    refused(&several, &["SCANQ_PROFILE: this command takes one profile"]);
    refused(
        &world().run("profile show nope"),
        &["profile show: no such profile: nope"],
    );
    refused(
        &world().run("profile check nope"),
        &["profile check: no such profile: nope"],
    );
    let wrong = Home::new(&format!("default_profile = \"b\"\n{THREE}"), &[]);
    refused(
        &wrong.world(sandbox(1)).run("tasks"),
        &["config.toml, line 1: no such profile: b"],
    );
}

#[test]
fn of_several_profiles_in_the_variable_a_command_takes_the_one_of_its_cloud() {
    let home = Home::new(THREE, &[]);
    let server = sandbox(2);
    let run = |profiles: &str, line: &str| {
        let world = signed_in(home.world(server.clone()));
        world.with("SCANQ_PROFILE", profiles).run(line)
    };
    assert_eq!(run("prod,hw", "aliyun once-tasks").code, 0);
    assert_eq!(run("prod,hw", "huawei tasks").code, 0);
    let asked = server.requests().len();
    let of_none = run("prod,audit", "huawei tasks");
    refused(&of_none, &["SCANQ_PROFILE: prod is a profile of aliyun"]);
    refused(
        &run("", "huawei tasks -p prod,hw"),
        &["--profile: this command takes one"],
    );
    assert_eq!(server.requests().len(), asked);
}

#[test]
fn a_sourced_sandbox_is_what_every_command_asks_whatever_the_file_says() {
    let served = Served::start(&[]);
    let home = Home::new(&format!("default_profile = \"prod\"\n{OWN}"), &[]);
    for line in [
        "tasks",
        "aliyun once-tasks",
        "huawei tasks",
        "profile check",
    ] {
        let mut command = binary(&line.split(' ').collect::<Vec<_>>());
        command.envs(served.env.iter().map(|(name, value)| (name, value)));
        command
            .env("HOME", home.path())
            .env("XDG_CONFIG_HOME", home.path().join(".config"));
        let output = finish(command);
        assert_eq!((output.code, output.err.as_str()), (0, ""), "{line}");
    }
}

/// A profile with a value of its own for all that a variable or a flag could say too.
const OWN: &str = "
    [profiles.prod]
    cloud = \"aliyun\"
    regions = [\"ap-southeast-1\"]
    endpoint = \"https://profile.example\"
    timeout = \"11s\"
    connect_timeout = \"3s\"
    [profiles.inside]
    cloud = \"aliyun\"
    endpoint_type = \"vpc\"
    [profiles.hw]
    cloud = \"huawei\"
    regions = [\"cn-north-4\"]
    project_id = \"profiles-own\"
";

/// The value of a key in `profile show`, and the last part of where it is from.
fn shown(output: &Output, key: &str) -> (String, String) {
    let document = output.json();
    let rows = document["values"].as_array().unwrap();
    let row = rows.iter().find(|row| row["key"] == key).unwrap();
    let text = |field: &str| row[field].as_str().unwrap_or_default().to_owned();
    let by = text("from");
    (text("value"), by.rsplit('/').next().unwrap().to_owned())
}

fn pair(value: &str, by: &str) -> (String, String) {
    (value.to_owned(), by.to_owned())
}

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    let home = Home::new(OWN, &[]);
    let network = Tampered::new(sandbox(1), []);
    let world = || signed_in(home.world(network.clone()));
    let with_variable = || world().with("SCANQ_ALIYUN_ENDPOINT", "https://variable.example");
    for (world, flag, host, by) in [
        (world(), "", "profile", "config.toml"),
        (with_variable(), "", "variable", "SCANQ_ALIYUN_ENDPOINT"),
        (
            with_variable(),
            " --endpoint https://flag.example",
            "flag",
            "--endpoint",
        ),
    ] {
        let url = format!("https://{host}.example");
        network.sent.borrow_mut().clear();
        world.run(&format!("aliyun once-tasks -p prod --limit 1{flag}"));
        let sent = network.sent.borrow();
        assert!(
            !sent.is_empty() && sent.iter().all(|sent| sent.starts_with(&url)),
            "{sent:?}"
        );
        let show = world.run(&format!("profile show prod -o json{flag}"));
        assert_eq!(shown(&show, "endpoint"), pair(&url, by));
    }
    let show = |world: World, line: &str| world.run(&format!("profile show {line} -o json"));
    let output = show(world(), "prod");
    assert_eq!(shown(&output, "timeout"), pair("11s", "config.toml"));
    assert_eq!(shown(&output, "connect-timeout"), pair("3s", "config.toml"));
    let output = show(
        world().with("SCANQ_REGION", "cn-shanghai"),
        "prod --timeout 7s --connect-timeout 2s",
    );
    assert_eq!(shown(&output, "timeout"), pair("7s", "--timeout"));
    assert_eq!(
        shown(&output, "connect-timeout"),
        pair("2s", "--connect-timeout")
    );
    assert_eq!(
        shown(&output, "regions"),
        pair("cn-shanghai", "SCANQ_REGION")
    );
}

#[test]
fn a_clouds_own_variable_is_for_what_a_profile_leaves_open() {
    let home = Home::new(OWN, &[]);
    let world = || signed_in(home.world(sandbox(1)));
    let show = |profile: &str| world().run(&format!("profile show {profile} -o json"));
    assert_eq!(
        shown(&show("hw"), "project-id"),
        pair("profiles-own", "config.toml")
    );
    assert_eq!(
        shown(&show("huawei"), "project-id"),
        pair(keys::HUAWEI_PROJECT, "HUAWEICLOUD_SDK_PROJECT_ID")
    );
    assert_eq!(
        shown(&show("huawei"), "regions"),
        pair("cn-north-4", "HUAWEICLOUD_SDK_REGION")
    );
    assert_eq!(
        shown(&show("inside"), "endpoint"),
        pair("vpc", "config.toml")
    );
    let sandboxed = world()
        .with("HUAWEICLOUD_SDK_PROJECT_ID", "someones")
        .run("profile show huawei --sandbox -o json");
    assert_eq!(
        shown(&sandboxed, "project-id"),
        pair(keys::HUAWEI_PROJECT, "sandbox")
    );
}

#[test]
fn show_tells_of_a_wrong_address_without_signing_in_and_shows_the_rest() {
    let server = sandbox(1);
    let output = signed_in(Home::new(OWN, &[]).world(server.clone()))
        .with("SCANQ_ALIYUN_ENDPOINT", "http://far.example")
        .run("profile show prod -o json");
    assert_eq!((output.code, server.requests().len()), (2, 0));
    assert!(
        output.err.contains("SCANQ_ALIYUN_ENDPOINT: plain http"),
        "{}",
        output.err
    );
    assert_eq!(
        shown(&output, "endpoint"),
        pair("", "SCANQ_ALIYUN_ENDPOINT")
    );
    assert_eq!(shown(&output, "timeout"), pair("11s", "config.toml"));
}

#[test]
fn a_format_by_variable_gives_way_where_a_command_or_a_flag_can_not_have_it() {
    let world = |format: &str| World::new(sandbox(2)).with("SCANQ_OUTPUT", format);
    for line in [
        "profile list",
        "operations",
        "aliyun once-tasks",
        "tasks --summary",
    ] {
        let (plain, preferred) = (world("").run(line), world("junit").run(line));
        assert_eq!(preferred.code, 0, "{line}: {}", preferred.err);
        assert_eq!(preferred.out, plain.out, "{line}");
        refused(&world("").run(&format!("{line} -o junit")), &["junit"]);
    }
    assert!(world("junit").run("tasks").out.starts_with("<?xml"));
    for format in ["json", "jsonl", "yaml", "junit"] {
        for flag in ["--columns id", "--sort-by id"] {
            let line = format!("tasks {flag}");
            let (plain, preferred) = (world("").run(&line), world(format).run(&line));
            assert_eq!(
                (preferred.code, preferred.out),
                (0, plain.out),
                "{format} {line}"
            );
            let strict = world("").run(&format!("{line} -o {format}"));
            refused(
                &strict,
                &["only goes with the formats table, wide, csv and tsv"],
            );
        }
    }
    let csv = world("csv").run("tasks --columns cloud --limit 1");
    assert_eq!(csv.lines()[0], "cloud");
    let program = world("json").run("tasks --columns id --jq .");
    refused(&program, &["--columns: only goes with"]);
}

#[test]
fn a_word_that_is_neither_on_nor_off_does_not_mean_the_real_cloud() {
    let home = Home::new(OWN, &[]);
    let server = sandbox(1);
    let run = |word: &str| {
        let world = signed_in(home.world(server.clone()));
        world.with("SCANQ_SANDBOX", word).run("tasks -p prod")
    };
    for word in ["enable", "2", "ture"] {
        let says =
            format!("SCANQ_SANDBOX: must be one of 1, true, yes, on, 0, false, no, off: {word}");
        refused(&run(word), &[&says]);
    }
    assert_eq!(server.requests().len(), 0);
    for on in ["1", "TRUE", "Yes", "on"] {
        // A sandbox does not know the file's profiles.
        refused(&run(on), &["--profile: no such profile: prod"]);
    }
    for off in ["0", "False", "no", "off", ""] {
        assert_eq!(run(off).code, 0, "{off}");
    }
}
