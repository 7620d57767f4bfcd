//! jq, through jaq: what a program may call, and what is wrong with one.

use jaq_core::compile::Undefined;
use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Exn, Filter, Vars, native};
use jaq_json::Val;

use super::value::{read, text, write};
use super::{Compiled, Mistake, Output, shortened};
use crate::nearest::nearest;

type Data = JustLut<Val>;

/// What a program can't do: see the environment, in which secrets are, end the process, read on, speak on stderr.
const LEFT_OUT: [&str; 15] = [
    "env",
    "halt",
    "halt_error",
    "debug",
    "debug_empty",
    "stderr",
    "stderr_empty",
    "input",
    "inputs",
    "input_filename",
    "input_line_number",
    "get_search_list",
    "modulemeta",
    "$ENV",
    "$__prog_args",
];

/// What jq has and jaq's libraries do not.
const MORE: &str = include_str!("more.jq");

pub(super) struct Jq(Filter<Data>);

fn definitions() -> impl Iterator<Item = load::parse::Def<&'static str>> {
    let more = load::parse(MORE, |parser| parser.defs());
    jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .chain(more.expect("a test compiles them"))
        .filter(|definition| !LEFT_OUT.contains(&definition.name))
}

fn functions() -> impl Iterator<Item = native::Fun<Data>> {
    jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .filter(|(name, ..)| !LEFT_OUT.contains(name))
}

impl Jq {
    pub(super) fn compile(text: &str) -> Result<Self, Mistake> {
        let arena = Arena::default();
        let file = File {
            code: text,
            path: (),
        };
        let modules = Loader::new(definitions())
            .load(&arena, file)
            .map_err(|errors| unreadable(text, errors))?;
        // Else what is imported would be missed when the program runs.
        load::import(&modules, |_| Err(String::new()))
            .map_err(|errors| unreadable(text, errors))?;
        let compiler = Compiler::default().with_funs(functions());
        match compiler.compile(modules) {
            Ok(filter) => Ok(Jq(filter)),
            Err(errors) => Err(undefined(text, errors)),
        }
    }
}

/// The first mistake of the user's own text; the definitions that come with it have none.
fn unreadable(text: &str, errors: load::Errors<&str, ()>) -> Mistake {
    let mistake = |part: &str, why: String| Mistake {
        at: load::span(text, part).start,
        why,
        hint: None,
    };
    let of = |error| match error {
        load::Error::Lex(errors) => errors.into_iter().next().map(|(expected, found)| {
            let why = match expected {
                load::lex::Expect::Token => "this means nothing here".to_owned(),
                expected => format!("expected {}", article(expected.as_str())),
            };
            mistake(found, why)
        }),
        load::Error::Parse(errors) => errors.into_iter().next().map(|(expected, found)| {
            let expected = match expected {
                load::parse::Expect::Nothing => "the end or an operator".to_owned(),
                load::parse::Expect::ElseOrEnd => "`else` or `end`".to_owned(),
                load::parse::Expect::Just(word) => format!("`{word}`"),
                expected => article(expected.as_str()),
            };
            mistake(found, format!("expected {expected}"))
        }),
        load::Error::Io(errors) => errors.into_iter().next().map(|(path, _)| {
            mistake(
                path,
                "there is nothing here to import or include".to_owned(),
            )
        }),
    };
    let found = errors.into_iter().find_map(|(_, error)| of(error));
    found.unwrap_or_else(|| mistake(text, "can't be read".to_owned()))
}

fn article(noun: &str) -> String {
    let is_vowel = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if is_vowel { "an" } else { "a" })
}

/// The first name that means nothing.
fn undefined(text: &str, errors: jaq_core::compile::Errors<&str, ()>) -> Mistake {
    let first = errors.into_iter().flat_map(|(_, errors)| errors).next();
    let Some((name, kind)) = first else {
        return Mistake {
            at: 0,
            why: "can't be compiled".into(),
            hint: None,
        };
    };
    let at = load::span(text, name).start;
    let what = match kind {
        Undefined::Filter(0) => format!("there is no function {name} without arguments"),
        Undefined::Filter(1) => format!("there is no function {name} with 1 argument"),
        Undefined::Filter(count) => format!("there is no function {name} with {count} arguments"),
        ref kind => format!("there is no {} {name}", kind.as_str()),
    };
    let hint = match kind {
        _ if LEFT_OUT.contains(&name) => Some(format!(
            "{name} is left out: a program sees its input and nothing else"
        )),
        Undefined::Filter(_) => meant(name),
        _ => None,
    };
    Mistake {
        at,
        why: what,
        hint,
    }
}

/// The functions that may have been meant: of this name with other arguments, or of the nearest name.
fn meant(name: &str) -> Option<String> {
    let known = definitions()
        .map(|definition| (definition.name, definition.args.len()))
        .chain(functions().map(|(name, arguments, _)| (name, arguments.len())));
    let mut known: Vec<_> = known.collect();
    known.sort_unstable();
    known.dedup();
    let is_known = known.iter().any(|(known, _)| *known == name);
    let best = match is_known {
        true => name,
        false => nearest(name, known.iter().map(|(known, _)| *known))?,
    };
    let ways: Vec<_> = known
        .iter()
        .filter(|(known, _)| *known == best)
        .map(|(known, count)| match count {
            0 => (*known).to_owned(),
            count => format!("{known}({})", vec!["f"; *count].join("; ")),
        })
        .collect();
    Some(format!("did you mean {}?", ways.join(" or ")))
}

impl Compiled for Jq {
    fn run(&self, input: &str, each: &mut dyn FnMut(Output) -> bool) -> Result<(), String> {
        let Jq(filter) = self;
        let context = Ctx::<Data>::new(&filter.lut, Vars::new([]));
        for output in filter.id.run((context, read(input)?)) {
            let output = match output.map_err(why)? {
                Val::TStr(bytes) | Val::BStr(bytes) => Output::Text(text(&bytes)),
                value => {
                    let mut raw = String::new();
                    write(&value, &mut raw)?;
                    Output::Json(raw)
                }
            };
            if !each(output) {
                break;
            }
        }
        Ok(())
    }
}

fn why(thrown: Exn<'_, Val>) -> String {
    match thrown.get_err().map(jaq_core::Error::into_val) {
        Ok(Val::TStr(bytes)) => shortened(&text(&bytes)),
        Ok(value) => shortened(&value.to_string()),
        Err(_) => "the program ended itself".to_owned(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::operation::mend::without_lone_surrogates;

    pub fn outputs(program: &str, input: &str) -> Result<Vec<String>, String> {
        let mut outputs = Vec::new();
        let compiled = Jq::compile(program).map_err(|mistake| mistake.why)?;
        compiled.run(&without_lone_surrogates(input), &mut |output| {
            outputs.push(match output {
                Output::Text(text) => format!("{text:?}"),
                Output::Json(raw) => raw,
            });
            true
        })?;
        Ok(outputs)
    }

    pub fn output(program: &str, input: &str) -> String {
        outputs(program, input).unwrap().join(" ")
    }

    #[test]
    fn neither_environment_nor_files_nor_the_process_are_in_reach() {
        for name in LEFT_OUT {
            for call in [name.to_owned(), format!("{name}(0)")] {
                assert!(outputs(&call, "null").is_err(), "{call}");
            }
        }
        for program in [r#"include "a"; ."#, r#"import "a" as $a; $a"#] {
            assert!(outputs(program, "null").is_err(), "{program}");
        }
    }

    #[test]
    fn rows_are_made_as_jq_makes_them() {
        let row = r#"["a\"b\\c\td\r\ne", 1.10, null, true]"#;
        assert_eq!(
            output("@csv, @tsv", row),
            r#""\"a\"\"b\\c\td\r\ne\",1.10,,true" "a\"b\\\\c\\td\\r\\ne\t1.10\t\ttrue""#
        );
        let error = outputs("[[1]] | @csv", "null").unwrap_err();
        assert_eq!(error, "array can't be a cell of @csv");
        let more = r#"INDEX(.id) | [.[].n], IN("a"; "b", "a")"#;
        assert_eq!(
            output(more, r#"[{"id":"a","n":1},{"id":"b","n":2}]"#),
            "[1,2] true"
        );
    }

    #[test]
    fn a_failure_tells_why_but_not_a_whole_document() {
        assert_eq!(outputs(r#"error("no")"#, "1").unwrap_err(), "no");
        assert_eq!(outputs("error({a: 1})", "1").unwrap_err(), r#"{"a":1}"#);
        let long = format!("[{}1]", "1,".repeat(9_999));
        let error = outputs(".x", &long).unwrap_err();
        assert!(error.len() < 200, "{error}");
        assert!(error.starts_with("cannot index [1,1") && error.ends_with("with \"x\""));
    }
}
