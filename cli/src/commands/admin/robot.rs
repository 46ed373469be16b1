//! `wasmport admin robot`: names for machines, whose secrets can be revoked.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wasmport_policies::RepositoryPattern;
use wasmport_registry::access::Action;

use super::{Host, failed, printable, read};
use crate::commands::{answer, block_on};
use crate::error::Failure;
use crate::output::{self, Answer, Output};
use crate::remote::{self, Connection};

/// Make, list and revoke robots, as which machines log in
#[derive(Args, Debug)]
pub(crate) struct RobotArgs {
    #[command(subcommand)]
    command: RobotCommand,
}

#[derive(Debug, Subcommand)]
enum RobotCommand {
    Create(CreateArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

/// Make a robot, and print its token: the only time that anybody sees it
///
/// Only the token is printed to stdout. It is the password of the robot, with any user name. What
/// the robot may do is said here, or by rules for `robot:NAME` in the registry's configuration.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  wasmport admin robot create localhost:5000 ci --allow 'apps/**=pull,push'
  wasmport admin robot create localhost:5000 ci --expires 2027-01-01T00:00:00Z > ci.token

Exit status: 0 made; 1 the login may not administer; 2 usage, or there is a robot of this name;
3 no login, no registry of ours, or network.")]
struct CreateArgs {
    /// The registry, such as `localhost:5000`
    #[arg(value_name = "HOST")]
    host: Host,

    /// Its name: lower-case letters, digits and `-`
    #[arg(value_name = "NAME", value_parser = robot_name)]
    name: String,

    /// What it may do where, such as `apps/**=pull,push`; of `pull`, `push`, `delete`, `admin`
    #[arg(long, value_name = "REPOSITORIES=ACTIONS", value_parser = parse_rule)]
    allow: Vec<Rule>,

    /// When it ends, in RFC 3339 [default: when it is revoked]
    #[arg(long, value_name = "TIME")]
    expires: Option<Timestamp>,

    #[command(flatten)]
    connection: Connection,
}

/// List the robots, without their tokens, which nobody knows
#[derive(Args, Debug)]
struct ListArgs {
    /// The registry, such as `localhost:5000`
    #[arg(value_name = "HOST")]
    host: Host,

    #[command(flatten)]
    connection: Connection,
}

/// Revoke a robot; its token is good for nothing at once
#[derive(Args, Debug)]
struct RevokeArgs {
    /// The registry, such as `localhost:5000`
    #[arg(value_name = "HOST")]
    host: Host,

    /// Its name
    #[arg(value_name = "NAME", value_parser = robot_name)]
    name: String,

    #[command(flatten)]
    connection: Connection,
}

/// What a robot may do somewhere.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Rule {
    repositories: Vec<String>,
    allow: Vec<Action>,
}

/// A robot, as a registry shows it.
#[derive(Debug, Deserialize, Serialize)]
struct Robot {
    name: String,
    creator: String,
    created: Option<String>,
    expires: Option<String>,
    rules: Vec<Rule>,
}

/// A robot with its token.
#[derive(Debug, Deserialize, Serialize)]
struct Created {
    #[serde(flatten)]
    robot: Robot,
    token: String,
}

#[derive(Debug, Deserialize, Serialize)]
struct Robots {
    robots: Vec<Robot>,
}

#[derive(Debug, Serialize)]
struct Revoked {
    name: String,
}

impl RobotArgs {
    pub(super) fn name(&self) -> &'static str {
        match &self.command {
            RobotCommand::Create(_) => "admin robot create",
            RobotCommand::List(_) => "admin robot list",
            RobotCommand::Revoke(_) => "admin robot revoke",
        }
    }
}

pub(super) fn run(args: &RobotArgs, output: Output) -> Result<u8, Failure> {
    match &args.command {
        RobotCommand::Create(args) => answer(output, block_on(create(args))),
        RobotCommand::List(args) => answer(output, block_on(list(args))),
        RobotCommand::Revoke(args) => answer(output, block_on(revoke(args))),
    }
}

async fn create(args: &CreateArgs) -> Result<Created, Failure> {
    let admin = args.host.open(&args.connection).await?;
    let expires = args.expires.map(|expires| expires.to_string());
    let wanted = json!({ "name": args.name, "rules": args.allow, "expires": expires });
    let created = admin.create_robot(&wanted).await;
    let created: Created = read(created.map_err(failed("make the robot"))?)?;
    output::note(&format!(
        "made robot {}; its token is not shown again",
        created.robot.name
    ));
    Ok(created)
}

async fn list(args: &ListArgs) -> Result<Robots, Failure> {
    let admin = args.host.open(&args.connection).await?;
    read(admin.robots().await.map_err(failed("list the robots"))?)
}

async fn revoke(args: &RevokeArgs) -> Result<Revoked, Failure> {
    let admin = args.host.open(&args.connection).await?;
    let revoked = admin.revoke_robot(&args.name).await;
    revoked.map_err(failed("revoke the robot"))?;
    let name = args.name.clone();
    Ok(Revoked { name })
}

impl Answer for Created {
    fn to_text(&self) -> String {
        self.token.clone()
    }
}

impl Answer for Robots {
    fn to_text(&self) -> String {
        if self.robots.is_empty() {
            return "there are no robots".to_owned();
        }
        self.robots
            .iter()
            .map(to_line)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

impl Answer for Revoked {
    fn to_text(&self) -> String {
        format!("revoked {}", self.name)
    }
}

fn to_line(robot: &Robot) -> String {
    let time = |time: &Option<String>| time.as_deref().map_or("never".to_owned(), printable);
    let mut line = format!(
        "{}  made {} by {}, ends {}",
        printable(&robot.name),
        time(&robot.created),
        printable(&robot.creator),
        time(&robot.expires)
    );
    for rule in &robot.rules {
        let allow = serde_json::to_value(&rule.allow).unwrap_or_default();
        let allow = allow.as_array().cloned().unwrap_or_default();
        let allow: Vec<_> = allow.iter().filter_map(|action| action.as_str()).collect();
        let places = printable(&rule.repositories.join(" "));
        let _infallible = write!(line, "; {places}={}", allow.join(","));
    }
    line
}

/// The name becomes a part of a URL, so that it has to be one before it is sent.
fn robot_name(text: &str) -> Result<String, String> {
    let is_known = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !text.is_empty() && text.len() <= 64 && text.bytes().all(is_known) {
        return Ok(text.to_owned());
    }
    Err("expected lower-case letters, digits and `-`, at most 64".to_owned())
}

fn parse_rule(text: &str) -> Result<Rule, String> {
    let (place, actions) = remote::parse_pair(text)
        .map_err(|_| "expected REPOSITORIES=ACTIONS, such as `apps/**=pull,push`".to_owned())?;
    RepositoryPattern::parse(&place)?;
    let action = |name: &str| {
        let action = serde_json::from_value(json!(name));
        action.map_err(|_| format!("`{name}` is none of `pull`, `push`, `delete`, `admin`"))
    };
    Ok(Rule {
        repositories: vec![place],
        allow: actions.split(',').map(action).collect::<Result<_, _>>()?,
    })
}
