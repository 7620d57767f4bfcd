//! Profiles: the configuration file, `scanq profile`, and sign-ins that are kept between runs.

use std::fs;
use std::rc::Rc;

use scanq::sandbox::keys;
use serde_json::Value;

use crate::harness::{Output, Served, Tamper, Tampered, World, binary, finish, sandbox};

const ROLE: &str = "acs:ram::1234567890123456:role/scanq";

/// A home folder with a configuration file, and files of other tools.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new(config: &str, files: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let all = [(".config/scanq/config.toml", config)];
        for (path, text) in all.iter().chain(files) {
            let path = home.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            #[cfg(unix)]
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600))
                .unwrap();
        }
        Home(home)
    }

    pub fn path(&self) -> &std::path::Path {
        self.0.path()
    }

    /// A world of someone with this home, signed in by nothing else.
    pub fn world(&self, server: Rc<dyn scanq::transport::Transport>) -> World {
        let home = self.0.path().to_str().unwrap();
        World {
            env: Vec::new(),
            ..World::new(server)
        }
        .with("HOME", home)
        .with("USERPROFILE", home)
        .with(
            "XDG_CONFIG_HOME",
            self.0.path().join(".config").to_str().unwrap(),
        )
        .with(
            "XDG_CACHE_HOME",
            self.0.path().join(".cache").to_str().unwrap(),
        )
    }
}

fn config() -> String {
    format!(
        r#"
        default_profile = "prod"
        [profiles.prod]
        cloud = "aliyun"
        regions = ["cn-hangzhou"]
        credentials = {{ aliyun_cli = "prod" }}
        timeout = "10s"
        max_concurrency = 4
        [profiles.audit]
        cloud = "aliyun"
        regions = ["ap-southeast-1"]
        credentials = {{ role_arn = "{ROLE}", source = "prod" }}
        [profiles.hw]
        cloud = "huawei"
        regions = ["cn-north-4"]
        enterprise_project_id = "all_granted_eps"
        credentials = {{ file = "~/hw.ini", section = "mine" }}
        "#
    )
}

fn home() -> Home {
    let (id, secret) = keys::ALIYUN;
    let (ak, sk) = keys::HUAWEI;
    let cli = format!(
        r#"{{"current":"other","profiles":[{{"name":"prod","mode":"AK","access_key_id":"{id}","access_key_secret":"{secret}"}}]}}"#
    );
    Home::new(
        &config(),
        &[
            (".aliyun/config.json", &cli),
            ("hw.ini", &format!("[mine]\nak = {ak}\nsk = {sk}\n")),
        ],
    )
}

fn tasks(output: &Output) -> Vec<Value> {
    output
        .lines()
        .into_iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn tasks_asks_every_profile_and_names_it() {
    let server = sandbox(6);
    let output = home().world(server.clone()).run("tasks -o jsonl");
    assert_eq!((output.code, output.err.as_str()), (0, ""));
    let profiles: std::collections::BTreeSet<_> = tasks(&output)
        .iter()
        .map(|task| (task["profile"].to_string(), task["region"].to_string()))
        .collect();
    let expected = [
        ("audit", "ap-southeast-1"),
        ("hw", "cn-north-4"),
        ("prod", "cn-shanghai"),
    ];
    let expected =
        expected.map(|(profile, region)| (format!("\"{profile}\""), format!("\"{region}\"")));
    assert_eq!(profiles.into_iter().collect::<Vec<_>>(), expected);
    let requests = server.requests();
    assert_eq!(
        requests
            .iter()
            .filter(|request| *request == "AssumeRole")
            .count(),
        1
    );
    assert_eq!(
        requests
            .iter()
            .filter(|request| *request == "IAM-projects")
            .count(),
        1
    );
}

#[test]
fn a_command_takes_the_profile_that_is_meant() {
    let home = home();
    let world = || home.world(sandbox(3));
    assert_eq!(world().run("aliyun once-tasks").code, 0);
    assert_eq!(world().run("aliyun once-tasks -p audit").code, 0);
    assert_eq!(
        world()
            .with("SCANQ_PROFILE", "audit")
            .run("aliyun once-tasks")
            .code,
        0
    );
    for (line, says) in [
        ("aliyun once-tasks -p hw", "hw is a profile of huawei"),
        ("aliyun once-tasks -p prod,audit", "takes one profile"),
        ("aliyun once-tasks -p prdo", "did you mean prod?"),
        ("tasks -p nobody", "known profiles: audit, hw, prod"),
        ("aliyun once-tasks --config /nowhere.toml", "does not exist"),
    ] {
        let output = world().run(line);
        assert_eq!(output.code, 2, "{line}: {}", output.err);
        assert!(output.err.contains(says), "{line}: {}", output.err);
    }
    let two = world().run("tasks -p prod,hw -o jsonl");
    assert!(tasks(&two).iter().all(|task| task["profile"] != "audit"));
}

#[test]
fn a_profiles_settings_reach_the_requests() {
    let tampered = Tampered::new(sandbox(3), []);
    let home = home();
    assert_eq!(
        home.world(tampered.clone())
            .run("huawei tasks -p hw --task-type iac-scan")
            .code,
        0
    );
    let sent = tampered.sent.borrow().join(" ");
    assert!(
        sent.contains("enterprise_project_id=all_granted_eps"),
        "{sent}"
    );
    assert!(sent.contains("/v3/projects?name=cn-north-4"), "{sent}");
    drop(sent);
    tampered.sent.borrow_mut().clear();
    home.world(tampered.clone())
        .run("huawei tasks -p hw --task-type iac-scan --enterprise-project-id 7");
    assert!(
        tampered
            .sent
            .borrow()
            .join(" ")
            .contains("enterprise_project_id=7")
    );
}

#[test]
fn one_profile_that_cannot_sign_in_does_not_hide_the_others() {
    let home = home();
    fs::remove_file(home.0.path().join("hw.ini")).unwrap();
    let output = home.world(sandbox(3)).run("tasks -o json");
    assert_eq!(output.code, 3, "{}", output.err);
    let document = output.json();
    assert_eq!(document["tasks"].as_array().unwrap().len(), 2 * 9);
    assert_eq!(document["errors"][0]["target"], "hw");
}

#[test]
fn an_empty_environment_is_told_with_every_variable_that_was_looked_at() {
    for (cloud, region, looked_at) in [
        (
            "aliyun",
            "cn-hangzhou",
            ["ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ROLE_ARN"],
        ),
        (
            "huawei",
            "cn-north-4",
            ["HUAWEICLOUD_SDK_AK", "OS_USERNAME"],
        ),
    ] {
        let config = format!(
            "[profiles.ci]\ncloud = \"{cloud}\"\nregions = [\"{region}\"]\ncredentials = {{ env = true }}"
        );
        let server = sandbox(3);
        let output = Home::new(&config, &[])
            .world(server.clone())
            .run("tasks -p ci");
        assert_eq!((output.code, server.requests().len()), (4, 0), "{cloud}");
        for name in looked_at {
            assert!(output.err.contains(name), "{name}: {}", output.err);
        }
    }
}

#[test]
fn a_section_that_a_profile_names_must_be_there() {
    for (cloud, region) in [("aliyun", "cn-hangzhou"), ("huawei", "cn-north-4")] {
        let config = format!(
            "[profiles.ci]\ncloud = \"{cloud}\"\nregions = [\"{region}\"]\ncredentials = {{ file = \"~/keys.ini\", section = \"prdo\" }}"
        );
        let server = sandbox(3);
        let output = Home::new(&config, &[("keys.ini", "[prod]\nak = a\nsk = s\n")])
            .world(server.clone())
            .run("tasks -p ci");
        assert_eq!((output.code, server.requests().len()), (2, 0), "{cloud}");
        let says = "keys.ini: no section [prdo], only prod";
        assert!(output.err.contains(says), "{cloud}: {}", output.err);
    }
}

#[test]
fn sign_ins_are_kept_between_runs_unless_told_otherwise() {
    let home = home();
    let server = sandbox(3);
    let sign_ins = |line: &str| {
        let before = server.requests().len();
        let output = home.world(server.clone()).run(line);
        assert_eq!(output.code, 0, "{line}: {}", output.err);
        server.requests()[before..]
            .iter()
            .filter(|request| *request == "AssumeRole")
            .count()
    };
    assert_eq!(sign_ins("aliyun once-tasks -p audit"), 1);
    for _ in 0..5 {
        assert_eq!(sign_ins("aliyun once-tasks -p audit"), 0);
    }
    assert_eq!(sign_ins("aliyun once-tasks -p audit --no-cache"), 1);
    let forgotten = home.world(server.clone()).run("profile logout");
    assert!(
        forgotten.err.contains("1 sign-ins forgotten"),
        "{}",
        forgotten.err
    );
    assert_eq!(sign_ins("aliyun once-tasks -p audit"), 1);
}

#[test]
fn a_token_that_must_be_updated_is_renewed_once() {
    let updated = || {
        Tamper::Answer(
            401,
            r#"{"error_code":"APIGW.0307","error_msg":"The token must be updated."}"#,
            &[],
        )
    };
    let password = |world: World| {
        world
            .with("OS_USERNAME", "sandbox-user")
            .with("OS_PASSWORD", "sandbox-password")
            .with("OS_USER_DOMAIN_NAME", "sandbox-domain")
            .with("OS_PROJECT_NAME", "cn-north-4")
            .with("OS_REGION_NAME", "cn-north-4")
    };
    for (script, code, sign_ins) in [
        (vec![Tamper::Pass, updated()], 0, 2),
        (vec![Tamper::Pass, updated(), Tamper::Pass, updated()], 4, 2),
    ] {
        let home = Home::new("", &[]);
        let tampered = Tampered::new(sandbox(3), script);
        let output =
            password(home.world(tampered.clone())).run("huawei tasks --task-type iac-scan");
        assert_eq!(output.code, code, "{}", output.err);
        let sent = tampered.sent.borrow();
        assert_eq!(
            sent.iter()
                .filter(|url| url.contains("/v3/auth/tokens"))
                .count(),
            sign_ins
        );
    }
    let kept = Home::new("", &[]);
    let server = sandbox(3);
    for _ in 0..4 {
        assert_eq!(
            password(kept.world(server.clone()))
                .run("huawei tasks")
                .code,
            0
        );
    }
    assert_eq!(
        server
            .requests()
            .iter()
            .filter(|request| *request == "IAM-token")
            .count(),
        1
    );
}

#[test]
fn a_lease_that_is_about_to_end_is_renewed_once_and_a_refusal_is_not_repeated() {
    // The token of the first sign-in has only a minute left, and the next sign-ins are refused.
    let short = r#"{"token":{"expires_at":"2026-11-22T02:01:00.000000Z","project":{"id":"5a9d0b0c2f0d4c6e9b1c7d3e5f708192"}}}"#;
    let wrong = || {
        Tamper::Answer(
            401,
            r#"{"error":{"code":401,"message":"The username or password is wrong."}}"#,
            &[],
        )
    };
    let script = [
        Tamper::Answer(201, short, &[("x-subject-token", "sandbox-x-auth-token")]),
        wrong(),
    ];
    let tampered = Tampered::new(sandbox(1000), script);
    let home = Home::new("", &[]);
    let output = home
        .world(tampered.clone())
        .with("OS_USERNAME", "sandbox-user")
        .with("OS_PASSWORD", "sandbox-password")
        .with("OS_USER_DOMAIN_NAME", "sandbox-domain")
        .with("OS_REGION_NAME", "cn-north-4")
        .run("huawei tasks --task-type iac-scan --page-size 50 -o jsonl");
    let sign_ins = tampered
        .sent
        .borrow()
        .iter()
        .filter(|url| url.contains("/v3/auth/tokens"))
        .count();
    assert_eq!(
        (output.code, output.lines().len(), sign_ins),
        (0, 1000, 2),
        "{}",
        output.err
    );
    assert!(output.err.contains("sign in again"), "{}", output.err);
}

#[test]
fn profiles_that_share_a_role_do_not_wait_for_each_other_forever() {
    let text = config().replace("[profiles.hw]", &format!("[profiles.second]\ncloud = \"aliyun\"\ncredentials = {{ role_arn = \"{ROLE}\", source = \"prod\" }}\n[profiles.hw]"));
    let home = home();
    fs::write(home.0.path().join(".config/scanq/config.toml"), text).unwrap();
    let server = sandbox(3);
    let output = home
        .world(server.clone())
        .run("tasks -p audit,second -o jsonl");
    assert_eq!(output.code, 0, "{}", output.err);
    assert_eq!(
        server
            .requests()
            .iter()
            .filter(|request| *request == "AssumeRole")
            .count(),
        1
    );
}

#[test]
fn a_sign_in_is_signed_for_the_servers_time() {
    for (seconds, role) in [("skew=+20m", true), ("skew=-20m", false)] {
        let settings = scanq::sandbox::Settings {
            tasks: 3,
            seed: 7,
            latency: Default::default(),
            now: crate::harness::now(),
            metadata: false,
            faults: vec![seconds.parse().unwrap()],
        };
        let server = Rc::new(scanq::sandbox::Sandbox::new(
            &settings,
            crate::harness::clock(),
        ));
        let home = home();
        // A role is taken on at STS; the project of a region is looked up at IAM.
        let line = if role {
            "aliyun once-tasks -p audit"
        } else {
            "huawei tasks -p hw"
        };
        let output = home.world(server).run(line);
        assert_eq!(output.code, 0, "{line}: {}", output.err);
    }
}

#[test]
fn a_wrong_password_is_tried_once_and_never_shown() {
    let server = sandbox(3);
    let home = Home::new("", &[]);
    let world = home
        .world(server.clone())
        .with("OS_USERNAME", "sandbox-user")
        .with("OS_PASSWORD", "PLANTED-password")
        .with("OS_USER_DOMAIN_NAME", "sandbox-domain")
        .with("OS_REGION_NAME", "cn-north-4");
    let output = world.run("huawei tasks -vv");
    assert_eq!(
        (output.code, server.requests().len()),
        (4, 1),
        "{}",
        output.err
    );
    assert!(output.err.contains("tried once") && !format!("{output:?}").contains("PLANTED"));
}

#[test]
fn show_says_where_each_value_came_from_and_masks_secrets() {
    let output = home().world(sandbox(3)).run("profile show audit -o json");
    assert_eq!(output.code, 0, "{}", output.err);
    let values = output.json()["values"].as_array().unwrap().clone();
    let value = |key: &str| {
        values
            .iter()
            .find(|row| row["key"] == key)
            .unwrap_or_else(|| panic!("{key}"))
            .clone()
    };
    assert_eq!(value("access-key-id")["value"], keys::ALIYUN_STS.0);
    assert!(
        value("access-key-id")["from"]
            .as_str()
            .unwrap()
            .contains(ROLE)
    );
    assert_eq!(value("secret")["value"], "****");
    assert!(
        value("regions")["from"]
            .as_str()
            .unwrap()
            .ends_with("config.toml")
    );
    assert_eq!(value("connect-timeout")["value"], "5s");
    assert_eq!(value("connect-timeout")["from"], "default");
    for secret in [keys::ALIYUN.1, keys::ALIYUN_STS.1, keys::ALIYUN_STS.2] {
        assert!(!output.out.contains(secret));
    }
    let listed = home().world(sandbox(3)).run("profile list -o json").json();
    assert_eq!(listed["profiles"].as_array().unwrap().len(), 3);
    let built_in = Home::new("", &[])
        .world(sandbox(3))
        .run("profile list -o csv --no-header");
    assert_eq!(built_in.lines().len(), 2);
}

#[test]
fn check_signs_in_sends_one_request_a_centre_and_says_what_is_missing() {
    let server = sandbox(3);
    let good = home().world(server.clone()).run("profile check -o json");
    assert_eq!(good.code, 0, "{}", good.err);
    let rows = good.json()["profiles"].as_array().unwrap().clone();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row["works"] == "yes"
        && row["clock_ahead_s"] == 0
        && row["latency_ms"].is_number()));
    let asked = server
        .requests()
        .iter()
        .filter(|request| request.starts_with("List"))
        .count();
    assert_eq!(asked, 3);
    let home = home();
    fs::remove_file(home.0.path().join(".aliyun/config.json")).unwrap();
    let bad = home.world(sandbox(3)).run("profile check prod hw -o json");
    assert_eq!(bad.code, 2, "{}", bad.err);
    let rows = bad.json()["profiles"].as_array().unwrap().clone();
    assert_eq!(
        (rows[0]["works"].as_str(), rows[1]["works"].as_str()),
        (Some("no"), Some("yes"))
    );
    assert!(
        rows[0]["missing"]
            .as_str()
            .unwrap()
            .contains("does not exist")
    );
}

#[test]
fn a_vpc_endpoint_is_used_where_there_is_one() {
    let text = |region: &str| {
        format!(
            "[profiles.a]\ncloud = \"aliyun\"\nregions = [\"{region}\"]\nendpoint_type = \"vpc\"\ncredentials = {{ env = true }}\n"
        )
    };
    let run = |region: &str| {
        let home = Home::new(&text(region), &[]);
        let tampered = Tampered::new(sandbox(1), []);
        let world = home
            .world(tampered.clone())
            .with("ALIBABA_CLOUD_ACCESS_KEY_ID", keys::ALIYUN.0);
        let output = world
            .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys::ALIYUN.1)
            .run("aliyun agentless-tasks");
        (output, tampered.sent.borrow().join(" "))
    };
    assert!(
        run("us-east-1")
            .1
            .contains("https://tds-intl.vpc-proxy.aliyuncs.com/")
    );
    let (output, sent) = run("cn-qingdao");
    assert!(
        output.code == 2 && sent.is_empty() && output.err.contains("no address inside a VPC"),
        "{}",
        output.err
    );
}

#[cfg(unix)]
#[test]
fn processes_that_start_together_sign_in_once_and_never_tear_the_cache() {
    let served = Served::start(&[]);
    let home = home();
    let config = home.0.path().join(".config/scanq/config.toml");
    let with_endpoint = config_with_endpoint(served.address());
    fs::write(&config, with_endpoint).unwrap();
    let start = || {
        let mut command = binary(&["aliyun", "once-tasks", "-p", "audit", "-o", "jsonl"]);
        command
            .env("HOME", home.0.path())
            .env("XDG_CACHE_HOME", home.0.path().join(".cache"));
        command.env("ALIBABA_CLOUD_STS_ENDPOINT", served.address());
        command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children: Vec<_> = (0..12).map(|_| start()).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let kept: Vec<_> = fs::read_dir(home.0.path().join(".cache/scanq/sign-ins"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(
        kept.iter()
            .filter(|path| path.extension().unwrap() == "json")
            .count(),
        1
    );
    for path in kept {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "{}",
            path.display()
        );
    }
}

#[cfg(unix)]
fn config_with_endpoint(address: &str) -> String {
    config().replace(
        "regions = [\"ap-southeast-1\"]",
        &format!("regions = [\"ap-southeast-1\"]\nendpoint = \"{address}\""),
    )
}

#[test]
fn sign_in_services_work_over_a_real_socket() {
    let served = Served::start(&[]);
    let home = Home::new("", &[("token", "sandbox-oidc-token\n")]);
    let run = |env: &[(&str, &str)], args: &[&str]| {
        let mut command = binary(args);
        command
            .env("HOME", home.0.path())
            .env("USERPROFILE", home.0.path())
            .envs(env.iter().copied());
        command
            .env("SCANQ_ALIYUN_ENDPOINT", served.address())
            .env("SCANQ_HUAWEI_ENDPOINT", served.address());
        finish(command)
    };
    let token = home.0.path().join("token");
    let oidc = [
        ("ALIBABA_CLOUD_ROLE_ARN", ROLE),
        (
            "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
            "acs:ram::1234567890123456:oidc-provider/ci",
        ),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", token.to_str().unwrap()),
        ("ALIBABA_CLOUD_STS_ENDPOINT", served.address()),
    ];
    let output = run(&oidc, &["aliyun", "once-tasks", "--no-cache"]);
    assert_eq!(output.code, 0, "{}", output.err);
    let auth_url = format!("{}/v3", served.address());
    let password = [
        ("OS_USERNAME", "sandbox-user"),
        ("OS_PASSWORD", "sandbox-password"),
        ("OS_USER_DOMAIN_NAME", "sandbox-domain"),
        ("OS_PROJECT_NAME", "cn-north-4"),
        ("OS_REGION_NAME", "cn-north-4"),
        ("OS_AUTH_URL", auth_url.as_str()),
    ];
    let output = run(&password, &["huawei", "tasks", "--no-cache"]);
    assert_eq!(output.code, 0, "{}", output.err);
    let uri = format!("{}/credentials", served.address());
    let output = run(
        &[
            ("ALIBABA_CLOUD_CREDENTIALS_URI", &uri),
            ("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true"),
        ],
        &["aliyun", "once-tasks"],
    );
    assert_eq!(output.code, 0, "{}", output.err);
}
