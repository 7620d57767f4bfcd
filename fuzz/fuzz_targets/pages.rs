//! Every operation's pages: what decodes can be shown in every cell and layout, and its items are slices of it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanq::operation::mend::mended;
use scanq::operation::page::{Page, scalar};
use scanq::provider::operations;
use scanq::render::{json, yaml};

fuzz_target!(|body: &[u8]| {
    for (_, entry) in operations() {
        let Ok(page) = Page::decode(entry.meta, bytes::Bytes::copy_from_slice(body)) else { continue };
        let document = page.document();
        for item in page.items() {
            assert!(document.contains(item));
            scalar(item, entry.meta.id);
            let mut out = Vec::new();
            json::compact(&mut out, item, true).unwrap();
            json::pretty(&mut out, item, 0, true).unwrap();
            yaml::value(&mut out, item, 0).unwrap();
            if !item.starts_with('{') {
                continue;
            }
            let readable = mended(item).unwrap();
            for item in [item, readable.as_str()] {
                let Ok(view) = (entry.view)(item) else {
                    assert_ne!(item, readable);
                    continue;
                };
                for column in 0..(entry.columns)().len() {
                    view.cell(column).plain();
                }
                assert!(view.facts().progress.is_none_or(|percent| percent <= 100));
            }
        }
    }
});
