use super::*;

const RULE: &str = "[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\n";

fn parse(text: &str) -> Policy {
    Policy::parse("p.toml", text).unwrap()
}

fn error(text: &str) -> String {
    Policy::parse("p.toml", text).unwrap_err().to_string()
}

fn with_rule(lines: &str) -> String {
    format!("schema = 1\n{RULE}{lines}\n")
}

fn rule_for(policy: &Policy, repository: &str) -> Option<String> {
    let rule = policy.rule(&repository.parse().unwrap());
    rule.map(|rule| rule.id.clone())
}

#[test]
fn every_preset_is_a_policy() {
    for name in Policy::preset_names() {
        let text = preset::text(name).unwrap();
        let policy = Policy::parse(name, text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rule_for(&policy, "any/repository").as_deref(), Some(*name));
        let policy = Policy::preset(name).unwrap();
        assert_eq!(policy.name(), format!("preset:{name}"));
        assert_eq!(policy.digest(), &Digest::of(text.as_bytes()));
    }
    assert!(Policy::preset("strict").is_none());
}

#[test]
fn the_strict_template_is_a_policy_without_warnings() {
    let policy = parse(Policy::preset_text("strict").unwrap());
    assert_eq!(policy.warnings(jiff::civil::date(2026, 11, 21)), []);
    assert_eq!(policy.signers().len(), 3);
}

#[test]
fn every_key_of_a_preset_is_explained() {
    let names = Policy::preset_names().iter().copied();
    for name in names.chain([Policy::preset_template()]) {
        let text = Policy::preset_text(name).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        for (before, line) in lines.iter().zip(lines.iter().skip(1)) {
            let says_something = !matches!(line.chars().next(), None | Some('#' | ']' | '['));
            let follows = before.starts_with('#') || before.ends_with(',');
            assert!(
                !says_something || follows,
                "{name}: `{line}` is not explained"
            );
        }
    }
}

#[test]
fn the_most_specific_rule_decides_in_any_order() {
    let rules = [
        ("all", "**"),
        ("team", "team/**"),
        ("app", "team/app"),
        ("apps", "team/a*"),
    ];
    let text = |rules: &mut dyn Iterator<Item = &(&str, &str)>| {
        let rules = rules.map(|(id, pattern)| {
            format!("[[rule]]\nid = \"{id}\"\nrepositories = [\"{pattern}\"]\n")
        });
        format!("schema = 1\n{}", rules.collect::<String>())
    };
    for policy in [
        parse(&text(&mut rules.iter())),
        parse(&text(&mut rules.iter().rev())),
    ] {
        assert_eq!(rule_for(&policy, "team/app").as_deref(), Some("app"));
        assert_eq!(rule_for(&policy, "team/apps").as_deref(), Some("apps"));
        assert_eq!(rule_for(&policy, "team/other").as_deref(), Some("team"));
        assert_eq!(rule_for(&policy, "other").as_deref(), Some("all"));
    }
}

#[test]
fn without_a_fitting_rule_there_is_none() {
    let policy = parse("schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"team/*\"]\n");
    assert_eq!(rule_for(&policy, "other/app"), None);
    assert_eq!(policy.default(), (Otherwise::Deny, None));
}

#[test]
fn signers_are_listed_with_their_keys() {
    let policy = parse("schema = 1\n[signer.b]\nkey = \"b.pub\"\n[signer.a]\nkey = \"a.pub\"\n");
    let signers: Vec<_> = policy
        .signers()
        .iter()
        .map(|signer| (&*signer.name, &signer.trust))
        .collect();
    let key = |name: &str| Trust::Key(format!("{name}.pub"));
    assert_eq!(signers, [("a", &key("a")), ("b", &key("b"))]);
}

#[test]
fn errors_say_where_and_what_was_expected() {
    for (text, expected) in [
        ("", "p.toml:1:1: missing field `schema`"),
        (
            "schema = 2",
            "p.toml:1:10: schema 2 is not known to this version, which reads schema 1",
        ),
        (
            "schema = ",
            "p.toml:1:10: string values must be quoted, expected literal string",
        ),
        (
            "schema = 1\nsignatures = 1",
            "p.toml:2:1: unknown field `signatures`, expected one of `schema`, `default`, \
             `always`, `rule`, `capability`, `signer`, `exception`",
        ),
        (
            &with_rule("allows = []"),
            "p.toml:5:1: unknown field `allows`, expected one of `id`, `repositories`, `mode`, \
             `kinds`, `allow`, `deny`, `require-exports`, `require-annotations`, `max-size`, \
             `signatures`, `attestations`, `new-capabilities`, `immutable-tags`, `inspect` (did \
             you mean `allow`?)",
        ),
        (
            &with_rule("mode = \"watch\""),
            "p.toml:5:8: unknown variant `watch`, expected `enforce` or `audit`",
        ),
        (
            &with_rule("deny = [{ import = \"sockets\", because = \"x\" }]"),
            "p.toml:5:31: unknown field `because`, expected one of `import`, `functions`, \
             `reason`, `use-instead`",
        ),
        (
            &with_rule("signatures = { require = 1, from = [\"ci\"] }"),
            "p.toml:5:37: there is no signer `ci`; expected none, for there is none",
        ),
        (
            &with_rule("allow = [\"a:b\"]"),
            "p.toml:5:10: `a:b` is not a pattern for interfaces: expected \
             `namespace:package/interface`, `namespace:package/*` or `namespace:*`",
        ),
        (
            "schema = 1\n[[rule]]\nid = \"r\"\nrepositories = [\"a/{b,c}\"]",
            "p.toml:4:17: `a/{b,c}` is not a pattern for repositories: names are of lower-case \
             letters, digits, `.`, `_`, `-` and `/`, and patterns of `*` and `**` besides",
        ),
        (
            "schema = 1\n[[rule]]\nid = \"r\"\nrepositories = []",
            "p.toml:4:16: without repositories this is for nothing",
        ),
        (
            &format!("schema = 1\n{RULE}{RULE}"),
            "p.toml:6:6: there is a rule `r` already, at line 3",
        ),
        (
            "schema = 1\n[capability.sockets]\nimports = []",
            "p.toml:2:13: `sockets` is built in, and cannot be defined anew",
        ),
        (
            "schema = 1\n[capability.\"wasi:sockets/*\"]\nimports = [\"a:b/c\"]",
            "p.toml:2:13: `wasi:sockets/*` cannot be the name of a capability; expected words of \
             letters and digits with `-` between them, such as `acme-db`",
        ),
        (
            "schema = 1\n[capability.db]\nimports = []",
            "p.toml:2:13: a capability of no imports is none",
        ),
        (
            "schema = 1\n[signer.a]\nkey = \"k\"\n[signer.b]\nkey = \"k\"",
            "p.toml:5:7: `b` has the same key as `a`: two signers must be two keys",
        ),
    ] {
        assert_eq!(error(text), expected);
    }
}

#[test]
fn an_unknown_capability_is_answered_with_the_known_ones() {
    let text =
        with_rule("allow = [\"std\", \"socket\"]\n[capability.db]\nimports = [\"acme:db/*\"]");
    let error = error(&text);
    let expected = "p.toml:5:17: `socket` is not a capability (did you mean `sockets`?); \
                    expected `*`, `std`, ";
    assert!(error.starts_with(expected), "{error}");
    assert!(
        error.contains("`sockets`, ") && error.contains(" or `db`,"),
        "{error}"
    );
    assert!(!error.contains("`custom`"), "{error}");
}

#[test]
fn rules_that_fit_the_same_names_equally_well_are_refused() {
    let text = "schema = 1\n[[rule]]\nid = \"one\"\nrepositories = [\"team/*\"]\n\
                [[rule]]\nid = \"two\"\nrepositories = [\"x/y\", \"*/apps\"]\n";
    let expected = "p.toml:7:24: `*/apps` of rule `two` and `team/*` of rule `one` (line 3) fit \
                    the same repositories, and neither is more specific";
    let same = text.replace("*/apps", "*/appl");
    assert_eq!(error(text), expected);
    assert!(error(&same).contains("neither is more specific"));
    parse(&text.replace("*/apps", "*/*/ap"));
}

#[test]
fn more_signatures_than_signers_can_make_are_refused() {
    for (require, from) in [("0", "\"a\""), ("2", "\"a\""), ("1", "")] {
        let text = with_rule(&format!(
            "signatures = {{ require = {require}, from = [{from}] }}"
        ));
        let error = error(&format!("{text}[signer.a]\nkey = \"a.pub\"\n"));
        assert!(error.contains("signers can never sign"), "{error}");
    }
    let text =
        with_rule("signatures = { require = 1, from = [\"a\", \"a\"] }\n[signer.a]\nkey = \"k\"");
    assert!(error(&text).ends_with("the signer `a` is named twice"));
}

#[test]
fn an_error_underlines_the_line() {
    let error = Policy::parse("p.toml", &with_rule("mode = \"watch\"")).unwrap_err();
    let expected = "error: unknown variant `watch`, expected `enforce` or `audit`\n \
                    --> p.toml:5:8\n  |\n5 | mode = \"watch\"\n  |        ^^^^^^^\n";
    assert_eq!(error.to_text(), expected);
}

#[test]
fn errors_in_what_rules_ask_for_say_where() {
    let signer = "[signer.ci]\nkey = \"k\"";
    for (lines, expected) in [
        (
            "max-size = \"20 megs\"",
            "p.toml:5:12: expected a whole number with a unit such as `\"20MiB\"` (B, KB, MB, GB, \
             KiB, MiB or GiB), or bytes",
        ),
        (
            "allow = [{ import = \"sockets\", functions = [] }]",
            "p.toml:5:44: an entry for no functions is for nothing; leave `functions` out to mean \
             all",
        ),
        (
            "immutable-tags = [\"v*\", \"\"]",
            "p.toml:5:25: this is not a pattern for tags: it is empty",
        ),
        (
            "new-capabilities = \"ask\"",
            "p.toml:5:20: unknown variant `ask`, expected one of `allow`, `warn`, `hold`, `deny`",
        ),
        (
            "kinds = [\"componnt\"]",
            "p.toml:5:10: unknown variant `componnt`, expected one of `component`, \
             `core-module`, `wit-package`, `wasm-image`, `other` (did you mean `component`?)",
        ),
        (
            &format!(
                "attestations = [{{ predicate = \"slsaprovenance\", from = [\"ci\"] }}]\n{signer}"
            ),
            "p.toml:5:31: `slsaprovenance` is not a predicate type; expected a URL such as \
             `https://slsa.dev/provenance/v1`",
        ),
        (
            &format!(
                "attestations = [{{ predicate = \"a://b\", require = 2, from = [\"ci\"] }}]\n{signer}"
            ),
            "p.toml:5:17: 2 of 1 signers can never sign; expected at least 1 and at most 1",
        ),
        (
            &format!("signatures = {{ require = 1, from = [\"ic\"] }}\n{signer}"),
            "p.toml:5:37: there is no signer `ic`; expected `ci`",
        ),
        (
            "require-annotations = [{ value = \"x\" }]",
            "p.toml:5:24: missing field `name`",
        ),
    ] {
        assert_eq!(error(&with_rule(lines)), expected, "{lines}");
    }
}

#[test]
fn errors_in_signers_and_exceptions_say_where() {
    let identity = |issuer: &str, identity: &str| {
        format!(
            "schema = 1\n[signer.ci]\nissuer = \"{issuer}\"\nidentity = \"{identity}\"\n\
             trusted-root = \"root.json\""
        )
    };
    let exception = |more: &str| {
        format!("schema = 1\n[[exception]]\nrepositories = [\"a\"]\nallow = [\"dns\"]\n{more}")
    };
    let good = "https://a.example";
    for (text, expected) in [
        (
            "schema = 1\n[signer.ci]\nissuer = \"https://a.example\"".to_owned(),
            "p.toml:2:9: the signer `ci` has to have either a `key`, or all of `issuer`, \
             `identity` and `trusted-root`",
        ),
        (
            identity("http://a.example", "a@b.example"),
            "p.toml:3:10: `http://a.example` is not an issuer; expected a URL such as \
             `https://accounts.example.com`",
        ),
        (
            identity(good, "https://*/acme/x"),
            "p.toml:4:12: `https://*/acme/x` is not an identity: anybody has a host: write the \
             host without `*`",
        ),
        (
            identity(good, "https://git.example/*/x"),
            "p.toml:4:12: `https://git.example/*/x` is not an identity: anybody has an account \
             there: write the first part of the path without `*`",
        ),
        (
            identity(good, "http**://**@main"),
            "p.toml:4:12: `http**://**@main` is not an identity: expected a scheme such as `https` \
             before `://`",
        ),
        (
            identity(good, "spiffe://*/builder"),
            "p.toml:4:12: `spiffe://*/builder` is not an identity: anybody has a host: write the \
             host without `*`",
        ),
        (
            identity(good, "*/*@acme.dev"),
            "p.toml:4:12: `*/*@acme.dev` is not an identity: expected an address such as \
             `https://github.com/acme/*` or `*@acme.dev`",
        ),
        (
            identity(good, "*"),
            "p.toml:4:12: `*` is not an identity: expected an address such as \
             `https://github.com/acme/*` or `*@acme.dev`",
        ),
        (
            "schema = 1\n[signer.a]\nkey = \"k\"\nnot-before = 2027-01-01\nnot-after = 2026-01-01"
                .to_owned(),
            "p.toml:5:13: nobody is believed from 2027-01-01 to 2026-01-01",
        ),
        (
            "schema = 1\n[signer.a]\nkey = \"k\"\nnot-after = \"2026-01-01\"".to_owned(),
            "p.toml:4:13: expected a day without a time and without quotes, such as `2027-03-01`",
        ),
        (
            exception("reason = \"\"\nexpires = 2027-01-01"),
            "p.toml:5:10: an exception has a reason: a ticket, or the words of who allowed it",
        ),
        (
            exception("reason = \"x\"\nexpires = 2027-01-01T00:00:00Z"),
            "p.toml:6:11: expected a day without a time and without quotes, such as `2027-03-01`",
        ),
        (
            exception("reason = \"x\""),
            "p.toml:2:1: missing field `expires`",
        ),
        (
            exception("reason = \"x\"\nexpires = 2027-01-01\ndigests = []"),
            "p.toml:7:11: an exception for no digests is for nothing; leave `digests` out to mean \
             all",
        ),
    ] {
        assert_eq!(error(&text), expected, "{text}");
    }
    for good in [
        "https://git.example/acme/*/release.yml@refs/tags/*",
        "*@acme.example",
    ] {
        parse(&identity("https://a.example", good));
    }
}

fn in_files(files: &[(&str, &str)]) -> Result<Policy, PolicyError> {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), format!("schema = 1\n{text}")));
    Policy::parse_all("policies", files.collect())
}

#[test]
fn several_files_are_one_policy_in_any_order() {
    let rule = "[[rule]]\nid = \"r\"\nrepositories = [\"**\"]\nallow = [\"db\"]\n\
                signatures = { require = 1, from = [\"ci\"] }";
    let names =
        "default = \"allow\"\n[capability.db]\nimports = [\"acme:db/*\"]\n[signer.ci]\nkey = \"k\"";
    let policy = in_files(&[("p/a.toml", rule), ("p/b.toml", names)]).unwrap();
    let other = in_files(&[("p/b.toml", names), ("p/a.toml", rule)]).unwrap();
    assert_eq!(policy.digest(), other.digest());
    assert_eq!(policy.name(), "policies");
    assert_eq!(policy.default().1.unwrap().to_string(), "p/b.toml:2:11");
    assert_eq!(policy.signers()[0].place.to_string(), "p/b.toml:5:9");
    // The directory may be moved; what is in its files may not.
    let moved = in_files(&[("q/a.toml", rule), ("q/b.toml", names)]).unwrap();
    assert_eq!(policy.digest(), moved.digest());
    let renamed = in_files(&[("p/c.toml", rule), ("p/b.toml", names)]).unwrap();
    assert_ne!(policy.digest(), renamed.digest());
}

#[test]
fn what_two_files_say_is_refused_with_both_places() {
    let rule = "[[rule]]\nid = \"r\"\nrepositories = [\"a\"]";
    for (one, two, expected) in [
        (
            "default = \"deny\"",
            "default = \"deny\"",
            "b.toml:2:11: `default` is said already, at a.toml:2",
        ),
        (
            "[always]\nmax-size = 1",
            "[always]\nmax-size = 1",
            "b.toml:3:12: `max-size` under `[always]` is said already, at a.toml:3",
        ),
        (
            rule,
            rule,
            "b.toml:3:6: there is a rule `r` already, at a.toml:3",
        ),
        (
            "[signer.x]\nkey = \"a\"",
            "[signer.x]\nkey = \"b\"",
            "b.toml:2:9: there is a signer `x` already, at a.toml:2",
        ),
        (
            "[capability.x]\nimports = [\"a:b/c\"]",
            "[capability.x]\nimports = [\"a:b/c\"]",
            "b.toml:2:13: there is a capability `x` already, at a.toml:2",
        ),
        (
            rule,
            "[[rule]]\nid = \"s\"\nrepositories = [\"a\"]",
            "b.toml:4:17: `a` of rule `s` and `a` of rule `r` (a.toml:3) fit the same \
             repositories, and neither is more specific",
        ),
    ] {
        let error = in_files(&[("b.toml", two), ("a.toml", one)]).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_file_that_is_no_policy_by_its_length_is_not_read() {
    let text = format!("schema = 1\n#{}", " ".repeat(1 << 20));
    let expected = "p.toml:1:1: a policy file has at most 1048576 bytes, got 1048588";
    assert_eq!(error(&text), expected);
}

#[test]
fn ten_thousand_rules_are_read_and_one_of_them_found() {
    use std::fmt::Write as _;
    let mut text = String::from("schema = 1\n");
    for number in 0..10_000 {
        let star = if number % 2 == 0 { "/*" } else { "" };
        writeln!(
            text,
            "[[rule]]\nid = \"r{number}\"\nrepositories = [\"team-{number}{star}\"]\nallow = []"
        )
        .unwrap();
    }
    let policy = Policy::parse("p.toml", &text).unwrap();
    let rule = policy.rule(&"team-9998/app".parse().unwrap()).unwrap();
    assert_eq!(
        (rule.id.as_str(), rule.place.line),
        ("r9998", 2 + 4 * 9_998 + 1)
    );
    let again = format!("{text}[[rule]]\nid = \"x\"\nrepositories = [\"team-42/*\"]\n");
    let error = Policy::parse("p.toml", &again).unwrap_err().to_string();
    assert!(error.contains("`team-42/*` of rule `r42`"), "{error}");
    let again = format!("{text}[[rule]]\nid = \"r7\"\nrepositories = [\"x\"]\n");
    let error = Policy::parse("p.toml", &again).unwrap_err().to_string();
    assert!(error.contains("a rule `r7` already"), "{error}");
}

#[test]
fn patterns_that_are_too_long_or_too_many_are_refused() {
    let refused = |text: &str| {
        let text = format!("schema = 1\n[[rule]]\nid = \"a\"\n{text}");
        Policy::parse("p.toml", &text).unwrap_err().to_string()
    };
    let long = "a*".repeat(300_000);
    let error = refused(&format!("repositories = [\"{long}\"]"));
    assert!(error.contains("longer than 512 bytes"), "{}", error.len());
    let error = refused(&format!(
        "repositories = [\"**\"]\nimmutable-tags = [\"{long}\"]"
    ));
    assert!(error.ends_with("this is not a pattern for tags: it is longer than 512 bytes"));
    let many: Vec<String> = (0..10_001)
        .map(|number| format!("\"a{number}/*\""))
        .collect();
    let error = refused(&format!("repositories = [{}]", many.join(", ")));
    assert!(error.contains("at most 10000 patterns"), "{error}");
    // Errors show the pattern, and not all of it.
    assert!(
        refused(&format!("repositories = [\"{long}\"]"))
            .chars()
            .count()
            < 2_100
    );
}

#[test]
fn patterns_that_differ_only_in_the_middle_are_compared_within_limits() {
    use std::fmt::Write as _;
    let mut text = String::from("schema = 1\n");
    for number in 0..10_000 {
        let middle = format!("{number:05}").repeat(20);
        writeln!(
            text,
            "[[rule]]\nid = \"r{number}\"\nrepositories = [\"*{middle}*\"]"
        )
        .unwrap();
    }
    let half = &text[..text.len() / 2];
    let whole = &half[..half.rfind("[[rule]]").unwrap()];
    // These can stand in one name, one behind the other.
    let error = Policy::parse("p.toml", whole).unwrap_err().to_string();
    assert!(error.contains("neither is more specific"), "{error}");
}
