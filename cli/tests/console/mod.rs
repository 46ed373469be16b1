//! Pages with commands and what they answer, run as they stand.
#![allow(dead_code, reason = "each test program uses a part of it")]

use crate::command::Answer;

/// A fenced block of a page.
pub(crate) struct Block<'a> {
    pub(crate) language: &'a str,
    pub(crate) content: &'a str,
}

/// A command and the lines that are shown below it.
pub(crate) struct Step {
    pub(crate) command: String,
    shown: Vec<String>,
}

/// The fenced blocks of a page, in their order.
pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    let blocks = fenced.filter_map(|block| {
        let (language, content) = block.split_once('\n')?;
        Some(Block { language, content })
    });
    blocks.collect()
}

/// The commands of a block of language `console`.
pub(crate) fn steps(block: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in block.lines() {
        match line.strip_prefix("$ wasmport ") {
            Some(command) => steps.push(Step {
                command: command.to_owned(),
                shown: Vec::new(),
            }),
            None => steps.last_mut().unwrap().shown.push(line.to_owned()),
        }
    }
    steps
}

impl Step {
    /// The exit code that goes with what is shown.
    pub(crate) fn code(&self) -> i32 {
        i32::from(self.shown.iter().any(|line| line.starts_with("error")))
    }

    /// Every line that is shown must begin a line of the answer; `…` stands for the rest.
    #[track_caller]
    pub(crate) fn compare(&self, answer: &Answer) {
        assert_eq!(answer.code, self.code(), "{}: {answer:#?}", self.command);
        let said = format!("{}{}", answer.stdout, answer.stderr);
        let said: Vec<String> = said.lines().map(without_figures).collect();
        for line in self.shown.iter().filter(|line| line.trim() != "…") {
            let beginning = without_figures(line);
            let beginning = beginning.trim_end_matches(" …");
            assert!(
                said.iter().any(|line| line.starts_with(beginning)),
                "`{line}` is not in {answer:#?}"
            );
        }
    }
}

/// Digests and sizes change with the compiler; the words around them must not.
fn without_figures(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let is_figure = word
            .trim_matches(['(', ')', '-'])
            .starts_with(|first: char| first.is_ascii_digit());
        let is_digest = word.contains("sha256:");
        words.push(if is_digest {
            "DIGEST"
        } else if is_figure {
            "FIGURE"
        } else {
            word
        });
    }
    words.join(" ")
}
