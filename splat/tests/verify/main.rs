//! The example `verify` passes a good file and reports every kind of bad file.

mod file;
mod inputs;
mod program;
#[path = "../programs/mod.rs"]
mod programs;

use std::path::Path;

use file::ReferenceFile;
use program::{assert_fails, assert_refused, refused, tampered, verify, verify_bytes};
use tempfile::TempDir;

#[test]
fn passes_a_good_file() {
    let verdict = tampered(|_| ());
    assert_eq!(
        verdict.code,
        Some(0),
        "{}{}",
        verdict.stdout,
        verdict.stderr
    );
    assert!(
        verdict
            .stdout
            .ends_with("1 of 1 files passed, 0 outside tolerance, 0 malformed\n")
    );
    assert!(
        verdict
            .stdout
            .contains("scenes 3, images 3, gaussians 5, channels 2, 20 x 15 px, 0 of 900 px")
    );
}

#[test]
fn passes_scenes_without_gaussians() {
    let verdict = verify_bytes(&ReferenceFile::new(0).bytes());
    assert_eq!(
        verdict.code,
        Some(0),
        "{}{}",
        verdict.stdout,
        verdict.stderr
    );
}

#[test]
fn notices_every_output_and_gradient() {
    for tensor in [
        "out_image",
        "out_alpha",
        "out_depth",
        "grad.means",
        "grad.quats",
        "grad.viewmat",
    ] {
        assert_fails(tensor, |file| file.shift(tensor, 7, 1e-3));
    }
    for tensor in [
        "grad_image_only.scales",
        "grad_image_only.background",
        "grad.opacities",
    ] {
        assert_fails(tensor, |file| file.shift(tensor, 1, 1e-3));
    }
}

#[test]
fn notices_gradients_of_a_scene_that_no_image_shows() {
    // The first Gaussian of the third scene.
    assert_fails("grad.means", |file| file.shift("grad.means", 30, 1e-6));
}

#[test]
fn notices_tampered_inputs() {
    assert_fails("out_image", |file| file.shift("means", 0, 1e-3));
    assert_fails("out_image", |file| file.shift("viewmat", 3, 1e-3));
    assert_fails("out_image", |file| file.shift("params", 5, 1e-6));
    assert_fails("grad.features", |file| file.shift("ct_image", 140, 1e-2));
    assert_fails("out_image", |file| {
        file.put_i64("scene_of_image", &[3], &[1, 0, 2]);
    });
}

#[test]
fn refuses_loose_tolerances() {
    for (table, key) in [
        ("tol_f32", "image"),
        ("tol_f64", "grad.means"),
        ("tol_f32", "row.scales"),
    ] {
        for value in [1e9, -1.0] {
            assert_refused(&[table, key], |file| file.set_tolerance(table, key, value));
        }
        assert_refused(&[table], |file| {
            file.metadata
                .insert(table.to_owned(), format!("{{\"{key}\": NaN}}"));
        });
    }
    assert_refused(&["tol_f64"], |file| {
        file.metadata.remove("tol_f64");
    });
    assert_refused(&["tol_f32", "row.means"], |file| {
        file.metadata.insert(
            "tol_f32".to_owned(),
            "{\"image\": 1e-5, \"alpha\": 1e-5, \"depth\": 1e-4, \"grad.means\": 1e-4}".to_owned(),
        );
    });
}

#[test]
fn refuses_numbers_that_are_not_finite() {
    for tensor in ["out_image", "grad.scales", "means", "ct_depth", "params"] {
        for value in [f64::NAN, f64::INFINITY] {
            assert_refused(&[tensor, "not a finite number"], |file| {
                file.shift(tensor, 4, value);
            });
        }
    }
}

#[test]
fn refuses_missing_and_misshapen_tensors() {
    for tensor in [
        "means",
        "out_depth",
        "grad.background",
        "grad_image_only.viewmat",
        "params",
        "ct_alpha",
    ] {
        assert_refused(&[tensor, "missing"], |file| file.remove(tensor));
    }
    assert_refused(&["out_image", "shape"], |file| {
        file.reshape("out_image", &[3, 20, 15, 2]);
    });
    assert_refused(&["means", "axes"], |file| file.reshape("means", &[15, 3]));
    assert_refused(&["quats", "shape"], |file| {
        file.put_f32("quats", &[3, 5, 3], &[0.5; 45]);
    });
    assert_refused(&["scales", "F32", "F64"], |file| {
        file.put_f64("scales", &[3, 5, 3], &[0.5; 45]);
    });
}

#[test]
fn refuses_settings_that_make_no_sense() {
    for (at, name) in [
        (0, "width"),
        (1, "height"),
        (2, "ortho"),
        (9, "antialiased"),
        (10, "sh_degree"),
    ] {
        assert_refused(&["params", name], |file| file.shift("params", at, 0.5));
    }
    assert_refused(&["params", "width"], |file| file.shift("params", 0, 1e300));
    assert_refused(&["out_image"], |file| file.shift("params", 0, 1.0));
    assert_refused(&["alpha_max"], |file| file.shift("params", 7, 1.0));
    for scene in [-1, 3] {
        assert_refused(&["scene_of_image"], |file| {
            file.put_i64("scene_of_image", &[3], &[0, 1, scene]);
        });
    }
    assert_refused(&["params", "near", "metadata"], |file| {
        file.metadata
            .insert("params".to_owned(), "{\"near\": 0.02}".to_owned());
    });
}

#[test]
fn refuses_what_is_not_a_reference_file() {
    let whole = ReferenceFile::new(5).bytes();
    let mut overflowing = whole.clone();
    overflowing[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let endless = b"{\"means\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,3],\"data_offsets\":[0,0]}}";
    let mut huge = (endless.len() as u64).to_le_bytes().to_vec();
    huge.extend_from_slice(endless);
    for bytes in [
        &whole[..whole.len() - 1],
        &whole[..100],
        &whole[..4],
        b"",
        b"PNG, perhaps?",
        &overflowing,
        &huge,
    ] {
        let verdict = verify_bytes(bytes);
        assert!(refused(&verdict, &["safetensors"]), "{}", verdict.stderr);
    }
}

#[test]
fn one_bad_file_among_good_ones_fails_the_run() {
    let folder = TempDir::new().expect("a temporary folder");
    let (good, absent) = (
        folder.path().join("good.safetensors"),
        folder.path().join("absent"),
    );
    ReferenceFile::new(2).write(&good);
    let verdict = verify(&[], &[&good, &absent, &good]);
    assert_eq!(verdict.code, Some(1));
    assert!(
        verdict.stderr.contains("absent: cannot be read"),
        "{}",
        verdict.stderr
    );
    assert!(
        verdict
            .stdout
            .ends_with("2 of 3 files passed, 0 outside tolerance, 1 malformed\n")
    );
}

#[test]
fn paths_that_hold_no_file_are_errors_by_name() {
    let folder = TempDir::new().expect("a temporary folder");
    let mut paths = vec![folder.path().to_path_buf(), folder.path().join("absent")];
    if cfg!(unix) {
        paths.push("/dev/null".into());
    }
    for path in paths {
        let verdict = verify(&[], &[&path]);
        let named = verdict.stderr.contains(&path.display().to_string());
        let lines = verdict.stderr.lines().count();
        assert!(
            verdict.code == Some(1) && named && lines == 1,
            "{}",
            verdict.stderr
        );
    }
}

#[test]
fn writes_json() {
    let folder = TempDir::new().expect("a temporary folder");
    let (good, bad) = (
        folder.path().join("good.safetensors"),
        folder.path().join("bad"),
    );
    ReferenceFile::new(2).write(&good);
    std::fs::write(&bad, "no").expect("the temporary folder is writable");
    let verdict = verify(&["--json", "--backend", "cpu"], &[&good, &bad]);
    assert_eq!(verdict.code, Some(1));
    let document: serde_json::Value = serde_json::from_str(&verdict.stdout).expect("it is JSON");
    assert_eq!(document["passed"], false);
    assert_eq!(document["files"][0]["passed"], true);
    assert_eq!(document["files"][0]["boundary_band_pixels"], 0);
    // Three outputs and two sets of seven gradients, in two precisions.
    assert_eq!(
        document["files"][0]["tensors"].as_array().map(Vec::len),
        Some(2 * (3 + 2 * 7))
    );
    assert!(
        document["files"][1]["error"]
            .as_str()
            .is_some_and(|error| error.contains("safetensors"))
    );
}

#[test]
fn wrong_usage_exits_with_two() {
    assert_eq!(verify(&[], &[]).code, Some(2));
    assert_eq!(
        verify(&["--backend", "abacus"], &[Path::new("x")]).code,
        Some(2)
    );
}

/// A backend that the build lacks is named together with its feature.
#[test]
#[cfg(not(any(feature = "wgpu", feature = "cuda")))]
fn a_backend_without_its_feature_is_refused() {
    for backend in ["wgpu", "cuda"] {
        let verdict = verify(&["--backend", backend], &[Path::new("x")]);
        assert_eq!(verdict.code, Some(1));
        let feature = format!("a program built with --features {backend}");
        assert!(verdict.stderr.contains(&feature), "{}", verdict.stderr);
    }
}
