//! Answers every request on loopback with a page of ListAgentlessTask, made from a page that is prepared beforehand:
//! for measurements in which the sandbox, which makes every task anew and checks every signature, would be what is
//! measured.
//!
//! `static_server [TASKS] [LATENCY_MS]` prints its address, then serves until it is killed. It reads `CurrentPage` and
//! `PageSize` of the query, and nothing else.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Digits of the part of an id that differs from task to task.
const ID_DIGITS: usize = 8;

/// A page of so many items, and where the ids of its items stand.
struct Prepared {
    body: Vec<u8>,
    ids: Vec<usize>,
}

/// What every connection knows.
struct Server {
    tasks: u64,
    latency: Duration,
    prepared: Mutex<HashMap<u64, Arc<Prepared>>>,
}

fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>());
    let mut number = |default| args.next().and_then(Result::ok).unwrap_or(default);
    let server = Arc::new(Server {
        tasks: number(20_000),
        latency: Duration::from_millis(number(0)),
        prepared: Mutex::default(),
    });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut out = std::io::stdout();
    writeln!(out, "http://{}", listener.local_addr()?)?;
    out.flush()?;
    for stream in listener.incoming() {
        let server = Arc::clone(&server);
        let stream = stream?;
        // A client that goes away is no error of ours.
        std::thread::spawn(move || server.serve(stream).unwrap_or_default());
    }
    Ok(())
}

impl Server {
    fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut answer = Vec::new();
        loop {
            let (mut target, mut line, mut length) = (String::new(), String::new(), 0);
            if reader.read_line(&mut target)? == 0 {
                return Ok(());
            }
            while line != "\r\n" {
                line.clear();
                reader.read_line(&mut line)?;
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse().unwrap_or_default();
                }
            }
            std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink())?;
            std::thread::sleep(self.latency);
            let query = target.split(['?', ' ']).nth(2).unwrap_or_default();
            let value = |wanted: &str, default| {
                let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                let found = pairs.find(|(name, _)| *name == wanted);
                found
                    .and_then(|(_, value)| value.parse().ok())
                    .unwrap_or(default)
            };
            answer.clear();
            self.answer(
                value("CurrentPage", 1).max(1),
                value("PageSize", 20).max(1),
                &mut answer,
            )?;
            stream.write_all(&answer)?;
        }
    }

    fn answer(&self, page: u64, size: u64, answer: &mut Vec<u8>) -> std::io::Result<()> {
        let first = (page - 1) * size;
        let items = self.tasks.saturating_sub(first).min(size);
        let prepared = self.prepared(items);
        let counters = format!(
            r#"{{"RequestId":"5A9DB0C5-0001-5EC0-9A11-000000000001","PageInfo":{{"CurrentPage":{page},"PageSize":{size},"TotalCount":{}}},"List":["#,
            self.tasks
        );
        write!(
            answer,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=utf-8\r\ncontent-length: {}\r\n\r\n{counters}",
            counters.len() + prepared.body.len()
        )?;
        let start = answer.len();
        answer.extend_from_slice(&prepared.body);
        for (number, at) in (first..).zip(&prepared.ids) {
            write!(&mut answer[start + at..][..ID_DIGITS], "{number:08x}")?;
        }
        Ok(())
    }

    fn prepared(&self, items: u64) -> Arc<Prepared> {
        let mut prepared = self.prepared.lock().unwrap_or_else(|e| e.into_inner());
        Arc::clone(prepared.entry(items).or_insert_with(|| {
            let (mut body, mut ids) = (Vec::new(), Vec::new());
            for number in 0..items {
                if number > 0 {
                    body.push(b',');
                }
                let (before, after) = item(number);
                body.extend_from_slice(before.as_bytes());
                ids.push(body.len());
                body.extend_from_slice(b"00000000");
                body.extend_from_slice(after.as_bytes());
            }
            body.extend_from_slice(b"]}");
            Arc::new(Prepared { body, ids })
        }))
    }
}

/// A task in the form and length of the documented sample, without white space: what is before and after the part of
/// its id that differs.
fn item(number: u64) -> (&'static str, String) {
    let target = ["web-image-2026", "runner-base", "归档-01"][number as usize % 3];
    let status = 1 + number % 4;
    let start = 1_672_741_657_897 + number * 61_000;
    let after = format!(
        r#"","TaskName":"AGENTLESS_SCAN","TargetType":2,"Status":{status},"Progress":{},"StartTime":{start},"EndTime":{},"Result":"True","Uuid":"49e25e0f-bb51-4a5a-a1b3-13a4ddaa0001","InternetIp":"8.210.12.34","IntranetIp":"172.25.56.78","InstanceName":"sql-prod-01","TargetName":"{target}","ProgressByProject":"\"{{\\\"scaVul\\\":100,\\\"binary\\\":100,\\\"baseline\\\":100,\\\"vul\\\":100,\\\"webshell\\\":100,\\\"script\\\":100,\\\"sensitiveInfo\\\":100}}\"","ReportStatus":"SUCCESS","ReportDownloadUrl":"http://newsas-oss-bucket.oss-cn-hangzhou.aliyuncs.com/agent_less_single_report","MeasureSpace":154.11}}"#,
        number % 101,
        start + 507_000,
    );
    (r#"{"TaskId":"15380000"#, after)
}
