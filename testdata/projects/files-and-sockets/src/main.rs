//! Sends a file to a TCP server and keeps the answer:
//! `files-and-sockets ADDRESS:PORT FILE ANSWER-FILE`.

use std::error::Error;
use std::fs::File;
use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, file, answer] = arguments.as_slice() else {
        eprintln!("usage: files-and-sockets ADDRESS:PORT FILE ANSWER-FILE");
        return ExitCode::FAILURE;
    };
    match exchange(address, file, answer) {
        Ok((sent, received)) => {
            println!("sent {sent} bytes, received {received} bytes");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("files-and-sockets: {error}");
            ExitCode::FAILURE
        }
    }
}

fn exchange(address: &str, file: &str, answer: &str) -> Result<(u64, u64), Box<dyn Error>> {
    let mut content = File::open(file).map_err(|error| format!("cannot read `{file}`: {error}"))?;
    let mut server = TcpStream::connect(address)
        .map_err(|error| format!("cannot connect to `{address}`: {error}"))?;
    let sent = io::copy(&mut content, &mut server)?;
    server.shutdown(Shutdown::Write)?;

    let mut kept = File::create(answer)?;
    let received = io::copy(&mut server, &mut kept)?;
    kept.flush()?;
    Ok((sent, received))
}
