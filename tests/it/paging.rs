//! Every item once, in the server's order, with no request too many; complete or loud.

use crate::harness::{self, Tamper, Tampered, World, clock, sandbox};
use proptest::prelude::*;
use scanq::client::limits::Limits;
use scanq::client::pages::{Plan, Walked, walk};
use scanq::client::session::Session;
use scanq::client::{Client, Target, Tries};
use scanq::context::{Env, Stream, Ui};
use scanq::credential::Lease;
use scanq::credential::cache::Cache;
use scanq::credential::seek::Seek;
use scanq::provider::{self, Endpoint, Scheme, Scope, Signed};
use scanq::signin::SignIn;
use scanq::transport::{Reply, Sending, Transport};
use serde_json::{Value, json};
use std::rc::Rc;

/// Runs a command against a fresh sandbox of `tasks` tasks and gives what it printed, and how many requests it sent.
fn run(tasks: u64, line: &str) -> (harness::Output, usize) {
    let tampered = Tampered::new(sandbox(tasks), []);
    let output = World::new(tampered.clone()).run(line);
    (output, tampered.count())
}

#[test]
fn everything_is_fetched_with_as_many_requests_as_there_are_pages() {
    for (tasks, requests) in [(1, 1), (99, 1), (100, 1), (101, 2), (250, 3), (1000, 10)] {
        let (output, sent) = run(tasks, "aliyun agentless-tasks -o jsonl");
        assert_eq!(
            (output.lines().len() as u64, sent),
            (tasks, requests),
            "{tasks}"
        );
        assert_eq!(output.code, 0);
    }
}

#[test]
fn an_empty_listing_costs_one_request() {
    let (output, sent) = run(0, "aliyun agentless-tasks -o json");
    assert_eq!((output.code, sent), (0, 1));
    assert_eq!(output.json()["List"], json!([]));
}

#[test]
fn pages_are_printed_in_the_servers_order() {
    let ids = |line: &str| -> Vec<String> {
        let (output, _) = run(250, line);
        let id = |line: &str| serde_json::from_str::<Value>(line).unwrap()["TaskId"].to_string();
        output.lines().into_iter().map(id).collect()
    };
    let sequential = ids("aliyun agentless-tasks -o jsonl --concurrency 1 --page-size 100");
    assert_eq!(
        sequential,
        ids("aliyun agentless-tasks -o jsonl --concurrency 8 --page-size 7")
    );
}

#[test]
fn a_limit_fetches_no_page_that_is_not_needed() {
    for (line, printed, requests) in [
        ("aliyun agentless-tasks --limit 7 -o jsonl", 7, 1),
        ("aliyun agentless-tasks --limit 100 -o jsonl", 100, 1),
        ("aliyun agentless-tasks --limit 101 -o jsonl", 101, 2),
        ("aliyun agentless-tasks --limit 9999 -o jsonl", 250, 3),
        (
            "aliyun agentless-tasks --limit 25 --page-size 10 -o jsonl",
            25,
            3,
        ),
        ("huawei tasks --limit 7 -o jsonl", 7, 1),
        (
            "huawei tasks --task-type cluster-scan --limit 7 -o jsonl",
            7,
            1,
        ),
        ("huawei tasks --limit 300 -o jsonl", 300, 3),
    ] {
        let (output, sent) = run(250, line);
        assert_eq!((output.lines().len(), sent), (printed, requests), "{line}");
    }
}

#[test]
fn one_page_is_exactly_one_request_and_the_servers_own_document() {
    let (output, sent) = run(55, "aliyun agentless-tasks --page 2 --page-size 20 -o json");
    assert_eq!(sent, 1);
    let document = output.json();
    assert_eq!(document["List"].as_array().unwrap().len(), 20);
    assert_eq!(
        document["PageInfo"],
        json!({"CurrentPage": 2, "PageSize": 20, "TotalCount": 55})
    );
    let (beyond, sent) = run(55, "aliyun agentless-tasks --page 9 --page-size 20 -o json");
    assert_eq!(
        (beyond.json()["List"].as_array().unwrap().len(), sent),
        (0, 1)
    );
}

#[test]
fn huawei_pages_by_position() {
    let tampered = Tampered::new(sandbox(55), []);
    let world = World::new(tampered.clone());
    let page = world
        .run("huawei tasks --task-type iac-scan --page 3 --page-size 20 -o json")
        .json();
    assert_eq!(page["data_list"].as_array().unwrap().len(), 15);
    assert!(tampered.sent.borrow()[0].contains("limit=20&offset=40"));
    let skipped = world.run("huawei tasks --task-type iac-scan --offset 50 -o jsonl");
    assert_eq!(skipped.lines().len(), 5);
}

#[test]
fn both_types_of_huawei_tasks_are_merged() {
    let (output, sent) = run(30, "huawei tasks -o json");
    let document = output.json();
    assert_eq!(
        (document["data_list"].as_array().unwrap().len(), sent),
        (60, 2)
    );
    assert_eq!(document["total_num"], 60);
    assert_eq!(output.err, "");
}

#[test]
fn a_total_says_when_it_is_not_that_of_all_listings() {
    let (output, sent) = run(30, "huawei tasks --limit 2 -o json");
    assert_eq!((output.code, sent), (0, 1));
    assert_eq!(output.json()["total_num"], 30);
    assert_eq!(
        output.err,
        "note: the total is that of 1 of 2 listings: --limit was reached before the others were asked\n"
    );
    let (output, sent) = run(30, "huawei tasks --limit 50 -o json");
    assert_eq!((sent, &*output.err), (2, ""));
    assert_eq!(output.json()["total_num"], 60);
    // Rows count nothing.
    assert_eq!(run(30, "huawei tasks --limit 2 -o csv").0.err, "");
}

#[test]
fn a_larger_page_size_than_the_server_gives_is_followed() {
    let (output, sent) = run(250, "aliyun agentless-tasks --page-size 500 -o json");
    let document = output.json();
    assert_eq!((document["List"].as_array().unwrap().len(), sent), (250, 3));
    assert_eq!(
        document["PageInfo"],
        json!({"CurrentPage": 1, "PageSize": 250, "TotalCount": 250})
    );
}

#[test]
fn a_listing_that_breaks_off_has_printed_what_arrived_and_closes_its_document() {
    let denied = || {
        Tamper::Answer(
            403,
            r#"{"Code":"NoPermission","Message":"caller has no permission"}"#,
            &[],
        )
    };
    for (format, count) in [("json", 100), ("jsonl", 100), ("csv", 100)] {
        let tampered = Tampered::new(sandbox(250), [Tamper::Pass, denied()]);
        let output = World::new(tampered).run(&format!(
            "aliyun agentless-tasks -o {format} --no-header --concurrency 1"
        ));
        assert_eq!(output.code, 4, "{}", output.err);
        let printed = match format {
            "json" => {
                let document = output.json();
                // The server's word still holds.
                assert_eq!(document["PageInfo"]["TotalCount"], 250);
                document["List"].as_array().unwrap().len()
            }
            _ => output.lines().len(),
        };
        assert_eq!(printed, count, "{format}");
        assert!(
            output.err.contains("100 tasks arrived before this"),
            "{}",
            output.err
        );
    }
}

#[test]
fn a_shortfall_is_a_warning_and_exit_code_3() {
    let loses_one = |mut page: Value| {
        page["List"].as_array_mut().unwrap().pop();
        page
    };
    let tampered = Tampered::new(sandbox(250), [Tamper::Pass, Tamper::Change(loses_one)]);
    let output = World::new(tampered.clone()).run("aliyun agentless-tasks -o jsonl");
    assert_eq!(
        (output.code, output.lines().len(), tampered.count()),
        (3, 249, 3)
    );
    assert!(
        output
            .err
            .contains("the server counts 250 tasks, but 1 of them did not come"),
        "{}",
        output.err
    );
}

/// A listing of numbered items that may clamp pages and change while it is read.
struct Shifting {
    largest_page: u64,
    echoes_size: bool,
    /// Total after so many requests: the items `0..total`, newest (highest) first.
    totals: Vec<u64>,
    /// What it says instead.
    claims: Option<u64>,
    requests: std::cell::Cell<usize>,
}

impl Transport for Shifting {
    fn send(&self, request: Signed) -> Sending<'_> {
        let url = url::Url::parse(&request.url).unwrap();
        let number = |wanted: &str| -> u64 {
            let (_, value) = url.query_pairs().find(|(name, _)| name == wanted).unwrap();
            value.parse().unwrap()
        };
        let size = number("PageSize").min(self.largest_page);
        let offset = (number("CurrentPage") - 1) * size;
        let at = self.requests.replace(self.requests.get() + 1);
        let total = *self.totals.get(at).or(self.totals.last()).unwrap();
        let items: Vec<_> = (0..total)
            .rev()
            .skip(offset as usize)
            .take(size as usize)
            .map(|id| json!({"TaskId": id}))
            .collect();
        let mut info = json!({"TotalCount": self.claims.unwrap_or(total)});
        if self.echoes_size {
            info["PageSize"] = size.into();
        }
        let body = json!({"List": items, "PageInfo": info}).to_string();
        Box::pin(async move {
            Ok(Reply {
                status: 200,
                headers: Vec::new(),
                body: body.into(),
            })
        })
    }
}

fn walked(
    server: &Shifting,
    size: u32,
    limit: Option<u64>,
    concurrency: usize,
) -> (Vec<u64>, Walked) {
    let (env, clock, ui) = (
        Env::default(),
        clock(),
        Ui::new(Stream::pipe(std::io::sink())),
    );
    let cache = Cache::new(None);
    let seek = Seek {
        env: &env,
        clock: &clock,
        transport: Some(server),
        ui: &ui,
        cache: &cache,
        machine: None,
    };
    let tries = Tries {
        retries: 0,
        timeout: None,
        scheme: Scheme::Current,
    };
    let client = Client::new(&seek, tries, concurrency);
    let lease = Lease::keys("a", "b", None, "test");
    let target = Target {
        profile: "test".into(),
        provider: provider::by_id("aliyun").unwrap(),
        region: "cn-shanghai".into(),
        endpoint: Endpoint::of_host("example"),
        session: Rc::new(Session::new(lease.clone(), SignIn::Ready(Box::new(lease)))),
        scope: Scope::default(),
        defaults: Default::default(),
        timeout: None,
        connect_timeout: None,
        limits: Rc::new(Limits::new(None, None)),
        skew: chrono::TimeDelta::zero().into(),
    };
    let entry = provider::operation("ListAgentlessTask").unwrap();
    let plan = Plan {
        size,
        offset: 0,
        limit,
        single: false,
    };
    let mut ids = Vec::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let walked = runtime.block_on(walk(
        &client,
        &target,
        entry,
        &Default::default(),
        plan,
        &mut |batch| {
            ids.extend(batch.items.iter().map(|item| {
                serde_json::from_str::<Value>(item).unwrap()["TaskId"]
                    .as_u64()
                    .unwrap()
            }));
            Ok(())
        },
    ));
    (ids, walked.unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_total_size_clamp_and_limit_gives_every_item_once_in_order(
        total in 0_u64..400, size in 1_u32..120, largest_page in 1_u64..100, echoes_size: bool,
        limit in proptest::option::of(1_u64..300), concurrency in 1_usize..9,
    ) {
        let server = Shifting { largest_page, echoes_size, totals: vec![total], claims: None, requests: Default::default() };
        let (ids, walked) = walked(&server, size, limit, concurrency);
        let wanted = total.min(limit.unwrap_or(u64::MAX));
        prop_assert_eq!(ids, (0..total).rev().take(wanted as usize).collect::<Vec<_>>());
        prop_assert_eq!(walked.missing, 0);
        let page = u64::from(size).min(largest_page);
        prop_assert_eq!(server.requests.get() as u64, wanted.div_ceil(page).max(1));
    }

    #[test]
    fn items_that_appear_while_pages_are_read_are_found_and_none_comes_twice(
        before in 1_u64..200, more in 1_u64..20, at in 1_usize..6, size in 1_u32..50,
    ) {
        let mut totals = vec![before; at];
        totals.push(before + more);
        let server = Shifting { largest_page: 100, echoes_size: true, totals, claims: None, requests: Default::default() };
        let (ids, walked) = walked(&server, size, None, 4);
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        prop_assert_eq!(distinct.len(), ids.len());
        prop_assert!((0..before).all(|id| distinct.contains(&id)), "an item slipped between the pages");
        if walked.total == Some(before + more) {
            prop_assert_eq!(walked.missing, 0);
        }
    }

    #[test]
    fn items_that_vanish_while_pages_are_read_hide_no_other(
        before in 2_u64..200, at in 1_usize..4, size in 1_u32..50,
    ) {
        // The newest vanishes: what follows moves up by one, past the page that is read next.
        let mut totals = vec![before; at];
        totals.push(before - 1);
        let server = Shifting { largest_page: 100, echoes_size: true, totals, claims: None, requests: Default::default() };
        let (ids, _) = walked(&server, size, None, 4);
        let distinct: std::collections::HashSet<_> = ids.iter().copied().collect();
        prop_assert_eq!(distinct.len(), ids.len());
        prop_assert!((0..before - 1).all(|id| distinct.contains(&id)));
    }
}

#[test]
fn a_total_that_never_settles_ends_in_a_shortfall_not_in_a_loop() {
    let server = Shifting {
        largest_page: 10,
        echoes_size: true,
        totals: (50..5000).collect(),
        claims: None,
        requests: Default::default(),
    };
    let (ids, walked) = walked(&server, 10, None, 2);
    assert!(server.requests.get() < 200, "{}", server.requests.get());
    assert!(walked.missing > 0);
    assert_eq!(Some(ids.len() as u64 + walked.missing), walked.total);
}

#[test]
fn a_total_that_is_not_true_ends_in_a_shortfall_after_some_empty_pages() {
    let server = Shifting {
        largest_page: 10,
        echoes_size: true,
        totals: vec![25],
        claims: Some(1 << 62),
        requests: Default::default(),
    };
    let (ids, walked) = walked(&server, 10, None, 2);
    assert_eq!((ids.len(), walked.missing), (25, (1 << 62) - 25));
    // Three pages have tasks, and eight have none.
    assert_eq!(server.requests.get(), 11);
}

#[test]
fn a_total_that_is_too_small_hides_no_item() {
    for claimed in [0, 1, 12, 25] {
        let server = Shifting {
            largest_page: 10,
            echoes_size: true,
            totals: vec![25],
            claims: Some(claimed),
            requests: Default::default(),
        };
        let (ids, walked) = walked(&server, 10, None, 2);
        assert_eq!((ids.len(), walked.missing), (25, 0), "{claimed}");
        assert_eq!(server.requests.get(), 3, "{claimed}");
    }
}

/// A listing that says no total, and gives the same page whatever is asked.
struct Deaf {
    item: &'static str,
    info: &'static str,
}

impl Transport for Deaf {
    fn send(&self, _: Signed) -> Sending<'_> {
        let Deaf { item, info } = self;
        let body = format!(r#"{{"List":[{item},{item},{item}],"PageInfo":{info}}}"#);
        Box::pin(async move {
            Ok(Reply {
                status: 200,
                headers: Vec::new(),
                body: body.into(),
            })
        })
    }
}

#[test]
fn a_server_that_does_not_page_ends_the_walk() {
    for (item, lines) in [(r#"{"TaskId":1}"#, 1), (r#"{"x":1}"#, 3)] {
        let deaf = Deaf { item, info: "{}" };
        let output = World::new(Rc::new(deaf)).run("aliyun agentless-tasks -o jsonl");
        assert_eq!(output.lines().len(), lines, "{item}: {}", output.err);
    }
    let deaf = Deaf {
        item: r#"{"TaskId":1}"#,
        info: r#"{"TotalCount":100000000}"#,
    };
    let output = World::new(Rc::new(deaf)).run("aliyun agentless-tasks -o jsonl");
    assert_eq!((output.code, output.lines().len()), (3, 1));
}
