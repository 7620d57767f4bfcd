//! `--jq` and `--query`: a user's program between a result and stdout.
//!
//! A program is compiled before anything is sent. It sees its input and nothing else: no environment, no files.

mod jmespath;
mod jq;
mod run;
mod value;

use crate::error::Error;

pub use run::Program;

/// What nests deeper than the stack is high is longer than this.
const LONGEST: usize = 16 << 10;

/// In which language a program is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// jq: any number of outputs, lossless.
    Jq,
    /// JMESPath, as the clouds' own tools have it: one output.
    Jmespath,
}

impl Language {
    /// The flag that takes a program.
    pub fn flag(self) -> &'static str {
        match self {
            Language::Jq => "--jq",
            Language::Jmespath => "--query",
        }
    }

    fn compile(self, text: &str) -> Result<Box<dyn Compiled>, Mistake> {
        if text.len() > LONGEST {
            return Err(Mistake {
                at: text.len(),
                why: format!("a program of more than {LONGEST} bytes would overflow the stack"),
                hint: None,
            });
        }
        match self {
            Language::Jq => Ok(Box::new(jq::Jq::compile(text)?)),
            Language::Jmespath => Ok(Box::new(jmespath::Jmespath::compile(text)?)),
        }
    }
}

/// How outputs look.
#[derive(Debug, Clone, Copy, Default)]
pub struct Look {
    /// Strings without quotes.
    pub raw: bool,
    /// Escapes for what a terminal might obey.
    pub for_terminal: bool,
}

/// What is wrong with a program, and from which byte on.
#[derive(Debug)]
struct Mistake {
    at: usize,
    why: String,
    hint: Option<String>,
}

impl Mistake {
    fn error(self, language: Language, text: &str) -> Error {
        let at = boundary(text, self.at);
        let (before, rest) = text.split_at(at);
        let place = match rest.trim() {
            "" => "at its end".to_owned(),
            rest => {
                let line = before.matches('\n').count() + 1;
                let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
                format!("at line {line}, column {column}: {}", shortened(rest))
            }
        };
        let error = Error::usage(language.flag(), format!("{} {place}", self.why));
        self.hint.into_iter().fold(error, Error::hint)
    }
}

/// A program that can be run.
trait Compiled {
    /// Gives each output to `each`, until that says that nobody wants more.
    ///
    /// # Errors
    /// Why the program failed.
    fn run(&self, input: &str, each: &mut dyn FnMut(Output) -> bool) -> Result<(), String>;
}

/// One output of a program.
enum Output {
    /// A string, decoded.
    Text(String),
    /// Any other value, as JSON.
    Json(String),
}

/// The beginning and the end of what may be a whole document.
fn shortened(text: &str) -> String {
    const ENDS: usize = 60;
    let head = boundary(text, ENDS);
    let tail = boundary(text, text.len().saturating_sub(ENDS));
    match head < tail {
        true => format!("{}…{}", &text[..head], &text[tail..]),
        false => text.to_owned(),
    }
}

/// The last end of a character that is not behind this byte.
fn boundary(text: &str, at: usize) -> usize {
    let is_boundary = |at: &usize| text.is_char_boundary(*at);
    (0..=at.min(text.len()))
        .rev()
        .find(is_boundary)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(language: Language, program: &str) -> Error {
        let compiled = Program::compile(language, program, Look::default());
        compiled
            .err()
            .unwrap_or_else(|| panic!("compiles: {program}"))
    }

    #[test]
    fn a_mistake_is_told_with_its_place() {
        let mut shown = String::new();
        for (language, program) in [
            (Language::Jq, ".tasks[] | selct(.status == \"failed\")"),
            (Language::Jq, ".tasks[] |\n  { id, (.status }"),
            (Language::Jq, ".tasks[] | .id]"),
            (Language::Jq, "if .a then 1"),
            (Language::Jq, ".a 1"),
            (Language::Jq, "\"é\\x\""),
            (Language::Jq, "map(.id; .name)"),
            (Language::Jq, ".[] as $task | $tsak.id"),
            (Language::Jq, "break $out"),
            (Language::Jq, "$ENV.HOME"),
            (Language::Jq, "input"),
            (Language::Jq, "include \"a\"; ."),
            (Language::Jq, ""),
            (Language::Jmespath, "tasks[?status=='failed'"),
            (Language::Jmespath, "\"é\".tasks[].lenght(@)"),
            (Language::Jmespath, "tasks ]"),
            (Language::Jmespath, "tasks[*"),
            (Language::Jmespath, "tasks[?status==`failed`]"),
            (Language::Jmespath, ""),
        ] {
            let error = mistake(language, program);
            assert_eq!(error.kind.exit_code(), 2);
            shown.push_str(&format!("{program}\n  {error}\n"));
            let hints = error.hints.iter().map(|hint| format!("  hint: {hint}\n"));
            shown.extend(hints);
        }
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_program_that_would_overflow_the_stack_is_not_read() {
        for (language, middle) in [(Language::Jq, "."), (Language::Jmespath, "@")] {
            let nested = |depth| format!("{}{middle}{}", "[".repeat(depth), "]".repeat(depth));
            assert!(
                mistake(language, &nested(LONGEST))
                    .why
                    .contains("more than")
            );
            let program = Program::compile(language, &nested(5_000), Look::default()).unwrap();
            let mut out = Vec::new();
            program.lines(&mut out, "1\n".into()).unwrap();
            assert_eq!(out.len(), 10_002);
        }
    }
}
