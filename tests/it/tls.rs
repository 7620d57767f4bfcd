//! TLS and proxies as they are used: a real rustls server with an authority of its own, and a CONNECT proxy.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::harness::{Output, binary, finish, signed_in};

/// An authority, with its certificate in a file.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: tempfile::NamedTempFile,
}

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(issuer.pem().as_bytes()).unwrap();
    Authority { issuer, file }
}

const EMPTY: &[u8] = br#"{"RequestId":"R","PageInfo":{"TotalCount":0},"List":[]}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Serves an empty listing over TLS, with a certificate for these names, until the test ends. Gives the port.
fn serve(authority: &Authority, names: &[&str], expired: bool) -> u16 {
    let mut params = CertificateParams::new(
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>(),
    )
    .unwrap();
    if expired {
        (params.not_before, params.not_after) =
            (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authority.issuer).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = Arc::new(config);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream);
            thread::spawn(move || {
                let mut request = [0; 8192];
                let read = stream.read(&mut request).unwrap_or(0);
                if read > 0 {
                    let request = String::from_utf8_lossy(&request[..read]).to_lowercase();
                    // As real services do it: compressed for whoever takes that.
                    let (body, coding) = match request.contains("accept-encoding: gzip") {
                        true => (gzip(EMPTY), "Content-Encoding: gzip\r\n"),
                        false => (EMPTY.to_vec(), ""),
                    };
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{coding}Connection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = stream
                        .write_all(head.as_bytes())
                        .and_then(|()| stream.write_all(&body));
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
    port
}

fn ask(endpoint: &str, env: &[(&str, &str)]) -> Output {
    let flags = "-o jsonl --retries 0 -vv";
    run(
        &format!("aliyun agentless-tasks {flags} --endpoint {endpoint}"),
        env,
    )
}

fn run(line: &str, env: &[(&str, &str)]) -> Output {
    let mut words: Vec<_> = line.split(' ').collect();
    words.extend(["--timeout", "10s"]);
    let mut command = binary(&words);
    command.envs(signed_in()).envs(env.iter().copied());
    finish(command)
}

/// What a user sees of a proxy that is not there.
pub fn through_a_dead_proxy(line: &str) -> Output {
    run(line, &[("HTTPS_PROXY", "http://127.0.0.1:1")])
}

/// What a user sees of a proxy that signs with an authority of its own.
pub fn with_an_unknown_authority(line: &str) -> Output {
    let (port, _) = proxy(serve(
        &authority(),
        &["tds.cn-shanghai.aliyuncs.com"],
        false,
    ));
    let address = format!("http://127.0.0.1:{port}");
    run(line, &[("HTTPS_PROXY", &address)])
}

#[test]
fn a_private_authority_is_trusted_only_where_it_is_named() {
    let authority = authority();
    let file = authority.file.path().to_str().unwrap().to_owned();
    let named = [("SSL_CERT_FILE", file.as_str())];
    let good = serve(&authority, &["127.0.0.1"], false);
    let trusted = ask(&format!("https://127.0.0.1:{good}"), &named);
    assert_eq!(trusted.code, 0, "{}", trusted.err);
    assert!(!trusted.err.contains("gzip"), "{}", trusted.err);
    let unknown = ask(&format!("https://127.0.0.1:{good}"), &[]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.err.contains("UnknownIssuer") && unknown.err.contains("SSL_CERT_FILE"),
        "{}",
        unknown.err
    );
    let other_name = serve(&authority, &["elsewhere.example"], false);
    let wrong = ask(&format!("https://127.0.0.1:{other_name}"), &named);
    assert!(
        wrong.code == 1 && wrong.err.contains("certificate"),
        "{}",
        wrong.err
    );
    let old = serve(&authority, &["127.0.0.1"], true);
    let expired = ask(&format!("https://127.0.0.1:{old}"), &named);
    assert!(
        expired.code == 1 && expired.err.to_lowercase().contains("expired"),
        "{}",
        expired.err
    );
}

#[test]
fn certificates_that_can_not_be_read_are_a_mistake_that_is_not_tried_again() {
    let empty = tempfile::NamedTempFile::new().unwrap();
    let broken = tempfile::NamedTempFile::new().unwrap();
    let begin = "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    std::fs::write(broken.path(), begin).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, path) in [
        ("SSL_CERT_FILE", empty.path()),
        ("SSL_CERT_FILE", broken.path()),
        ("SSL_CERT_FILE", "/nowhere/ca.pem".as_ref()),
        ("SSL_CERT_DIR", folder.path()),
        ("SSL_CERT_DIR", "/nowhere".as_ref()),
    ] {
        let path = path.to_str().unwrap();
        for line in [
            "aliyun agentless-tasks -v",
            "tasks -v",
            "profile check aliyun -v",
        ] {
            let output = run(line, &[(name, path)]);
            let told = output
                .err
                .lines()
                .filter(|line| line.starts_with("error: "))
                .count();
            assert_eq!((output.code, told), (2, 1), "{line}: {output:?}");
            let says = format!("error: {name}: ");
            assert!(
                output.err.contains(&says) && output.err.contains(path),
                "{output:?}"
            );
            assert!(
                !output.err.contains("retry in") && !output.err.contains("tried"),
                "{output:?}"
            );
        }
    }
}

#[test]
fn a_proxy_variable_that_is_no_address_is_a_mistake() {
    let output = run(
        "aliyun agentless-tasks -v",
        &[("HTTPS_PROXY", "http://user:PLANTED@[1")],
    );
    assert_eq!(output.code, 2, "{output:?}");
    assert!(
        output
            .err
            .contains("error: HTTPS_PROXY: is not the address of a proxy"),
        "{output:?}"
    );
    assert!(
        !output.err.contains("PLANTED") && !output.err.contains("retry in"),
        "{output:?}"
    );
}

/// A CONNECT proxy that leads everything to one port of this machine, and notes what it was asked.
fn proxy(to: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let notes = Arc::clone(&notes);
            thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n")
                    && client.read(&mut byte).is_ok_and(|read| read == 1)
                {
                    head.push(byte[0]);
                }
                notes
                    .lock()
                    .unwrap()
                    .push(String::from_utf8_lossy(&head).into_owned());
                let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)) else {
                    return;
                };
                let _ = client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
                let (mut from_client, mut to_server) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
                let _ = std::io::copy(&mut server, &mut client);
            });
        }
    });
    (port, asked)
}

#[test]
fn a_proxy_is_asked_for_https_and_its_password_is_not_shown() {
    let authority = authority();
    let file = authority.file.path().to_str().unwrap().to_owned();
    let (port, asked) = proxy(serve(&authority, &["scanq.test"], false));
    let address = format!("http://user:PLANTED-password@127.0.0.1:{port}");
    let through = ask(
        "https://scanq.test",
        &[("SSL_CERT_FILE", &file), ("HTTPS_PROXY", &address)],
    );
    assert_eq!(through.code, 0, "{}", through.err);
    // Far away answers are compressed, and both sizes are told.
    let sizes = format!(
        "{} bytes  aliyun/cn-shanghai ListAgentlessTask (gzip, {} bytes on the wire)",
        EMPTY.len(),
        gzip(EMPTY).len()
    );
    assert!(through.err.contains(&sizes), "{}", through.err);
    let head = asked.lock().unwrap().remove(0);
    assert!(head.starts_with("CONNECT scanq.test:443 "), "{head}");
    assert!(
        head.to_lowercase().contains("proxy-authorization: basic "),
        "{head}"
    );
    assert!(!format!("{through:?}").contains("PLANTED"));
    // The key itself only goes through the tunnel.
    assert!(!head.contains("ACS3"), "{head}");

    let around = ask(
        "https://scanq.test",
        &[
            ("SSL_CERT_FILE", &file),
            ("HTTPS_PROXY", &address),
            ("NO_PROXY", "scanq.test"),
        ],
    );
    assert_eq!(
        (around.code, asked.lock().unwrap().len()),
        (1, 0),
        "{}",
        around.err
    );
    let broken = ask(
        "https://scanq.test",
        &[("HTTPS_PROXY", "http://user:PLANTED-password@127.0.0.1:1")],
    );
    assert_eq!(broken.code, 1);
    assert!(
        !format!("{around:?}{broken:?}").contains("PLANTED"),
        "{}",
        broken.err
    );
}

#[test]
fn what_stays_on_this_machine_needs_neither_proxy_nor_compression() {
    let authority = authority();
    let file = authority.file.path().to_str().unwrap().to_owned();
    let port = serve(&authority, &["127.0.0.1"], false);
    let env = [
        ("SSL_CERT_FILE", file.as_str()),
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
    ];
    let output = ask(&format!("https://127.0.0.1:{port}"), &env);
    assert_eq!(output.code, 0, "{}", output.err);
    // The server compresses for whoever takes that: nobody asked it to.
    let sizes = format!(
        "{} bytes  aliyun/cn-shanghai ListAgentlessTask\n",
        EMPTY.len()
    );
    assert!(output.err.contains(&sizes), "{}", output.err);
}
