//! What did not come, as a person reads it: one reason that broke many listings is told once.

use crate::context::Ui;
use crate::error::{Error, Kind};

/// Says what did not come. Where scripts read, each failure is told for itself.
pub(super) fn say(failures: &[Error], ui: &Ui) {
    if ui.speaks_json() {
        return failures.iter().for_each(|error| ui.error(error));
    }
    told_once(failures).iter().for_each(|error| ui.error(error));
}

/// Says what did not come this time, but may the next.
pub(super) fn warn(failures: &[Error], ui: &Ui) {
    for error in told_once(failures) {
        ui.warn(format!("{error}; asking again"));
    }
}

fn told_once(failures: &[Error]) -> Vec<Error> {
    let mut groups: Vec<Vec<&Error>> = Vec::new();
    for error in failures {
        match groups.iter_mut().find(|group| is_same(group[0], error)) {
            Some(group) => group.push(error),
            None => groups.push(vec![error]),
        }
    }
    groups.iter().map(|group| together(group)).collect()
}

/// Whether two targets failed for the very same reason. What was asked and where, and the request's id, may differ; not
/// so which file or variable is wrong.
fn is_same(one: &Error, other: &Error) -> bool {
    (one.kind, &one.why, &one.code, &one.hints)
        == (other.kind, &other.why, &other.code, &other.hints)
        && (one.kind != Kind::Config || one.what == other.what)
}

/// Several failures as one, with the list of those that it concerns.
fn together(group: &[&Error]) -> Error {
    let [first, _, ..] = group else {
        return group[0].clone();
    };
    let endpoint = first.endpoint.clone();
    let is_one_place = group.iter().all(|error| error.endpoint == endpoint);
    let mut targets: Vec<(&str, usize)> = Vec::new();
    for error in group {
        // `profile/region operation`
        let target = error.target.as_deref().unwrap_or(&error.what);
        let place = target.split(' ').next().unwrap_or(target);
        match targets.iter_mut().find(|(known, _)| *known == place) {
            Some((_, count)) => *count += 1,
            None => targets.push((place, 1)),
        }
    }
    let named: Vec<_> = targets
        .iter()
        .map(|(place, count)| format!("{place} ({count})"))
        .collect();
    Error {
        what: match first.kind {
            Kind::Config => first.what.clone(),
            _ => format!("{} requests failed for the same reason", group.len()),
        },
        request_id: None,
        endpoint: endpoint.filter(|_| is_one_place),
        target: Some(named.join(", ")),
        ..(*first).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(target: &str, why: &str) -> Error {
        Error::new(Kind::Network, "ListTasks", why).target(target)
    }

    #[test]
    fn targets_of_one_reason_are_counted_by_place() {
        let group = [
            failure("p/a One", "refused"),
            failure("p/a Two", "refused"),
            failure("q/b One", "refused"),
        ];
        assert!(is_same(&group[0], &group[2]) && !is_same(&group[0], &failure("p/a One", "no")));
        let told = together(&group.each_ref());
        assert_eq!(
            told.to_string(),
            "3 requests failed for the same reason: refused"
        );
        assert_eq!(told.target.unwrap(), "p/a (2), q/b (1)");
        assert_eq!(together(&[&group[0]]).to_string(), "ListTasks: refused");
        let [one, other] = ["/a", "/b"].map(|file| Error::new(Kind::Config, file, "is missing"));
        assert!(!is_same(&one, &other));
        assert_eq!(together(&[&one, &one]).to_string(), "/a: is missing");
    }
}
