//! The check that every package compiles with each of its features alone, and without features.

use std::io;
use std::process::Command;

use serde_json::Value;

use crate::process::{cargo, output, run};

/// One build: a package, with one feature or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// Name of the package.
    pub package: String,
    /// The only feature that is enabled, together with the features that it implies.
    pub feature: Option<String>,
}

impl Build {
    /// Returns whether the feature compiles a GPU backend.
    fn has_device(&self) -> bool {
        let feature = self.feature.as_deref();
        feature.is_some_and(|feature| DEVICES.contains(&feature))
    }

    /// Returns the arguments of Cargo. They run Clippy, which compiles as `cargo check` does, on
    /// the package's library and programs.
    pub fn arguments(&self) -> Vec<&str> {
        let mut arguments = vec![
            "clippy",
            "--package",
            &self.package,
            "--no-default-features",
        ];
        if let Some(feature) = &self.feature {
            arguments.extend(["--features", feature]);
        }
        arguments.extend(["--", "--deny", "warnings"]);
        arguments
    }
}

/// The features that compile a GPU backend.
const DEVICES: [&str; 4] = ["cuda", "fusion", "gpu", "wgpu"];

/// Compiles every package of the workspace with each of its features alone, and without features.
/// `without_devices` leaves out the features that compile a GPU backend. Returns the number of
/// builds.
///
/// # Errors
/// Returns an error for the first build that fails, or if the list of packages cannot be read.
pub fn check(without_devices: bool) -> io::Result<usize> {
    let metadata = output(&mut cargo([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ])?)?;
    let mut builds = builds(&metadata)?;
    if without_devices {
        builds.retain(|build| !build.has_device());
    }
    if let Err(error) = output(Command::new("mpicc").arg("--version")) {
        println!("SKIPPED: the feature mpi needs an MPI library: {error}");
        builds.retain(|build| build.feature.as_deref() != Some("mpi"));
    }
    for build in &builds {
        println!(
            "{} with {}",
            build.package,
            build.feature.as_deref().unwrap_or("no feature")
        );
        run(&mut cargo(build.arguments())?)?;
    }
    Ok(builds.len())
}

/// Returns the builds for `metadata`, the output of `cargo metadata`. The builds without features
/// come first.
///
/// # Errors
/// Returns an error if `metadata` has another format or lists no package.
pub fn builds(metadata: &str) -> io::Result<Vec<Build>> {
    let metadata: Value = serde_json::from_str(metadata)?;
    let lost = |what| io::Error::other(format!("cargo metadata: expected {what}"));
    let packages = metadata["packages"].as_array();
    let packages = packages.ok_or_else(|| lost("packages"))?;
    let mut builds = Vec::new();
    for package in packages {
        let name = package["name"].as_str();
        let name = name.ok_or_else(|| lost("the name of a package"))?;
        let features = package["features"].as_object();
        let features = features.ok_or_else(|| lost("the features of a package"))?;
        let alone = features.keys().filter(|feature| *feature != "default");
        let alone = alone.map(|feature| Some(feature.clone()));
        builds.extend([None].into_iter().chain(alone).map(|feature| Build {
            package: name.to_owned(),
            feature,
        }));
    }
    // Builds with the same feature share compiled crates, so they run one after the other.
    builds.sort_by(|a, b| a.feature.cmp(&b.feature));
    if builds.is_empty() {
        return Err(lost("at least one package"));
    }
    Ok(builds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metadata: &str) -> io::Result<Vec<String>> {
        let builds = builds(metadata)?;
        Ok(builds.iter().map(|b| b.arguments().join(" ")).collect())
    }

    #[test]
    fn a_new_feature_is_not_forgotten() -> io::Result<()> {
        let metadata = r#"{"packages": [
            {"name": "a", "features": {"default": ["new"], "new": [], "gpu": ["dep:x"]}},
            {"name": "b", "features": {}}
        ]}"#;
        assert_eq!(
            lines(metadata)?,
            [
                "clippy --package a --no-default-features -- --deny warnings",
                "clippy --package b --no-default-features -- --deny warnings",
                "clippy --package a --no-default-features --features gpu -- --deny warnings",
                "clippy --package a --no-default-features --features new -- --deny warnings",
            ]
        );
        Ok(())
    }

    #[test]
    fn what_is_no_metadata_is_an_error() {
        for text in [
            "",
            "{}",
            r#"{"packages": []}"#,
            r#"{"packages": [{"name": "a"}]}"#,
            r#"{"packages": [{"features": {}}]}"#,
        ] {
            assert!(builds(text).is_err(), "{text}");
        }
    }

    /// The builds of this workspace cover every package, and the features for devices.
    #[test]
    fn the_workspace_has_builds() -> io::Result<()> {
        let metadata = output(&mut cargo([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
        ])?)?;
        let builds = builds(&metadata)?;
        for package in [
            "splat",
            "splat-autodiff",
            "gmae-reference",
            "benches",
            "xtask",
        ] {
            for feature in [None, Some("wgpu".to_owned()), Some("cuda".to_owned())] {
                let package = package.to_owned();
                let wanted = Build { package, feature };
                assert!(
                    builds.contains(&wanted) || wanted.package == "xtask",
                    "{wanted:?}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn features_with_devices_are_those_that_depend_on_cubecl() -> io::Result<()> {
        let all = builds(&output(&mut cargo([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
        ])?)?)?;
        for build in &all {
            let Some(feature) = &build.feature else {
                continue;
            };
            let mut tree = cargo(["tree", "--edges", "normal", "--prefix", "none"])?;
            tree.args(["--package", &build.package, "--no-default-features"]);
            let tree = output(tree.args(["--features", feature]))?;
            let depends = tree.lines().any(|line| line.starts_with("cubecl-runtime "));
            assert_eq!(build.has_device(), depends, "{build:?}");
        }
        for device in DEVICES {
            let exists = |build: &Build| build.feature.as_deref() == Some(device);
            assert!(all.iter().any(exists), "{device}");
        }
        Ok(())
    }
}
