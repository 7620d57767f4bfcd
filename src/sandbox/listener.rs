//! The sandbox on a real socket.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming as Body};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use super::fault::Delivery;
use super::{Incoming, Sandbox};

/// The largest request that is read. Huawei Cloud signs bodies of up to 12 MB.
const LARGEST_REQUEST: usize = 12 * 1024 * 1024;

/// Listens on an address of loopback; port 0 takes a free one.
///
/// # Errors
/// If the address is not of loopback, or taken.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    anyhow::ensure!(
        address.ip().is_loopback(),
        "the sandbox only listens on loopback: {address}"
    );
    TcpListener::bind(address)
        .await
        .with_context(|| format!("listen on {address}"))
}

/// Serves until it is dropped.
pub async fn serve(listener: TcpListener, sandbox: Rc<Sandbox>) {
    loop {
        // A connection that breaks before it is accepted is the client's trouble, not the sandbox's.
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        if sandbox.faults.resets() {
            let _ = stream.set_zero_linger();
        }
        let sandbox = Rc::clone(&sandbox);
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| {
                let sandbox = Rc::clone(&sandbox);
                async move { respond(&sandbox, request).await }
            });
            // As above: a client that goes away mid-request is no error of ours.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

type Answer = UnsyncBoxBody<Bytes, io::Error>;

/// An error closes the connection without an answer.
async fn respond(sandbox: &Sandbox, request: Request<Body>) -> io::Result<Response<Answer>> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            let mut response = Response::new(whole(Bytes::new()));
            *response.status_mut() = hyper::StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(response);
        }
    };
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    let request = Incoming {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    };
    let (reply, delivery) = sandbox.answer(&request).await;
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    let size = reply.body.len();
    let body = match delivery {
        Delivery::Whole => whole(reply.body),
        Delivery::Closed => return Err(closed()),
        Delivery::Never => std::future::pending().await,
        Delivery::Half => {
            response = response.header("content-length", size);
            let half = Ok(Frame::data(reply.body.slice(..size / 2)));
            StreamBody::new(stream::iter([half, Err(closed())])).boxed_unsync()
        }
        Delivery::ShortLength => {
            response = response.header("content-length", size / 2);
            let part = Ok(Frame::data(reply.body.slice(..size / 2)));
            StreamBody::new(stream::iter([part])).boxed_unsync()
        }
        Delivery::Slow(span) => slow(reply.body, span),
        Delivery::Gzip => {
            response = response.header("content-encoding", "gzip");
            let mut coder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            coder.write_all(&reply.body)?;
            whole(coder.finish()?.into())
        }
        Delivery::Endless => {
            let first = stream::iter([Ok(Frame::data(reply.body))]);
            let spaces = Bytes::from(vec![b' '; 1024 * 1024]);
            let rest = stream::repeat_with(move || Ok(Frame::data(spaces.clone())));
            StreamBody::new(futures_util::StreamExt::chain(first, rest)).boxed_unsync()
        }
    };
    Ok(response
        .body(body)
        .expect("the sandbox makes valid headers"))
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "a fault was asked for")
}

fn whole(body: Bytes) -> Answer {
    Full::new(body)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A body in ten pieces over this time.
fn slow(body: Bytes, span: std::time::Duration) -> Answer {
    const PIECES: usize = 10;
    let pieces = stream::unfold((0, body), move |(piece, body)| async move {
        if piece == PIECES {
            return None;
        }
        tokio::time::sleep(span / PIECES as u32).await;
        let bounds = [piece, piece + 1].map(|piece| body.len() * piece / PIECES);
        Some((
            Ok(Frame::data(body.slice(bounds[0]..bounds[1]))),
            (piece + 1, body),
        ))
    });
    StreamBody::new(pieces).boxed_unsync()
}
