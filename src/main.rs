//! The `scanq` binary: the process's own context around [`scanq::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut context = scanq::context::Context::of_process();
    ExitCode::from(scanq::run(std::env::args_os(), &mut context))
}
