//! The sandbox on a real socket.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

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
        let sandbox = Rc::clone(&sandbox);
        tokio::task::spawn_local(async move {
            let service = service_fn(move |request| {
                let sandbox = Rc::clone(&sandbox);
                async move { Ok::<_, Infallible>(respond(&sandbox, request).await) }
            });
            // As above: a client that goes away mid-request is no error of ours.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn respond(sandbox: &Sandbox, request: Request<Body>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = match Limited::new(body, LARGEST_REQUEST).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => {
            let mut response = Response::new(Full::default());
            *response.status_mut() = hyper::StatusCode::PAYLOAD_TOO_LARGE;
            return response;
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
    let reply = sandbox
        .answer(&Incoming {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers,
            body,
        })
        .await;
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(name, value);
    }
    response
        .body(Full::new(reply.body))
        .expect("the sandbox makes valid headers")
}
