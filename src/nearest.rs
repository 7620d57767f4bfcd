//! Did you mean? The known name that is most like a mistaken one. It is only ever suggested, never taken instead.

/// A name as it is compared: in any case, and `_` for `-`.
pub fn fold(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// The known name that is most like `name`, if any is like it at all. What is known is not mistaken for something else.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = fold(name);
    let near = known
        .into_iter()
        .map(|known| (likeness(&wanted, &fold(known)), known));
    let best = near.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.6 && best.1 != name).then_some(best.1)
}

/// From 0 to 1, by the letters that must be changed. The beginning of a name is like it, however much is missing.
fn likeness(wanted: &str, known: &str) -> f64 {
    let is_beginning = wanted.len() >= 3 && known.starts_with(wanted);
    let floor = if is_beginning { 0.7 } else { 0.0 };
    strsim::normalized_damerau_levenshtein(wanted, known).max(floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_has_a_nearest_name_and_something_else_has_none() {
        let known = ["cn-shanghai", "ap-southeast-1", "TASK_ID"];
        for (typed, meant) in [
            ("cn-shanghia", Some("cn-shanghai")),
            ("AP_SOUTHEAST_2", Some("ap-southeast-1")),
            ("taskid", Some("TASK_ID")),
            ("cn-", Some("cn-shanghai")),
            ("cn-nowhere", None),
            ("cn-shanghai", None),
            ("mars", None),
            ("", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
        assert_eq!(nearest("x", []), None);
    }
}
