//! Asks a registry whether it is well: for containers, which have nothing else to ask with.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use thiserror::Error;

/// How long each step may take. What watches gives up after about as long.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The first line of an answer, in bytes.
const STATUS_LINE: u64 = 256;

/// Why a registry is not known to be well.
#[derive(Debug, Error)]
pub enum HealthError {
    /// It is not an address that can be asked.
    #[error(
        "`{0}` is not a plain HTTP address, expected one such as `http://127.0.0.1:5000/readyz`"
    )]
    Url(String),
    /// There was no answer.
    #[error("`{url}` did not answer")]
    Silent {
        /// What was asked.
        url: String,
        /// Why not.
        source: io::Error,
    },
    /// It is not well.
    #[error("`{url}` answered `{status}`, expected 200")]
    Unwell {
        /// What was asked.
        url: String,
        /// The first line of the answer.
        status: String,
    },
}

/// Asks `url`, in plain HTTP; a registry that speaks TLS has a plain address for its metrics,
/// where it can be asked, too. Blocks for a few seconds at most.
pub fn check_health(url: &str) -> Result<(), HealthError> {
    let wrong = || HealthError::Url(url.to_owned());
    let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, "readyz"));
    let printable = url.bytes().all(|byte| byte.is_ascii_graphic());
    if host.is_empty() || !printable {
        return Err(wrong());
    }
    let status = ask(host, path).map_err(|source| HealthError::Silent {
        url: url.to_owned(),
        source,
    })?;
    if status.starts_with("HTTP/1.1 200") {
        return Ok(());
    }
    let url = url.to_owned();
    Err(HealthError::Unwell { url, status })
}

fn ask(host: &str, path: &str) -> io::Result<String> {
    let with_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']'));
    let address = if with_port {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let nowhere = || io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    let address = address.to_socket_addrs()?.next().ok_or_else(nowhere)?;
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!("GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(STATUS_LINE).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
