//! What the properties of a PLY file mean as a scene.

use splat::activation::{opacities_from_logits, scales_from_logs};
use splat::io::{Colours, StoredScene};

use crate::file::{ENCODINGS, Encoding, GAUSSIAN, Ply, gaussians, rows};
use crate::{assert_refused, scene};

/// Returns the columns of rows as one buffer `[N, K]`.
fn columns(rows: &[Vec<f64>], range: std::ops::Range<usize>) -> Vec<f32> {
    let column = |row: &Vec<f64>| row[range.clone()].to_vec();
    rows.iter().flat_map(column).map(|x| x as f32).collect()
}

#[test]
fn every_encoding_gives_the_same_scene() {
    let rows = rows(9, GAUSSIAN.len());
    for encoding in ENCODINGS {
        let read = scene(&gaussians(encoding, 9).bytes());
        assert_eq!(read.len(), 9);
        assert_eq!(read.origin, [0.0; 3]);
        assert_eq!(read.means, columns(&rows, 0..3), "{encoding:?}");
        let logits = columns(&rows, 6..7);
        assert_eq!(read.opacities, opacities_from_logits(&logits));
        assert_eq!(read.scales, scales_from_logs(&columns(&rows, 7..10)));
        assert_eq!(read.quaternions, columns(&rows, 10..14));
        let Colours::Harmonics {
            degree,
            coefficients,
        } = read.colours
        else {
            panic!("expected harmonics");
        };
        assert_eq!((degree, coefficients), (0, columns(&rows, 3..6)));
    }
}

#[test]
fn a_scene_in_spatial_order_has_the_same_gaussians() {
    let read = scene(&gaussians(Encoding::Little, 9).bytes());
    let sorted = read.clone().spatially_sorted().expect("whole rows");
    let order = splat::SpatialOrder::of(&read.means).expect("whole rows");
    let moved = (0..9).any(|i| order.indices()[i] as usize != i);
    assert!(moved && sorted.len() == 9 && sorted.origin == read.origin);
    let coefficients = |scene: &StoredScene| match &scene.colours {
        Colours::Harmonics { coefficients, .. } => coefficients.clone(),
        other => panic!("expected harmonics, got {other:?}"),
    };
    let buffers = |scene: &StoredScene| {
        let StoredScene {
            means,
            scales,
            quaternions,
            opacities,
            ..
        } = scene;
        [means, scales, quaternions, opacities, &coefficients(scene)].map(Clone::clone)
    };
    for (sorted, read) in buffers(&sorted).iter().zip(buffers(&read)) {
        assert_eq!(order.unsort_rows(sorted).expect("whole rows"), read);
    }
    let colours: Vec<f32> = (0..27).map(|x| x as f32).collect();
    let mut constant = read.clone();
    constant.colours = Colours::Constant(colours.clone());
    let sorted = constant.clone().spatially_sorted().expect("whole rows");
    let expected = order.sort_rows(&colours).expect("whole rows");
    assert_eq!(sorted.colours, Colours::Constant(expected));
    constant.colours = Colours::Constant(colours[..18].to_vec());
    let error = constant
        .spatially_sorted()
        .expect_err("two colours each")
        .to_string();
    assert!(error.contains("colours"), "{error}");
}

/// The numbers 0 to 100 are the same in every type.
#[test]
fn properties_have_any_type() {
    let types = [
        "char", "int8", "uchar", "uint8", "short", "int16", "ushort", "uint16", "int", "int32",
        "uint", "uint32", "int64", "uint64", "float", "float32", "double", "float64",
    ];
    let rows: Vec<Vec<f64>> = (0..7)
        .map(|i| (0..14).map(|j| f64::from((i * 17 + j * 5) % 101)).collect())
        .collect();
    let expected = scene(
        &Ply::new(Encoding::Little)
            .element("vertex", &GAUSSIAN, &rows)
            .bytes(),
    );
    for kind in types {
        let properties = GAUSSIAN.map(|property| property.replace("float", kind));
        let properties: Vec<&str> = properties.iter().map(String::as_str).collect();
        for encoding in ENCODINGS {
            let file = Ply::new(encoding).element("vertex", &properties, &rows);
            assert_eq!(scene(&file.bytes()), expected, "{kind} {encoding:?}");
        }
    }
}

#[test]
fn order_other_properties_prefixes_and_other_elements_do_not_matter() {
    let expected = scene(&gaussians(Encoding::Little, 5).bytes());
    let rows = rows(5, GAUSSIAN.len());
    let prefixed: Vec<String> = GAUSSIAN
        .iter()
        .rev()
        .map(|property| match property.split_once(' ') {
            Some((kind, name)) if name.len() > 1 => format!("{kind} scalar_{name}"),
            _ => (*property).to_owned(),
        })
        .collect();
    let mut properties: Vec<&str> = prefixed.iter().map(String::as_str).collect();
    properties.insert(3, "list uchar short neighbours");
    properties.insert(9, "double scalar_Density_(r=0.1)");
    properties.push("list int float weights");
    let mixed: Vec<Vec<f64>> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| {
            let mut mixed: Vec<f64> = row.iter().rev().copied().collect();
            let mut list = vec![i as f64];
            list.extend((0..i).map(|k| k as f64));
            // The number before the list is at place 9, without the list at place 8.
            mixed.insert(8, 0.25);
            mixed.splice(3..3, list.clone());
            mixed.extend(list);
            mixed
        })
        .collect();
    let faces = [vec![3.0, 0.0, 1.0, 2.0, 9.0], vec![0.0, 7.0]];
    let faces_of = ["list uchar int vertex_indices", "uchar flag"];
    for encoding in ENCODINGS {
        let file = Ply::new(encoding)
            .element("camera", &["float f"], &[vec![1.0], vec![2.0]])
            .element("face", &faces_of, &faces)
            .element("vertex", &properties, &mixed)
            .element("edge", &faces_of, &faces)
            .element("nothing", &[], &[]);
        assert_eq!(scene(&file.bytes()), expected, "{encoding:?}");
    }
}

#[test]
fn harmonics_of_every_degree_are_ordered_by_coefficient() {
    for (degree, rest) in [0, 9, 24, 45, 72].into_iter().enumerate() {
        let names: Vec<String> = (0..rest).map(|i| format!("float f_rest_{i}")).collect();
        let mut properties = GAUSSIAN.to_vec();
        // Backwards: the numbers in the names decide.
        properties.extend(names.iter().rev().map(String::as_str));
        let rows = rows(3, properties.len());
        let file = Ply::new(Encoding::Big).element("vertex", &properties, &rows);
        let read = scene(&file.bytes());
        let Colours::Harmonics {
            degree: got,
            coefficients,
        } = &read.colours
        else {
            panic!("expected harmonics");
        };
        assert_eq!(*got as usize, degree);
        let beyond = rest / 3;
        assert_eq!(coefficients.len(), 3 * 3 * (beyond + 1));
        for (i, row) in rows.iter().enumerate() {
            for k in 0..beyond {
                for c in 0..3 {
                    let stored = row[properties.len() - 1 - (c * beyond + k)] as f32;
                    let got = coefficients[(i * (beyond + 1) + k + 1) * 3 + c];
                    assert_eq!(got, stored, "degree {degree}, {i} {k} {c}");
                }
            }
        }
        read.gaussians().validate(|x| x.len()).expect("any degree");
        let mut wild = read.clone();
        wild.colours = Colours::Harmonics {
            degree: u32::MAX,
            coefficients: Vec::new(),
        };
        assert!(wild.gaussians().validate(|x| x.len()).is_err());
    }
}

#[test]
fn misnumbered_harmonics_are_refused() {
    let with = |names: &[String]| {
        let mut properties = GAUSSIAN.to_vec();
        properties.extend(names.iter().map(String::as_str));
        let rows = rows(2, properties.len());
        Ply::new(Encoding::Little)
            .element("vertex", &properties, &rows)
            .bytes()
    };
    let names = |numbers: &mut dyn Iterator<Item = usize>| -> Vec<String> {
        numbers.map(|i| format!("float f_rest_{i}")).collect()
    };
    assert_refused(&with(&names(&mut (1..10))), &["vertex", "f_rest_0"]);
    assert_refused(&with(&names(&mut (0..8))), &["vertex", "f_rest_", "8"]);
    let mut gap = (0..9).map(|i| if i == 4 { 44 } else { i });
    assert_refused(&with(&names(&mut gap)), &["vertex", "f_rest_4"]);
    let mut odd = names(&mut (0..9));
    odd[3] = "float f_rest_three".to_owned();
    assert_refused(&with(&odd), &["vertex", "f_rest_3"]);
    // A list among them.
    odd[3] = "list uchar float f_rest_3".to_owned();
    assert_refused(&with(&odd)[..], &["vertex", "f_rest_3", "list"]);
}

#[test]
fn required_properties_are_named_where_they_are_missing() {
    for leave_out in 0..GAUSSIAN.len() {
        let (_, name) = GAUSSIAN[leave_out]
            .split_once(' ')
            .expect("a type and a name");
        // Flat Gaussians have no third scale.
        if name == "scale_2" {
            continue;
        }
        let mut properties = GAUSSIAN.to_vec();
        properties.remove(leave_out);
        let rows = rows(2, properties.len());
        let file = Ply::new(Encoding::Little).element("vertex", &properties, &rows);
        assert_refused(&file.bytes(), &["vertex", name]);
    }
    let file = Ply::new(Encoding::Ascii).element("point", &["float x"], &[vec![1.0]]);
    assert_refused(&file.bytes(), &["vertex", "point"]);
    assert_refused(&Ply::new(Encoding::Ascii).bytes(), &["vertex", "none"]);
    let mut properties = GAUSSIAN;
    properties[1] = "list uchar float y";
    let file = Ply::new(Encoding::Little).element("vertex", &properties, &[]);
    assert_refused(&file.bytes(), &["vertex", "y", "list"]);
}

/// Sets of properties of which a reader could take a part and lose the rest.
#[test]
fn properties_that_are_no_whole_set_are_refused() {
    let refused = |properties: &[&str], words: &[&str]| {
        let rows = rows(2, properties.len());
        let file = Ply::new(Encoding::Little).element("vertex", properties, &rows);
        assert_refused(&file.bytes(), &[&["vertex"], words].concat());
    };
    let points = ["float x", "float y", "float z"];
    for (more, word) in [
        (&["uchar green", "uchar blue"][..], "red"),
        (&["uchar red", "uchar blue"], "green"),
        (&["uchar r", "uchar g"], "property b"),
        (&["float f_rest_0"], "f_dc_0"),
        (&["float f_dc_1", "float f_dc_2"], "f_dc_0"),
        (&["float scale_1", "float scale_2"], "f_dc_0"),
        (&["float rot_1"], "f_dc_0"),
        (
            &["uchar red", "uchar green", "uchar blue", "float rot_3"],
            "scale_0",
        ),
        (
            &["uchar red", "uchar green", "uchar blue", "float opacity"],
            "scale_0",
        ),
        (
            &["uchar red", "uchar green", "uchar blue", "float filter_3D"],
            "scale_0",
        ),
        (&["float opacity"], "f_dc_0"),
    ] {
        refused(&[&points[..], more].concat(), &[word]);
    }
    for (more, word) in [
        ("float f_dc_3", "three channels"),
        ("float scale_3", "two or three scales"),
        ("float scalar_scale_3", "two or three scales"),
        ("float rot_4", "quaternion"),
    ] {
        refused(&[&GAUSSIAN[..], &[more]].concat(), &[word]);
    }
    let mut flat = GAUSSIAN.to_vec();
    flat.retain(|property| !property.contains("scale_2"));
    flat.push("float filter_3D");
    refused(&flat, &["three scales", "filter_3D"]);
    // Anchors of a network, without colours.
    let mut anchors = GAUSSIAN.to_vec();
    anchors.retain(|property| !property.contains("f_dc"));
    anchors.push("float f_anchor_feat_0");
    refused(&anchors, &["f_dc_0"]);
}

#[test]
fn the_filter_of_mip_splatting_widens_gaussians_and_keeps_their_integral() {
    let properties = [&GAUSSIAN[..], &["float filter_3D"]].concat();
    let mut filtered = rows(3, properties.len());
    for (row, filter) in filtered.iter_mut().zip([0.0, 0.5, 2.0]) {
        row[14] = filter;
    }
    let plain: Vec<Vec<f64>> = filtered.iter().map(|row| row[..14].to_vec()).collect();
    let file = |properties: &[&str], rows: &[Vec<f64>]| {
        scene(
            &Ply::new(Encoding::Big)
                .element("vertex", properties, rows)
                .bytes(),
        )
    };
    let (filtered, plain) = (file(&properties, &filtered), file(&GAUSSIAN, &plain));
    assert_eq!(filtered.scales[..3], plain.scales[..3]);
    assert_eq!(filtered.opacities[0], plain.opacities[0]);
    for i in 1..3 {
        let filter = [0.0f32, 0.5, 2.0][i];
        let volume = |scene: &StoredScene| {
            scene.opacities[i] * scene.scales[3 * i..3 * i + 3].iter().product::<f32>()
        };
        let ratio = volume(&filtered) / volume(&plain);
        assert!((ratio - 1.0).abs() < 1e-5, "{ratio}");
        for axis in 3 * i..3 * i + 3 {
            let expected = (plain.scales[axis].powi(2) + filter.powi(2)).sqrt();
            assert!((filtered.scales[axis] - expected).abs() < 1e-6);
        }
    }
}

#[test]
fn two_scales_make_flat_gaussians() {
    let mut properties = GAUSSIAN.to_vec();
    properties.remove(9);
    let rows = rows(4, properties.len());
    let read = scene(
        &Ply::new(Encoding::Little)
            .element("vertex", &properties, &rows)
            .bytes(),
    );
    let (scales, _) = read.scales.as_chunks::<3>();
    for (row, scale) in rows.iter().zip(scales) {
        let [x, y] = [row[7], row[8]].map(|log| log.exp() as f32);
        assert_eq!(*scale, [x, y, 0.0]);
    }
}

#[test]
fn colours_of_each_type_are_relative_to_full_brightness() {
    let file = |kind: &str, names: [&str; 3], values: [f64; 3]| {
        let names = names.map(|name| format!("{kind} {name}"));
        let mut properties = vec!["float x", "float y", "float z"];
        properties.extend(names.iter().map(String::as_str));
        let row = |i: f64| [vec![i, 0.0, 0.0], values.to_vec()].concat();
        Ply::new(Encoding::Little).element("vertex", &properties, &[row(0.0), row(2.0)])
    };
    let rgb = ["red", "green", "blue"];
    for (kind, names, values) in [
        ("uchar", rgb, [255.0, 51.0, 0.0]),
        (
            "uint8",
            ["diffuse_red", "diffuse_green", "diffuse_blue"],
            [255.0, 51.0, 0.0],
        ),
        ("ushort", ["r", "g", "b"], [65535.0, 13107.0, 0.0]),
        ("float", rgb, [1.0, 0.2, 0.0]),
        (
            "double",
            ["scalar_red", "scalar_green", "scalar_blue"],
            [1.0, 0.2, 0.0],
        ),
    ] {
        let read = scene(&file(kind, names, values).bytes());
        let expected = [1.0, 0.2, 0.0].repeat(2);
        assert_eq!(read.colours, Colours::Constant(expected), "{kind}");
    }
    assert_refused(
        &file("float", rgb, [255.0, 0.0, 0.0]).bytes(),
        &["colour", "255"],
    );
    assert_refused(
        &file("int", rgb, [255.0, 0.0, 0.0]).bytes(),
        &["red", "colour"],
    );
}
