use super::*;
use crate::data::Transform;
use image::{ImageFormat, Rgb, RgbImage};
use rand::SeedableRng;
use rayon::prelude::*;
use std::fs;
use tempfile::TempDir;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

fn options() -> FolderOptions {
    FolderOptions {
        min_side: 4,
        ..FolderOptions::new(Transform::evaluation(8).expect("a valid size"))
    }
}

/// Returns the bytes of a `width` x `height` picture in one grey. A little texture gives the file
/// some length.
fn encoded(width: u32, height: u32, grey: u8, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| {
        Rgb([
            grey,
            grey,
            grey.saturating_add(((x * 7 + y * 13) % 9) as u8),
        ])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut bytes, format)
        .expect("encoding into memory");
    bytes.into_inner()
}

/// Creates a folder with these files.
fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, bytes) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a new folder");
        fs::write(path, bytes).expect("a new file");
    }
    dir
}

fn red(image: &Image) -> u8 {
    (image.pixels[0] * 255.0).round() as u8
}

#[test]
fn classes_and_order_come_from_the_paths() {
    let png = |grey| encoded(8, 8, grey, ImageFormat::Png);
    let dir = folder(&[
        ("zebra/1.png", png(40)),
        ("ant/deep/2.PNG", png(20)),
        ("ant/1.png", png(10)),
        ("loose.png", png(30)),
        ("ant/.hidden.png", b"never read".to_vec()),
        ("ant/notes.txt", b"no image".to_vec()),
    ]);
    let set = Folder::open(dir.path(), options()).unwrap();
    assert_eq!(set.classes(), ["ant", "zebra"]);
    let seen: Vec<(u8, Option<usize>)> = (0..set.len())
        .map(|i| set.sample(i, &mut rng()).unwrap())
        .map(|sample| (red(&sample.image), sample.label))
        .collect();
    assert_eq!(
        seen,
        [(10, Some(0)), (20, Some(0)), (30, None), (40, Some(1))]
    );
    assert_eq!(set.label(3), Some(1));
    assert!(set.path(3).unwrap().ends_with("zebra/1.png"));
    assert_eq!(set.skipped(), vec![]);
    let warnings = set.warnings();
    assert_eq!(warnings.len(), 1);
    assert!(
        warnings[0].starts_with("skipped 1 file of another kind in ")
            && warnings[0].ends_with(": 1 .txt (ant/notes.txt)"),
        "{warnings:?}"
    );
}

#[test]
fn a_part_of_the_images_is_spread_over_the_classes() {
    let names: Vec<(String, u8)> = (0..10)
        .map(|i| {
            (
                format!("{}/{i}.png", if i < 6 { "ant" } else { "zebra" }),
                10 * i,
            )
        })
        .collect();
    let files: Vec<(&str, Vec<u8>)> = names
        .iter()
        .map(|(name, grey)| (name.as_str(), encoded(8, 8, *grey, ImageFormat::Png)))
        .collect();
    let dir = folder(&files);
    let open = |images| {
        let images = Some(images);
        Folder::open(
            dir.path(),
            FolderOptions {
                images,
                ..options()
            },
        )
    };
    for count in 1..=10 {
        let set = open(count).unwrap();
        let seen: Vec<usize> = (0..set.len())
            .map(|i| usize::from(red(&set.image(i, &mut rng()).unwrap())) / 10)
            .collect();
        let expected: Vec<usize> = (0..count).map(|i| i * 10 / count).collect();
        assert_eq!(seen, expected);
        assert!(set.fingerprint().starts_with(&format!("{count} images, ")));
    }
    assert_eq!(open(3).unwrap().label(2), Some(1));
    for count in [0, 11] {
        let words = open(count).unwrap_err().to_string();
        assert!(words.contains("expected 1 to 10"), "{words}");
        assert!(words.ends_with(&format!("got {count}")), "{words}");
    }
}

#[test]
fn a_missing_folder_a_file_and_an_empty_folder_are_told_apart() {
    let dir = folder(&[("a/readme.txt", vec![1]), ("b.heic", vec![2])]);
    let open = |path: &Path| Folder::open(path, options()).unwrap_err();
    let missing = dir.path().join("nowhere");
    let error = open(&missing);
    assert!(matches!(error, DataError::Missing { .. }));
    assert!(error.to_string().contains("nowhere"));
    let error = open(&dir.path().join("b.heic"));
    assert!(matches!(error, DataError::NotAFolder { .. }));
    assert!(error.to_string().contains("b.heic"));
    let error = open(dir.path());
    assert!(matches!(error, DataError::NoImages { .. }));
    let words = error.to_string();
    for part in [
        "2 files of other kinds",
        "1 .heic (b.heic)",
        ".jpg, .jpeg, .png",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

/// Creates a folder with one good picture among bad files of every kind. The good picture is in the
/// middle of the order.
fn mixed() -> TempDir {
    let jpeg = encoded(64, 64, 90, ImageFormat::Jpeg);
    let png = encoded(64, 64, 90, ImageFormat::Png);
    let mut scrambled = png.clone();
    let middle = scrambled.len() / 2;
    scrambled[middle] ^= 0x55;
    folder(&[
        ("a.jpg", jpeg[..jpeg.len() / 2].to_vec()),
        ("b.jpg", Vec::new()),
        ("c.png", png[..png.len() / 2].to_vec()),
        ("d.jpg", jpeg),
        ("e.png", scrambled),
        ("f.jpg", b"this is no picture at all".to_vec()),
        ("g.png", encoded(3, 50, 90, ImageFormat::Png)),
    ])
}

const BAD: [(&str, &str); 6] = [
    ("a.jpg", "truncated"),
    ("b.jpg", "holds no JPEG, PNG"),
    ("c.png", "corrupt"),
    ("e.png", "corrupt"),
    ("f.jpg", "holds no JPEG, PNG"),
    ("g.png", "too small: 3 x 50"),
];

fn assert_all_bad_named(set: &Folder) {
    let skipped = set.skipped();
    assert_eq!(skipped.len(), BAD.len());
    for (file, (name, reason)) in skipped.iter().zip(BAD) {
        assert!(file.path.ends_with(name), "{file:?}");
        assert!(file.reason.contains(reason), "{file:?}");
    }
    assert_eq!(set.warnings(), Vec::<String>::new());
    let summary = set.summary();
    assert_eq!(summary.len(), 1, "{summary:?}");
    let warning = &summary[0];
    assert!(
        warning.starts_with("skipped 6 of 7 images in "),
        "{warning}"
    );
    assert!(warning.contains("a.jpg (truncated"), "{warning}");
    assert!(warning.ends_with("and 3 more"), "{warning}");
}

#[test]
fn bad_files_are_skipped_and_named() {
    let dir = mixed();
    let set = Folder::open(dir.path(), options()).unwrap();
    assert_eq!(set.len(), 7);
    let good = set.image(3, &mut rng()).unwrap();
    assert_eq!(set.skipped(), []);
    for index in 0..7 {
        assert_eq!(set.image(index, &mut rng()).unwrap(), good, "index {index}");
    }
    assert_all_bad_named(&set);
    let remarks = set.remarks();
    assert_eq!(remarks.len(), 3, "{remarks:?}");
    for remark in &remarks {
        assert!(
            remark.ends_with("): the next image replaces it"),
            "{remark}"
        );
    }
    assert_eq!(set.remarks(), Vec::<String>::new());
}

#[test]
fn a_jpeg_cut_anywhere_is_noticed() {
    let jpeg = encoded(40, 40, 90, ImageFormat::Jpeg);
    for keep in (1..jpeg.len()).step_by(7).chain([jpeg.len() - 1]) {
        let dir = folder(&[("cut.jpg", jpeg[..keep].to_vec())]);
        let set = Folder::open(dir.path(), options()).unwrap();
        let error = set.image(0, &mut rng()).unwrap_err();
        assert!(
            matches!(error, DataError::AllBad { count: 1, .. }),
            "{keep} bytes: {error}"
        );
    }
}

#[test]
fn an_end_marker_inside_a_thumbnail_does_not_count() {
    let jpeg = encoded(40, 40, 90, ImageFormat::Jpeg);
    let thumbnail = encoded(8, 8, 90, ImageFormat::Jpeg);
    let mut with_thumbnail = jpeg[..2].to_vec();
    with_thumbnail.extend([0xFF, 0xEF]);
    with_thumbnail.extend((thumbnail.len() as u16 + 2).to_be_bytes());
    with_thumbnail.extend(&thumbnail);
    with_thumbnail.extend(&jpeg[2..]);
    let cut = with_thumbnail[..with_thumbnail.len() - 6].to_vec();
    let dir = folder(&[("cut.jpg", cut), ("whole.jpg", with_thumbnail)]);
    let set = Folder::open(dir.path(), options()).unwrap();
    set.image(0, &mut rng()).unwrap();
    let skipped = set.skipped();
    assert_eq!(skipped.len(), 1);
    assert!(skipped[0].path.ends_with("cut.jpg"), "{skipped:?}");
}

#[test]
fn only_bad_files_are_an_error() {
    let dir = folder(&[("x.jpg", vec![0; 10]), ("y.png", vec![1; 10])]);
    let set = Folder::open(dir.path(), options()).unwrap();
    // The second call meets only files that are already known.
    for _ in 0..2 {
        let error = set.image(1, &mut rng()).unwrap_err();
        assert!(matches!(error, DataError::AllBad { count: 2, .. }));
        assert!(error.to_string().contains("all 2 are unusable"), "{error}");
        assert!(error.to_string().contains("x.jpg"), "{error}");
    }
}

fn pngs(count: usize) -> Vec<(String, Vec<u8>)> {
    let png = |i: usize| encoded(8, 8, i as u8, ImageFormat::Png);
    (0..count)
        .map(|i| (format!("{i:03}.png"), png(i)))
        .collect()
}

fn folder_of(files: &[(String, Vec<u8>)]) -> TempDir {
    let files: Vec<_> = files.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    folder(&files)
}

fn vanished(set: &Folder, index: usize) -> String {
    let error = set.image(index, &mut rng()).unwrap_err();
    assert!(matches!(error, DataError::Vanished { .. }), "{error}");
    // The failures are not faults of the images.
    assert_eq!(set.skipped(), []);
    error.to_string()
}

#[test]
fn a_folder_that_is_gone_or_empty_is_an_error() {
    for count in [3, 100] {
        let dir = folder_of(&pngs(count));
        let set = Folder::open(dir.path(), options()).unwrap();
        set.image(1, &mut rng()).unwrap();
        for i in 0..count {
            fs::remove_file(dir.path().join(format!("{i:03}.png"))).unwrap();
        }
        assert!(vanished(&set, 2).contains("is empty"));
        fs::remove_dir(dir.path()).unwrap();
        assert!(vanished(&set, 0).contains("cannot be listed"));
        // The data come back.
        fs::create_dir(dir.path()).unwrap();
        fs::write(dir.path().join("002.png"), &pngs(3)[2].1).unwrap();
        assert_eq!(red(&set.image(2, &mut rng()).unwrap()), 2);
    }
}

#[test]
fn many_files_in_a_row_that_cannot_be_read_are_an_error() {
    let mut files = pngs(150);
    for (name, _) in &mut files[10..140] {
        *name = format!("mount/{name}");
    }
    let dir = folder_of(&files);
    let set = Folder::open(dir.path(), options()).unwrap();
    let mount = dir.path().join("mount");
    fs::rename(&mount, dir.path().join(".away")).unwrap();
    let first = (0..150).find(|&i| set.path(i).unwrap().starts_with(&mount));
    let words = vanished(&set, first.unwrap());
    assert!(words.contains("64 images in a row failed"), "{words}");
    assert!(words.contains("mount"), "{words}");
}

#[test]
fn a_few_files_that_cannot_be_read_are_replaced() {
    let dir = folder_of(&pngs(100));
    let set = Folder::open(dir.path(), options()).unwrap();
    for i in 10..70 {
        fs::remove_file(dir.path().join(format!("{i:03}.png"))).unwrap();
    }
    assert_eq!(red(&set.image(10, &mut rng()).unwrap()), 70);
    assert_eq!(set.skipped().len(), 60);
    let remarks = set.remarks();
    assert_eq!(remarks.len(), 6, "{remarks:?}");
    assert!(remarks[0].contains("010.png (cannot be read"));
    assert!(remarks[5].starts_with("32 images of "), "{remarks:?}");
}

#[test]
fn all_of_a_few_files_that_cannot_be_read_are_an_error() {
    let mut files = pngs(5);
    files.push(("notes.txt".to_owned(), Vec::new()));
    let dir = folder_of(&files);
    let set = Folder::open(dir.path(), options()).unwrap();
    for i in 0..5 {
        fs::remove_file(dir.path().join(format!("{i:03}.png"))).unwrap();
    }
    let words = vanished(&set, 3);
    assert!(words.contains("5 images in a row failed"), "{words}");
}

#[test]
fn pictures_do_not_depend_on_threads_and_what_was_read_before() {
    let mut files = pngs(60);
    for (i, (_, bytes)) in files.iter_mut().enumerate() {
        *bytes = encoded(20, 17, i as u8, ImageFormat::Png);
        // The header is whole, so the window is drawn before the fault is found.
        if i % 4 == 0 {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
        }
    }
    let dir = folder_of(&files);
    let options = FolderOptions::new(Transform::training(8).unwrap());
    let open = || Folder::open(dir.path(), options).unwrap();
    let read = |set: &Folder, i: usize| {
        let mut rng = ChaCha8Rng::seed_from_u64(i as u64);
        let image = set.image(i, &mut rng).unwrap();
        (image, rng)
    };
    let set = open();
    let once: Vec<_> = (0..60).map(|i| read(&set, i)).collect();
    assert_eq!(set.skipped().len(), 15);
    let again: Vec<_> = (0..60).map(|i| read(&set, i)).collect();
    let set = open();
    let threads: Vec<_> = (0..60).into_par_iter().map(|i| read(&set, i)).collect();
    assert!(once == again && once == threads);
    assert_eq!(set.skipped().len(), 15);
    // An unusable file gives the picture that its successor gives with the same generator.
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    assert_eq!(once[8].0, set.image(9, &mut rng).unwrap());
}

#[test]
fn the_fingerprint_covers_names_and_sizes_but_not_the_place() {
    let files = pngs(3);
    let print = |files: &[(String, Vec<u8>)]| {
        let dir = folder_of(files);
        let set = Folder::open(dir.path(), options()).unwrap();
        set.fingerprint()
    };
    let first = print(&files);
    assert!(first.starts_with("3 images, "), "{first}");
    assert_eq!(first.len(), "3 images, ".len() + 16);
    assert_eq!(first, print(&files));
    let mut renamed = files.clone();
    renamed[1].0 = "x/001.png".to_owned();
    let mut longer = files.clone();
    longer[1].1.push(0);
    let fewer = &files[..2];
    for other in [&renamed, &longer, fewer] {
        assert_ne!(first, print(other));
    }
}
