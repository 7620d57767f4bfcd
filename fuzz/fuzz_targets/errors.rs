//! Both vendors' error envelopes: any status with any body is judged, and no signed text is repeated.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanq::provider::{Answer, PROVIDERS};

fuzz_target!(|input: (u16, &[u8], Option<&str>)| {
    let (status, body, delay) = input;
    for provider in PROVIDERS {
        let answer = Answer { status, header: &|_| delay.map(str::to_owned), body, permission: "p" };
        if let Some(failure) = (provider.failure)(&answer) {
            assert!(!failure.message.to_ascii_lowercase().contains("server string to sign"));
        }
    }
});
