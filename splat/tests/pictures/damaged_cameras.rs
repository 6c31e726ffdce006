//! Damaged files of cameras are read, or refused in one line.

use crate::camera_files::read;
use crate::odd_cameras::assert_camera_error;
use crate::pinhole::{CAMERA, Folder};

#[test]
fn damaged_binary_files_are_refused() {
    let folder = Folder::new();
    let good = CAMERA.colmap_binary();
    let refused = |files: [&[u8]; 2], name: &str, words: &str| {
        let path = folder.colmap_binary("odd", files.map(<[u8]>::to_vec));
        assert_camera_error(&path, name, &[words]);
    };
    for length in 0..good[0].len() {
        refused(
            [&good[0][..length], &good[1]],
            "cameras.bin: ",
            "bytes, got",
        );
    }
    for length in 0..good[1].len() {
        refused([&good[0], &good[1][..length]], "images.bin: ", "expected");
    }
    let [cameras, images] = good.clone().map(|mut file| {
        file.push(0);
        file
    });
    refused(
        [&cameras, &good[1]],
        "cameras.bin: ",
        "the end of the file, got 1 bytes",
    );
    refused(
        [&good[0], &images],
        "images.bin: ",
        "the end of the file, got 1 bytes",
    );
    let with = |file: usize, at: usize, bytes: &[u8]| {
        let mut file = good[file].clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let (model, unknown) = (with(0, 12, &[5]), with(0, 12, &[255; 4]));
    refused(
        [&model, &good[1]],
        "cameras.bin: ",
        "camera 1 of 1: MODEL: expected SIMPLE_PINHOLE",
    );
    refused([&model, &good[1]], "cameras.bin: ", "OPENCV_FISHEYE");
    refused(
        [&unknown, &good[1]],
        "cameras.bin: ",
        "MODEL_ID: expected 0 to 11, got -1",
    );
    refused(
        [&with(0, 0, &[255; 8]), &good[1]],
        "cameras.bin: ",
        "camera 2 of 18446744073709551615",
    );
    refused(
        [&good[0], &with(1, 0, &[255; 8])],
        "images.bin: ",
        "image 3 of 18446744073709551615",
    );
    let points = 8 + 4 + 56 + 4 + 8;
    refused(
        [&good[0], &with(1, points, &[255; 8])],
        "images.bin: ",
        "image 1 of 2: POINTS2D",
    );
    refused(
        [&good[0], &with(1, 68, &[9])],
        "images.bin: ",
        r#"image 1 of 2 ("a b.png"): CAMERA_ID"#,
    );
    assert!(read(&folder.colmap_binary("odd", good.clone()), None).is_ok());
}

/// Random bytes in place of others: a file is read, or refused in one line.
#[test]
fn damaged_files_of_cameras_are_read_or_refused() {
    let folder = Folder::new();
    let ([camera_text, image_text], binary) = (CAMERA.colmap_text(), CAMERA.colmap_binary());
    let [camera_bytes, image_bytes] = binary.clone();
    folder.colmap_text("text", CAMERA.colmap_text());
    folder.colmap_binary("binary", binary);
    let files = [
        ("a.json", "a.json", CAMERA.transforms().to_string().into()),
        ("b.json", "b.json", CAMERA.trained().to_string().into()),
        ("text/cameras.txt", "text", camera_text.into_bytes()),
        ("text/images.txt", "text", image_text.into_bytes()),
        ("binary/cameras.bin", "binary", camera_bytes),
        ("binary/images.bin", "binary", image_bytes),
    ];
    let mut state = 1_u64;
    // Knuth's linear congruential generator. The upper bits are the random ones.
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for (name, opened, whole) in files {
        let whole: Vec<u8> = whole;
        let mut refused = 0;
        for _ in 0..500 {
            let mut file = whole.clone();
            for _ in 0..=below(3) {
                let at = below(file.len());
                file[at] = below(256) as u8;
            }
            folder.write(name, &file);
            if let Err(error) = read(&folder.0.path().join(opened), None) {
                assert_eq!(error.lines().count(), 1, "{name}: {error}");
                refused += 1;
            }
        }
        assert!(refused > 50, "{name}: {refused}");
        folder.write(name, whole);
    }
}
