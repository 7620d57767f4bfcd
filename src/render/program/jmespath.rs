//! JMESPath, for those who know it from other cloud CLIs. Numbers are machine numbers here, and an object's names come
//! sorted: the crate's values have no more.

use ::jmespath::ast::Ast;
use ::jmespath::{
    Context, DEFAULT_RUNTIME, ErrorReason, Expression, JmespathError, Rcvar, Variable, interpret,
};

use super::{Compiled, Mistake, Output, boundary};
use crate::nearest::nearest;

pub(super) struct Jmespath(Expression<'static>);

impl Jmespath {
    pub(super) fn compile(text: &str) -> Result<Self, Mistake> {
        let expression = ::jmespath::compile(text).map_err(|error| {
            let why = reason(&error);
            // Other tools take `failed` for text.
            let hint = why
                .contains("literal JSON")
                .then(|| "between backticks stands JSON: write text as 'failed'".to_owned());
            Mistake {
                at: error.offset,
                why,
                hint,
            }
        })?;
        match unknown_function(expression.as_ast()) {
            None => Ok(Jmespath(expression)),
            Some((offset, name)) => Err(Mistake {
                // The crate's offset is that of the arguments.
                at: text[..boundary(text, offset)].rfind(name).unwrap_or(offset),
                why: format!("there is no function {name}"),
                hint: nearest(name, FUNCTIONS).map(|near| format!("did you mean {near}?")),
            }),
        }
    }
}

/// Why, without the picture of the place.
fn reason(error: &JmespathError) -> String {
    let why = match &error.reason {
        // The parser's own words for tokens; what was found is told with the place.
        ErrorReason::Parse(why) => {
            let why = why.split(" -- found ").next().unwrap_or_default();
            why.replace(" nud ", " ").replace(" led ", " ")
        }
        ErrorReason::Runtime(why) => why.to_string(),
    };
    let mut letters = why.chars();
    let first = letters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(letters).collect()
}

/// JMESPath only looks at a function's name when it is called, which may be never.
fn unknown_function(ast: &Ast) -> Option<(usize, &str)> {
    match ast {
        Ast::Function { offset, name, args } => {
            if DEFAULT_RUNTIME.get_function(name).is_none() {
                return Some((*offset, name));
            }
            args.iter().find_map(unknown_function)
        }
        Ast::Comparison { lhs, rhs, .. }
        | Ast::Projection { lhs, rhs, .. }
        | Ast::And { lhs, rhs, .. }
        | Ast::Or { lhs, rhs, .. }
        | Ast::Subexpr { lhs, rhs, .. } => unknown_function(lhs).or_else(|| unknown_function(rhs)),
        Ast::Condition {
            predicate, then, ..
        } => unknown_function(predicate).or_else(|| unknown_function(then)),
        Ast::Expref { ast: node, .. }
        | Ast::Flatten { node, .. }
        | Ast::Not { node, .. }
        | Ast::ObjectValues { node, .. } => unknown_function(node),
        Ast::MultiList { elements, .. } => elements.iter().find_map(unknown_function),
        Ast::MultiHash { elements, .. } => elements
            .iter()
            .find_map(|pair| unknown_function(&pair.value)),
        Ast::Identity { .. }
        | Ast::Field { .. }
        | Ast::Index { .. }
        | Ast::Literal { .. }
        | Ast::Slice { .. } => None,
    }
}

const FUNCTIONS: [&str; 26] = [
    "abs",
    "avg",
    "ceil",
    "contains",
    "ends_with",
    "floor",
    "join",
    "keys",
    "length",
    "map",
    "max",
    "max_by",
    "merge",
    "min",
    "min_by",
    "not_null",
    "reverse",
    "sort",
    "sort_by",
    "starts_with",
    "sum",
    "to_array",
    "to_number",
    "to_string",
    "type",
    "values",
];

impl Compiled for Jmespath {
    fn run(&self, input: &str, each: &mut dyn FnMut(Output) -> bool) -> Result<(), String> {
        let Jmespath(expression) = self;
        let input = Rcvar::new(Variable::from_json(input)?);
        let mut context = Context::new(expression.as_str(), &DEFAULT_RUNTIME);
        let found =
            interpret(&input, expression.as_ast(), &mut context).map_err(|error| reason(&error))?;
        each(match &*found {
            Variable::String(text) => Output::Text(text.clone()),
            value => Output::Json(serde_json::to_string(value).map_err(|e| e.to_string())?),
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(program: &str, input: &str) -> Result<String, String> {
        let mut shown = String::new();
        let compiled = Jmespath::compile(program).map_err(|mistake| mistake.why)?;
        compiled.run(input, &mut |output| {
            shown = match output {
                Output::Text(text) => format!("{text:?}"),
                Output::Json(raw) => raw,
            };
            true
        })?;
        Ok(shown)
    }

    #[test]
    fn there_is_one_output() {
        let input = r#"{"tasks":[{"id":"a","status":"failed"},{"id":"b","status":"running"}]}"#;
        let shown = |program| output(program, input).unwrap();
        assert_eq!(shown("tasks[?status=='failed'].id"), r#"["a"]"#);
        assert_eq!(shown("tasks[0].id"), "\"a\"");
        assert_eq!(shown("length(tasks)"), "2");
        assert_eq!(shown("nothing"), "null");
    }

    /// What the help and the documentation say is lost.
    #[test]
    fn numbers_are_machine_numbers_and_names_come_sorted() {
        for (sent, shown) in [
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
            ("12345678901234567890123", "1.2345678901234568e+22"),
            ("1.10", "1.1"),
            ("0.1234567890123456789", "0.12345678901234568"),
            (r#"{"b":1,"a":2}"#, r#"{"a":2,"b":1}"#),
        ] {
            assert_eq!(output("@", sent).unwrap(), shown);
        }
        let error = output("@", "1e400").unwrap_err();
        assert!(error.starts_with("number out of range"), "{error}");
    }

    #[test]
    fn brackets_are_counted_before_they_overflow_the_stack() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(output("@", &nested(100)).unwrap(), nested(100));
        let error = output("@", &nested(200_000)).unwrap_err();
        assert!(error.starts_with("recursion limit exceeded"), "{error}");
    }

    #[test]
    fn every_function_is_one_that_can_be_meant() {
        for name in FUNCTIONS {
            assert!(DEFAULT_RUNTIME.get_function(name).is_some(), "{name}");
        }
        for program in [
            "lenght(@)",
            "a.lenght(@)",
            "a[?lenght(@) > `1`]",
            "[a, {b: sort_by(@, &lenght(@))}]",
            "!a || lenght(@)[0:1] | b",
        ] {
            let mistake = Jmespath::compile(program).err().unwrap();
            assert_eq!(mistake.at, program.find("lenght").unwrap(), "{program}");
            assert_eq!(mistake.hint.as_deref(), Some("did you mean length?"));
        }
    }
}
