//! `~/.huaweicloud/credentials`: the ini file of the vendor's SDKs.
//!
//! NOTE: It is documented with a section `[basic]`; the SDKs' implicit chain asks for `[basiccredentials]`. Both are read.

use std::path::{Path, PathBuf};

use crate::credential::ini::Ini;
use crate::credential::seek::Seek;
use crate::credential::{Lease, Source};
use crate::error::{Error, Kind};

/// The usual section of the usual file.
pub(super) fn find(seek: &Seek<'_>) -> Result<Source, Error> {
    let moved = seek
        .env
        .get("HUAWEICLOUD_SDK_CREDENTIALS_FILE")
        .map(PathBuf::from);
    if let Some(path) = moved.as_ref().filter(|path| !path.exists()) {
        // Somebody asked for this one: that it is missing is a mistake.
        return Err(Error::new(
            Kind::Config,
            path.display().to_string(),
            "does not exist",
        ));
    }
    match moved.or_else(|| seek.home(".huaweicloud/credentials")) {
        Some(path) => find_in(seek, &path, None),
        None => Ok(Source::nothing(
            "~/.huaweicloud/credentials: there is no home folder",
        )),
    }
}

/// A section of a file.
pub(super) fn find_in(
    seek: &Seek<'_>,
    path: &Path,
    section: Option<&str>,
) -> Result<Source, Error> {
    let Some(text) = seek.read(path)? else {
        return Ok(Source::nothing(format!(
            "{}: does not exist",
            path.display()
        )));
    };
    let ini = Ini::parse(path, &text)?;
    let usual = ["basic", "basiccredentials"];
    let wanted = section.as_ref().map_or(&usual[..], std::slice::from_ref);
    let Some(found) = wanted.iter().find_map(|name| ini.section(name)) else {
        let wanted = wanted.join("] or [");
        let why = format!("no section [{wanted}], only {}", ini.names().join(", "));
        return match section {
            // Somebody asked for this one: that it is missing is a mistake.
            Some(_) => Err(Error::new(Kind::Config, path.display().to_string(), why)),
            None => Ok(Source::Nothing(format!("{}: {why}", path.display()))),
        };
    };
    let place = format!("{} section {}", path.display(), found.name);
    let need = |key: &str| {
        found
            .get(key)
            .ok_or_else(|| Error::new(Kind::Config, &*place, format!("{key} is missing")))
    };
    let lease = Lease::keys(
        need("ak")?,
        need("sk")?,
        found.get("security_token"),
        &*place,
    );
    Ok(Lease {
        project_id: found.get("project_id").map(str::to_owned),
        ..lease
    }
    .into())
}
