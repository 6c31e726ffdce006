//! Tar archives of images.

use gmae_reference::data::{DataError, Dataset, Folder};
use image::{ImageFormat, Rgb, RgbImage};
use tar::{Builder, EntryType, Header};

use crate::support::{encoded, evaluation, folder, rng};

fn grey(value: u8) -> Vec<u8> {
    let image = RgbImage::from_pixel(16, 16, Rgb([value; 3]));
    encoded(image, ImageFormat::Png)
}

fn header(size: usize, entry_type: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(size as u64);
    header.set_mode(0o644);
    header.set_entry_type(entry_type);
    header
}

fn archive(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = header(bytes.len(), EntryType::Regular);
        let done = builder.append_data(&mut header, name, bytes.as_slice());
        done.expect("a member");
    }
    builder.into_inner().expect("an archive")
}

fn shade(set: &Folder, index: usize) -> u8 {
    let image = set.image(index, &mut rng()).expect("a picture");
    (image.pixels[0] * 255.0).round() as u8
}

#[test]
fn members_of_archives_are_the_images() {
    let long = format!("{}/long.png", "deep/".repeat(40));
    let first = [
        ("./n01/a.JPEG", grey(10)),
        ("n01/a.txt", b"a caption".to_vec()),
        ("n01/._a.JPEG", b"hidden".to_vec()),
        (&long, grey(20)),
    ];
    let mut builder = Builder::new(Vec::new());
    for (name, bytes) in &first {
        let mut header = header(bytes.len(), EntryType::Regular);
        let done = builder.append_data(&mut header, name, bytes.as_slice());
        done.expect("a member");
    }
    let mut link = header(0, EntryType::Symlink);
    builder
        .append_link(&mut link, "n01/link.png", "a.JPEG")
        .expect("a link");
    let mut directory = header(0, EntryType::Directory);
    builder
        .append_data(&mut directory, "n02/", &[][..])
        .expect("a folder");
    let dir = folder(&[
        ("train/0.tar", builder.into_inner().expect("an archive")),
        (
            "train/1.tar",
            archive(&[("z.png", grey(30)), ("b.png", grey(40))]),
        ),
        ("more.tar.gz", b"packed".to_vec()),
        ("readme.txt", b"read me".to_vec()),
    ]);
    let set = Folder::open(dir.path(), evaluation(16)).expect("four images");
    let shades: Vec<u8> = (0..set.len()).map(|i| shade(&set, i)).collect();
    assert_eq!(shades, [10, 20, 30, 40]);
    assert_eq!(
        set.path(0).expect("a path"),
        dir.path().join("train/0.tar/n01/a.JPEG")
    );
    assert_eq!((set.classes(), set.label(0)), (&[][..], None));
    let warnings = set.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for part in [
        "skipped 4 files of other kinds",
        "2 .txt (readme.txt, n01/a.txt)",
        "1 .tar.gz (more.tar.gz)",
        "1 links and other entries (n01/link.png)",
    ] {
        assert!(warnings[0].contains(part), "{part}: {warnings:?}");
    }
}

#[test]
fn a_damaged_archive_keeps_the_members_before_the_damage() {
    let members = [("a.png", grey(1)), ("b.png", grey(2)), ("c.png", grey(3))];
    let whole = archive(&members);
    let starts: Vec<usize> = (0..3)
        .map(|n| archive(&members[..n]).len() - 1024)
        .collect();
    let mut scrambled = whole.clone();
    scrambled[starts[2] + 3] ^= 0x55;
    let damages = [
        (scrambled, 2, "damaged"),
        (
            whole[..starts[2] + 515].to_vec(),
            2,
            "truncated inside c.png",
        ),
        (whole[..starts[2] + 200].to_vec(), 2, "damaged"),
        (
            whole[..starts[2]].to_vec(),
            2,
            "the end of the archive is missing",
        ),
        (b"no archive".repeat(60), 0, "damaged"),
    ];
    for (bytes, left, words) in damages {
        let dir = folder(&[
            ("bad.tar", bytes),
            ("good.tar", archive(&[("g.png", grey(9))])),
        ]);
        let set = Folder::open(dir.path(), evaluation(16)).expect("images");
        assert_eq!(set.len(), left + 1, "{words}");
        assert_eq!(shade(&set, left), 9);
        let warnings = set.warnings();
        assert_eq!(warnings.len(), 1, "{words}: {warnings:?}");
        assert!(warnings[0].contains("bad.tar ("), "{warnings:?}");
        assert!(warnings[0].contains(words), "{words}: {warnings:?}");
    }
    let dir = folder(&[("good.tar", whole)]);
    let set = Folder::open(dir.path(), evaluation(16)).expect("images");
    assert_eq!(set.warnings(), Vec::<String>::new());
}

#[test]
fn images_beside_archives_and_archives_without_images_are_refused() {
    let one = || archive(&[("a.png", grey(1))]);
    let dir = folder(&[
        ("a.png", grey(1)),
        ("b.png", grey(1)),
        ("deep/c.tar", one()),
    ]);
    let error = Folder::open(dir.path(), evaluation(16)).expect_err("both");
    assert!(
        matches!(
            error,
            DataError::Mixed {
                images: 2,
                archives: 1,
                ..
            }
        ),
        "{error}"
    );
    let words = error.to_string();
    assert!(words.contains("image files: 2, archives: 1"), "{words}");
    let dir = folder(&[("a.tar", archive(&[("a.txt", vec![1])]))]);
    let error = Folder::open(dir.path(), evaluation(16)).expect_err("no image");
    let words = error.to_string();
    assert!(matches!(error, DataError::NoImages { .. }), "{words}");
    assert!(words.contains("1 .txt (a.txt)"), "{words}");
}

#[test]
fn the_order_keeps_the_sequence_inside_an_archive() {
    let names: Vec<String> = (0..30).map(|i| format!("{i:02}.png")).collect();
    let members: Vec<(&str, Vec<u8>)> = names.iter().map(|n| (n.as_str(), grey(5))).collect();
    let shard = archive(&members);
    let dir = folder(&[
        ("a.tar", shard.clone()),
        ("b.tar", shard.clone()),
        ("c.tar", shard),
    ]);
    let set = Folder::open(dir.path(), evaluation(16)).expect("images");
    let order = set.order(&mut rng());
    assert_eq!(order, set.order(&mut rng()));
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..90).collect::<Vec<_>>());
    assert_ne!(sorted, order);
    for shard in 0..3 {
        let own = order.iter().filter(|&&i| i / 30 == shard);
        assert!(own.is_sorted());
    }
}

#[test]
fn the_fingerprint_covers_archives_members_and_sizes() {
    let print = |files: &[(&str, Vec<u8>)]| {
        let dir = folder(files);
        let set = Folder::open(dir.path(), evaluation(16)).expect("images");
        set.fingerprint()
    };
    let shard = |name| archive(&[(name, grey(1)), ("b.png", grey(2))]);
    let first = print(&[("x.tar", shard("a.png"))]);
    assert!(first.starts_with("2 images, "), "{first}");
    assert_eq!(first, print(&[("x.tar", shard("a.png"))]));
    assert_ne!(first, print(&[("y.tar", shard("a.png"))]));
    assert_ne!(first, print(&[("x.tar", shard("c.png"))]));
    let longer = [grey(1), vec![0]].concat();
    let longer = archive(&[("a.png", longer), ("b.png", grey(2))]);
    assert_ne!(first, print(&[("x.tar", longer)]));
}

#[test]
fn bad_members_are_replaced_and_archives_that_vanish_are_an_error() {
    let bad = archive(&[
        ("a.png", grey(1)),
        ("bad.png", vec![7; 600]),
        ("c.png", grey(3)),
    ]);
    let dir = folder(&[("x.tar", bad), ("y.tar", archive(&[("d.png", grey(4))]))]);
    let set = Folder::open(dir.path(), evaluation(16)).expect("images");
    assert_eq!(shade(&set, 1), 3);
    let remarks = set.remarks();
    assert_eq!(remarks.len(), 1, "{remarks:?}");
    assert!(
        remarks[0].contains("x.tar/bad.png (holds no JPEG"),
        "{remarks:?}"
    );
    // The folder is not empty, but no image in it can be read.
    std::fs::write(dir.path().join("note"), "moved").expect("writing");
    for name in ["x.tar", "y.tar"] {
        std::fs::remove_file(dir.path().join(name)).expect("removing");
    }
    let error = set.image(0, &mut rng()).expect_err("gone");
    assert!(matches!(error, DataError::Vanished { .. }), "{error}");
    assert_eq!(set.skipped().len(), 1);
}

/// `..` is no hidden name. Nothing is written to the path of a member, so every path is harmless.
#[test]
fn members_with_odd_paths_are_read() {
    let mut builder = Builder::new(Vec::new());
    let names = ["../../up.png", "/top.png", "a/../b.png", "./.hidden.png"];
    for (i, name) in names.into_iter().enumerate() {
        let bytes = grey(10 * (i as u8 + 1));
        let mut header = header(bytes.len(), EntryType::Regular);
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        builder.append(&header, bytes.as_slice()).expect("a member");
    }
    let dir = folder(&[("a.tar", builder.into_inner().expect("an archive"))]);
    let set = Folder::open(dir.path(), evaluation(16)).expect("three images");
    let mut shades: Vec<u8> = (0..set.len()).map(|i| shade(&set, i)).collect();
    shades.sort_unstable();
    assert_eq!(shades, [10, 20, 30]);
}
