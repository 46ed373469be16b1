//! The binary itself, as systemd runs it.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};

use tempfile::TempDir;

fn signal(name: &str, process: u32) {
    let sent = Command::new("kill")
        .args([name, &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn told(socket: &UnixDatagram) -> String {
    let mut message = [0; 256];
    let length = socket.recv(&mut message).unwrap();
    String::from_utf8_lossy(&message[..length])
        .trim()
        .to_owned()
}

#[test]
fn it_says_when_it_is_ready_reloads_at_sighup_and_ends_well_at_sigterm() {
    let directory = TempDir::new().unwrap();
    let socket = directory.path().join("notify");
    let listener = UnixDatagram::bind(&socket).unwrap();
    listener
        .set_read_timeout(Some(std::time::Duration::from_mins(1)))
        .unwrap();
    let config = directory.path().join("registry.toml");
    std::fs::write(&config, "[telemetry]\nlog-format = \"json\"\n").unwrap();
    let mut registry = Command::new(env!("CARGO_BIN_EXE_wasmport-registry"))
        .arg("--config")
        .arg(&config)
        .args(["--addr", "127.0.0.1:0", "--store"])
        .arg(directory.path().join("store"))
        .env("NOTIFY_SOCKET", &socket)
        .env_remove("RUST_LOG")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let log = BufReader::new(registry.stderr.take().unwrap());
    let log = log
        .lines()
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    let mut log = log.map(|line: serde_json::Value| line["message"].as_str().unwrap().to_owned());
    assert_eq!(told(&listener), "READY=1");
    assert!(log.any(|message| message == "listening"));

    std::fs::write(&config, "no = 1\n").unwrap();
    signal("-HUP", registry.id());
    assert!(log.any(|message| message.starts_with("kept the old")));
    signal("-TERM", registry.id());
    assert_eq!(told(&listener), "STOPPING=1");
    assert!(log.any(|message| message == "stopped"));
    assert!(registry.wait().unwrap().success());
}
