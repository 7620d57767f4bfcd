//! One hot path a number of times on fixed inputs: `hot_path NAME TIMES`. `benches/instructions` counts what it takes.

#[path = "../benches/inputs/mod.rs"]
mod inputs;

use scanq::render::Format;

fn main() {
    let mut args = std::env::args().skip(1);
    let path = args.next().unwrap_or_default();
    let times: usize = args
        .next()
        .and_then(|times| times.parse().ok())
        .unwrap_or(1);
    let body = inputs::body(inputs::PAGE);
    let page = inputs::decode(&body);
    let (acs3, rpc, huawei) = (inputs::list(), inputs::rpc(), inputs::huawei());
    let cells = inputs::cells();
    let run = || match path.as_str() {
        "none" => 0,
        "decode" => inputs::decode(&body).len(),
        "ids" => inputs::ids(&page),
        "typed" => inputs::typed(&page),
        "jsonl" => inputs::jsonl(&page),
        "unified" => inputs::map(&page),
        "acs3" => inputs::sign(&acs3),
        "rpc" => inputs::sign(&rpc),
        "huawei" => inputs::sign(&huawei),
        "table" => {
            inputs::table_rows(&cells, inputs::PAGE);
            inputs::PAGE
        }
        "csv" => {
            inputs::rows(Format::Csv, &cells, inputs::PAGE);
            inputs::PAGE
        }
        other => panic!("no such path: {other}"),
    };
    let done: usize = (0..times).map(|_| std::hint::black_box(run())).sum();
    std::hint::black_box(done);
}
