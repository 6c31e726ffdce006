//! Folders with many files.

use crate::support::{encoded, evaluation, squares};

/// Links to few files stand for many files.
#[cfg(unix)]
#[test]
fn a_hundred_thousand_files_are_listed_in_seconds() {
    use gmae_reference::data::{Dataset, Folder};
    use image::ImageFormat;
    use std::os::unix::fs::symlink;

    let dir = tempfile::tempdir().expect("a folder");
    let files = dir.path().join(".files");
    std::fs::create_dir(&files).expect("a folder");
    let png = encoded(squares(), ImageFormat::Png);
    for i in 0..100 {
        std::fs::write(files.join(i.to_string()), &png).expect("writing");
    }
    for class in 0..100 {
        let folder = dir.path().join(format!("class{class:02}"));
        std::fs::create_dir(&folder).expect("a folder");
        for i in 0..1000 {
            let target = format!("../.files/{}", i % 100);
            symlink(target, folder.join(format!("{i:04}.png"))).expect("a link");
        }
    }
    let start = std::time::Instant::now();
    let set = Folder::open(dir.path(), evaluation(16)).expect("images");
    let seconds = start.elapsed().as_secs_f64();
    println!("100,000 links: {seconds:.2} s");
    assert_eq!(set.len(), 100_000);
    assert_eq!(set.classes().len(), 100);
    assert_eq!(set.label(99_999), Some(99));
    assert!(seconds < 10.0, "{seconds} s");
}
