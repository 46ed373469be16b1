//! Which package of a workspace, and which target of a package.

use std::path::Path;

use cargo_metadata::{CrateType, Metadata, Package};

use super::{ProjectError, Target};

/// The package that is named, else the one that the manifest is of, else the only one that
/// can be built among those that cargo would build without being told.
pub(super) fn package<'a>(
    metadata: &'a Metadata,
    manifest: &Path,
    name: Option<&str>,
) -> Result<&'a Package, ProjectError> {
    let members = metadata.workspace_packages();
    if let Some(name) = name {
        let found = members.iter().find(|package| package.name == name);
        return found.copied().ok_or_else(|| ProjectError::NoSuchPackage {
            name: name.to_owned(),
            known: names(&members),
        });
    }
    if let Some(own) = members
        .iter()
        .find(|package| is_same_file(package.manifest_path.as_std_path(), manifest))
    {
        return Ok(own);
    }
    let mut candidates = if metadata.workspace_default_members.is_available() {
        metadata.workspace_default_packages()
    } else {
        members
    };
    candidates.retain(|package| target(package, None).is_ok());
    match candidates.as_slice() {
        [only] => Ok(only),
        [] => Err(ProjectError::NothingToBuild(
            metadata.workspace_root.to_string(),
        )),
        several => Err(ProjectError::SeveralPackages(names(several))),
    }
}

/// The program that is named, else the package's only or default one, else its library.
pub(super) fn target(package: &Package, bin: Option<&str>) -> Result<Target, ProjectError> {
    let programs: Vec<String> = package
        .targets
        .iter()
        .filter(|target| target.is_bin())
        .map(|target| target.name.clone())
        .collect();
    match (bin.or(package.default_run.as_deref()), programs.as_slice()) {
        (Some(name), programs) if programs.iter().any(|program| program == name) => {
            Ok(Target::Program(name.to_owned()))
        }
        (Some(name), _) => Err(ProjectError::NoSuchProgram {
            package: package.name.to_string(),
            name: name.to_owned(),
            known: programs,
        }),
        (None, [only]) => Ok(Target::Program(only.clone())),
        (None, []) => library(package),
        (None, _) => Err(ProjectError::SeveralPrograms {
            package: package.name.to_string(),
            programs,
        }),
    }
}

fn library(package: &Package) -> Result<Target, ProjectError> {
    let mut targets = package.targets.iter();
    if targets.any(|target| target.crate_types.contains(&CrateType::CDyLib) && !target.is_example())
    {
        return Ok(Target::Library);
    }
    let name = package.name.to_string();
    if package.targets.iter().any(cargo_metadata::Target::is_lib) {
        return Err(ProjectError::NotACdylib(name));
    }
    Err(ProjectError::NothingToBuild(name))
}

/// Cargo answers with the path behind symbolic links.
fn is_same_file(left: &Path, right: &Path) -> bool {
    left == right
        || matches!((left.canonicalize(), right.canonicalize()), (Ok(left), Ok(right)) if left == right)
}

fn names(packages: &[&Package]) -> Vec<String> {
    packages
        .iter()
        .map(|package| package.name.to_string())
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn package_with(targets: &[(&str, &str)], default_run: Option<&str>) -> Package {
        let targets: Vec<Value> = targets
            .iter()
            .map(|(name, kind)| {
                json!({ "name": name, "kind": [kind], "crate_types": [kind],
                        "src_path": "/p/src/x.rs", "edition": "2024" })
            })
            .collect();
        serde_json::from_value(json!({
            "name": "p", "version": "1.0.0", "id": "p", "manifest_path": "/p/Cargo.toml",
            "dependencies": [], "features": {}, "targets": targets, "default_run": default_run,
        }))
        .unwrap()
    }

    #[test]
    fn the_only_program_needs_no_name() {
        let package = package_with(&[("p", "lib"), ("run", "bin"), ("t", "test")], None);
        let found = target(&package, None).unwrap();
        assert_eq!(found, Target::Program("run".to_owned()));
    }

    #[test]
    fn one_of_several_programs_is_named_or_the_default() {
        let programs = [("a", "bin"), ("b", "bin")];
        let undecided = target(&package_with(&programs, None), None).unwrap_err();
        assert_eq!(
            undecided.to_string(),
            "the package `p` has several programs: `a`, `b`"
        );
        let package = package_with(&programs, Some("a"));
        assert_eq!(
            target(&package, None).unwrap(),
            Target::Program("a".to_owned())
        );
        assert_eq!(
            target(&package, Some("b")).unwrap(),
            Target::Program("b".to_owned())
        );
        let unknown = target(&package, Some("c")).unwrap_err();
        assert_eq!(
            unknown.to_string(),
            "the package `p` has no program `c`; it has `a`, `b`"
        );
    }

    #[test]
    fn a_library_must_be_a_cdylib() {
        let library = |kind| target(&package_with(&[("p", kind)], None), None);
        assert_eq!(library("cdylib").unwrap(), Target::Library);
        assert!(matches!(library("lib"), Err(ProjectError::NotACdylib(_))));
        assert!(matches!(
            library("test"),
            Err(ProjectError::NothingToBuild(_))
        ));
    }
}
