//! `--dry-run`: what would be sent first, and that nothing is.

use std::cell::RefCell;
use std::rc::Rc;

use scanq::provider::Signed;
use scanq::provider::aliyun::sign::{acs3_stages, rpc_stages};
use scanq::sandbox::Sandbox;
use scanq::transport::{Sending, Transport};

use crate::harness::{Output, Tampered, World, binary, finish, sandbox};

/// A sandbox that keeps what it was sent.
struct Recorder {
    sandbox: Rc<Sandbox>,
    sent: RefCell<Vec<Sent>>,
}

#[derive(Clone, Debug, PartialEq, PartialOrd)]
struct Sent {
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

impl Sent {
    fn header(&self, wanted: &str) -> &str {
        let found = self.headers.iter().find(|(name, _)| name == wanted);
        found.map_or("", |(_, value)| value)
    }
}

impl Transport for Recorder {
    fn send(&self, request: Signed) -> Sending<'_> {
        self.sent.borrow_mut().push(Sent {
            url: request.url.clone(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
            body: String::from_utf8(request.body.clone()).unwrap(),
        });
        self.sandbox.send(request)
    }
}

fn recorder() -> Rc<Recorder> {
    Rc::new(Recorder {
        sandbox: sandbox(5),
        sent: RefCell::default(),
    })
}

/// The requests of a dry run, from its JSON.
fn unsent(output: &Output) -> Vec<Sent> {
    let document = output.json();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let requests = document["requests"].as_array().unwrap();
    let request = |request: &serde_json::Value| Sent {
        url: text(&request["url"]),
        headers: request["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect(),
        body: match &request["body"] {
            serde_json::Value::Null => String::new(),
            body => body.to_string(),
        },
    };
    requests.iter().map(request).collect()
}

#[test]
fn it_shows_what_the_real_run_begins_with() {
    for (line, count) in [
        ("aliyun agentless-tasks", 1),
        (
            "aliyun once-tasks --since 24h --status-list init,start --region cn-shanghai,us-east-1",
            2,
        ),
        ("aliyun image-fix-tasks --page 2 --page-size 3", 1),
        ("aliyun agentless-tasks --limit 2", 1),
        (
            "aliyun once-task-result --task-id 1 --task-name IMAGE_SCAN",
            1,
        ),
        ("huawei tasks", 2),
        (
            "huawei tasks --task-type iac-scan --offset 3 --limit 11 --enterprise-project-id e/1",
            1,
        ),
        ("tasks", 8),
        (
            "tasks --kind image-scan --status failed --since 7d --region cn-shanghai",
            1,
        ),
        ("profile check", 3),
        ("aliyun agentless-tasks --endpoint https://other.example", 1),
    ] {
        let recorder = recorder();
        let world = World::new(recorder.clone()).without("ALIBABA_CLOUD_REGION_ID");
        let dry = world.run(&format!("{line} --dry-run=json"));
        assert_eq!((dry.code, recorder.sent.borrow().len()), (0, 0), "{dry:?}");
        world.run(line);
        // Nonces are new each time, and so are the signatures; names and everything else are the same.
        let comparable = |sent: &[Sent]| {
            let mut sent = sent.to_vec();
            for request in &mut sent {
                for (name, value) in &mut request.headers {
                    if ["authorization", "x-acs-signature-nonce"].contains(&&**name) {
                        value.clear();
                    }
                }
            }
            sent.sort_by(|a, b| a.partial_cmp(b).unwrap());
            sent
        };
        let unsent = comparable(&unsent(&dry));
        assert_eq!(unsent.len(), count, "{line}: {unsent:?}");
        assert_eq!(unsent, comparable(&recorder.sent.borrow()), "{line}");
    }
}

const KEYS: [&str; 4] = [
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "HUAWEICLOUD_SDK_AK",
    "HUAWEICLOUD_SDK_SK",
];

/// A home with the CLI's configuration and scanq's, and what an external process would leave there.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().to_str().unwrap();
    let write = |name: &str, text: String| {
        let file = home.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    };
    let keys = r#""access_key_id": "a", "access_key_secret": "b""#;
    let role = r#""ram_role_arn": "acs:ram::1:role/x""#;
    write(
        ".aliyun/config.json",
        format!(
            r#"{{"current": "keys", "profiles": [
                {{"name": "keys", "mode": "AK", {keys}, "region_id": "us-east-1"}},
                {{"name": "role", "mode": "RamRoleArn", {keys}, {role}, "region_id": "us-east-1"}},
                {{"name": "chain", "mode": "ChainableRamRoleArn", "source_profile": "role", {role}, "region_id": "us-east-1"}},
                {{"name": "ecs", "mode": "EcsRamRole", "ram_role_name": "r", "region_id": "us-east-1"}},
                {{"name": "uri", "mode": "CredentialsURI", "credentials_uri": "http://127.0.0.1:1/x", "region_id": "us-east-1"}},
                {{"name": "external", "mode": "External", "process_command": "touch {path}/ran", "region_id": "us-east-1"}},
                {{"name": "oidc", "mode": "OIDC", "oidc_provider_arn": "p", "oidc_token_file": "{path}/token", {role}, "region_id": "us-east-1"}}
            ]}}"#
        ),
    );
    write("token", "t".into());
    write(
        ".config/scanq/config.toml",
        format!(
            "[profiles.base]\ncloud = \"aliyun\"\ncredentials = {{ aliyun_cli = \"keys\" }}\n\
             [profiles.role]\ncloud = \"aliyun\"\ncredentials = {{ role_arn = \"acs:ram::1:role/x\", source = \"base\" }}\n\
             [profiles.process]\ncloud = \"aliyun\"\ncredentials = {{ command = [\"touch\", \"{path}/ran\"] }}\n\
             [profiles.hw-process]\ncloud = \"huawei\"\nregions = [\"cn-north-4\"]\ncredentials = {{ command = [\"touch\", \"{path}/ran\"] }}\n"
        ),
    );
    home
}

/// A command, who signs in, the address that is shown, and what is told of the sign-in.
type Case<'c> = (&'c str, &'c [(&'static str, &'c str)], &'c str, &'c str);

#[test]
fn nothing_is_sent_and_no_process_is_run_whoever_would_sign_in() {
    let home = home();
    let path = home.path().to_str().unwrap().to_owned();
    let token = format!("{path}/token");
    let password = [
        ("OS_USERNAME", "u"),
        ("OS_PASSWORD", "planted"),
        ("OS_USER_DOMAIN_NAME", "d"),
        ("HUAWEICLOUD_SDK_REGION", "cn-north-4"),
    ];
    let oidc = [
        ("ALIBABA_CLOUD_ROLE_ARN", "acs:ram::1:role/x"),
        ("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "p"),
        ("ALIBABA_CLOUD_OIDC_TOKEN_FILE", &*token),
    ];
    let cli = |name| [("ALIBABA_CLOUD_PROFILE", name)];
    let (us, cn) = ("https://tds.ap-southeast-1", "https://tds.cn-shanghai");
    let hss = "https://hss.cn-north-4.myhuaweicloud.com/v5/";
    let nobody = [("ALIBABA_CLOUD_CLI_PROFILE_DISABLED", "1")];
    let sts = "AssumeRole at https://sts.aliyuncs.com";
    let cases: &[Case<'_>] = &[
        ("aliyun agentless-tasks -p aliyun", &cli("keys"), us, ""),
        ("aliyun agentless-tasks -p aliyun", &cli("role"), us, sts),
        ("aliyun agentless-tasks -p aliyun", &cli("chain"), us, sts),
        (
            "aliyun agentless-tasks -p aliyun",
            &cli("ecs"),
            us,
            "metadata service at http://100.100.100.200",
        ),
        (
            "aliyun agentless-tasks -p aliyun",
            &cli("uri"),
            us,
            "at http://127.0.0.1:1",
        ),
        (
            "aliyun agentless-tasks -p aliyun",
            &cli("external"),
            us,
            "external process touch",
        ),
        (
            "aliyun agentless-tasks -p aliyun",
            &cli("oidc"),
            us,
            "AssumeRoleWithOIDC at https://sts",
        ),
        (
            "aliyun agentless-tasks -p aliyun",
            &oidc,
            cn,
            "AssumeRoleWithOIDC at https://sts",
        ),
        (
            "aliyun agentless-tasks -p aliyun",
            &nobody,
            cn,
            "aliyun is not signed in",
        ),
        (
            "aliyun agentless-tasks -p aliyun",
            &[nobody[0], ("ALIBABA_CLOUD_ECS_METADATA", "r")],
            cn,
            "metadata service at http://100.100.100.200",
        ),
        (
            "aliyun agentless-tasks -p aliyun",
            &[
                nobody[0],
                ("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:1/x"),
            ],
            cn,
            "ALIBABA_CLOUD_CREDENTIALS_URI at http://127.0.0.1:1",
        ),
        (
            "aliyun agentless-tasks -p role --signature rpc",
            &[],
            cn,
            sts,
        ),
        (
            "aliyun agentless-tasks -p process",
            &[],
            cn,
            "external process touch",
        ),
        (
            "huawei tasks -p hw-process",
            &[],
            &format!("{hss}{{project_id}}/"),
            "external process touch",
        ),
        (
            "huawei tasks -p huawei",
            &password,
            &format!("{hss}{{project_id}}/"),
            "password sign-in at https://iam.cn-north-4",
        ),
        (
            "huawei tasks -p huawei",
            &[
                password[0],
                password[1],
                password[2],
                password[3],
                ("OS_PROJECT_ID", "mine"),
            ],
            &format!("{hss}mine/"),
            "password sign-in at https://iam.cn-north-4",
        ),
        (
            "huawei tasks -p huawei -r cn-north-4",
            &[("HUAWEICLOUD_SDK_AK", "a"), ("HUAWEICLOUD_SDK_SK", "b")],
            &format!("{hss}{{project_id}}/"),
            "{project_id} stands for the project of cn-north-4",
        ),
        (
            "huawei tasks -p huawei -r cn-north-4",
            &[],
            &format!("{hss}{{project_id}}/"),
            "huawei is not signed in",
        ),
        ("tasks -p role,hw-process,base", &[], us, sts),
        (
            "profile check role process hw-process",
            &[],
            hss,
            "external process touch",
        ),
    ];
    for (line, env, url, note) in cases {
        let tampered = Tampered::new(sandbox(5), []);
        let mut world = World::new(tampered.clone()).with("HOME", &path);
        for name in KEYS.iter().chain(&[
            "ALIBABA_CLOUD_REGION_ID",
            "HUAWEICLOUD_SDK_REGION",
            "HUAWEICLOUD_SDK_PROJECT_ID",
        ]) {
            world = world.without(name);
        }
        for (name, value) in *env {
            world = world.with(name, value);
        }
        for form in ["--dry-run", "--dry-run=json", "--dry-run=curl"] {
            let output = world.run(&format!("{line} {form}"));
            assert_eq!(
                (output.code, tampered.count()),
                (0, 0),
                "{line} {env:?}: {output:?}"
            );
            assert!(output.out.contains(url), "{line} {env:?}: {output:?}");
            assert!(output.err.contains(note), "{line} {env:?}: {output:?}");
            assert_eq!(
                note.is_empty() && form != "--dry-run=curl",
                output.err.is_empty(),
                "{output:?}"
            );
        }
    }
    assert!(!home.path().join("ran").exists(), "a process was run");
    assert!(!home.path().join(".cache").exists(), "something was kept");
}

#[test]
fn a_sign_in_that_is_kept_is_used() {
    let home = home();
    let tampered = Tampered::new(sandbox(5), []);
    let world = World::new(tampered.clone())
        .without(KEYS[2])
        .without(KEYS[3])
        .without("HUAWEICLOUD_SDK_PROJECT_ID")
        .with("HOME", home.path().to_str().unwrap())
        .with("OS_USERNAME", "sandbox-user")
        .with("OS_PASSWORD", "sandbox-password")
        .with("OS_USER_DOMAIN_NAME", "sandbox-domain")
        .with("OS_PROJECT_NAME", "cn-north-4");
    let line = "huawei tasks -p huawei --task-type iac-scan";
    let dry = world.run(&format!("{line} --dry-run"));
    assert!(
        dry.err.contains("password sign-in") && dry.out.contains("{project_id}"),
        "{dry:?}"
    );
    assert_eq!(world.run(line).code, 0);
    let asked = tampered.count();
    // Now the token and its project are known.
    let dry = world.run(&format!("{line} --dry-run"));
    assert_eq!(
        (dry.code, &*dry.err, tampered.count()),
        (0, "", asked),
        "{dry:?}"
    );
    assert!(!dry.out.contains("{project_id}"), "{dry:?}");
}

#[test]
fn on_a_machine_of_the_cloud_its_metadata_service_is_not_asked() {
    for (machine, line, note) in [
        (
            "Alibaba Cloud",
            "aliyun agentless-tasks",
            "metadata service at http://100.100.100.200",
        ),
        (
            "Huawei Cloud",
            "huawei tasks",
            "metadata service at http://169.254.169.254",
        ),
    ] {
        let tampered = Tampered::new(sandbox(5), []);
        let mut world = World::new(tampered.clone());
        world.machine = machine;
        for name in KEYS {
            world = world.without(name);
        }
        let output = world.run(&format!("{line} --dry-run"));
        assert_eq!((output.code, tampered.count()), (0, 0), "{output:?}");
        assert!(output.err.contains(note), "{output:?}");
    }
}

#[test]
fn a_cloud_that_is_not_signed_in_is_passed_over_as_in_a_real_run() {
    let world = World::new(sandbox(5)).without(KEYS[0]).without(KEYS[1]);
    let output = world.run("tasks --dry-run");
    assert_eq!(output.code, 0);
    assert!(!output.out.contains("aliyuncs") && output.out.contains("POST https://hss."));
    // Unless nobody is: then both are shown.
    let world = world.without(KEYS[2]).without(KEYS[3]);
    let output = world.run("tasks --dry-run");
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.out.contains("aliyuncs") && output.out.contains("POST https://hss."));
    // A cloud without a region can't be shown.
    let output = world
        .without("HUAWEICLOUD_SDK_REGION")
        .run("tasks --dry-run");
    assert_eq!(output.code, 0, "{output:?}");
    assert!(
        output
            .err
            .contains("huawei is passed over: huawei: no region is set"),
        "{output:?}"
    );
}

#[test]
fn each_form_is_what_it_says() {
    let world = World::new(sandbox(5));
    let line = "huawei tasks --task-type iac-scan --task-name it's";
    let run = |form: &str| {
        world.run_args(
            &[
                &line.split(' ').collect::<Vec<_>>()[..],
                &form.split(' ').collect::<Vec<_>>()[..],
            ]
            .concat(),
        )
    };
    let mut shown = String::new();
    for form in [
        "--dry-run",
        "--dry-run=curl",
        "--dry-run -o json",
        "--dry-run -o jsonl",
        "--dry-run=text -o json",
    ] {
        shown.push_str(&format!("$ scanq {line} {form}\n{}\n", run(form).shown()));
    }
    insta::assert_snapshot!(shown);
    let two = world.run("huawei tasks --dry-run");
    assert_eq!(two.out.split("\n\nPOST ").count(), 2, "{}", two.out);
    assert_eq!(
        world.run("huawei tasks --dry-run -o jsonl").lines().len(),
        2
    );
}

#[test]
fn a_token_of_the_environment_is_named_and_not_shown() {
    let world = World::new(sandbox(5)).with("HUAWEICLOUD_SDK_TOKEN", "planted-token");
    let output = world.run("huawei tasks --dry-run=curl --task-type iac-scan");
    assert_eq!(output.code, 0);
    assert!(
        output
            .out
            .contains("\"x-auth-token: $HUAWEICLOUD_SDK_TOKEN\""),
        "{}",
        output.out
    );
    assert!(
        output.err.is_empty() && !output.out.contains("planted"),
        "{output:?}"
    );
}

/// The signature that a request must have, by its nonce and everything else that is shown.
fn acs3_signature(request: &Sent, token: &str) -> String {
    let url = url::Url::parse(&request.url).unwrap();
    let query: Vec<_> = url.query_pairs().into_owned().collect();
    let mut headers: Vec<_> = request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-acs-"))
        .map(|(name, value)| (&**name, &**value))
        .collect();
    for (name, value) in &mut headers {
        match *name {
            "x-acs-security-token" => *value = token,
            "x-acs-accesskey-id" => *value = "PLANTED-id",
            _ => {}
        }
    }
    headers.push(("host", url.host_str().unwrap()));
    let payload = request.header("x-acs-content-sha256");
    acs3_stages("POST", "/", &query, &headers, payload, "PLANTED-secret").signature
}

fn rpc_signature(request: &Sent, token: &str) -> String {
    let url = url::Url::parse(&request.url).unwrap();
    let mut params: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    params.retain(|(name, _)| name != "Signature");
    for (name, value) in &mut params {
        match &**name {
            "AccessKeyId" => *value = "PLANTED-id".into(),
            "SecurityToken" => *value = token.into(),
            _ => {}
        }
    }
    rpc_stages("POST", &params, "PLANTED-secret").signature
}

#[test]
fn no_form_at_any_verbosity_has_a_secret_or_the_signature() {
    let recorder = recorder();
    let world = World::new(recorder.clone())
        .with("ALIBABA_CLOUD_ACCESS_KEY_ID", "PLANTED-id")
        .with("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "PLANTED-secret")
        .with("ALIBABA_CLOUD_SECURITY_TOKEN", "PLANTED-token")
        .with("HUAWEICLOUD_SDK_AK", "PLANTED-id")
        .with("HUAWEICLOUD_SDK_SK", "PLANTED-secret")
        .with("HUAWEICLOUD_SDK_SECURITY_TOKEN", "PLANTED-token");
    // What is really sent has them all: that is what is looked for.
    world.run("aliyun agentless-tasks --retries 0");
    world.run("aliyun agentless-tasks --retries 0 --signature rpc");
    world.run("huawei tasks --task-type iac-scan --retries 0");
    let sent = recorder.sent.borrow().clone();
    let [acs3, rpc, huawei] = &sent[..] else {
        panic!("{sent:?}");
    };
    assert!(
        acs3.header("authorization")
            .ends_with(&acs3_signature(acs3, "PLANTED-token"))
    );
    let encoded = |text: &str| {
        text.replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
    };
    assert!(
        rpc.url
            .contains(&encoded(&rpc_signature(rpc, "PLANTED-token"))),
        "{}",
        rpc.url
    );
    let (_, huawei) = huawei
        .header("authorization")
        .split_once("Signature=")
        .unwrap();
    assert_eq!(huawei.len(), 64);

    for (line, signature) in [
        (
            "aliyun agentless-tasks",
            Some(acs3_signature as fn(&Sent, &str) -> String),
        ),
        (
            "aliyun agentless-tasks --signature rpc",
            Some(rpc_signature),
        ),
        ("huawei tasks --task-type iac-scan", None),
        ("tasks", None),
        ("profile check", None),
    ] {
        for form in ["text", "json", "curl", "json -o jsonl"] {
            for level in ["", "-v", "-vv", "-q"] {
                let output = world.run(&format!("{line} --dry-run={form} {level}"));
                let all = format!("{}{}", output.out, output.err);
                assert_eq!(output.code, 0, "{all}");
                assert!(
                    output.out.contains("****") && !all.contains("PLANTED"),
                    "{all}"
                );
                assert!(!all.contains(huawei), "{all}");
                if let (Some(signature), "json") = (signature, form) {
                    let signature = signature(&unsent(&output)[0], "PLANTED-token");
                    assert!(
                        !all.contains(&signature) && !all.contains(&encoded(&signature)),
                        "{all}"
                    );
                }
            }
        }
    }
    assert_eq!(recorder.sent.borrow().len(), 3);
}

#[test]
fn mistakes_end_as_in_a_real_run() {
    let world = || World::new(sandbox(5));
    for (line, says) in [
        (
            "aliyun agentless-tasks --dry-run=xml",
            "possible values: text, json, curl",
        ),
        (
            "aliyun agentless-tasks --dry-run --columns nope",
            "unknown column: nope",
        ),
        (
            "aliyun agentless-tasks --dry-run --region nowhere",
            "unknown region: nowhere",
        ),
        ("operations --dry-run", "--dry-run: goes with"),
        ("profile show aliyun --dry-run", "--dry-run: goes with"),
        ("profile list --dry-run", "--dry-run: goes with"),
        ("sandbox --dry-run", "--dry-run: goes with"),
    ] {
        let output = world().run(line);
        assert_eq!(output.code, 2, "{line}: {output:?}");
        assert!(
            output.out.is_empty() && output.err.contains(says),
            "{line}: {output:?}"
        );
    }
    let half = world().without("ALIBABA_CLOUD_ACCESS_KEY_SECRET");
    for (line, code) in [
        ("aliyun agentless-tasks --dry-run", 2),
        ("tasks --dry-run", 3),
        ("profile check --dry-run", 2),
    ] {
        let output = half.run(line);
        assert_eq!(output.code, code, "{line}: {output:?}");
        assert!(
            output
                .err
                .contains("ALIBABA_CLOUD_ACCESS_KEY_SECRET is not"),
            "{output:?}"
        );
    }
}

#[test]
fn the_binary_needs_no_account_for_it() {
    let output = finish(binary(&["tasks", "--sandbox", "--dry-run=json"]));
    assert_eq!((output.code, unsent(&output).len()), (0, 8), "{output:?}");
    let output = finish(binary(&["aliyun", "once-tasks", "--dry-run"]));
    assert_eq!(output.code, 0, "{output:?}");
    assert!(output.err.contains("not signed in"), "{output:?}");
}
