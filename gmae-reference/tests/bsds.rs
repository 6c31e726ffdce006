//! The boundary benchmark against the official results for published edge maps.
//!
//! The archive is `data/bsds500.tar` in the folder `$SPLAT_SHARED`, by default `../shared` beside
//! the workspace. Without it, the trials are ignored.

use std::path::{Path, PathBuf};

use gmae_reference::bsds::{Annotations, Counts, EdgeMap, Scores, Thresholds, count};
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

/// Largest difference of a score from the official one, whose solver is randomised.
const SCORE: f64 = 5e-4;
/// Largest mean difference of counts, as a part of the official counts.
const COUNT: f64 = 0.005;

/// The folder of the archive.
fn archive() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var_os("SPLAT_SHARED")
        .map_or_else(default, PathBuf::from)
        .join("data/bsds500.tar")
}

/// Unpacks the parts of the archive that begin with one of `parts`.
fn unpacked(parts: &[&str]) -> Result<TempDir, Failed> {
    let folder = tempfile::tempdir()?;
    let mut archive = tar::Archive::new(std::fs::File::open(archive())?);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if parts
            .iter()
            .any(|part| path.starts_with(format!("bsds500/{part}")))
        {
            entry.unpack_in(&folder)?;
        }
    }
    Ok(folder)
}

/// Counts an image.
fn counted(map: &Path, truth: &Path, thresholds: usize) -> Result<Vec<Counts>, Failed> {
    let thresholds = Thresholds::new(thresholds).ok_or("thresholds")?;
    let (map, truth) = (EdgeMap::read(map)?, Annotations::read(truth)?);
    Ok(count(&map, &truth, thresholds, &|| true).ok_or("interrupted")?)
}

/// The names of the maps in a folder, in order.
fn names(folder: &Path) -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        let name = path.file_stem().ok_or("a name")?;
        names.push(name.to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Checks that ODS, OIS and AP are the official ones.
fn check_scores(scores: &Scores, official: [f64; 3]) -> Result<(), Failed> {
    let got = [scores.ods.f(), scores.ois.f(), scores.ap];
    let near = got
        .iter()
        .zip(official)
        .all(|(got, official)| (got - official).abs() <= SCORE);
    if near {
        return Ok(());
    }
    Err(format!("{got:?}, expected {official:?}").into())
}

/// The official counts of an image, one line for each of 99 thresholds.
fn official_counts(path: &Path) -> Result<Vec<[f64; 4]>, Failed> {
    let text = std::fs::read_to_string(path)?;
    let line = |line: &str| {
        let numbers = line.split_whitespace().skip(1).map(str::parse);
        let numbers: Vec<f64> = numbers.collect::<Result<_, _>>().ok()?;
        numbers.try_into().ok()
    };
    let lines: Option<Vec<[f64; 4]>> = text.lines().map(line).collect();
    Ok(lines.ok_or("four numbers in each line")?)
}

/// Checks that the counts are the official ones: those of all pixels exactly, those of pixels with
/// a partner on average.
fn check_counts(counts: &[Counts], official: &[[f64; 4]]) -> Result<(), Failed> {
    let mut differences = 0.0;
    for (counts, official) in counts.iter().zip(official) {
        if [counts.boundaries as f64, counts.edges as f64] != [official[1], official[3]] {
            return Err(format!("{counts:?}, expected {official:?}").into());
        }
        for (got, official) in [
            (counts.matched_boundaries, official[0]),
            (counts.matched_edges, official[2]),
        ] {
            differences += (got as f64 - official).abs() / official.max(1.0);
        }
    }
    let mean = differences / (2 * counts.len()) as f64;
    if counts.len() == official.len() && mean <= COUNT {
        return Ok(());
    }
    Err(format!("the counts differ by {mean:.4} of the official ones").into())
}

/// The benchmark's own five images at five thresholds.
fn five_images() -> Result<(), Failed> {
    let folder = unpacked(&["bench"])?;
    let bench = folder.path().join("bsds500/bench");
    let mut images = Vec::new();
    for name in names(&bench.join("png"))? {
        let map = bench.join(format!("png/{name}.png"));
        images.push(counted(
            &map,
            &bench.join(format!("groundTruth/{name}.mat")),
            5,
        )?);
    }
    if images.len() != 5 {
        return Err(format!("{} images", images.len()).into());
    }
    let scores = Scores::new(Thresholds::new(5).ok_or("five")?, &images);
    let official = [0.704_628, 0.708_698, 0.307_627];
    check_scores(&scores, official)?;
    // Maps of other images are noticed.
    images.truncate(3);
    let scores = Scores::new(Thresholds::new(5).ok_or("five")?, &images);
    match check_scores(&scores, official) {
        Ok(()) => Err("three images have the scores of five".into()),
        Err(_) => Ok(()),
    }
}

/// The maps of a detector for some images, at every tenth threshold.
fn counts_of_a_detector() -> Result<(), Failed> {
    let folder = unpacked(&["hed", "groundTruth/test"])?;
    let root = folder.path().join("bsds500");
    let names = names(&root.join("hed/maps"))?;
    for pair in names[..names.len().min(4)].windows(2) {
        let map = root.join(format!("hed/maps/{}.png", pair[0]));
        let truth = |name: &str| root.join(format!("groundTruth/test/{name}.mat"));
        let official = official_counts(&root.join(format!("hed/golden/{}_ev1.txt", pair[0])))?;
        let tenths: Vec<[f64; 4]> = official.into_iter().skip(9).step_by(10).collect();
        let counts = counted(&map, &truth(&pair[0]), 9)?;
        check_counts(&counts, &tenths)?;
        // Differences of two per cent, and the ground truth of another image, are noticed.
        let other: Vec<[f64; 4]> = tenths
            .iter()
            .map(|t| [1.02 * t[0], t[1], t[2], t[3]])
            .collect();
        if check_counts(&counts, &other).is_ok() {
            return Err("the check accepts other counts".into());
        }
        let wrong = counted(&map, &truth(&pair[1]), 9)?;
        if check_counts(&wrong, &tenths).is_ok() {
            return Err("the check accepts the ground truth of another image".into());
        }
    }
    Ok(())
}

/// The maps of a detector for all images: minutes in a release build.
fn scores_of_a_detector() -> Result<(), Failed> {
    let folder = unpacked(&["hed", "groundTruth/test"])?;
    let root = folder.path().join("bsds500");
    let mut images = Vec::new();
    for name in names(&root.join("hed/maps"))? {
        let map = root.join(format!("hed/maps/{name}.png"));
        let counts = counted(&map, &root.join(format!("groundTruth/test/{name}.mat")), 99)?;
        check_counts(
            &counts,
            &official_counts(&root.join(format!("hed/golden/{name}_ev1.txt")))?,
        )?;
        images.push(counts);
    }
    let scores = Scores::new(Thresholds::new(99).ok_or("99")?, &images);
    check_scores(&scores, [0.7888, 0.8058, 0.8100])
}

fn main() {
    // A folder that was asked for must be there.
    let missing = !archive().exists() && std::env::var_os("SPLAT_SHARED").is_none();
    let trials = vec![
        Trial::test("five images", five_images).with_ignored_flag(missing),
        Trial::test("counts of a detector", counts_of_a_detector).with_ignored_flag(missing),
        Trial::test("scores of a detector: long", scores_of_a_detector).with_ignored_flag(true),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
