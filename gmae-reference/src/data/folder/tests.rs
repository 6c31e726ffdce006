use super::*;
use image::{ImageFormat, Rgb};
use rand::SeedableRng;
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
        warnings[0].starts_with("skipped 1 file in ") && warnings[0].ends_with("ant/notes.txt"),
        "{warnings:?}"
    );
}

#[test]
fn a_missing_folder_a_file_and_an_empty_folder_are_told_apart() {
    let dir = folder(&[("a/readme.txt", vec![1]), ("b.gif", vec![2])]);
    let open = |path: &Path| Folder::open(path, options()).unwrap_err();
    let missing = dir.path().join("nowhere");
    let error = open(&missing);
    assert!(matches!(error, DataError::Missing { .. }));
    assert!(error.to_string().contains("nowhere"));
    let error = open(&dir.path().join("b.gif"));
    assert!(matches!(error, DataError::NotAFolder { .. }));
    assert!(error.to_string().contains("b.gif"));
    let error = open(dir.path());
    assert!(matches!(error, DataError::NoImages { files_seen: 2, .. }));
    assert!(error.to_string().contains("none of the 2 files"));
    assert!(error.to_string().contains(".jpg, .jpeg, .png"));
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
    ("b.jpg", "neither JPEG nor PNG"),
    ("c.png", "corrupt"),
    ("e.png", "corrupt"),
    ("f.jpg", "neither JPEG nor PNG"),
    ("g.png", "too small: 3 x 50"),
];

fn assert_all_bad_named(set: &Folder) {
    let skipped = set.skipped();
    assert_eq!(skipped.len(), BAD.len());
    for (file, (name, reason)) in skipped.iter().zip(BAD) {
        assert!(file.path.ends_with(name), "{file:?}");
        assert!(file.reason.contains(reason), "{file:?}");
    }
    let warnings = set.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let warning = &warnings[0];
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
}

#[test]
fn preloading_drops_bad_files_from_the_numbering() {
    let dir = mixed();
    let set = Folder::open(dir.path(), options())
        .unwrap()
        .preload()
        .unwrap();
    assert_eq!(set.len(), 1);
    assert!(set.path(0).unwrap().ends_with("d.jpg"));
    assert_all_bad_named(&set);
    let error = set.image(1, &mut rng()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "image index: expected less than 1, got 1"
    );
}

#[test]
fn a_jpeg_cut_anywhere_is_noticed() {
    let jpeg = encoded(40, 40, 90, ImageFormat::Jpeg);
    for keep in (1..jpeg.len()).step_by(7).chain([jpeg.len() - 1]) {
        let dir = folder(&[("cut.jpg", jpeg[..keep].to_vec())]);
        let error = Folder::open(dir.path(), options())
            .unwrap()
            .preload()
            .unwrap_err();
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
    let set = Folder::open(dir.path(), options())
        .unwrap()
        .preload()
        .unwrap();
    assert_eq!(set.len(), 1);
    assert!(set.path(0).unwrap().ends_with("whole.jpg"));
}

#[test]
fn only_bad_files_are_an_error() {
    let dir = folder(&[("x.jpg", vec![0; 10]), ("y.png", vec![1; 10])]);
    let set = Folder::open(dir.path(), options()).unwrap();
    for error in [
        set.image(1, &mut rng()).unwrap_err(),
        set.preload().unwrap_err(),
    ] {
        assert!(matches!(error, DataError::AllBad { count: 2, .. }));
        assert!(error.to_string().contains("all 2 are unusable"), "{error}");
        assert!(error.to_string().contains("x.jpg"), "{error}");
    }
}

#[test]
fn the_cache_changes_no_picture_and_keeps_its_budget() {
    let files: Vec<(String, Vec<u8>)> = (0..6)
        .map(|i| {
            (
                format!("{i}.png"),
                encoded(16, 16, i * 40, ImageFormat::Png),
            )
        })
        .collect();
    let named: Vec<(&str, Vec<u8>)> = files.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    let dir = folder(&named);
    let read = |cache_bytes| {
        let transform = Transform::training(8).unwrap();
        let set = Folder::open(
            dir.path(),
            FolderOptions {
                cache_bytes,
                ..FolderOptions::new(transform)
            },
        )
        .unwrap();
        let once: Vec<Image> = (0..6).map(|i| set.image(i, &mut rng()).unwrap()).collect();
        let again: Vec<Image> = (0..6)
            .into_par_iter()
            .map(|i| set.image(i, &mut rng()).unwrap())
            .collect();
        assert_eq!(once, again);
        let kept = set
            .files
            .iter()
            .filter(|file| file.state.get().is_some())
            .count();
        (once, kept)
    };
    let (all, none, two) = (read(1 << 20), read(0), read(2 * 16 * 16 * 3));
    assert_eq!((all.1, none.1, two.1), (6, 0, 2));
    assert!(all.0 == none.0 && all.0 == two.0);
}
