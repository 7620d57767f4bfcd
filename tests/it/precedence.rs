//! Flags, variables, the configuration file: which one wins, and which one is told of a mistake.

use crate::harness::{self, Output, World, sandbox};
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
