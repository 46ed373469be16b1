//! Greets whoever is named: `hello [--shout] [NAME]...`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut shout = false;
    let mut names = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--shout" => shout = true,
            option if option.starts_with('-') => {
                eprintln!("hello: unknown option `{option}`");
                eprintln!("usage: hello [--shout] [NAME]...");
                return ExitCode::FAILURE;
            }
            name => names.push(name.to_owned()),
        }
    }
    println!("{}", greeting(&names, shout));
    ExitCode::SUCCESS
}

fn greeting(names: &[String], shout: bool) -> String {
    let whom = match names {
        [] => "world".to_owned(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    };
    if shout {
        format!("HELLO, {}!", whom.to_uppercase())
    } else {
        format!("Hello, {whom}!")
    }
}

#[cfg(test)]
mod tests {
    use super::greeting;

    #[test]
    fn everybody_is_greeted() {
        let names = ["Ada", "Grace", "Edsger"].map(String::from);
        assert_eq!(greeting(&[], false), "Hello, world!");
        assert_eq!(greeting(&names[..1], true), "HELLO, ADA!");
        assert_eq!(greeting(&names, false), "Hello, Ada, Grace and Edsger!");
    }
}
