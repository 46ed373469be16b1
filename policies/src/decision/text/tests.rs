use super::super::tests::{finding, policy as named};
use super::*;
use crate::finding::Code;

fn policy() -> Policy {
    named("p.toml")
}

#[test]
fn imports_of_one_capability_share_a_block_with_the_policys_line() {
    let decision = Decision::of(vec![
        finding("wasi:sockets/tcp@0.2.6", &["a", "b", "c", "d", "e"]),
        finding("wasi:sockets/udp@0.2.6", &[]),
    ]);
    let expected = "\
error[import-not-allowed]: 2 imports ask for `sockets`, which rule `r` does not allow
 --> p.toml:5:9
  |
5 | allow = [\"std\"]
  |         ^^^^^^^
  = found: wasi:sockets/tcp@0.2.6 (a, b, c, 2 more)
           wasi:sockets/udp@0.2.6
  = allowed: std
  = help: leave it

denied: 2 findings
";
    assert_eq!(decision.to_text(Some(&policy())), expected);
}

#[test]
fn the_policys_reason_is_shown_once() {
    let denied = |import: &str| Finding {
        code: Code::ImportDenied,
        reason: Some("stateless".to_owned()),
        ..finding(import, &[])
    };
    let text = Decision::of(vec![denied("a:b/c"), denied("a:b/d")]).to_text(None);
    assert_eq!(text.matches("  = reason: stateless\n").count(), 1, "{text}");
}

#[test]
fn without_the_policy_only_the_place_is_shown() {
    let decision = Decision::of(vec![finding("wasi:sockets/tcp@0.2.6", &["a"])]);
    let expected = "\
error[import-not-allowed]: `wasi:sockets/tcp@0.2.6` asks for `sockets`, which rule `r` does not allow
 --> p.toml:5:9
  = found: wasi:sockets/tcp@0.2.6 (a)
  = allowed: std
  = help: leave it

denied: 1 finding
";
    assert_eq!(decision.to_text(None), expected);
    let other = Policy::parse("other.toml", policy().files().next().unwrap().1).unwrap();
    assert_eq!(decision.to_text(Some(&other)), expected);
}

#[test]
fn nothing_to_find_is_one_word() {
    assert_eq!(Decision::of(Vec::new()).to_text(None), "admitted\n");
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let decision = Decision::of(vec![finding("evil\u{1b}[2J\nadmitted\u{202e}", &["\u{7}"])]);
    let text = decision.to_text(None);
    assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
    assert!(
        !text.lines().any(|line| line.starts_with("admitted")),
        "{text}"
    );
}

#[test]
fn a_long_list_is_cut() {
    let findings = (0..50).map(|number| finding(&format!("wasi:sockets/x{number}"), &[]));
    let text = Decision::of(findings.collect()).to_text(None);
    assert!(text.contains("           and 30 more\n"), "{text}");
    assert!(text.ends_with("denied: 50 findings\n"), "{text}");
}

#[test]
fn disagreements_are_listed_below_one_heading() {
    let disagreement = |message: &str| Finding {
        code: Code::ConfigDisagrees,
        place: None,
        rule: None,
        message: message.to_owned(),
        allowed: Vec::new().into(),
        capability: None,
        ..finding("x", &[])
    };
    let decision = Decision::of(vec![
        disagreement("one is wrong"),
        disagreement("two is wrong"),
    ]);
    let expected = "\
error[config-disagrees]: the config does not say what the bytes are, in 2 points
  = found: one is wrong
           two is wrong
  = help: leave it

denied: 2 findings
";
    assert_eq!(decision.to_text(None), expected);
}

#[test]
fn long_help_is_broken_between_words() {
    let help = ["word"; 20].join(" ");
    let decision = Decision::of(vec![Finding {
        help: help.clone(),
        ..finding("wasi:sockets/tcp@0.2.6", &["[method]tcp-socket.accept"])
    }]);
    let text = decision.to_text(None);
    assert!(
        text.contains("wasi:sockets/tcp@0.2.6 (tcp-socket.accept)"),
        "{text}"
    );
    assert!(text.lines().all(|line| line.len() < 110), "{text}");
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let joined = lines.join(" ");
    assert!(joined.contains(&format!("= help: {help}")), "{text}");
}

#[test]
fn a_terminal_gets_colours_that_end_where_they_should() {
    let decision = Decision::of(vec![finding("wasi:sockets/tcp@0.2.6", &["a"])]);
    let coloured = decision.to_coloured_text(Some(&policy()));
    assert!(coloured.starts_with("\u{1b}[1;31merror[import-not-allowed]\u{1b}[0m"));
    for line in coloured.lines() {
        let opened = line.matches("\u{1b}[1").count();
        assert_eq!(opened, line.matches("\u{1b}[0m").count(), "{line}");
    }
    let mut plain = coloured;
    for escape in ["[1;31m", "[1;34m", "[1m", "[0m"] {
        plain = plain.replace(&format!("\u{1b}{escape}"), "");
    }
    assert_eq!(plain, decision.to_text(Some(&policy())));
}

#[test]
fn what_a_registry_left_out_is_counted() {
    let findings = (0..500).map(|number| finding(&format!("wasi:sockets/x{number}"), &["f"]));
    let short = Decision::of(findings.collect()).shortened(4096);
    let text = short.to_text(None);
    assert!(text.contains("           and 480 more\n"), "{text}");
    assert!(text.ends_with("denied: 500 findings\n"), "{text}");
}
