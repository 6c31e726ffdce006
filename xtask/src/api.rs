//! The check of `docs/API.txt`, which lists the public API of `splat`. A change of the API is thus
//! visible in review.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use public_api::Builder;
use serde_json::Value;

use crate::process::{cargo, output, root, run};

/// Path of the listing, relative to the root of the workspace.
const LISTING: &str = "docs/API.txt";
/// The command that writes the listing.
const REGENERATE: &str = "cargo run -p xtask -- api --write";
/// The version of rustdoc's JSON format that the crate `public-api` reads.
const FORMAT: u64 = 57;
/// Candidates for the feature whose API is listed separately. The first that `splat` has is used.
const DEVICE: [&str; 2] = ["gpu", "cube"];

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The listing equals the API of the sources, or has been written.
    Same,
    /// The lines that differ. Lines that the listing lacks begin with `+`, lines that only the
    /// listing has begin with `-`.
    Different(Vec<String>),
    /// The installed rustdoc writes this version of the format, which `public-api` cannot read.
    Unreadable(u64),
}

/// Compares the listing with the API of the sources. If `write` is set, writes the listing instead.
///
/// # Errors
/// Returns an error if the documentation cannot be built, or if a file cannot be read or written.
pub fn check(write: bool) -> io::Result<Verdict> {
    let device = device_feature(&output(&mut cargo([
        "metadata",
        "--no-deps",
        "--format-version",
        "1",
    ])?)?)?;
    let mut surfaces = Vec::new();
    for feature in [None, Some(device)] {
        let json = rustdoc(feature)?;
        let value: Value = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
        match value["format_version"].as_u64() {
            Some(FORMAT) => {}
            Some(other) => return Ok(Verdict::Unreadable(other)),
            None => return Err(io::Error::other("rustdoc's JSON has no format_version")),
        }
        surfaces.push(surface(json)?);
    }
    let text = listing(&surfaces[0], &surfaces[1], device);
    let path = root()?.join(LISTING);
    if write {
        std::fs::write(path, text)?;
        return Ok(Verdict::Same);
    }
    let listed = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        listed => listed?.replace("\r\n", "\n"),
    };
    Ok(compare(&listed, &text))
}

/// Prints `verdict`. Returns `false` if the listing differs.
pub fn report(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Same => println!("{LISTING} is the public API of splat"),
        Verdict::Different(lines) => {
            println!("{LISTING} is not the public API of splat; to write it: {REGENERATE}");
            for line in lines {
                println!("{line}");
            }
        }
        Verdict::Unreadable(format) => println!(
            "SKIPPED: the public API was not compared with {LISTING}, for this rustdoc writes \
             format {format} and format {FORMAT} is what can be read"
        ),
    }
    !matches!(verdict, Verdict::Different(_))
}

/// Returns the name of the feature that compiles `splat` for devices.
fn device_feature(metadata: &str) -> io::Result<&'static str> {
    let builds = crate::features::builds(metadata)?;
    let has = |feature: &&str| {
        let mut of_splat = builds.iter().filter(|build| build.package == "splat");
        of_splat.any(|build| build.feature.as_deref() == Some(*feature))
    };
    let missing = || io::Error::other(format!("splat has no feature of {DEVICE:?}"));
    DEVICE.into_iter().find(has).ok_or_else(missing)
}

/// Runs rustdoc with JSON output. Returns the path of the JSON file.
fn rustdoc(feature: Option<&str>) -> io::Result<PathBuf> {
    let root = root()?;
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |dir| root.join(dir));
    let arguments = ["rustdoc", "--quiet", "--package", "splat", "--lib"];
    let feature = feature
        .into_iter()
        .flat_map(|feature| ["--features", feature]);
    let rest = [
        "--",
        "-Z",
        "unstable-options",
        "--output-format",
        "json",
        "--cap-lints",
        "allow",
    ];
    let mut cargo = cargo(arguments.into_iter().chain(feature).chain(rest))?;
    // A stable rustdoc writes JSON only if RUSTC_BOOTSTRAP is set. The script sets the variable for
    // rustdoc alone: set for Cargo, it would cause every crate to be compiled again.
    run(cargo.env("RUSTDOC", root.join("xtask/rustdoc-json")))?;
    Ok(target.join("doc/splat.json"))
}

/// Returns the public items, one per line, without blanket, automatic and derived impls.
fn surface(json: PathBuf) -> io::Result<Vec<String>> {
    let api = Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .map_err(io::Error::other)?;
    Ok(api.items().map(ToString::to_string).collect())
}

fn listing(without: &[String], with: &[String], feature: &str) -> String {
    let more = lines_beyond(with, without);
    let less = lines_beyond(without, with);
    let without = lines(without.iter());
    format!(
        "# The public API of splat. CI compares it with the sources. To write it anew:\n\
         # {REGENERATE}\n\n\
         # Without features\n{without}\n\
         # More with the feature `{feature}`\n{more}\n\
         # Only without the feature `{feature}`\n{less}"
    )
}

/// Returns the lines of `these` that `those` lacks, in the order of `these`.
fn lines_beyond(these: &[String], those: &[String]) -> String {
    let those: BTreeSet<&String> = those.iter().collect();
    let beyond = these.iter().filter(|line| !those.contains(line));
    lines(beyond)
}

fn lines<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn compare(listed: &str, text: &str) -> Verdict {
    if listed == text {
        return Verdict::Same;
    }
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) =
        (listed.lines().collect(), text.lines().collect());
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    let come = new.difference(&old).map(|line| format!("+ {line}"));
    Verdict::Different(gone.chain(come).collect())
}

/// Returns the names at the root of the crate in the first section of a listing.
#[cfg(test)]
fn root_names(listing: &str) -> BTreeSet<&str> {
    let section = listing.split("\n\n# More with").next().unwrap_or_default();
    let kinds = [
        "fn ", "struct ", "enum ", "trait ", "mod ", "type ", "const ",
    ];
    let names = section.lines().filter_map(|line| {
        let (_, item) = line.split_once("pub ")?;
        let item = kinds.iter().find_map(|kind| item.strip_prefix(kind))?;
        let path = item.strip_prefix("splat::")?;
        let end = path.find(|c: char| c != '_' && !c.is_alphanumeric());
        let (name, rest) = path.split_at(end.unwrap_or(path.len()));
        (!rest.starts_with("::")).then_some(name)
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Upper bound of the number of names at the root of `splat` without features.
    const ROOT_NAMES: usize = 35;

    #[test]
    fn the_root_has_few_names() -> io::Result<()> {
        let listed = std::fs::read_to_string(root()?.join(LISTING))?;
        let names = root_names(&listed);
        assert!(
            names.contains("render") && names.contains("CpuScalar"),
            "{names:?}"
        );
        assert!(names.len() <= ROOT_NAMES, "{}: {names:?}", names.len());
        Ok(())
    }

    #[test]
    fn names_below_the_root_are_not_at_it() {
        let text = "pub mod splat\npub mod splat::a\npub fn splat::a::b()\n#[non_exhaustive] pub struct splat::C<S>\n\
                    pub splat::C::d: S\npub fn splat::C<S>::e()\npub trait splat::F: splat::a::G\n\n\
                    # More with the feature `gpu`\npub fn splat::h()";
        let names: Vec<&str> = root_names(text).into_iter().collect();
        assert_eq!(names, ["C", "F", "a"]);
    }

    fn items(lines: &[&str]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_listing_has_what_the_feature_adds_and_takes() {
        let text = listing(
            &items(&["pub fn a()", "pub fn b()"]),
            &items(&["pub fn b()", "pub fn c()"]),
            "gpu",
        );
        let (_, text) = text.split_once("\n\n").unwrap_or_default();
        assert_eq!(
            text,
            "# Without features\npub fn a()\npub fn b()\n\n# More with the feature `gpu`\npub fn c()\n\n\
             # Only without the feature `gpu`\npub fn a()\n"
        );
    }

    #[test]
    fn a_change_of_the_surface_is_named() {
        let of = |lines: &[&str]| listing(&items(lines), &items(lines), "gpu");
        let old = of(&["pub fn a()", "pub fn b(u8)"]);
        assert_eq!(compare(&old, &old), Verdict::Same);
        let new = of(&["pub fn a()", "pub fn b(u16)"]);
        let changed = ["- pub fn b(u8)", "+ pub fn b(u16)"].map(str::to_owned);
        assert_eq!(compare(&old, &new), Verdict::Different(changed.to_vec()));
    }

    /// If a line moves from one section to another, no line is new, but the listing differs.
    #[test]
    fn a_move_between_sections_is_a_change() {
        let old = listing(
            &items(&["pub fn a()"]),
            &items(&["pub fn a()", "pub fn b()"]),
            "gpu",
        );
        let new = listing(
            &items(&["pub fn a()", "pub fn b()"]),
            &items(&["pub fn a()", "pub fn b()"]),
            "gpu",
        );
        assert!(matches!(compare(&old, &new), Verdict::Different(_)));
        assert!(!report(&compare(&old, &new)));
    }

    #[test]
    fn only_a_difference_fails() {
        assert!(report(&Verdict::Same));
        assert!(report(&Verdict::Unreadable(60)));
        assert!(!report(&Verdict::Different(Vec::new())));
    }
}
