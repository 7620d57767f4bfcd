//! `scanq sandbox`, and the sandbox in this process behind `--sandbox`.

use std::io::Write;
use std::rc::Rc;
use std::time::Duration;

use chrono::{SubsecRound, Timelike};
use clap::{ArgMatches, FromArgMatches};
use tokio::task::LocalSet;

use super::{interrupted, output};
use crate::cli::SandboxArgs;
use crate::context::{Clock, Context, Level};
use crate::error::{Error, Kind};
use crate::sandbox::{Sandbox, Settings, fault, keys, listener};

/// The world that `--sandbox` asks.
pub(super) fn in_process(clock: &Clock) -> Sandbox {
    let settings = Settings {
        tasks: 40,
        seed: 1,
        latency: Duration::ZERO,
        now: this_minute(clock),
        metadata: false,
        faults: Vec::new(),
    };
    Sandbox::new(&settings, Rc::clone(clock))
}

fn this_minute(clock: &Clock) -> chrono::DateTime<chrono::Utc> {
    let now = clock().trunc_subsecs(0);
    now.with_second(0).unwrap_or(now)
}

pub(super) async fn run(matches: &ArgMatches, context: &mut Context) -> Result<u8, Error> {
    let args = SandboxArgs::from_arg_matches(matches)?;
    let now = args.now.map_or_else(
        || this_minute(&context.clock),
        |now| now.resolve((context.clock)()),
    );
    let faults = args.fault.iter().map(|spec| {
        spec.parse().map_err(|why: String| {
            let name = spec.split(['=', ',']).next().unwrap_or(spec);
            Error::usage("--fault", why).did_you_mean(name, fault::names())
        })
    });
    let faults = faults.collect::<Result<_, _>>()?;
    let settings = Settings {
        tasks: args.tasks,
        seed: args.seed,
        latency: args.latency,
        now,
        metadata: true,
        faults,
    };
    let sandbox = Rc::new(Sandbox::new(&settings, Rc::clone(&context.clock)));
    let listener = listener::bind(args.listen)
        .await
        .map_err(|error| Error::new(Kind::Usage, "--listen", format!("{error:#}")))?;
    let address = listener
        .local_addr()
        .map_err(|error| Error::new(Kind::Network, "sandbox", error))?;
    let origin = format!("http://{address}");
    if args.print_env {
        let pid = std::process::id().to_string();
        let lines: String = environment(&origin, &pid)
            .iter()
            .map(|(name, value)| format!("export {name}='{value}'\n"))
            .collect();
        let out = &mut context.out;
        out.write_all(lines.as_bytes())
            .and_then(|()| out.flush())
            .map_err(output)?;
        // A shell that waits for the end of the lines, as in $(…), has them all.
        out.release();
    }
    context.ui.note(format!(
        "the sandbox serves both clouds at {origin} until Ctrl-C"
    ));
    context.ui.trace(Level::Normal, banner);
    let local = LocalSet::new();
    local
        .run_until(async {
            tokio::select! {
                () = listener::serve(listener, sandbox) => {}
                _ = interrupted() => {}
            }
        })
        .await;
    // Ctrl-C is how a sandbox is meant to end.
    Ok(0)
}

/// What another shell needs to ask this sandbox; the last line says that it is complete.
fn environment<'a>(origin: &'a str, pid: &'a str) -> [(&'static str, &'a str); 18] {
    [
        // Profiles of a configuration file, and what else this shell is signed in with, are not for a sandbox.
        ("SCANQ_CONFIG", "/dev/null"),
        ("SCANQ_PROFILE", ""),
        ("SCANQ_REGION", ""),
        ("ALIBABA_CLOUD_SECURITY_TOKEN", ""),
        ("HUAWEICLOUD_SDK_SECURITY_TOKEN", ""),
        ("HUAWEICLOUD_SDK_TOKEN", ""),
        ("SCANQ_ALIYUN_ENDPOINT", origin),
        ("SCANQ_HUAWEI_ENDPOINT", origin),
        ("SCANQ_HUAWEI_IAM_ENDPOINT", origin),
        ("ALIBABA_CLOUD_ACCESS_KEY_ID", keys::ALIYUN.0),
        ("ALIBABA_CLOUD_ACCESS_KEY_SECRET", keys::ALIYUN.1),
        ("ALIBABA_CLOUD_REGION_ID", keys::REGIONS.0),
        ("HUAWEICLOUD_SDK_AK", keys::HUAWEI.0),
        ("HUAWEICLOUD_SDK_SK", keys::HUAWEI.1),
        ("HUAWEICLOUD_SDK_PROJECT_ID", keys::HUAWEI_PROJECT),
        ("HUAWEICLOUD_SDK_REGION", keys::REGIONS.1),
        ("SCANQ_SANDBOX_PID", pid),
        ("SCANQ_SANDBOX_READY", "1"),
    ]
}

/// What it takes to sign in.
fn banner() -> String {
    let (aliyun, sts) = (keys::ALIYUN, keys::ALIYUN_STS);
    let (huawei, temporary) = (keys::HUAWEI, keys::HUAWEI_STS);
    format!(
        "  Alibaba Cloud   {} / {}
                  {} / {} with the security token {}
  Huawei Cloud    {} / {}
                  {} / {} with the security token {}
                  X-Auth-Token {}
                  project {}
  For a shell: eval \"$(scanq sandbox --print-env &)\"   and in the end   kill $SCANQ_SANDBOX_PID",
        aliyun.0,
        aliyun.1,
        sts.0,
        sts.1,
        sts.2,
        huawei.0,
        huawei.1,
        temporary.0,
        temporary.1,
        temporary.2,
        keys::HUAWEI_TOKEN,
        keys::HUAWEI_PROJECT,
    )
}
