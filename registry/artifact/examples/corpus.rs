//! Judges all `.wasm`, `.wat` and `.wast` files under the given folders; `.ci/corpus inspect` calls it.
//!
//!     cargo run --release -p wasmport-artifact --example corpus -- FOLDER…
//!
//! With `WASMPORT_SEEDS=FOLDER` it also writes what it finds there, for the fuzz target `wasm`.

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "it is for terminals, and indexes types by their own numbers"
)]

#[path = "../tests/judge/mod.rs"]
mod judge;
#[path = "../tests/judge/script.rs"]
mod script;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use judge::{Verdict, judge};

#[derive(Default)]
struct Totals {
    files: usize,
    /// Text that the text parser refuses, as it should of most of them.
    not_understood: usize,
    valid: usize,
    invalid: usize,
    /// Modules on which the script and the verdict differ: proposals that are not accepted.
    unlike: usize,
    slowest: Duration,
    wrong: usize,
    seeds: Option<PathBuf>,
}

fn main() -> ExitCode {
    let mut totals = Totals {
        seeds: std::env::var_os("WASMPORT_SEEDS").map(PathBuf::from),
        ..Totals::default()
    };
    let mut waiting: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    while let Some(path) = waiting.pop() {
        if let Ok(entries) = fs::read_dir(&path) {
            waiting.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
        } else {
            totals.file(&path);
        }
    }
    println!(
        "{} files, {} more not understood: {} valid, {} invalid, {} other than their script says; slowest {:?}; {} wrong",
        totals.files,
        totals.not_understood,
        totals.valid,
        totals.invalid,
        totals.unlike,
        totals.slowest,
        totals.wrong
    );
    if totals.wrong == 0 && totals.valid > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

impl Totals {
    fn file(&mut self, path: &Path) {
        let extension = path.extension().unwrap_or_default().to_string_lossy();
        let claims = match &*extension {
            "wasm" => fs::read(path).ok().map(|bytes| vec![(None, bytes)]),
            "wat" => wat::parse_file(path).ok().map(|bytes| vec![(None, bytes)]),
            "wast" => fs::read_to_string(path).ok().and_then(|text| {
                let claims = script::read(&text)?;
                Some(
                    claims
                        .into_iter()
                        .map(|(claim, bytes)| (Some(claim), bytes))
                        .collect(),
                )
            }),
            _ => None,
        };
        let Some(claims) = claims else {
            self.not_understood += usize::from(matches!(&*extension, "wasm" | "wat" | "wast"));
            return;
        };
        self.files += 1;
        for (number, (claim, bytes)) in claims.iter().enumerate() {
            if let Some(folder) = &self.seeds {
                let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                let _ = fs::write(folder.join(format!("{stem}-{number}")), bytes);
            }
            let begun = Instant::now();
            let verdict = judge(bytes);
            self.slowest = self.slowest.max(begun.elapsed());
            match verdict {
                Ok(Verdict::Valid) => self.valid += 1,
                Ok(Verdict::Invalid) => self.invalid += 1,
                Err(wrong) => {
                    self.wrong += 1;
                    println!("{} {number}: {wrong}", path.display());
                    continue;
                }
            }
            let is_valid = verdict == Ok(Verdict::Valid);
            let is_like = claim.is_none_or(|claim| (claim == script::Claim::Valid) == is_valid);
            self.unlike += usize::from(!is_like);
        }
    }
}
