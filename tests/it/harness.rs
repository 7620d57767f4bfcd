//! Runs scanq as tests need it: in-process against a sandbox that can be tampered with, or the binary itself against a
//! sandbox on a real socket. Nothing ambient gets in: own environment, own clock, own home.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use scanq::context::{Clock, Context, Env, Stream, Ui};
use scanq::provider::Signed;
use scanq::sandbox::{Sandbox, Settings, keys};
use scanq::transport::{Reply, Sending, Transport};

/// The time of day in tests.
pub fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_312_800, 0).unwrap()
}

pub fn clock() -> Clock {
    Rc::new(now)
}

/// The environment of someone who is signed in to both clouds.
pub fn signed_in() -> Vec<(&'static str, &'static str)> {
    vec![
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", keys::ALIYUN.0),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys::ALIYUN.1),
        ("ALIBABA_CLOUD_REGION_ID", keys::REGIONS.0),
        ("HUAWEICLOUD_SDK_AK", keys::HUAWEI.0),
        ("HUAWEICLOUD_SDK_SK", keys::HUAWEI.1),
        ("HUAWEICLOUD_SDK_PROJECT_ID", keys::HUAWEI_PROJECT),
        ("HUAWEICLOUD_SDK_REGION", keys::REGIONS.1),
    ]
}

/// What a command did.
#[derive(Debug)]
pub struct Output {
    pub code: u8,
    pub out: String,
    pub err: String,
}

impl Output {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub fn lines(&self) -> Vec<&str> {
        self.out.lines().collect()
    }

    /// Shown whole in snapshots.
    pub fn shown(&self) -> String {
        format!(
            "exit code: {}\n--- stdout\n{}--- stderr\n{}",
            self.code, self.out, self.err
        )
    }
}

#[derive(Clone, Default)]
pub struct Shared(Rc<RefCell<Vec<u8>>>);

impl Shared {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Something to run commands against.
pub struct World {
    pub transport: Rc<dyn Transport>,
    pub env: Vec<(&'static str, String)>,
    /// Who made the machine that commands run on.
    pub machine: &'static str,
    /// Columns of the terminal; none for a pipe.
    pub terminal: Option<u16>,
}

impl World {
    pub fn new(transport: Rc<dyn Transport>) -> Self {
        World {
            transport,
            env: signed_in()
                .into_iter()
                .map(|(name, value)| (name, value.to_owned()))
                .collect(),
            machine: "QEMU",
            terminal: None,
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.env.retain(|(known, _)| *known != name);
        self
    }

    pub fn run(&self, line: &str) -> Output {
        self.run_args(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn run_args(&self, args: &[&str]) -> Output {
        self.run_into(args, Shared::default())
    }

    /// The same, with a stdout that can be looked at on the way.
    pub fn run_into(&self, args: &[&str], out: Shared) -> Output {
        let err = Shared::default();
        let mut context = Context {
            env: Env::from_iter(self.env.clone()),
            clock: clock(),
            transport: Some(Rc::clone(&self.transport)),
            machine: Some(self.machine.into()),
            out: match self.terminal {
                Some(columns) => Stream::terminal(out.clone(), columns),
                None => Stream::pipe(out.clone()),
            },
            ui: Ui::new(Stream::pipe(err.clone())),
        };
        let args = std::iter::once("scanq").chain(args.iter().copied());
        let code = scanq::run(args.map(Into::into), &mut context);
        drop(context);
        Output {
            code,
            out: out.text(),
            err: err.text(),
        }
    }
}

/// A sandbox of so many tasks of each kind.
pub fn sandbox(tasks: u64) -> Rc<Sandbox> {
    let settings = Settings {
        tasks,
        seed: 7,
        latency: Duration::ZERO,
        now: now(),
        metadata: false,
        faults: Vec::new(),
    };
    Rc::new(Sandbox::new(&settings, clock()))
}

/// The same on a machine of the cloud, where the metadata services answer.
pub fn sandbox_on_ecs() -> Rc<Sandbox> {
    let settings = Settings {
        tasks: 5,
        seed: 7,
        latency: Duration::ZERO,
        now: now(),
        metadata: true,
        faults: Vec::new(),
    };
    Rc::new(Sandbox::new(&settings, clock()))
}

/// What stands between the client and the sandbox for one request.
pub enum Tamper {
    /// The request gets through.
    Pass,
    /// This answer instead, with these headers.
    Answer(u16, &'static str, &'static [(&'static str, &'static str)]),
    /// The connection breaks.
    Break,
    /// The answer is changed on its way.
    Change(fn(serde_json::Value) -> serde_json::Value),
}

/// A sandbox behind a list of things that happen to its requests, in order; then they all get through.
pub struct Tampered {
    pub sandbox: Rc<Sandbox>,
    script: RefCell<VecDeque<Tamper>>,
    pub sent: RefCell<Vec<String>>,
}

impl Tampered {
    pub fn new(sandbox: Rc<Sandbox>, script: impl IntoIterator<Item = Tamper>) -> Rc<Self> {
        Rc::new(Tampered {
            sandbox,
            script: RefCell::new(script.into_iter().collect()),
            sent: RefCell::default(),
        })
    }

    pub fn count(&self) -> usize {
        self.sent.borrow().len()
    }
}

impl Transport for Tampered {
    fn send(&self, request: Signed) -> Sending<'_> {
        // Pauses cost no time: the clock jumps to whatever is waited for.
        if self.sent.borrow().is_empty() {
            tokio::time::pause();
        }
        self.sent.borrow_mut().push(request.url.clone());
        let tamper = self.script.borrow_mut().pop_front().unwrap_or(Tamper::Pass);
        Box::pin(async move {
            match tamper {
                Tamper::Pass => self.sandbox.send(request).await,
                Tamper::Break => anyhow::bail!("connection reset by peer"),
                Tamper::Answer(status, body, headers) => Ok(Reply {
                    status,
                    headers: headers
                        .iter()
                        .map(|(name, value)| ((*name).into(), (*value).into()))
                        .collect(),
                    body: body.as_bytes().into(),
                }),
                Tamper::Change(change) => {
                    let mut reply = self.sandbox.send(request).await?;
                    let value = change(serde_json::from_slice(&reply.body)?);
                    reply.body = value.to_string().into();
                    Ok(reply)
                }
            }
        })
    }
}

/// The binary's own sandbox, on a real socket, in a process that ends with the test.
pub struct Served {
    process: Child,
    pub env: Vec<(String, String)>,
    _home: tempfile::TempDir,
}

impl Served {
    pub fn start(args: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_scanq"))
            .env_clear()
            .env("HOME", home.path())
            .args(["sandbox", "--print-env"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut env = Vec::new();
        for line in BufReader::new(process.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let (name, value) = line
                .strip_prefix("export ")
                .and_then(|pair| pair.split_once('='))
                .unwrap();
            env.push((name.to_owned(), value.trim_matches('\'').to_owned()));
            if name == "SCANQ_SANDBOX_READY" {
                break;
            }
        }
        Served {
            process,
            env,
            _home: home,
        }
    }

    pub fn address(&self) -> &str {
        &self
            .env
            .iter()
            .find(|(name, _)| name == "SCANQ_ALIYUN_ENDPOINT")
            .unwrap()
            .1
    }

    /// Runs the binary against this sandbox, with more variables.
    pub fn run(&self, line: &str, more: &[(&str, &str)]) -> Output {
        let mut command = binary(&line.split_whitespace().collect::<Vec<_>>());
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command.envs(more.iter().copied());
        finish(command)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The binary with an empty environment and a home of its own.
pub fn binary(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scanq"));
    command
        .env_clear()
        .env("HOME", std::env::temp_dir().join("scanq-no-home"))
        .args(args);
    command
}

pub fn finish(mut command: Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    Output {
        code: output.status.code().unwrap().try_into().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A program that tests ask for an opinion. Where it is absent they say so and pass, unless `SCANQ_TEST_TOOLS` demands
/// it, as the gate does.
#[cfg(unix)]
pub fn tool(name: &str) -> Option<std::path::PathBuf> {
    let folders = std::env::var("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("SCANQ_TEST_TOOLS").is_none(),
            "{name} is not installed"
        );
        // Not by way of the test's own output, which is only shown of those that fail.
        let _ = writeln!(
            std::io::stderr(),
            "{name} is not installed: not tested with it"
        );
    }
    found
}

/// That program in a folder that is its home, with nothing of the environment but the path.
#[cfg(unix)]
pub fn run_tool(program: &std::path::Path, home: &std::path::Path) -> Command {
    let mut command = Command::new(program);
    let bin = std::path::Path::new(env!("CARGO_BIN_EXE_scanq"));
    let bin = bin.parent().unwrap().display();
    let path = std::env::var("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", format!("{bin}:{path}"))
        .env("HOME", home)
        .env("TERM", "xterm")
        .current_dir(home);
    command
}

/// What a program prints. It must succeed, and complain of nothing.
#[cfg(target_os = "linux")]
pub fn shown(command: Command) -> String {
    let asked = format!("{command:?}");
    let output = finish(command);
    assert!(
        output.code == 0 && output.err.is_empty(),
        "{asked}: {output:?}"
    );
    output.out
}
