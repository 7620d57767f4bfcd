//! Runs a program, on a thread of its own for two reasons: it may loop for ever, and Ctrl-C must end the command all the
//! same, with what was printed before; and it may recurse deeper than a main thread's stack is high.

use std::cell::RefCell;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use tokio::runtime::{self, Handle};
use tokio::sync::oneshot;

use super::{Compiled, Language, Look, Output};
use crate::error::{Error, Kind};
use crate::interruption::interruption;
use crate::operation::mend::without_lone_surrogates;
use crate::render::{json, safe};

/// Only what is used of it takes memory.
const STACK: usize = 256 << 20;

/// So many bytes of outputs may wait to be printed.
const PIECE: usize = 16 << 10;

/// How often a running program is looked after, and its outputs are printed.
const TICK: Duration = Duration::from_millis(20);

/// What a program is to look at.
enum Input {
    /// A document.
    Document(String),
    /// Documents, one a line.
    Lines(String),
}

enum Answer {
    /// There are outputs enough to be printed.
    Full,
    Done,
    Failed(String),
}

/// What is to be printed. It is shared, not sent: a program that gets stuck has given what it gave before.
type Outputs = Arc<Mutex<Vec<u8>>>;

fn taken(outputs: &Outputs) -> Vec<u8> {
    std::mem::take(&mut outputs.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A compiled program, waiting for inputs.
pub struct Program {
    language: Language,
    inputs: SyncSender<Input>,
    outputs: Outputs,
    answers: Receiver<Answer>,
    /// Why it can't be asked any more.
    over: RefCell<Option<Error>>,
    signals: Handle,
    /// The signals' thread ends with this.
    _alive: oneshot::Sender<()>,
}

impl Program {
    /// Compiles a program.
    ///
    /// # Errors
    /// A usage error with the place of the mistake.
    pub fn compile(language: Language, text: &str, look: Look) -> Result<Self, Error> {
        let broken = |error: io::Error| Error::new(Kind::Output, language.flag(), error);
        let (inputs, to_do) = sync_channel(0);
        let (answer, answers) = sync_channel(0);
        let outputs = Outputs::default();
        let printed = Arc::clone(&outputs);
        let (compiled, verdict) = sync_channel(1);
        let program = text.to_owned();
        let work = move || match language.compile(&program) {
            Ok(program) => {
                let _ = compiled.send(Ok(()));
                serve(&*program, look, &to_do, &printed, &answer);
            }
            Err(mistake) => {
                let _ = compiled.send(Err(mistake));
            }
        };
        // The name is what is said where a recursion without end is.
        let thread = thread::Builder::new().name(language.flag().to_owned());
        thread.stack_size(STACK).spawn(work).map_err(broken)?;
        let verdict = verdict.recv();
        verdict
            .map_err(|_| died(language))?
            .map_err(|mistake| mistake.error(language, text))?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(broken)?;
        let signals = runtime.handle().clone();
        let (alive, gone) = oneshot::channel();
        let drive = move || drop(runtime.block_on(gone));
        thread::Builder::new().spawn(drive).map_err(broken)?;
        Ok(Program {
            language,
            inputs,
            outputs,
            answers,
            over: RefCell::default(),
            signals,
            _alive: alive,
        })
    }

    /// Runs over a document; each output is laid out.
    pub(in crate::render) fn document(
        &self,
        out: &mut dyn Write,
        document: String,
    ) -> io::Result<()> {
        self.run(out, Input::Document(document))
    }

    /// Runs over each of these lines; each output is a line.
    pub(in crate::render) fn lines(&self, out: &mut dyn Write, lines: String) -> io::Result<()> {
        self.run(out, Input::Lines(lines))
    }

    fn run(&self, out: &mut dyn Write, input: Input) -> io::Result<()> {
        let mut over = self.over.borrow_mut();
        if let Some(error) = &*over {
            return Err(io::Error::other(error.clone()));
        }
        let ended = self.ask(input, &mut |outputs| out.write_all(outputs));
        ended.map_err(|error| match error {
            Stopped::Unwritten(error) => {
                let kind = match error.kind() {
                    io::ErrorKind::BrokenPipe => Kind::NotRead,
                    _ => Kind::Output,
                };
                *over = Some(Error::new(kind, "write results", &error));
                error
            }
            Stopped::Program(error) => io::Error::other(over.insert(error).clone()),
        })
    }

    /// The main thread's own runtime stands still meanwhile, so another one listens for Ctrl-C.
    fn ask(
        &self,
        input: Input,
        write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Stopped> {
        let _listening = self.signals.enter();
        let mut interruption = pin!(interruption());
        let mut is_interrupted = || {
            let mut task = Context::from_waker(Waker::noop());
            interruption.as_mut().poll(&mut task).is_ready()
        };
        let interrupted = || Stopped::Program(Error::interrupted());
        if is_interrupted() {
            return Err(interrupted());
        }
        let died = || Stopped::Program(died(self.language));
        self.inputs.send(input).map_err(|_| died())?;
        loop {
            let answer = self.answers.recv_timeout(TICK);
            write(&taken(&self.outputs)).map_err(Stopped::Unwritten)?;
            match answer {
                Ok(Answer::Done) => return Ok(()),
                Ok(Answer::Failed(why)) => {
                    let error = Error::new(Kind::Output, self.language.flag(), why);
                    return Err(Stopped::Program(error));
                }
                Ok(Answer::Full) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Err(died()),
            }
            if is_interrupted() {
                return Err(interrupted());
            }
        }
    }
}

/// Why a run ended before its end.
enum Stopped {
    Unwritten(io::Error),
    Program(Error),
}

fn died(language: Language) -> Error {
    Error::new(Kind::Output, language.flag(), "the program broke down")
}

/// The program's own thread: runs it over what comes, until nobody asks any more.
fn serve(
    program: &dyn Compiled,
    look: Look,
    inputs: &Receiver<Input>,
    outputs: &Outputs,
    answers: &SyncSender<Answer>,
) {
    let mut lines = 0_u64;
    while let Ok(input) = inputs.recv() {
        let run = |input: &str, pretty| {
            let mut each = |output: Output| {
                let waiting = {
                    let mut outputs = outputs.lock().unwrap_or_else(PoisonError::into_inner);
                    lay_out(&mut outputs, &output, pretty, look);
                    outputs.len()
                };
                waiting < PIECE || answers.send(Answer::Full).is_ok()
            };
            program.run(&without_lone_surrogates(input), &mut each)
        };
        let ended = match &input {
            Input::Document(document) => run(document, true),
            Input::Lines(text) => text.lines().try_for_each(|line| {
                lines += 1;
                run(line, false).map_err(|why| format!("line {lines}: {why}"))
            }),
        };
        let last = match ended {
            Ok(()) => Answer::Done,
            Err(why) => Answer::Failed(why),
        };
        if answers.send(last).is_err() {
            return;
        }
    }
}

fn lay_out(out: &mut Vec<u8>, output: &Output, pretty: bool, look: Look) {
    let string;
    let raw = match output {
        Output::Text(text) if look.raw => {
            let text = match look.for_terminal {
                true => safe::escape_layout(text),
                false => text.into(),
            };
            out.extend_from_slice(text.as_bytes());
            out.push(b'\n');
            return;
        }
        Output::Text(text) => {
            string = serde_json::Value::from(&**text).to_string();
            &string
        }
        Output::Json(raw) => raw,
    };
    let written = match pretty {
        true => json::pretty(out, raw, 0, look.for_terminal),
        false => json::compact(out, raw, look.for_terminal),
    };
    written.expect("memory can be written to");
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_and_nothing_is_asked_after_a_failure() {
        let text = "if . == 3 then error(\"three\") else . end";
        let program = Program::compile(Language::Jq, text, Look::default()).unwrap();
        let mut out = Vec::new();
        program.lines(&mut out, "1\n2\n".into()).unwrap();
        for input in ["1\n3\n4\n", "5\n"] {
            let error = program.lines(&mut out, input.into()).unwrap_err();
            assert_eq!(error.to_string(), "--jq: line 4: three");
        }
        assert_eq!(out, b"1\n2\n1\n");
    }

    #[test]
    fn endless_outputs_end_when_nobody_reads_them() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self
                    .0
                    .checked_sub(bytes.len())
                    .ok_or(io::ErrorKind::BrokenPipe)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let program = Program::compile(Language::Jq, "repeat(.)", Look::default()).unwrap();
        for _ in 0..2 {
            let ended = program.document(&mut Full(1 << 20), "7".into());
            assert!(ended.is_err());
        }
    }

    #[test]
    fn strings_are_safe_on_a_terminal_and_exact_in_a_pipe() {
        let shown = |raw, for_terminal| {
            let look = Look { raw, for_terminal };
            let program = Program::compile(Language::Jq, ".", look).unwrap();
            let mut out = Vec::new();
            let input = r#""a\u001b[31m\n\t\u202eb\u009b""#;
            program.document(&mut out, input.into()).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(shown(true, false), "a\u{1b}[31m\n\t\u{202e}b\u{9b}\n");
        assert_eq!(shown(true, true), "a\\x1b[31m\n\t\\u{202e}b\\x9b\n");
        assert_eq!(
            shown(false, false),
            "\"a\\u001b[31m\\n\\t\u{202e}b\u{9b}\"\n"
        );
        assert_eq!(
            shown(false, true),
            "\"a\\u001b[31m\\n\\t\\u202eb\\u009b\"\n"
        );
    }
}
