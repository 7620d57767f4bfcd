//! What is signed is what arrives: canonical queries are read back to the same pairs, and signing takes any text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scanq::encoding;
use scanq::provider::{aliyun, huawei};

fuzz_target!(|input: (Vec<(String, String)>, String, String)| {
    let (pairs, path, secret) = input;
    let query = encoding::canonical_query(&pairs);
    let mut sorted: Vec<_> = pairs.iter().filter(|(name, value)| !name.is_empty() || !value.is_empty()).cloned().collect();
    sorted.sort();
    let read: Vec<_> = encoding::pairs(&query).into_iter().filter(|(name, value)| !name.is_empty() || !value.is_empty()).collect();
    assert_eq!(read, sorted);
    assert_eq!(encoding::canonical_query(&read), encoding::canonical_query(&sorted));
    let headers = [("host", "h"), ("x-sdk-date", path.as_str())];
    aliyun::sign::acs3_stages("POST", "/", &pairs, &headers, "hash", &secret);
    aliyun::sign::rpc_stages("POST", &pairs, &secret);
    huawei::sign::stages("POST", &path, &pairs, &headers, "hash", &secret);
});
