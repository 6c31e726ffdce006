//! Rules about the source that the compiler does not check.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Returns every source file of the library except test modules, with its text before the unit
/// tests.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = walkdir::WalkDir::new(&root).into_iter();
    let files = files.map(|entry| entry.expect("an entry").into_path());
    let rust = files.filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let code = rust.filter(|path| !path.ends_with("tests.rs"));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a source file");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let name = path.strip_prefix(&root).expect("below src").to_owned();
        (name, text.to_owned())
    };
    code.map(read).collect()
}

/// A file written elsewhere could be incomplete after a crash or lost after a power failure.
#[test]
fn only_one_folder_writes_files() {
    let sources = sources();
    assert!(sources.len() > 30, "{} source files", sources.len());
    for (name, text) in sources {
        if name.starts_with("files") {
            continue;
        }
        for call in [
            "fs::write",
            "File::create",
            "fs::rename",
            "fs::copy",
            "tempfile",
            ".persist(",
        ] {
            assert!(!text.contains(call), "{} calls {call}", name.display());
        }
        // Metrics are appended line by line. `files` creates the file.
        if name != Path::new("training/metrics.rs") {
            assert!(!text.contains("OpenOptions"), "{}", name.display());
        }
    }
}

/// `model/render.rs` warns if a render shows nothing. A render elsewhere would not.
#[test]
fn only_one_file_renders() {
    let home = Path::new("model/render.rs");
    let calls = ["splat::render(", "splat_autodiff::render", "Renderer::new("];
    for (name, text) in sources() {
        let code = text.lines().filter(|line| !line.trim().starts_with("//"));
        let code: Vec<&str> = code.collect();
        let code = code.join("\n");
        let found = calls.into_iter().any(|call| code.contains(call));
        assert_eq!(found, name == home, "{} renders", name.display());
        if found {
            // One render for each of the three calls, and their checks.
            assert_eq!(code.matches("warn_if_all(").count(), 2, "{code}");
            assert_eq!(code.matches("shown(rendered").count(), 2, "{code}");
        }
    }
}

/// Returns the paths that a `use` tree names: `a::{b, c::{d}}` is `a::b` and `a::c::d`.
fn expanded(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else {
        return vec![tree.trim().to_owned()];
    };
    let body = rest.trim_end().strip_suffix('}').unwrap_or(rest);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (i, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&body[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts
        .flat_map(expanded)
        .map(|path| format!("{}{path}", prefix.trim()))
        .collect()
}

/// Returns the module path of a file: `model/mod.rs` is `[model]`, `lib.rs` is `[]`.
fn module(file: &Path) -> Vec<String> {
    let whole = file.with_extension("");
    let parts = whole.iter().map(|part| part.to_string_lossy().into_owned());
    parts
        .filter(|part| part != "mod" && part != "lib")
        .collect()
}

/// Returns the files that each file imports by `use`, including the re-exports of a `mod.rs`.
fn imports() -> BTreeMap<PathBuf, BTreeSet<PathBuf>> {
    let sources = sources();
    let names = sources.iter().map(|(file, _)| (module(file), file.clone()));
    let files: BTreeMap<Vec<String>, PathBuf> = names.collect();
    let imported = |file: &Path, path: &str| {
        let here = module(file);
        let parts: Vec<&str> = path.split("::").collect();
        let mut at = match parts[0] {
            "crate" => Vec::new(),
            "super" => here[..here.len().saturating_sub(1)].to_vec(),
            child if files.contains_key(&[here.as_slice(), &[child.to_owned()]].concat()) => {
                [here.as_slice(), &[child.to_owned()]].concat()
            }
            _ => return None,
        };
        for part in &parts[1..] {
            let below = [at.as_slice(), &[(*part).to_owned()]].concat();
            if files.contains_key(&below) {
                at = below;
            }
        }
        files.get(&at).cloned()
    };
    let mut all = BTreeMap::new();
    for (file, text) in &sources {
        let code: Vec<&str> = text
            .lines()
            .filter(|l| !l.trim().starts_with("//"))
            .collect();
        let code = code.join(" ");
        let statements = code.split(';').filter_map(|statement| {
            let (before, tree) = statement.rsplit_once("use ")?;
            (before.is_empty() || before.ends_with(' ')).then_some(tree)
        });
        let targets = statements
            .flat_map(expanded)
            .filter_map(|path| imported(file, &path))
            .filter(|target| target != file);
        all.insert(file.clone(), targets.collect::<BTreeSet<_>>());
    }
    all
}

/// Removes files that import none of the remaining files, until every remaining file imports
/// another one. If files remain, there is a circle of imports.
fn circle(mut imports: BTreeMap<PathBuf, BTreeSet<PathBuf>>) -> Vec<PathBuf> {
    loop {
        let left: BTreeSet<PathBuf> = imports.keys().cloned().collect();
        let before = left.len();
        imports.retain(|_, targets| targets.iter().any(|target| left.contains(target)));
        if imports.len() == before {
            return left.into_iter().collect();
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let imports = imports();
    let method = &imports[Path::new("training/method.rs")];
    assert!(
        method.contains(Path::new("training/loss.rs"))
            && method.contains(Path::new("model/pixels.rs")),
        "imports are read: {method:?}"
    );
    assert_eq!(circle(imports.clone()), Vec::<PathBuf>::new());
    // One additional import closes a circle.
    let mut tied = imports;
    let loss = tied.get_mut(Path::new("training/loss.rs")).expect("a file");
    loss.insert("training/method.rs".into());
    assert!(circle(tied).contains(&"training/loss.rs".into()));
}

#[test]
fn files_and_lines_have_their_lengths() {
    for (name, text) in sources() {
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines", name.display());
        let long = |line: &&str| line.trim_start().starts_with("//") && line.chars().count() > 100;
        if let Some(line) = text.lines().find(long) {
            panic!("{}: more than 100 columns: {line}", name.display());
        }
    }
}
