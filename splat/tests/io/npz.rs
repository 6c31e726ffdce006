//! `NumPy` archives: types, orders, checksums and damage.

use splat::Camera;
use splat::io::{Colours, SceneFile, parse};
use zip::CompressionMethod::{Deflated, Stored};

use crate::archive::{Npy, archive, arrays, npy, zip};
use crate::assert_refused;

fn read(arrays: &[Npy]) -> SceneFile {
    parse(&archive(arrays, Stored)).expect("a valid archive")
}

#[test]
fn points_colours_and_cameras_are_read() {
    for method in [Stored, Deflated] {
        let file = parse(&archive(&arrays(), method)).expect("a valid archive");
        let means: Vec<f32> = arrays()[0].values.iter().map(|&x| x as f32).collect();
        assert_eq!(file.scene.means, means);
        let Colours::Constant(colours) = &file.scene.colours else {
            panic!("expected constant colours");
        };
        assert_eq!(colours[..3], [1.0, 0.0, 0.0]);
        assert_eq!(colours[9..], [0.2; 3]);
        assert_eq!(file.views.len(), 2);
        let camera = Camera::pinhole(20.0, 21.0, 8.0, 6.0);
        let [x, y, z] = [
            [1.0, 0.0, 0.0, 0.5],
            [0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
        ];
        assert_eq!(file.views[1].camera, camera.with_pose([x, y, z]));
        assert_eq!((file.views[0].width, file.views[0].height), (16, 12));
    }
}

/// The numbers of these arrays are whole, so every type holds them.
#[test]
fn every_type_and_order_gives_the_same_scene() {
    let expected = read(&arrays());
    let kinds = ["i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"];
    for kind in ["|i1", "|u1", "<f4", ">f4"]
        .into_iter()
        .map(String::from)
        .chain(
            kinds
                .iter()
                .flat_map(|kind| [format!("<{kind}"), format!(">{kind}"), format!("={kind}")]),
        )
    {
        let kind: &'static str = kind.leak();
        let mut other = arrays();
        for array in [0, 3, 4, 5] {
            if array != 0 || !kind.contains('u') {
                other[array].kind = kind;
            }
        }
        assert_eq!(read(&other), expected, "{kind}");
    }
    // Colours.
    for (kind, one) in [(">u2", 65535.0), ("<f4", 1.0), (">f8", 1.0)] {
        let mut other = arrays();
        other[1].kind = kind;
        for x in &mut other[1].values {
            *x *= one / 255.0;
        }
        assert_eq!(read(&other), expected, "{kind}");
    }
    // Fortran's order.
    let mut other = arrays();
    for array in &mut other[..4] {
        let sides = array.shape.clone();
        let (c, mut fortran) = (array.values.clone(), Vec::new());
        let last = sides.get(2).copied().unwrap_or(1);
        for k in 0..last {
            for j in 0..sides[1] {
                fortran.extend((0..sides[0]).map(|i| c[(i * sides[1] + j) * last + k]));
            }
        }
        array.fortran = true;
        array.values = fortran;
    }
    assert_ne!(other[2].values, arrays()[2].values);
    assert_eq!(read(&other), expected);
}

#[test]
fn points_far_from_zero_keep_their_digits_and_their_pictures() {
    let mut far = arrays();
    let shift = [5.4e6, -3.2e5 - 0.7, 1e2];
    far[0].kind = "<f8";
    far[2].kind = "<f8";
    for (i, x) in far[0].values.iter_mut().enumerate() {
        *x += shift[i % 3] + 0.1;
    }
    for pose in far[2].values.as_chunks_mut::<16>().0 {
        for row in 0..3 {
            pose[4 * row + 3] -= shift[row] + 0.1;
        }
    }
    let (near, far) = (read(&arrays()), read(&far));
    assert!(far.scene.origin[0] > 5e6);
    for (here, there) in near.views.iter().zip(&far.views) {
        for (p, q) in near.scene.means.chunks(3).zip(far.scene.means.chunks(3)) {
            for (row, moved) in std::iter::zip(
                here.camera.camera_from_world,
                there.camera.camera_from_world,
            ) {
                let at = |row: [f64; 4], p: &[f32]| {
                    (0..3).map(|k| row[k] * f64::from(p[k])).sum::<f64>() + row[3]
                };
                let error = (at(row, p) - at(moved, q)).abs();
                assert!(error < 1e-6, "{error}");
            }
        }
    }
}

#[test]
fn wrong_arrays_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Vec<Npy>), words: &[&str]| {
        let mut arrays = arrays();
        change(&mut arrays);
        assert_refused(&archive(&arrays, Stored), words);
    };
    for i in 0..arrays().len() {
        let name = arrays()[i].name;
        refused(&|arrays| drop(arrays.remove(i)), &[name]);
        // A length more than the shape says, and another shape.
        refused(
            &|arrays| arrays[i].values.push(0.0),
            &[name, "bytes for each"],
        );
        let another = |arrays: &mut Vec<Npy>| {
            arrays[i].values.extend([0.0; 3]);
            let count = arrays[i].values.len();
            arrays[i].shape = vec![count];
        };
        refused(&another, &[name]);
    }
    let with_value = |i: usize, value: f64| {
        move |arrays: &mut Vec<Npy>| {
            arrays[i].kind = "<f8";
            arrays[i].values[0] = value;
        }
    };
    for wrong in [0.0, -3.0, 1e9, 1.5, f64::NAN, f64::INFINITY] {
        refused(&with_value(4, wrong), &["width", "an integer"]);
        refused(&with_value(5, wrong), &["height", "an integer"]);
    }
    let with = |i: usize, at: usize, value: f64| {
        move |arrays: &mut Vec<Npy>| {
            arrays[i].kind = "<f8";
            arrays[i].values[at] = value;
        }
    };
    // The second camera: a transposed pose, a skew, and numbers of no camera.
    refused(
        &with(2, 16 + 12, 4.0),
        &["viewmats", "camera 1", "0, 0, 0, 1"],
    );
    refused(&with(2, 16 + 15, 2.0), &["viewmats", "camera 1"]);
    refused(
        &with(2, 16 + 3, f64::NAN),
        &["viewmats", "camera 1", "finite"],
    );
    refused(&with(3, 9 + 1, 0.1), &["Ks", "camera 1", "fx 0 cx"]);
    refused(&with(3, 9 + 8, 2.0), &["Ks", "camera 1"]);
    refused(&with(3, 9, -20.0), &["Ks", "camera 1", "focal"]);
    refused(
        &with(3, 9 + 4, f64::INFINITY),
        &["Ks", "camera 1", "finite"],
    );
    // A whole number in an array of one is accepted.
    let mut one = arrays();
    one[4].shape = vec![1];
    assert_eq!(read(&one), read(&arrays()));
    refused(&with_value(1, 255.0), &["colors", "colour", "255"]);
    refused(&|arrays| arrays[1].kind = "<i4", &["colors"]);
}

#[test]
fn headers_that_are_no_array_are_refused() {
    let means = &arrays()[0];
    let numbers = &means.bytes()[10 + means.header().len()..];
    let refused = |header: &str, numbers: &[u8], words: &[&str]| {
        let mut files = vec![("means3d", npy(header, numbers))];
        files.extend(
            arrays()[1..]
                .iter()
                .map(|array| (array.name, array.bytes())),
        );
        assert_refused(&zip(&files, Stored), &[&["means3d"], words].concat());
    };
    let header = means.header();
    let changed = |from: &str, to: &str| {
        assert!(header.contains(from), "{from} in {header}");
        header.replacen(from, to, 1)
    };
    for (from, to) in [
        ("'<f4'", "'<c8'"),
        ("'<f4'", "'|b1'"),
        ("'<f4'", "'|O'"),
        ("'<f4'", "[('x', '<f4')]"),
        ("'<f4'", "'\u{e9}4'"),
        ("'<f4'", "''"),
        ("False", "Maybe"),
        ("'shape'", "'form'"),
        ("(4, 3, )", "(4, three)"),
        ("(4, 3, )", "4, 3"),
        ("(4, 3, )", "(-4, 3)"),
        ("(4, 3, )", "(99999999999999999999, 3)"),
    ] {
        refused(&changed(from, to), numbers, &["type"]);
    }
    for absurd in [
        "(18446744073709551615, 18446744073709551615)",
        "(4611686018427387904, 4)",
        "(4, 3, 0)",
        "()",
    ] {
        refused(&changed("(4, 3, )", absurd), numbers, &["shape"]);
    }
    for absurd in [
        "(18446744073709551615, 3)",
        "(6148914691236517205, 3)",
        "(5, 3)",
        "(3, 3)",
    ] {
        refused(&changed("(4, 3, )", absurd), numbers, &["bytes for each"]);
    }
    let deep = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': {}",
        "(".repeat(60_000)
    );
    refused(&deep, numbers, &[]);
    let many = changed("(4, 3, )", &format!("({})", "1, ".repeat(1000)));
    refused(&many, numbers, &["type"]);
}

/// The checksum of ZIP is CRC-32, which finds every changed byte.
#[test]
fn a_changed_byte_is_refused_or_changes_nothing() {
    for method in [Stored, Deflated] {
        let whole = archive(&arrays(), method);
        let expected = parse(&whole).expect("a valid archive");
        let mut refused = 0;
        for i in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[i] ^= flip;
                match parse(&damaged) {
                    Ok(read) => assert_eq!(read, expected, "byte {i}"),
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(refused > whole.len(), "{refused} of {}", whole.len());
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn small_archives_of_huge_arrays_are_refused() {
    for (kind, points) in [("<f4", 1 << 20), ("|u1", 1 << 20)] {
        let mut bomb = arrays();
        bomb[0].kind = kind;
        bomb[0].shape = vec![points, 3];
        bomb[0].values = vec![0.0; 3 * points];
        let file = archive(&bomb, Deflated);
        assert!(file.len() < 1 << 17, "{} bytes", file.len());
        assert_refused(&file, &["means3d", "unpacked"]);
    }
}
