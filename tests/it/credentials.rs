//! One folder a case: an environment, a home folder, and the source or the error that they come to.
//!
//! The format is described in fixtures/credentials/README.md.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use scanq::context::{Env, Stream, Ui};
use scanq::credential::Credential;
use scanq::credential::cache::Cache;
use scanq::credential::seek::Seek;
use scanq::error::Error;
use scanq::provider::{self, Found, Origin, Search, Signed};
use scanq::sandbox::Sandbox;
use serde::Deserialize;

use crate::harness::{Shared, Tamper, Tampered, clock, sandbox, sandbox_on_ecs};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    about: String,
    cloud: String,
    #[serde(default)]
    mode: Option<String>,
    #[serde(default)]
    on_ecs: bool,
    found: Option<Expected>,
    error: Option<Refused>,
    nothing: Option<Nothing>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    source: String,
    id: Option<String>,
    security_token: bool,
    region: Option<String>,
    project_id: Option<String>,
    #[serde(default)]
    warns: Vec<String>,
    #[serde(default)]
    requests: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    code: u8,
    says: Vec<String>,
    requests: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {
    says: Vec<String>,
}

#[test]
fn every_case_comes_to_its_source_or_its_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/credentials");
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // Processes and file modes are those of Unix.
        if !path.is_dir() || (cfg!(windows) && path.to_string_lossy().contains("external")) {
            continue;
        }
        count += 1;
        if let Err(why) = run(&path) {
            wrong.push(format!(
                "{}: {why}",
                path.file_name().unwrap().to_string_lossy()
            ));
        }
    }
    wrong.sort();
    assert!(
        wrong.is_empty(),
        "{} of {count} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 40);
}

#[test]
fn clients_whose_sign_ins_failed_together_do_not_come_back_together() {
    let (env, clock) = (Env::from_iter([] as [(&str, &str); 0]), clock());
    let (ui, cache) = (Ui::new(Stream::pipe(Shared::default())), Cache::new(None));
    let pauses: Vec<Duration> = (0..8)
        .map(|_| {
            let gateway = || Tamper::Answer(502, "", &[]);
            let server = Tampered::new(sandbox(1), [gateway(), gateway(), gateway()]);
            let seek = Seek {
                env: &env,
                clock: &clock,
                transport: Some(&*server),
                ui: &ui,
                cache: &cache,
                machine: None,
            };
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let took = runtime.block_on(async {
                let began = tokio::time::Instant::now();
                let request = |_| Signed {
                    method: "GET",
                    url: "https://sts.example.com/".to_owned(),
                    headers: Vec::new(),
                    body: Vec::new(),
                    connect_timeout: None,
                };
                let asked = seek
                    .ask("sign in", request, provider::PROVIDERS[0].failure, "")
                    .await;
                assert!(asked.is_err());
                began.elapsed()
            });
            assert_eq!(server.count(), 3);
            assert!(took <= Duration::from_millis(1600), "{took:?}");
            took
        })
        .collect();
    // Without jitter each takes half a second and then a whole one.
    let shortest = pauses.iter().min().unwrap();
    assert!(*shortest < Duration::from_millis(1200), "{pauses:?}");
}

fn run(path: &Path) -> Result<(), String> {
    let case: Case = toml::from_str(&fs::read_to_string(path.join("expect.toml")).unwrap())
        .map_err(|e| e.to_string())?;
    let home = tempfile::tempdir().unwrap();
    let home_text = home.path().to_str().unwrap().to_owned();
    copy(
        &path.join("home"),
        home.path(),
        &home_text,
        case.mode.as_deref().unwrap_or("0600"),
    );
    let mut env = vec![
        ("HOME".to_owned(), home_text.clone()),
        ("USERPROFILE".to_owned(), home_text.clone()),
    ];
    env.extend(
        std::env::var("PATH")
            .ok()
            .map(|value| ("PATH".to_owned(), value)),
    );
    for line in fs::read_to_string(path.join("env"))
        .unwrap_or_default()
        .lines()
    {
        if let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            env.push((name.to_owned(), value.replace("$HOME", &home_text)));
        }
    }
    let (env, clock, err) = (Env::from_iter(env), clock(), Shared::default());
    let (ui, cache) = (Ui::new(Stream::pipe(err.clone())), Cache::new(None));
    let server: Rc<Sandbox> = if case.on_ecs {
        sandbox_on_ecs()
    } else {
        sandbox(1)
    };
    let seek = Seek {
        env: &env,
        clock: &clock,
        transport: Some(&*server),
        ui: &ui,
        cache: &cache,
        machine: Some(if case.on_ecs {
            "Alibaba Cloud or Huawei Cloud"
        } else {
            "QEMU"
        }),
    };
    let cloud = provider::by_id(&case.cloud).unwrap();
    let region = env.first(cloud.region_variables).map(|(_, region)| region);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let search = Search {
        origin: &Origin::Standard,
        region,
    };
    let result = runtime.block_on((cloud.credential)(&seek, &search));
    let everything = format!(
        "{} {}",
        err.text(),
        match &result {
            Ok(found) => format!("{found:?}"),
            Err(error) => format!("{error:?}"),
        }
    );
    if everything.contains("planted-secret") || everything.contains("sandbox-sts-access-key-secret")
    {
        return Err(format!("a secret is shown: {everything}"));
    }
    judge(&case, result, &err.text(), &server.requests())
        .map_err(|why| format!("{why}\n    ({})", case.about))
}

fn judge(
    case: &Case,
    result: Result<Found, Error>,
    warnings: &str,
    requests: &[String],
) -> Result<(), String> {
    match (result, &case.found, &case.error, &case.nothing) {
        (Ok(Found::Lease(lease)), Some(expected), None, None) => {
            let (id, token) = match &lease.credential {
                Credential::Keys {
                    id, security_token, ..
                } => (Some(id.clone()), security_token.is_some()),
                Credential::Token(_) => (None, false),
            };
            same(
                "source",
                lease.source.contains(&expected.source),
                &lease.source,
            )?;
            same("id", id == expected.id, &id)?;
            same("security token", token == expected.security_token, &token)?;
            same(
                "region",
                expected.region.is_none() || lease.region == expected.region,
                &lease.region,
            )?;
            same(
                "project",
                expected.project_id.is_none() || lease.project_id == expected.project_id,
                &lease.project_id,
            )?;
            same("requests", requests == expected.requests, &requests)?;
            same(
                "warnings",
                expected.warns.iter().all(|words| warnings.contains(words)),
                &warnings,
            )
        }
        (Err(error), None, Some(expected), None) => {
            let shown = format!("{error}\n{:?} {:?}", error.code, error.hints);
            same("exit code", error.kind.exit_code() == expected.code, &shown)?;
            same(
                "message",
                expected.says.iter().all(|words| shown.contains(words)),
                &(shown, &expected.says),
            )?;
            same(
                "requests",
                expected
                    .requests
                    .as_ref()
                    .is_none_or(|expected| expected == requests),
                &requests,
            )
        }
        (Ok(Found::Nothing(reasons)), None, None, Some(expected)) => {
            let shown = reasons.join("\n");
            same(
                "reasons",
                expected.says.iter().all(|words| shown.contains(words)),
                &(shown, &expected.says),
            )
        }
        (result, ..) => Err(format!("came to {result:?}")),
    }
}

fn same(what: &str, holds: bool, is: &dyn std::fmt::Debug) -> Result<(), String> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what} is {is:?}"))
    }
}

fn copy(from: &Path, to: &Path, home: &str, mode: &str) {
    let Ok(entries) = fs::read_dir(from) else {
        return;
    };
    fs::create_dir_all(to).unwrap();
    for entry in entries {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target, home, mode);
            continue;
        }
        let bytes = fs::read(entry.path()).unwrap();
        match String::from_utf8(bytes) {
            Ok(text) => fs::write(&target, text.replace("$HOME", home)).unwrap(),
            Err(error) => fs::write(&target, error.into_bytes()).unwrap(),
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = u32::from_str_radix(mode, 8).unwrap();
            fs::set_permissions(&target, fs::Permissions::from_mode(mode)).unwrap();
        }
        #[cfg(not(unix))]
        let _ = mode;
    }
}
