//! Which commit the source is at, if git knows it.

use std::ffi::OsStr;
use std::path::Path;

use crate::environment::Environment;
use crate::timestamp::Timestamp;

/// The commit that a project is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Revision {
    /// The commit's name, with `-dirty` when files that git tracks have been changed, as
    /// `git describe --dirty` has it: such a build is of no commit, and must not say it is.
    pub(crate) name: String,
    /// When it was committed.
    pub(crate) committed: Option<Timestamp>,
}

impl Revision {
    /// The revision of the project in `directory`. Nothing when there is no git, no
    /// repository, no commit, or when the repository does not track the project.
    pub(crate) fn of(environment: &Environment, directory: &Path) -> Option<Self> {
        let git = |arguments: &[&str]| git(environment, directory, arguments);
        git(&["ls-files", "--error-unmatch", "--", "Cargo.toml"])?;
        let head = git(&["log", "-1", "--no-show-signature", "--format=%H %ct"])?;
        let (commit, time) = head.split_once(' ')?;
        let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
        let suffix = if changes.is_empty() { "" } else { "-dirty" };
        Some(Self {
            name: format!("{commit}{suffix}"),
            committed: time.parse().ok().and_then(Timestamp::new),
        })
    }
}

/// What git prints, when it succeeds. What it complains about is no concern of a build.
fn git(environment: &Environment, directory: &Path, arguments: &[&str]) -> Option<String> {
    let mut git = environment.command(OsStr::new("git"), directory);
    // Reading the status must not take the lock away from somebody who commits.
    git.arg("--no-optional-locks").args(arguments);
    let output = git.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
