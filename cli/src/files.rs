//! Files that a user names: read with a limit, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use wasmport_artifact::limits;

use crate::error::{Failure, Kind};

/// Reads a Wasm file, up to the size that is inspected.
pub(crate) fn read_wasm(path: &Path) -> Result<Vec<u8>, Failure> {
    let size = fs::metadata(path)
        .map_err(|error| unreadable(path, &error))?
        .len();
    if size > limits::WASM_BYTES {
        let message = format!(
            "`{}` has {size} bytes, at most {} are read",
            path.display(),
            limits::WASM_BYTES
        );
        return Err(Failure::new(Kind::Input, message));
    }
    fs::read(path).map_err(|error| unreadable(path, &error))
}

/// Reads a small text file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| unreadable(path, &error))
}

/// As much of a file as it may have, and one byte more of one that is longer: whoever parses it
/// refuses that.
pub(crate) fn read_at_most(path: &Path, limit: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// What is directly in a directory, in the order of the names.
pub(crate) fn list(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error: io::Error| {
        let what = format!("failed to list `{}`", directory.display());
        Failure::caused(Kind::Io, &what, &error)
    };
    let entries = fs::read_dir(directory).map_err(failed)?;
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<io::Result<_>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// Creates a file that was not there, readable for everybody or only for its owner.
pub(crate) fn create(path: &Path, content: &str, access: Access) -> Result<(), Failure> {
    let what = format!("failed to write `{}`", path.display());
    write_new(path, content, access).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::new(
            Kind::Usage,
            format!("`{}` is already there", path.display()),
        )
        .hint("nothing was changed; choose another name or move the file away"),
        _ => Failure::caused(Kind::Io, &what, &error),
    })
}

/// Refuses to put a file where something else is: a directory, a device, a pipe. A file or
/// a link to one is replaced, the link by the file.
pub(crate) fn expect_replaceable(path: &Path) -> Result<(), Failure> {
    let Ok(there) = fs::metadata(path) else {
        return Ok(());
    };
    if there.is_file() {
        return Ok(());
    }
    let message = format!("`{}` is not a file that could be replaced", path.display());
    Err(Failure::new(Kind::Usage, message).hint("name a file with `--output FILE`"))
}

/// Who may read a file that is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// As the system has it for new files.
    Public,
    /// The owner alone.
    Private,
}

/// The whole file appears at once, or nothing does.
fn write_new(path: &Path, content: &str, access: Access) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(content.as_bytes())?;
    file.as_file().sync_all()?;
    #[cfg(unix)]
    if access == Access::Public {
        use std::os::unix::fs::PermissionsExt as _;
        // A temporary file is private; 0644 is what the umask of most systems gives.
        file.as_file()
            .set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.persist_noclobber(path)?;
    Ok(())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::InvalidData | io::ErrorKind::IsADirectory => {
            Kind::Input
        }
        _ => Kind::Io,
    };
    Failure::caused(kind, &format!("failed to read `{}`", path.display()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        create(&path, "first", Access::Private).unwrap();
        let failure = create(&path, "second", Access::Private).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn only_files_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(
            expect_replaceable(directory.path())
                .unwrap_err()
                .exit_code(),
            2
        );
        let path = directory.path().join("out.wasm");
        assert!(expect_replaceable(&path).is_ok());
        fs::write(&path, "old").unwrap();
        assert!(expect_replaceable(&path).is_ok());
        #[cfg(unix)]
        assert_eq!(
            expect_replaceable(Path::new("/dev/null"))
                .unwrap_err()
                .exit_code(),
            2
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        for (access, mode) in [(Access::Private, 0o600), (Access::Public, 0o644)] {
            let path = directory.path().join(format!("{access:?}"));
            create(&path, "x", access).unwrap();
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                mode
            );
        }
    }
}
