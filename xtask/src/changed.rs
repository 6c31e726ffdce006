//! Files that differ from a revision of the repository.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::process::Command;

/// Returns the files below `folder` that differ from `revision`, including untracked files. The
/// paths are relative to `folder` and have `/` as separator.
///
/// # Errors
/// Returns an error if git cannot be started or fails, or if `revision` is not a revision of the
/// repository.
pub fn changed_since(folder: &Path, revision: &str) -> io::Result<BTreeSet<String>> {
    let commit = format!("{revision}^{{commit}}");
    let known = git(
        folder,
        &["rev-parse", "--verify", "--end-of-options", &commit],
    );
    let commit = known.map_err(|error| {
        io::Error::other(format!(
            "--changed-since: expected a revision of this repository, got {revision:?} ({error})"
        ))
    })?;
    // With --no-renames a renamed file is listed under its old and its new name.
    let differing = [
        "diff",
        "--name-only",
        "--no-renames",
        "--relative",
        "-z",
        commit.trim_end(),
        "--",
        ".",
    ];
    let untracked = ["ls-files", "--others", "--exclude-standard", "-z"];
    let lists = [git(folder, &differing)?, git(folder, &untracked)?];
    let names = lists.iter().flat_map(|list| list.split('\0'));
    Ok(names
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect())
}

/// Runs git in `folder` and returns its standard output.
fn git(folder: &Path, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .output()
        .map_err(|error| io::Error::other(format!("git cannot be started: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(io::Error::other(format!(
            "git {}: {}",
            arguments[0],
            said.trim()
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Creates a repository with one commit: three files below `inner` and one file outside.
    fn repository() -> io::Result<tempfile::TempDir> {
        let folder = tempfile::tempdir()?;
        let inner = folder.path().join("inner/deep");
        fs::create_dir_all(&inner)?;
        for name in ["kept.rs", "edited.rs", "deep/old.rs"] {
            fs::write(folder.path().join("inner").join(name), name)?;
        }
        fs::write(folder.path().join("outer.rs"), "outer")?;
        git(folder.path(), &["init", "--quiet"])?;
        commit(folder.path())?;
        Ok(folder)
    }

    fn commit(folder: &Path) -> io::Result<String> {
        git(folder, &["add", "--all"])?;
        let author = ["-c", "user.name=n", "-c", "user.email=e"];
        let commit = ["commit", "--quiet", "--no-gpg-sign", "--message", "m"];
        git(folder, &[&author[..], &commit].concat())
    }

    #[test]
    fn edited_renamed_and_new_files_differ_and_others_do_not() -> io::Result<()> {
        let folder = repository()?;
        let inner = folder.path().join("inner");
        assert_eq!(changed_since(&inner, "HEAD")?, BTreeSet::new());
        fs::write(inner.join("edited.rs"), "something else")?;
        fs::write(folder.path().join("outer.rs"), "something else")?;
        fs::rename(inner.join("deep/old.rs"), inner.join("deep/new.rs"))?;
        let expected = ["deep/new.rs", "deep/old.rs", "edited.rs"];
        let expected: BTreeSet<String> = expected.map(str::to_owned).into();
        assert_eq!(changed_since(&inner, "HEAD")?, expected);
        // After a commit, the same files differ from the revision before the commit.
        commit(folder.path())?;
        assert_eq!(changed_since(&inner, "HEAD")?, BTreeSet::new());
        assert_eq!(changed_since(&inner, "HEAD~1")?, expected);
        Ok(())
    }

    #[test]
    fn an_unknown_revision_is_an_error_that_names_it() -> io::Result<()> {
        let folder = repository()?;
        for revision in ["no-such-revision", "--output=x", ""] {
            let error = changed_since(folder.path(), revision).map_err(|error| error.to_string());
            let named = error.as_ref().is_err_and(|error| {
                error.contains("--changed-since") && error.contains(&format!("{revision:?}"))
            });
            assert!(named, "{revision:?}: {error:?}");
        }
        assert!(!folder.path().join("x").exists());
        Ok(())
    }
}
