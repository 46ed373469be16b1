//! `wasmport demo`: the main job from end to end, with the commands that anyone would type.

mod samples;
mod stage;

use clap::Args;
use serde_json::Value;

use crate::error::Failure;
use stage::{Expect, Server, Stage, scene};

/// Build, push, be refused, sign, pull, verify and run, in a temporary directory
#[derive(Args, Debug)]
pub(crate) struct DemoArgs {
    /// Keep the temporary directory and say where it is
    #[arg(long)]
    keep: bool,
}

const POLICY: &str = include_str!("demo/policy.toml");

pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let stage = Stage::set_up(args.keep)?;
    samples::write(stage.directory())?;
    stage.write("policy.toml", POLICY)?;

    scene("build two programs: one greets, one opens files and sockets");
    stage.build("hello")?;
    stage.build("files-and-sockets")?;

    scene("make a key, and serve a registry with a policy that knows it");
    stage.wasmport(Expect::Done, &["keygen", "-o", "demo"])?;
    let server = Server::start(
        &stage,
        &[
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--store",
            "store",
            "--policy",
            "policy.toml",
        ],
    )?;
    let registry = server.address();

    scene("push the one that opens sockets: refused, for what its bytes import");
    stage.wasmport(
        Expect::No,
        &[
            "push",
            "files-and-sockets.oci",
            &format!("{registry}/apps/fetch:0.1.0"),
        ],
    )?;

    scene("push the greeter, signed: admitted");
    let hello = format!("{registry}/signed/hello:0.1.0");
    stage.wasmport(
        Expect::Done,
        &["push", "hello.oci", &hello, "--sign-key", "demo.key"],
    )?;

    hold_and_release(&stage, registry)?;

    scene("pull it, verify it, run it");
    stage.wasmport(Expect::Done, &["verify", &hello, "--key", "demo.pub"])?;
    stage.wasmport(
        Expect::Done,
        &["pull", &hello, "--key", "demo.pub", "-o", "hello.wasm"],
    )?;
    run_hello(&stage)?;
    server.stop()?;
    stage.finish();
    Ok(())
}

/// An artifact without the signature that the policy wants is kept back until it has one.
fn hold_and_release(stage: &Stage, registry: &str) -> Result<(), Failure> {
    let unsigned = format!("{registry}/signed/unsigned:0.1.0");
    scene("push it unsigned where the policy wants a signature: held, nobody can pull the tag");
    let pushed = stage.wasmport_json(&["push", "hello.oci", &unsigned])?;
    stage.wasmport(Expect::Undecided, &["pull", &unsigned])?;

    scene("sign what is held: the registry decides anew, and the tag is there");
    let digest = pushed
        .get("digest")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let by_digest = format!("{registry}/signed/unsigned@{digest}");
    stage.wasmport(Expect::Done, &["sign", &by_digest, "--key", "demo.key"])?;
    stage.wasmport(
        Expect::Done,
        &[
            "pull",
            &unsigned,
            "--key",
            "demo.pub",
            "-o",
            "unsigned.wasm",
        ],
    )
}

#[cfg(feature = "run")]
fn run_hello(stage: &Stage) -> Result<(), Failure> {
    stage.wasmport(Expect::Done, &["run", "hello.wasm", "--", "port"])
}

/// Without the `run` feature the program can only be run by a `wasmtime` that is there.
#[cfg(not(feature = "run"))]
#[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
fn run_hello(_stage: &Stage) -> Result<(), Failure> {
    scene("this wasmport is built without `run`; try: wasmtime hello.wasm port");
    Ok(())
}
