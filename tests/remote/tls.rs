//! The way to the server: TLS with an authority of one's own, and a proxy.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::env::Env;
use crate::server::{API_KEY, answer, read_request};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/remote/tls_files").join(name)
}

/// A server of TLS that has no connectors; gives its port.
fn start() -> u16 {
    let certificates = vec![CertificateDer::from_pem_file(file("server.pem")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(certificates, key).unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            thread::spawn(move || {
                let connection = rustls::ServerConnection::new(config).unwrap();
                let mut stream = rustls::StreamOwned::new(connection, stream);
                let Some(came) = read_request(&mut stream) else { return };
                let body: &[u8] =
                    if came.path == "/api/status" { b"{\"version\":{\"number\":\"9.4.0\"}}" } else { b"[]" };
                let _ = stream.write_all(&answer(200, "application/json", "", body));
                stream.conn.send_close_notify();
                let _ = stream.flush();
            });
        }
    });
    port
}

#[test]
fn only_the_given_ca_is_trusted() {
    let env = Env::new();
    let port = start();
    let ca = file("authority.pem");
    let ca = ca.to_str().unwrap();
    for (name, host, with_ca) in [("own", "localhost", true), ("other", "localhost", false), ("ip", "127.0.0.1", true)]
    {
        let url = format!("https://{host}:{port}");
        let mut arguments = vec!["remote", "add", name, &url];
        if with_ca {
            arguments.extend(["--ca", ca]);
        }
        env.run(&arguments).exit_code(0);
        env.with_input(&["remote", "login", name], API_KEY).exit_code(0);
    }
    env.run(&["pull", "--remote", "own"]).exit_code(0).contains("0 new");
    env.run(&["pull", "--remote", "ip"]).exit_code(0);
    env.run(&["pull", "--remote", "other"]).exit_code(2).contains("the connection is not safe").contains("--ca FILE");
    let empty = env.dir.write("empty.pem", "nothing");
    env.run(&["remote", "add", "empty", &format!("https://localhost:{port}"), "--ca", empty.to_str().unwrap()])
        .exit_code(0);
    env.with_input(&["remote", "login", "empty"], API_KEY).exit_code(0);
    env.run(&["pull", "--remote", "empty"]).exit_code(2).contains("it holds no certificate");
}

#[test]
fn proxy_is_used() {
    let env = Env::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let requested = Arc::new(Mutex::new(Vec::new()));
    let (log, target) = (requested.clone(), env.server.port);
    thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) > 0 {
                head.push(byte[0]);
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            log.lock().unwrap().push(head.clone());
            let mut server = TcpStream::connect(("127.0.0.1", target)).unwrap();
            if head.starts_with("CONNECT") {
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            } else {
                server.write_all(head.as_bytes()).unwrap();
            }
            let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut from, &mut to));
            let _ = std::io::copy(&mut server, &mut client);
            let _ = client.shutdown(std::net::Shutdown::Both);
        }
    });
    let proxy = format!("http://127.0.0.1:{port}");
    env.run(&["remote", "add", "through", "http://kibana.example:5601", "--allow-http", "--proxy", &proxy])
        .exit_code(0);
    env.with_input(&["remote", "login", "through"], API_KEY).exit_code(0);
    env.run(&["pull", "--remote", "through"]).exit_code(0).contains("0 new");
    assert!(requested.lock().unwrap()[0].contains("kibana.example:5601"));
    // Plain traffic to this machine uses no proxy of the environment.
    let before = requested.lock().unwrap().len();
    let through = |arguments: &[&str]| -> crate::env::CommandOutput {
        let mut command = env.command(arguments);
        command.env_remove("NO_PROXY").env("HTTP_PROXY", &proxy).env("HTTPS_PROXY", &proxy).env("ALL_PROXY", &proxy);
        command.output().unwrap().into()
    };
    through(&["pull", "--remote", "prod"]).exit_code(0);
    assert_eq!(requested.lock().unwrap().len(), before);
    // Encrypted traffic does.
    env.run(&["remote", "add", "safe", "https://kibana.example:5601", "--timeout", "3"]).exit_code(0);
    env.with_input(&["remote", "login", "safe"], API_KEY).exit_code(0);
    through(&["pull", "--remote", "safe"]).exit_code(2);
    assert!(requested.lock().unwrap()[before].starts_with("CONNECT kibana.example:5601"));
    env.run(&["remote", "add", "x", "http://localhost:1", "--proxy", &proxy]).exit_code(2).contains("--allow-http");
}
