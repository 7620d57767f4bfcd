//! Fixed inputs, and what is done with them: shared by the benchmarks and by `examples/hot_path.rs`, whose instructions
//! are counted.

use std::io;

use bytes::Bytes;
use chrono::DateTime;
use scanq::credential::{Credential, Secret};
use scanq::operation::column::Cell;
use scanq::operation::page::{Page, scalar};
use scanq::operation::{Entry, Params};
use scanq::provider::{self, Endpoint, Provider, Request, Scheme, Scope, Signing, by_id};
use scanq::render::rows::{Rows, Shape};
use scanq::render::table::Table;
use scanq::render::when::Times;
use scanq::render::{Format, json};
use scanq::task::Task;

/// Items a page.
pub const PAGE: usize = 100;

/// The operation that is measured.
pub fn entry() -> &'static Entry {
    provider::operation("ListAgentlessTask").expect("it is registered")
}

/// An answer of so many items: the documented sample's, each with an id of its own, without white space.
pub fn body(items: usize) -> Bytes {
    let mut document: serde_json::Value =
        serde_json::from_str(entry().meta.samples[0].body).expect("samples are JSON");
    let sample = document["List"][0].take();
    let numbered = (0..items).map(|number| {
        let mut item = sample.clone();
        item["TaskId"] = format!("{number:016x}").into();
        item["Status"] = (number % 4 + 1).into();
        item
    });
    document["List"] = numbered.collect();
    document["PageInfo"]["TotalCount"] = items.into();
    document.to_string().into()
}

/// The page in a body.
pub fn decode(body: &Bytes) -> Page {
    Page::decode(entry().meta, body.clone()).expect("it is a page")
}

/// What each item is recognised by. Gives how many have an id.
pub fn ids(page: &Page) -> usize {
    let key = entry().meta.id;
    let ids = page.items().map(|item| scalar(item, key));
    ids.filter(Option::is_some).count()
}

/// Each item as the type that tables and the unified task read. Gives how many could be read.
pub fn typed(page: &Page) -> usize {
    let views = page.items().map(|item| (entry().view)(item));
    views.filter(Result::is_ok).count()
}

/// The items as lines. Gives their length.
pub fn jsonl(page: &Page) -> usize {
    let mut out = Vec::with_capacity(page.document().len());
    for item in page.items() {
        json::compact(&mut out, item, false).expect("memory takes it");
        out.push(b'\n');
    }
    out.len()
}

/// The items as unified tasks. Gives the length of their JSON lines.
pub fn map(page: &Page) -> usize {
    let lines = page.items().map(|item| {
        let task = Task {
            cloud: "aliyun",
            profile: "prod".into(),
            region: "cn-shanghai".into(),
            operation: entry().meta.api,
            facts: (entry().view)(item).expect("it is typed").facts(),
            details: None,
        };
        serde_json::to_string(&task).expect("tasks serialise").len()
    });
    lines.sum()
}

/// A request, and what it is signed with.
pub struct ToSign {
    provider: &'static Provider,
    request: Request,
    endpoint: Endpoint,
    credential: Credential,
    scheme: Scheme,
}

fn to_sign(cloud: &str, api: &str, params: &[(&str, u32)], scheme: Scheme) -> ToSign {
    let provider = by_id(cloud).expect("it is a cloud");
    let entry = provider.operation(api).expect("it is registered");
    let params: Params = params
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()))
        .collect();
    let scope = Scope {
        project_id: Some("5a9d0b0c2f0d4c6e9b1c7d3e5f708192".into()),
    };
    ToSign {
        provider,
        request: (provider.build)(entry.meta, &params, &scope).expect("it is complete"),
        endpoint: Endpoint::parse("--endpoint", "https://example.com").expect("it is an address"),
        credential: Credential::Keys {
            id: "access-key-id".into(),
            secret: Secret::new("access-key-secret"),
            security_token: None,
        },
        scheme,
    }
}

/// ListAgentlessTask by ACS3.
pub fn list() -> ToSign {
    let page = [("CurrentPage", 2), ("PageSize", 100)];
    to_sign("aliyun", "ListAgentlessTask", &page, Scheme::Current)
}

/// ListAgentlessTask by RPC 1.0.
pub fn rpc() -> ToSign {
    let page = [("CurrentPage", 2), ("PageSize", 100)];
    to_sign("aliyun", "ListAgentlessTask", &page, Scheme::Rpc)
}

/// ListTasks by SDK-HMAC-SHA256.
pub fn huawei() -> ToSign {
    let page = [("offset", 0), ("limit", 200)];
    to_sign("huawei", "ListTasks", &page, Scheme::Current)
}

/// Signs it. Gives how many headers that makes.
pub fn sign(inputs: &ToSign) -> usize {
    let signing = Signing {
        endpoint: &inputs.endpoint,
        credential: &inputs.credential,
        now: DateTime::UNIX_EPOCH,
        nonce: "00112233445566778899aabbccddeeff",
        scheme: inputs.scheme,
    };
    let signed = (inputs.provider.sign)(&inputs.request, &signing);
    signed.headers.len()
}

/// A page of rows, as wide tables and csv show them.
pub fn cells() -> Vec<Vec<Cell<'static>>> {
    let page = decode(&body(PAGE));
    let columns = (entry().columns)().len();
    let row = |item| {
        let view = (entry().view)(item).expect("it is typed");
        let cells = (0..columns).map(|column| view.cell(column).into_owned());
        cells.collect()
    };
    page.items().map(row).collect()
}

/// The cell as a view gives it: with a text that it does not own.
fn lent<'c>(cell: &'c Cell<'_>) -> Cell<'c> {
    match cell {
        Cell::Text(text) => Cell::from(&**text),
        other => other.clone(),
    }
}

/// So many rows as a table of the usual columns, the page over and over.
pub fn table_rows(cells: &[Vec<Cell<'_>>], count: usize) {
    let mut table = Table::new(None, None, false, Times::Utc);
    for row in cells.iter().cycle().take(count) {
        table
            .row(&mut io::sink(), row[..7].iter().map(lent))
            .expect("a sink takes everything");
    }
    table.end(&mut io::sink()).expect("a sink takes everything");
}

/// So many rows in a format, the page over and over.
pub fn rows(format: Format, cells: &[Vec<Cell<'_>>], count: usize) {
    let known = (entry().columns)();
    let shape = Shape::default();
    let mut rows = Rows::new(format, &known, &shape).expect("no column is named");
    for row in cells.iter().cycle().take(count) {
        rows.row(&mut io::sink(), |column| lent(&row[column]))
            .expect("a sink takes everything");
    }
    rows.end(&mut io::sink()).expect("a sink takes everything");
}
