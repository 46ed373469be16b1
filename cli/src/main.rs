//! The `wasmport` command: builds, inspects, signs and ships Wasm components.

mod args;
mod artifact;
mod capability_list;
mod cases;
mod clock;
mod commands;
mod contents;
mod environment;
mod error;
mod evidence;
mod exit_code;
mod facts;
mod files;
mod keys;
mod output;
mod policy;
mod previous;
mod question;
mod remote;
mod source;
mod store;
mod survey;
mod verification;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::args::Arguments;
use crate::error::{Failure, Kind};
use crate::output::{Format, Output};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let arguments = match Arguments::try_parse_from(&words) {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error, &words),
    };
    let output = Output::new(arguments.command.name(), arguments.format);
    let done = expect_format(&arguments).and_then(|()| commands::run(arguments.command, output));
    let code = done.unwrap_or_else(|failure| {
        let code = failure.exit_code();
        // When stdout is closed nobody listens; the exit code still says it.
        let _closed = output.failure(failure);
        code
    });
    ExitCode::from(code)
}

/// Only findings have the other forms.
fn expect_format(arguments: &Arguments) -> Result<(), Failure> {
    let name = match arguments.format {
        Format::Text | Format::Json => return Ok(()),
        Format::Sarif => "sarif",
        Format::Github => "github",
    };
    if arguments.command.has_findings() {
        return Ok(());
    }
    let command = arguments.command.name();
    let words = format!("`{command}` has no findings to write as `{name}`");
    Err(Failure::new(Kind::Usage, words).hint("expected `--format text` or `--format json`"))
}

/// Answers arguments that cannot be understood, in the format that was asked for.
fn refuse(error: &clap::Error, words: &[OsString]) -> ExitCode {
    let is_answer = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    if is_answer || !asks_for_json(words) {
        let _closed = error.print();
        return ExitCode::from(if is_answer {
            exit_code::DONE
        } else {
            exit_code::USAGE
        });
    }
    let words_of_clap = error.render().to_string();
    let message = words_of_clap.trim_end().trim_start_matches("error: ");
    let failure = Failure::new(Kind::Usage, message).hint("`wasmport help` lists what can be said");
    let _closed = Output::new("wasmport", Format::Json).failure(failure);
    ExitCode::from(exit_code::USAGE)
}

fn asks_for_json(words: &[OsString]) -> bool {
    let pairs = words.iter().zip(words.iter().skip(1));
    words.iter().any(|word| word == "--format=json")
        || pairs
            .into_iter()
            .any(|(option, value)| option == "--format" && value == "json")
}
