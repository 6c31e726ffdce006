//! Rows without a model on public sets of annotated images.
//!
//! `SPLAT_SHARED` names a folder whose subfolder `data` has the sets as archives. The tests of sets
//! that are not there are ignored. The rows are printed.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use gmae_reference::data::{Annotated, AnnotatedOptions};
use gmae_reference::evaluation::Bootstrap;
use gmae_reference::evaluation::segmentation::{
    Protocol, ScoreMap, Task, baseline_rows, cycled_mean, score,
};
use libtest_mimic::{Arguments, Failed, Trial};
use tempfile::TempDir;

fn main() {
    let arguments = Arguments::from_args();
    let trials = vec![
        trial("weizmann", &["weizmann.tar"], weizmann),
        trial("grabcut", &["grabcut.tar.gz", "bsds500.tar"], grabcut),
        trial("tiny_imagenet", &["tiny-imagenet.tar.gz"], tiny_imagenet),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

fn shared() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("SPLAT_SHARED").map_or_else(default, PathBuf::from);
    folder.join("data")
}

/// Returns a test that unpacks some archives. The test is ignored if one of them is missing, unless
/// the folder was asked for.
fn trial(name: &str, archives: &'static [&str], check: fn(&Path) -> Result<(), Failed>) -> Trial {
    let missing = archives.iter().any(|name| !shared().join(name).is_file());
    let unset = std::env::var_os("SPLAT_SHARED").is_none();
    let name = if missing {
        format!(
            "{name}: no archive in {} (set SPLAT_SHARED)",
            shared().display()
        )
    } else {
        name.to_owned()
    };
    let run = move || {
        let folder = tempfile::tempdir()?;
        for name in archives {
            unpack(&shared().join(name), &folder)?;
        }
        check(folder.path())
    };
    Trial::test(name, run).with_ignored_flag(missing && unset)
}

/// Unpacks the parts of an archive that the tests read.
fn unpack(archive: &Path, folder: &TempDir) -> Result<(), Failed> {
    let file = File::open(archive)?;
    let reader: Box<dyn Read> = if archive.extension().is_some_and(|kind| kind == "gz") {
        Box::new(GzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let unread = ["tiny-imagenet/train", "bsds500/groundTruth", "bsds500/hed"];
    for entry in tar::Archive::new(reader).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if !unread.iter().any(|part| path.starts_with(part)) {
            entry.unpack_in(folder.path())?;
        }
    }
    Ok(())
}

/// Prints the rows of a set. Returns their means.
fn rows(set: &Annotated, protocol: Protocol) -> Result<Vec<f64>, Failed> {
    let mut means = Vec::new();
    for row in baseline_rows(set, &protocol, set.len(), 0)? {
        let interval = Bootstrap::default().interval(&row.scores)?;
        let published = cycled_mean(&row.scores).ok_or("no scores")?;
        println!(
            "{:>5} items, {:<24} {:.3} [{:.3}, {:.3}], first 1000 items {published:.3}",
            row.scores.len(),
            row.baseline.name(protocol.task),
            interval.mean,
            interval.low,
            interval.high,
        );
        means.push(interval.mean);
    }
    Ok(means)
}

fn assert_near(got: &[f64], expected: &[f64], tolerance: f64) -> Result<(), Failed> {
    let near = |(a, b): (&f64, &f64)| (a - b).abs() <= tolerance;
    if got.len() == expected.len() && got.iter().zip(expected).all(near) {
        return Ok(());
    }
    Err(format!("expected {expected:?} within {tolerance}, got {got:?}").into())
}

/// The mean of the other masks scores .53 if two fifths of the masks are enough for a pixel. The
/// row asks for one half, as every other score does.
fn weizmann(folder: &Path) -> Result<(), Failed> {
    let set = Annotated::open(&folder.join("weizmann"), &AnnotatedOptions::default())?;
    assert_eq!(set.len(), 164);
    assert!(set.remarks().is_empty());
    for protocol in [
        Protocol::published(Task::Segmentation, set.layout()),
        Protocol::native(Task::Segmentation),
    ] {
        let means = rows(&set, protocol)?;
        assert_near(&means, &[0.251, 0.432, 0.512, 0.403], 0.002)?;
    }
    let means = rows(&set, Protocol::published(Task::Detection, set.layout()))?;
    assert_near(&means[..3], &[0.634, 0.561, 0.751], 0.002)?;
    // A predictor that looks at the images: bright pixels are the object.
    let protocol = Protocol::published(Task::Segmentation, set.layout());
    let scores = score(&set, &protocol, 20, |_, image| {
        let brightness = image.pixels.chunks(3).map(|c| c.iter().sum::<f32>() / 3.0);
        ScoreMap::new(image.width, image.height, brightness.collect())
    })?;
    assert_eq!(scores.len(), 20);
    assert!(scores.iter().all(|score| (0.0..1.0).contains(score)));
    Ok(())
}

fn grabcut(folder: &Path) -> Result<(), Failed> {
    let set = Annotated::open(&folder.join("grabcut"), &AnnotatedOptions::default())?;
    assert_eq!(set.len(), 20);
    assert!(set.remarks()[0].contains("left out 30 masks"));
    for index in 0..set.len() {
        set.item(index)?;
    }
    let means = rows(&set, Protocol::published(Task::Segmentation, set.layout()))?;
    assert_near(&means[..3], &[0.219, 0.405, 0.336], 0.002)
}

fn tiny_imagenet(folder: &Path) -> Result<(), Failed> {
    let options = AnnotatedOptions::default();
    let set = Annotated::open(&folder.join("tiny-imagenet"), &options)?;
    assert_eq!(set.len(), 1098);
    assert!(set.remarks()[0].starts_with("left out 3952 of 5050 images"));
    let means = rows(&set, Protocol::published(Task::Detection, set.layout()))?;
    assert_near(&means[..3], &[0.088, 0.144, 0.141], 0.002)?;
    // With all boxes the rows take several minutes. They are .518, .374 and .432.
    let all = options.largest_box(2.0);
    let set = Annotated::open(&folder.join("tiny-imagenet"), &all)?;
    assert_eq!(set.len(), 5050);
    Ok(())
}
