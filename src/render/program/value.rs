//! JSON as jq's values and back. Not jaq's own reader and writer: a number must stay as the server spelled it, no input may
//! overflow the stack, and what comes out must be JSON to every reader.

use jaq_json::{Map, Num, Rc, Val};

use super::shortened;
use crate::render::json;

/// Far more than any answer has, far less than the stack takes.
const DEEPEST: usize = 10_000;

/// Longer integers are only carried, not reckoned with: reading them would take the square of their length.
const LONGEST: usize = 1_000;

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A list or object that is being read.
enum Open {
    List(Vec<Val>),
    Object(Map, Option<Val>),
}

/// Reads valid JSON; not by recursion, so that no server can overflow the stack with brackets.
pub(super) fn read(raw: &str) -> Result<Val, String> {
    let (mut open, mut whole) = (Vec::new(), Val::Null);
    for token in json::tokens(raw) {
        let value = match token {
            "," | ":" => continue,
            "[" | "{" if open.len() == DEEPEST => {
                return Err(format!("the input is nested deeper than {DEEPEST} levels"));
            }
            "[" => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            "{" => {
                open.push(Open::Object(Map::default(), None));
                continue;
            }
            "]" | "}" => match open.pop() {
                Some(Open::List(values)) => Val::Arr(Rc::new(values)),
                Some(Open::Object(fields, _)) => Val::obj(fields),
                None => return Err("the input is no JSON".to_owned()),
            },
            scalar => read_scalar(scalar)?,
        };
        match open.last_mut() {
            None => whole = value,
            Some(Open::List(values)) => values.push(value),
            Some(Open::Object(fields, name)) => match name.take() {
                Some(name) => {
                    fields.insert(name, value);
                }
                None => *name = Some(value),
            },
        }
    }
    Ok(whole)
}

fn read_scalar(token: &str) -> Result<Val, String> {
    Ok(match token {
        "null" => Val::Null,
        "true" => Val::Bool(true),
        "false" => Val::Bool(false),
        string if string.starts_with('"') => {
            let decoded: String = serde_json::from_str(string).map_err(|e| e.to_string())?;
            decoded.into()
        }
        number => Val::Num(read_number(number)),
    })
}

/// Spelling is kept wherever reckoning with the number would not bring it back.
fn read_number(text: &str) -> Num {
    let is_integer = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let integer = match is_integer && text != "-0" && text.len() <= LONGEST {
        true => Num::from_str_radix(text, 10),
        false => None,
    };
    integer.unwrap_or_else(|| Num::Dec(Rc::new(text.to_owned())))
}

/// Writes JSON that any reader takes: what JSON has no word for is written as jq does.
pub(super) fn write(value: &Val, out: &mut String) -> Result<(), String> {
    match value {
        Val::Null => out.push_str("null"),
        Val::Bool(true) => out.push_str("true"),
        Val::Bool(false) => out.push_str("false"),
        Val::Num(Num::Float(number)) if number.is_nan() => out.push_str("null"),
        Val::Num(Num::Float(number)) if number.is_infinite() => {
            let largest = f64::MAX.copysign(*number);
            out.push_str(&format!("{largest:e}"));
        }
        Val::Num(number) => out.push_str(&number.to_string()),
        Val::TStr(bytes) | Val::BStr(bytes) => {
            out.push_str(&serde_json::Value::from(text(bytes)).to_string());
        }
        Val::Arr(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(value, out)?;
            }
            out.push(']');
        }
        Val::Obj(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                if !matches!(name, Val::TStr(_)) {
                    let name = shortened(&name.to_string());
                    return Err(format!("the name of a field must be a string: {name}"));
                }
                write(name, out)?;
                out.push(':');
                write(value, out)?;
            }
            out.push('}');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::program::jq::tests::{output, outputs};

    #[test]
    fn what_is_passed_on_keeps_its_spelling_and_order() {
        for raw in [
            "12345678901234567890123",
            "-12345678901234567890123",
            "1.10",
            "-0",
            "-0.0",
            "1e400",
            "1E-2",
            "9007199254740993",
            r#"{"b":[1.0,{"z":null,"a":true}],"a":"\u0001é","":0}"#,
            &"9".repeat(5_000),
        ] {
            assert_eq!(output(".", raw), raw);
            assert_eq!(output("[.] | .[0]", raw), raw);
            assert_eq!(output("{x: .} | to_entries[].value", raw), raw);
        }
        assert_eq!(output(".[1], .[0]", r#"[1.10, "a"]"#), r#""a" 1.10"#);
    }

    #[test]
    fn reckoning_is_with_numbers_all_the_same() {
        let sums = "(.a + 1), (.b < .c), (.b | floor), (.a | tostring), ([.b, .c] | add)";
        assert_eq!(
            output(sums, r#"{"a":12345678901234567890123,"b":1.10,"c":2.5e0}"#),
            "12345678901234567890124 true 1 \"12345678901234567890123\" 3.6"
        );
    }

    #[test]
    fn what_json_has_no_word_for_is_written_as_jq_writes_it() {
        assert_eq!(
            output("[nan, infinite, -infinite]", "null"),
            "[null,1.7976931348623157e308,-1.7976931348623157e308]"
        );
        assert_eq!(output(r#""/w==" | @base64d"#, "null"), "\"\u{fffd}\"");
        let error = outputs("{(1): 2}", "null").unwrap_err();
        assert_eq!(error, "the name of a field must be a string: 1");
    }

    #[test]
    fn half_an_emoji_is_a_replacement_character() {
        let input =
            r#"["cut \ud83d", "\ud83d\ude00", "\\ud83d", "\udE00\uD83D\ud83d\ude00", "\u00e9"]"#;
        assert_eq!(
            output(".[]", input),
            "\"cut \u{fffd}\" \"😀\" \"\\\\ud83d\" \"\u{fffd}\u{fffd}😀\" \"é\""
        );
    }

    #[test]
    fn brackets_are_counted_before_they_overflow_the_stack() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(output(".", &nested(100)), nested(100));
        let error = outputs("length", &nested(DEEPEST + 1)).unwrap_err();
        assert_eq!(error, "the input is nested deeper than 10000 levels");
    }
}
