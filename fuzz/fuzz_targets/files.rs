//! Configuration and credential files: any text is read or refused, and a refusal quotes no line of it.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use scanq::context::Env;
use scanq::credential::ini::Ini;

fuzz_target!(|text: &str| {
    let path = Path::new("file");
    if let Err(error) = Ini::parse(path, text) {
        assert!(error.to_string().len() < 100);
    }
    let _ = scanq::config::Config::parse(path, text, &Env::default());
    let _ = scanq::provider::aliyun::credential::cli_profile::File::parse(path, text);
    let _ = scanq::provider::huawei::credential::koocli::File::parse(path, text);
});
