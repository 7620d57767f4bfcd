//! Keys that environment variables name: id and secret go together, or the environment is broken.

use super::Lease;
use crate::context::Env;
use crate::error::{Error, Kind};

/// The keys under these names: id, secret and security token, which may be missing. None: neither id nor secret is set.
///
/// # Errors
/// If only one of id and secret is set: another source's keys would be a surprise.
pub fn keys(env: &Env, [id, secret, token]: [&str; 3]) -> Result<Option<Lease>, Error> {
    let half = |set: &str, missing: &str| {
        let why = format!("{set} is set, but {missing} is not");
        Error::new(Kind::Config, "environment", why).hint(format!("set {missing}, or unset {set}"))
    };
    match (env.get(id), env.get(secret)) {
        (Some(key), Some(secret)) => {
            let source = format!("environment ({id})");
            Ok(Some(Lease::keys(key, secret, env.get(token), source)))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(half(id, secret)),
        (None, Some(_)) => Err(half(secret, id)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_key_is_broken_not_absent() {
        let names = ["ID", "SECRET", "TOKEN"];
        assert!(keys(&Env::default(), names).unwrap().is_none());
        for (set, missing) in [("ID", "SECRET"), ("SECRET", "ID")] {
            let error = keys(&Env::from_iter([(set, "x")]), names).err().unwrap();
            assert_eq!(error.why, format!("{set} is set, but {missing} is not"));
        }
    }
}
