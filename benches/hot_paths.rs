//! The hot paths, by the clock: `cargo bench`. What guards them against regressions is `benches/instructions`, which
//! doesn't depend on the clock.

mod inputs;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use inputs::{
    PAGE, body, cells, decode, huawei, ids, jsonl, list, map, rows, rpc, sign, table_rows, typed,
};
use scanq::provider::aliyun::sign::acs3_stages;
use scanq::provider::huawei::sign::stages;
use scanq::render::Format;

fn main() {
    divan::main();
}

/// The envelope and the bounds of each item: all that jsonl needs.
#[divan::bench]
fn decode_page_of_100(bencher: Bencher) {
    let body = body(PAGE);
    bencher
        .counter(ItemsCount::new(PAGE))
        .bench(|| decode(black_box(&body)));
}

#[divan::bench]
fn ids_of_a_page_of_100(bencher: Bencher) {
    let page = decode(&body(PAGE));
    bencher
        .counter(ItemsCount::new(PAGE))
        .bench(|| ids(black_box(&page)));
}

#[divan::bench]
fn page_of_100_raw_to_jsonl(bencher: Bencher) {
    let body = body(PAGE);
    bencher
        .counter(ItemsCount::new(PAGE))
        .bench(|| jsonl(&decode(black_box(&body))));
}

/// Each item as the type that tables and the unified task read.
#[divan::bench]
fn page_of_100_typed(bencher: Bencher) {
    let page = decode(&body(PAGE));
    bencher
        .counter(ItemsCount::new(PAGE))
        .bench(|| typed(black_box(&page)));
}

#[divan::bench]
fn page_of_100_as_unified_tasks(bencher: Bencher) {
    let page = decode(&body(PAGE));
    bencher
        .counter(ItemsCount::new(PAGE))
        .bench(|| map(black_box(&page)));
}

#[divan::bench]
fn sign_acs3(bencher: Bencher) {
    let inputs = list();
    bencher.bench(|| sign(black_box(&inputs)));
}

#[divan::bench]
fn sign_rpc(bencher: Bencher) {
    let inputs = rpc();
    bencher.bench(|| sign(black_box(&inputs)));
}

#[divan::bench]
fn sign_huawei(bencher: Bencher) {
    let inputs = huawei();
    bencher.bench(|| sign(black_box(&inputs)));
}

#[divan::bench]
fn canonicalise_acs3(bencher: Bencher) {
    let query = [("CurrentPage", "2"), ("PageSize", "100")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = [
        ("x-acs-action", "ListAgentlessTask"),
        ("host", "tds.aliyuncs.com"),
    ];
    bencher.bench(|| acs3_stages("POST", "/", black_box(&query), &headers, "hash", "secret"));
}

#[divan::bench]
fn canonicalise_huawei(bencher: Bencher) {
    let query = [("limit", "200"), ("offset", "0")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = [
        ("x-sdk-date", "20261122T000000Z"),
        ("host", "hss.myhuaweicloud.com"),
    ];
    bencher.bench(|| {
        let path = "/v5/5a9d0b0c/common/tasks/batch-query";
        stages("POST", path, black_box(&query), &headers, "hash", "secret")
    });
}

#[divan::bench(args = [100_000], sample_count = 5, sample_size = 1)]
fn table(bencher: Bencher, count: usize) {
    let cells = cells();
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| table_rows(black_box(&cells), count));
}

#[divan::bench(args = [100_000], sample_count = 5, sample_size = 1)]
fn csv(bencher: Bencher, count: usize) {
    let cells = cells();
    bencher
        .counter(ItemsCount::new(count))
        .bench(|| rows(Format::Csv, black_box(&cells), count));
}
