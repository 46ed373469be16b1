//! `wasmport policy capabilities`: the words that policies can use.

use clap::Args;
use serde::Serialize;
use wasmport_policies::{KnownCapability, KnownFunctions, Risk, known_capabilities};

use crate::error::{Failure, Kind};
use crate::output::Answer;

/// List the capabilities that policies can allow and deny, or say all about one
#[derive(Args, Debug)]
pub(crate) struct CapabilitiesArgs {
    /// A capability, such as `sockets`
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

/// The capabilities.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    capabilities: Vec<KnownCapability>,
    #[serde(skip)]
    is_one: bool,
}

pub(super) fn run(args: &CapabilitiesArgs) -> Result<Listed, Failure> {
    let all = known_capabilities();
    let Some(name) = &args.name else {
        return Ok(Listed {
            capabilities: all,
            is_one: false,
        });
    };
    let names: Vec<String> = all.iter().map(|known| known.name.clone()).collect();
    let found = all.into_iter().find(|known| known.name == *name);
    let Some(found) = found else {
        let message = format!("`{name}` is not a capability");
        let hint = format!("expected one of: {}", names.join(", "));
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    };
    Ok(Listed {
        capabilities: vec![found],
        is_one: true,
    })
}

impl Answer for Listed {
    fn to_text(&self) -> String {
        let block = if self.is_one { whole } else { line };
        let blocks: Vec<String> = self.capabilities.iter().map(block).collect();
        blocks.join("\n")
    }
}

fn line(known: &KnownCapability) -> String {
    let std = if known.std { ", in `std`" } else { "" };
    let risk = risk(known.risk);
    format!("{:16}  {} (risk: {risk}{std})", known.name, known.summary)
}

fn whole(known: &KnownCapability) -> String {
    let mut lines = vec![
        known.name.clone(),
        format!("  it can     {}", known.summary),
        format!("  risk       {}", risk(known.risk)),
    ];
    if !known.concern.is_empty() {
        lines.push(format!("  concern    {}", known.concern));
    }
    lines.extend(known.rust.iter().map(|rust| format!("  in Rust    {rust}")));
    if known.std {
        lines.push("  group      std".to_owned());
    }
    if !known.includes.is_empty() {
        lines.push(format!("  includes   {}", known.includes.join(", ")));
    }
    if !known.interfaces.is_empty() {
        lines.push("  interfaces".to_owned());
    }
    for name in &known.interfaces {
        lines.push(format!("    {name}"));
        let own = known.functions.iter();
        let own = own.filter(|group| group.imports == [name.as_str()]);
        let own = own.flat_map(|group| &group.functions);
        lines.extend(own.map(|function| format!("      {function}")));
    }
    let is_other = |group: &&KnownFunctions| {
        let mut imports = group.imports.iter();
        !imports.any(|name| known.interfaces.contains(name))
    };
    for group in known.functions.iter().filter(is_other) {
        lines.push(format!("  functions of {}", group.imports.join(", ")));
        lines.extend(group.functions.iter().map(|name| format!("    {name}")));
    }
    lines.join("\n")
}

fn risk(risk: Risk) -> &'static str {
    match risk {
        Risk::None => "none",
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high",
    }
}
