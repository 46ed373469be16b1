//! A policy with everything in it explained, for `wasmport policy init`.

use crate::policy::Policy;

impl Policy {
    /// The text of a policy with everything that can be said, most of it commented out. A
    /// test reads it.
    pub fn template() -> &'static str {
        include_str!("template.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_policy() {
        let policy = Policy::parse("template.toml", Policy::template());
        assert!(policy.is_ok(), "{}", policy.unwrap_err().to_text());
    }

    /// What the file calls a line that is commented out, with the `# ` taken away.
    fn with_everything() -> String {
        let is_code = |line: &str| {
            let key = line.split([' ', '=']).next().unwrap_or_default();
            (line.starts_with('[') && line.ends_with(']'))
                || (line.starts_with('"') && line.ends_with("\","))
                || (line.starts_with('{') && line.ends_with("},"))
                || (line.contains(" = ") && key.chars().all(|c| c == '-' || c.is_ascii_lowercase()))
        };
        let uncommented = Policy::template().lines().map(|line| {
            let code = line.trim_start().strip_prefix("# ");
            code.filter(|code| is_code(code)).unwrap_or(line)
        });
        uncommented.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_is_commented_out_is_right_too() {
        let text = with_everything();
        // The last of the alternatives that exclude each other.
        assert!(text.contains("\n[[exception]]\n"), "{text}");
        let policy = Policy::parse("template.toml", &text);
        assert!(policy.is_ok(), "{}\n{text}", policy.unwrap_err().to_text());
    }

    /// The parser names the keys that it knows when it meets one that it does not.
    #[test]
    fn every_key_that_there_is_stands_in_it() {
        for (before, after) in [
            ("", ""),
            ("[always]\n", ""),
            ("[[rule]]\n", ""),
            ("[capability.x]\n", ""),
            ("[signer.x]\n", ""),
            ("[[exception]]\n", ""),
            ("[always]\ndeny = [{ ", " }]"),
        ] {
            let text = format!("schema = 1\n{before}no-such-key = 1{after}\n");
            let error = Policy::parse("p", &text).unwrap_err().to_string();
            let keys = error.split('`').skip(3).step_by(2);
            let keys: Vec<&str> = keys.collect();
            assert!(!keys.is_empty(), "{error}");
            for key in keys {
                let is_there = Policy::template().contains(key);
                assert!(is_there, "`{key}` is not in the template: {error}");
            }
        }
    }
}
