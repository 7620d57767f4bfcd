//! Times and spans as people write them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanq::cli::time::Moment;
use scanq::span::span;

fuzz_target!(|text: &str| {
    if let Ok(moment) = Moment::parse(text) {
        moment.resolve(Default::default());
    }
    let _ = span(text);
});
