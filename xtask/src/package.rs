//! The packages as `cargo publish` would upload them.
//!
//! The name `splat` on crates.io belongs to another crate, so `splat` is also packed as
//! `diff-splat`. The library keeps its name: `use splat::render` is the same in both.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use toml_edit::{DocumentMut, Item, Table, value};

use crate::process::{cargo, output, root, run};

/// The packages that are published.
const PUBLISHED: [&str; 3] = ["splat", "splat-autodiff", "gmae-reference"];
/// The package that is packed, unpacked and tested.
const PRODUCT: &str = "splat";
/// The name of the product on crates.io.
const RENAMED: &str = "diff-splat";
/// Files that every package contains.
const REQUIRED: [&str; 3] = ["README.md", "LICENSE-APACHE", "LICENSE-MIT"];
/// Upper bound of the size of a file in a package, in bytes.
const FILE_BYTES: u64 = 300_000;
/// The version of every package of the workspace, this one included.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Checks the contents of the packages. Then packs `splat` under both names and runs the doctests
/// of both archives. Returns the folder from which `diff-splat` can be published.
///
/// # Errors
/// Returns an error if a package lacks a required file or contains a file that is too large, or if
/// Cargo fails.
pub fn check() -> io::Result<PathBuf> {
    for package in PUBLISHED {
        let files = contents(package)?;
        println!("{package}: {} files", files.len());
        faults(&files).map_err(|fault| io::Error::other(format!("{package}: {fault}")))?;
    }
    let packed = target()?.join("packed");
    if packed.exists() {
        fs::remove_dir_all(&packed)?;
    }

    let archive = pack(&root()?.join(PRODUCT), PRODUCT)?;
    let original = packed.join(PRODUCT);
    unpack(&archive, &original)?;
    test(&original)?;

    let renamed = packed.join(RENAMED);
    unpack(&archive, &renamed)?;
    // Cargo writes these three itself and refuses a package that already has them.
    for generated in ["Cargo.toml.orig", ".cargo_vcs_info.json", "Cargo.lock"] {
        remove_if_there(&renamed.join(generated))?;
    }
    edit_manifest(&renamed, rename)?;
    let archive = pack(&renamed, RENAMED)?;
    let tried = packed.join("diff-splat-unpacked");
    unpack(&archive, &tried)?;
    test(&tried)?;
    Ok(renamed)
}

/// A file of a package and its size in bytes. Files that Cargo generates during packing have no
/// size.
struct Content {
    path: String,
    bytes: Option<u64>,
}

fn contents(package: &str) -> io::Result<Vec<Content>> {
    let list = ["package", "--list", "--allow-dirty", "--package", package];
    let folder = root()?.join(package);
    let listed = output(&mut cargo(list)?)?;
    let files = listed.lines().map(|path| Content {
        path: path.to_owned(),
        bytes: fs::metadata(folder.join(path)).ok().map(|file| file.len()),
    });
    Ok(files.collect())
}

fn faults(files: &[Content]) -> Result<(), String> {
    for required in REQUIRED {
        let file = files.iter().find(|file| file.path == required);
        let file = file.ok_or_else(|| format!("expected a file {required}, got none"))?;
        if file.bytes.is_none_or(|bytes| bytes == 0) {
            return Err(format!("{required} is empty"));
        }
    }
    for file in files {
        if file.bytes.is_some_and(|bytes| bytes > FILE_BYTES) {
            let bytes = file.bytes.unwrap_or_default();
            return Err(format!(
                "{} has {bytes} bytes: expected at most {FILE_BYTES}",
                file.path
            ));
        }
    }
    Ok(())
}

/// The target folder that Cargo uses for the workspace.
fn target() -> io::Result<PathBuf> {
    let root = root()?;
    Ok(std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder)))
}

/// Packs the package in `folder` into the target folder of the workspace. Returns the archive.
fn pack(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let mut cargo = cargo(["package", "--quiet", "--no-verify", "--allow-dirty"])?;
    let target = target()?;
    run(cargo.current_dir(folder).env("CARGO_TARGET_DIR", &target))?;
    Ok(target.join(format!("package/{name}-{VERSION}.crate")))
}

/// Unpacks an archive of `cargo package` into `folder`. The manifest gets a table `[workspace]`,
/// because `folder` lies inside another workspace.
fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    let outer = folder.with_extension("outer");
    tar::Archive::new(GzDecoder::new(File::open(archive)?)).unpack(&outer)?;
    let inner = fs::read_dir(&outer)?.next();
    let inner = inner.ok_or_else(|| io::Error::other("an empty archive"))??;
    fs::rename(inner.path(), folder)?;
    fs::remove_dir(outer)?;
    edit_manifest(folder, |manifest| {
        manifest["workspace"] = Item::Table(Table::new());
    })
}

fn edit_manifest(folder: &Path, edit: impl FnOnce(&mut DocumentMut)) -> io::Result<()> {
    let path = folder.join("Cargo.toml");
    let mut manifest: DocumentMut = fs::read_to_string(&path)?
        .parse()
        .map_err(io::Error::other)?;
    edit(&mut manifest);
    fs::write(path, manifest.to_string())
}

/// Gives the package its name on crates.io. The library keeps its name.
fn rename(manifest: &mut DocumentMut) {
    manifest["package"]["name"] = value(RENAMED);
    manifest["lib"]["name"] = value(PRODUCT);
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Builds the package in `folder` and runs its doctests.
fn test(folder: &Path) -> io::Result<()> {
    println!("doctests of {}", folder.display());
    let mut cargo = cargo(["test", "--doc"])?;
    let target = target()?.join("packed-target");
    run(cargo.current_dir(folder).env("CARGO_TARGET_DIR", target))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(files: &[(&str, Option<u64>)]) -> Vec<Content> {
        let files = files.iter().map(|(path, bytes)| Content {
            path: (*path).to_owned(),
            bytes: *bytes,
        });
        files.collect()
    }

    const GOOD: [(&str, Option<u64>); 4] = [
        ("Cargo.toml.orig", None),
        ("README.md", Some(2000)),
        ("LICENSE-APACHE", Some(9000)),
        ("LICENSE-MIT", Some(1000)),
    ];

    #[test]
    fn a_package_without_a_readme_or_a_licence_is_a_fault() {
        assert_eq!(faults(&files(&GOOD)), Ok(()));
        for missing in 1..GOOD.len() {
            let mut less = GOOD.to_vec();
            let (name, _) = less.remove(missing);
            assert_eq!(
                faults(&files(&less)),
                Err(format!("expected a file {name}, got none"))
            );
        }
    }

    #[test]
    fn an_empty_licence_and_a_large_file_are_faults() {
        let mut empty = GOOD;
        empty[3].1 = Some(0);
        assert!(faults(&files(&empty)).is_err());
        let mut large = GOOD.to_vec();
        large.push(("src/table.rs", Some(FILE_BYTES)));
        assert_eq!(faults(&files(&large)), Ok(()));
        large.push(("src/page.md", Some(FILE_BYTES + 1)));
        assert!(faults(&files(&large)).is_err());
    }

    #[test]
    fn the_renamed_package_keeps_the_name_of_its_library() {
        let text =
            "[package]\nname = \"splat\"\nversion = \"0.1.0\"\n\n[lib]\npath = \"src/lib.rs\"\n";
        let mut manifest: DocumentMut = text.parse().unwrap();
        rename(&mut manifest);
        assert_eq!(
            manifest.to_string(),
            "[package]\nname = \"diff-splat\"\nversion = \"0.1.0\"\n\n\
             [lib]\npath = \"src/lib.rs\"\nname = \"splat\"\n"
        );
    }
}
