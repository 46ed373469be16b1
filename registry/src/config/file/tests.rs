use super::*;

fn error(text: &str) -> String {
    let parsed = Settings::parse(Path::new("registry.toml"), text);
    parsed.unwrap_err().to_string()
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_known_ones() {
    let text = "[server]\naddr = \"127.0.0.1:0\"\nadress = \"::\"\n";
    assert_eq!(
        error(text).split("`, expected").next(),
        Some("registry.toml:3:1: unknown field `adress")
    );
    assert!(error(text).contains("`allow-remote`"), "{}", error(text));
    assert!(
        error("[sevrer]\n").starts_with("registry.toml:1:2: unknown field `sevrer`"),
        "{}",
        error("[sevrer]\n")
    );
}

#[test]
fn a_wrong_value_is_refused_with_its_line() {
    let text = "\n[access.token]\nlifetime = \"soon\"\n";
    assert_eq!(
        error(text),
        "registry.toml:3:12: `soon` is not a span of time, expected a text such as `30s`, `5m` \
         or `1h 30m`"
    );
    let broken = error("[server\n");
    assert!(broken.starts_with("registry.toml:1:8: "), "{broken}");
}

#[test]
fn paths_are_relative_to_the_file() {
    let text = "[store]\ndirectory = \"store\"\n[policy]\nfile = \"policy.toml\"\n\
        [access]\nhtpasswd = \"/etc/users\"\n";
    let settings = Settings::parse(Path::new("/srv/wasm/registry.toml"), text).unwrap();
    let store = settings.store.directory.unwrap();
    assert_eq!(store, Path::new("/srv/wasm/store"));
    assert_eq!(settings.policy.file, "/srv/wasm/policy.toml");
    assert_eq!(settings.access.htpasswd.unwrap(), Path::new("/etc/users"));
}

/// The text of the example, in which every field is written out.
fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/registry.example.toml");
    fs::read_to_string(path).unwrap()
}

/// The paths of all fields in `value`; of a list, those of its elements.
fn fields(value: &serde_json::Value, at: &str, found: &mut Vec<(String, serde_json::Value)>) {
    match value {
        serde_json::Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                fields(value, &format!("{at}.{key}"), found);
            }
        }
        serde_json::Value::Array(list) if list.iter().any(serde_json::Value::is_object) => {
            for value in list {
                fields(value, &format!("{at}[]"), found);
            }
        }
        other => found.push((at.to_owned(), other.clone())),
    }
}

fn fields_of(value: &serde_json::Value) -> Vec<(String, serde_json::Value)> {
    let mut found = Vec::new();
    fields(value, "", &mut found);
    found
}

#[test]
fn every_field_is_written_out_in_the_example_with_its_default() {
    let text = example();
    let written: serde_json::Value = toml::from_str(&text).unwrap();
    let written: Vec<String> = fields_of(&written).into_iter().map(|(at, _)| at).collect();
    let settings: Settings = toml::from_str(&text).unwrap();
    let settings = serde_json::to_value(&settings).unwrap();
    for (field, _) in fields_of(&settings) {
        assert!(written.contains(&field), "`{field}` is not in the example");
    }
    let defaults = serde_json::to_value(Settings::default()).unwrap();
    let settings = fields_of(&settings);
    for (field, default) in fields_of(&defaults) {
        let is_shown = default.is_null()
            || default.as_array().is_some_and(Vec::is_empty)
            || default.as_object().is_some_and(serde_json::Map::is_empty);
        if !is_shown {
            let value = settings.iter().find(|(at, _)| *at == field).unwrap();
            assert_eq!(
                value.1, default,
                "`{field}` is not the default in the example"
            );
        }
    }
}

#[test]
fn every_field_is_described_in_the_page() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/registry-toml.md");
    let page = fs::read_to_string(path).unwrap();
    let written: serde_json::Value = toml::from_str(&example()).unwrap();
    for (field, _) in fields_of(&written) {
        // `.access.rule[].claims.repository` is an entry of a table with free keys.
        if field.contains(".claims.") || field.contains(".groups.") {
            continue;
        }
        let (section, key) = field.trim_start_matches('.').rsplit_once('.').unwrap();
        let heading = match section.strip_suffix("[]") {
            Some(list) => format!("## `[[{list}]]`"),
            None => format!("## `[{section}]`"),
        };
        let part = page.split(&heading).nth(1);
        let part = part.unwrap_or_else(|| panic!("no heading {heading}"));
        let part = part.split("\n## ").next().unwrap();
        assert!(
            part.contains(&format!("| `{key}` |")),
            "`{field}` is not described"
        );
    }
}

#[test]
fn every_path_of_the_example_is_relative_to_the_file() {
    let settings = Settings::parse(Path::new("/etc/wasmport/registry.toml"), &example()).unwrap();
    let settings = serde_json::to_value(&settings).unwrap();
    for (field, value) in fields_of(&settings) {
        let is_left = value.as_str().is_some_and(|text| text.starts_with("./"));
        assert!(
            !is_left,
            "`{field}` stays relative: `Settings::resolve` forgets it"
        );
    }
}
