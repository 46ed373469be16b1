use super::*;

fn warnings(text: &str) -> Vec<String> {
    let text = format!("schema = 1\n{text}");
    let policy = Policy::parse("p.toml", &text).unwrap_or_else(|error| panic!("{error}"));
    let found = policy.warnings(jiff::civil::date(2026, 11, 21)).into_iter();
    found
        .map(|warning| {
            let place = &warning.place;
            format!(
                "{}:{} {}: {}",
                place.line, place.column, warning.code, warning.message
            )
        })
        .collect()
}

fn of_rule(lines: &str) -> Vec<String> {
    warnings(&format!(
        "[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\n{lines}\n"
    ))
}

#[test]
fn presets_have_none() {
    for name in Policy::preset_names() {
        let policy = Policy::preset(name).unwrap();
        assert_eq!(
            policy.warnings(jiff::civil::date(2026, 11, 21)),
            [],
            "{name}"
        );
    }
}

#[test]
fn entries_that_say_nothing_are_named() {
    for (lines, expected) in [
        (
            "allow = [\"std\", \"stdio\"]",
            "5:17 said-already: `stdio` is in `std` already",
        ),
        (
            "allow = [\"acme:db/query@1\", \"acme:*\"]",
            "5:10 said-already: `acme:db/query@1` is in `acme:*` already",
        ),
        (
            "allow = [\"filesystem-read\", \"filesystem-inert\"]",
            "5:29 said-already: `filesystem-inert` is in `filesystem-read` already",
        ),
        (
            "allow = [\"dns\", \"dns\"]",
            "5:17 said-already: `dns` is in `dns` already",
        ),
        (
            "allow = [\"filesystem-read\"]\ndeny = [\"filesystem-inert\"]",
            "5:10 no-effect: `filesystem-read` is denied all the same, at p.toml:6",
        ),
        (
            "deny = [\"sockets\"]\n[always]\ndeny = [\"sockets\"]",
            "5:9 said-already: `sockets` is denied everywhere already, at p.toml:7",
        ),
        (
            "allow = [\"wasi:scokets/tcp\"]",
            "5:10 unknown-name: no interface of WASI is known as `wasi:scokets/tcp`",
        ),
        (
            "allow = [{ import = \"wasi:filesystem/types\", functions = [\"descriptor.opn-at\", \"descriptor.*\"] }]",
            "5:10 unknown-name: `wasi:filesystem/types` is not known to have a function `descriptor.opn-at`",
        ),
        (
            "[capability.db]\nimports = [\"acme:db/*\"]",
            "5:13 never-used: nothing names the capability `db`",
        ),
        (
            "[signer.a]\nkey = \"a\"",
            "5:9 never-used: no rule asks for the signer `a`",
        ),
    ] {
        assert_eq!(of_rule(lines), [expected], "{lines}");
    }
}

#[test]
fn what_makes_sense_is_not_warned_of() {
    let lines = "allow = [\"std\", \"clocks\", \"db\", \"wasi:keyvalue/store@0.2.0-draft\", \"wasi:http/*\"]\n\
                 deny = [{ import = \"clocks\", functions = [\"now\"] }]\n\
                 signatures = { require = 1, from = [\"a\"] }\n\
                 [capability.db]\nimports = [\"acme:db/*\"]\n[signer.a]\nkey = \"a\"\nnot-after = 2027-06-01\n";
    assert_eq!(of_rule(lines), [""; 0]);
}

#[test]
fn what_ends_and_has_ended_is_named() {
    let exception = |expires: &str| {
        let exception =
            "[[exception]]\nrepositories = [\"a\"]\nallow = [\"dns\"]\nreason = \"x\"\n";
        of_rule(&format!("{exception}expires = {expires}\n"))
    };
    assert_eq!(exception("2027-03-01"), [""; 0]);
    assert_eq!(
        exception("2026-11-21"),
        ["9:11 ends-soon: this exception ends with 2026-11-21"]
    );
    assert_eq!(
        exception("2026-11-20"),
        ["9:11 ended: this exception ended with 2026-11-20, and is none any more"]
    );
    let signed = "signatures = { require = 2, from = [\"a\", \"b\"] }\n[signer.a]\nkey = \"a\"\n\
                  not-after = 2026-11-20\n[signer.b]\nkey = \"b\"\nnot-after = 2026-12-01\n";
    let expected = [
        "5:14 never-satisfied: 2 of 2 signers have to sign, and 1 of them can",
        "6:9 ended: the signer `a` is believed until 2026-11-20 only",
        "9:9 ends-soon: the signer `b` is believed until 2026-12-01 only",
    ];
    assert_eq!(of_rule(signed), expected);
}

#[test]
fn an_exception_from_what_is_denied_everywhere_has_no_effect() {
    let lines = "[always]\ndeny = [\"dns\"]\n[[exception]]\nrepositories = [\"a\"]\n\
                allow = [\"dns\"]\nreason = \"x\"\nexpires = 2030-01-01\n";
    let expected = "9:10 no-effect: `dns` is denied all the same, at p.toml:6";
    assert_eq!(of_rule(lines), [expected]);
}

#[test]
fn an_exception_that_no_longer_applies_is_told() {
    let text = |rule: &str, repository: &str| {
        format!(
            "[[rule]]\nid = \"r\"\nrepositories = [\"team/*\"]\n{rule}\n\
             [[exception]]\nrepositories = [\"{repository}\"]\nallow = [\"dns\"]\n\
             reason = \"x\"\nexpires = 2030-01-01\n"
        )
    };
    let allowed = "8:10 said-already: `dns` is allowed without this exception, by rule `r`";
    for (rule, repository, expected) in [
        ("allow = [\"dns\"]", "team/app", Some(allowed)),
        ("allow = [\"*\"]", "team/**", Some(allowed)),
        ("allow = [\"*\"]", "**", Some(allowed)),
        ("allow = [\"std\"]", "team/app", None),
        // What is denied or new passes only so.
        ("allow = [\"*\"]; deny = [\"dns\"]", "team/app", None),
        (
            "allow = [\"*\"]; deny = [\"wasi:sockets/*\"]",
            "team/app",
            None,
        ),
        (
            "allow = [\"dns\"]; new-capabilities = \"deny\"",
            "team/app",
            None,
        ),
        (
            "allow = [\"std\"]",
            "other/app",
            Some(
                "8:9 no-effect: no rule is for these repositories, so there is nothing to except from",
            ),
        ),
    ] {
        let rule = rule.replace("; ", "\n");
        let found = warnings(&text(&rule, repository));
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(found, expected, "{rule} {repository}");
    }
}

#[test]
fn a_warning_underlines_the_line() {
    let text = "schema = 1\n[signer.a]\nkey = \"a\"\n";
    let policy = Policy::parse("p.toml", text).unwrap();
    let warning = &policy.warnings(jiff::civil::date(2026, 11, 21))[0];
    let expected = "warning[never-used]: no rule asks for the signer `a`\n --> p.toml:2:9\n  |\n\
                    2 | [signer.a]\n  |         ^\n";
    assert_eq!(warning.to_text(&policy), expected);
}
