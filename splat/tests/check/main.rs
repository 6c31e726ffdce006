//! The checks of a backend and of gradients find a wrong vjp, and name its buffer and index.

mod toy;

use splat::check::{
    Failure, OwnedScene, Quotients, check_backend, check_gradients, check_scene, check_vjp,
    cotangent, crowd,
};
use splat::{Image, Projection};

use toy::{CompositeFault, Fault, ImageFault, StatisticsFault, Toy};

/// Changes the last number of a buffer.
fn spoil(buffer: &mut [f64]) {
    if let Some(last) = buffer.last_mut() {
        *last = *last * 1.001 + 1e-3;
    }
}

#[test]
fn a_right_backend_passes() {
    let report = check_backend(&Toy::default());
    assert!(report.passed(), "{report}");
}

#[test]
fn one_wrong_number_of_any_gradient_is_named() {
    let faults: [(&str, Fault); 6] = [
        ("means", |v| spoil(&mut v.gaussians.means)),
        ("scales", |v| spoil(&mut v.gaussians.scales)),
        ("quaternions", |v| spoil(&mut v.gaussians.quaternions)),
        ("opacities", |v| spoil(&mut v.gaussians.opacities)),
        ("features", |v| spoil(&mut v.gaussians.features)),
        ("camera_from_world", |v| spoil(&mut v.camera_from_world)),
    ];
    for (name, fault) in faults {
        let report = check_backend(&Toy {
            fault: Some(fault),
            ..Toy::default()
        });
        let text = report.to_string();
        let crowd = report
            .failures()
            .find(|finding| finding.scene == "crowd_pinhole");
        let Some(Err(Failure::Mismatch(mismatch))) = crowd.map(|found| &found.outcome) else {
            panic!("{name}: {text}");
        };
        assert_eq!(mismatch.buffer, name, "{text}");
        let scene = crowd_pinhole();
        let range = scene
            .buffers()
            .into_iter()
            .find(|(buffer, _)| *buffer == name);
        assert_eq!(
            mismatch.index + 1,
            range.expect("a buffer").1.len(),
            "{text}"
        );
    }
}

fn crowd_pinhole() -> OwnedScene {
    let named = splat::check::named_scenes().into_iter();
    let mut found = named.filter(|named| named.name == "crowd_pinhole");
    found.next().expect("a scene of this name").scene
}

#[test]
fn faults_of_the_compositing_are_found() {
    let faults: [(&str, CompositeFault); 4] = [
        ("means", |v, _| v.means.iter_mut().for_each(|x| *x = -*x)),
        ("scales", |v, _| {
            v.conics.iter_mut().for_each(|x| *x *= 1.0001);
        }),
        ("opacities", |v, _| v.opacities.fill(0.0)),
        ("backgrounds", |_, v| spoil(v)),
    ];
    for (name, fault) in faults {
        let report = check_backend(&Toy {
            composite_fault: Some(fault),
            ..Toy::default()
        });
        let text = report.to_string();
        let named = |line: &str| line.contains(": ") && line.contains(&format!(" {name}["));
        assert!(text.lines().any(named), "{name}: {text}");
    }
}

#[test]
fn faults_of_the_statistics_are_found() {
    let faults: [(&str, StatisticsFault); 4] = [
        ("views", |s| s.views.iter_mut().for_each(|x| *x *= 2.0)),
        ("largest_weights", |s| s.largest_weights.fill(1.0)),
        ("absolute_mean_gradients", |s| {
            s.absolute_mean_gradients = s.mean_gradients.clone();
        }),
        ("total_weights", |s| s.splats.total_weights[3] += 0.01),
    ];
    for (name, fault) in faults {
        let report = check_backend(&Toy {
            statistics_fault: Some(fault),
            ..Toy::default()
        });
        let text = report.to_string();
        let named = |line: &str| {
            line.starts_with("statistics, scene ") && line.contains(&format!(" {name}["))
        };
        assert!(text.lines().any(named), "{name}: {text}");
    }
}

#[test]
fn a_wrong_pixel_is_found() {
    let report = check_backend(&Toy {
        image_fault: Some(|image| image.features[0] += 1e-3),
        ..Toy::default()
    });
    let text = report.to_string();
    assert!(
        text.contains("image, scene crowd_pinhole: features[0]: "),
        "{text}"
    );
    // Scenes of several checks fail, and the others still run.
    assert!(
        report.findings.len() > 100 && report.failures().count() > 10,
        "{text}"
    );
}

#[test]
fn outputs_that_are_missing_or_not_a_number_are_found() {
    let faults: [(&str, ImageFault); 4] = [
        ("expected depth as", |image| image.depth = None),
        ("expected layer_transmittance as", |image| {
            image.layer_transmittance = None;
        }),
        ("transmittance[0]: ", |image| {
            if let Some(first) = image.transmittance.iter_mut().flatten().next() {
                *first = f64::NAN;
            }
        }),
        ("features[0]: ", |image| image.features[0] = f64::INFINITY),
    ];
    for (words, fault) in faults {
        let report = check_backend(&Toy {
            image_fault: Some(fault),
            ..Toy::default()
        });
        let text = report.to_string();
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// With the tolerances of `f32`, the error is below that of the largest gradient of the buffer.
/// Beside its own row it is large.
#[test]
fn a_wrong_sign_of_a_small_row_is_found() {
    let fault: Fault = |v| {
        let buffer = &mut v.gaussians.scales;
        let largest = splat::check::max_magnitude(buffer);
        let small =
            |row: &[f64]| (1e-5..4e-5).contains(&(splat::check::max_magnitude(row) / largest));
        if let Some(row) = buffer.chunks_mut(3).find(|row| small(row)) {
            for x in row {
                *x = -*x;
            }
        }
    };
    let report = check_backend(&Toy {
        fault: Some(fault),
        roundoff: Some(f64::from(f32::EPSILON) / 2.0),
        ..Toy::default()
    });
    assert!(report.to_string().contains("scales["), "{report}");
}

#[test]
fn one_scene_is_checked_by_itself() {
    let scene = crowd(3, 1, 20, [12, 9], Projection::Orthographic);
    let report = check_scene(&Toy::default(), "mine", &scene).into_result();
    assert_eq!(report.map(|report| report.findings.len()), Ok(4));
    let wrong = Toy {
        image_fault: Some(|image| image.features[7] = 5.0),
        ..Toy::default()
    };
    let report = check_scene(&wrong, "mine", &scene).into_result();
    let text = report.expect_err("a wrong pixel").to_string();
    assert!(
        text.starts_with("image, scene mine: features[7]: "),
        "{text}"
    );
}

#[test]
fn there_are_as_many_scenes_as_the_documents_say() {
    assert_eq!(splat::check::named_scenes().len(), 42);
}

#[test]
fn gradients_are_compared_with_quotients_of_the_oracle() {
    let scene = crowd(5, 1, 12, [13, 11], Projection::Hybrid);
    let v_image = cotangent(&scene.oracle().expect("a valid scene"));
    let right = scene.gradients(&v_image).expect("a valid scene");
    let compared = check_gradients(&scene, &v_image, &right, Quotients::DEFAULT);
    let compared = compared.expect("right gradients");
    assert!(compared.skipped * 10 <= compared.equal, "{compared:?}");

    let mut wrong = right.clone();
    wrong.gaussians.scales[7] += 1e-3 * splat::check::max_magnitude(&wrong.gaussians.scales);
    let error = check_gradients(&scene, &v_image, &wrong, Quotients::DEFAULT);
    let Err(Failure::Mismatch(mismatch)) = error else {
        panic!("{error:?}");
    };
    assert_eq!((&mismatch.buffer[..], mismatch.index), ("scales", 7));
    assert!(mismatch.threshold.is_some_and(|distance| distance > 0.0));
    assert!(
        mismatch.to_string().contains("the nearest threshold is "),
        "{mismatch}"
    );

    let mut short = right.clone();
    short.camera_from_world.pop();
    let error = check_gradients(&scene, &v_image, &short, Quotients::DEFAULT);
    let text = error.expect_err("eleven numbers").to_string();
    assert_eq!(text, "camera_from_world: expected 12 numbers, got 11");
    let fails = |scene: &OwnedScene, v_image: &Image<Vec<f64>>, v: &_, quotients: Quotients| {
        let outcome = check_gradients(scene, v_image, v, quotients);
        outcome.expect_err("wrong arguments").to_string()
    };
    let mut invalid = scene.clone();
    invalid.config.blur = -1.0;
    assert!(fails(&invalid, &v_image, &right, Quotients::DEFAULT).contains("blur"));
    let mut short = v_image.clone();
    short.features.pop();
    assert!(fails(&scene, &short, &right, Quotients::DEFAULT).contains("v_image.features"));
    let mut hostile = v_image.clone();
    hostile.features[0] = f64::NAN;
    assert!(fails(&scene, &hostile, &right, Quotients::DEFAULT).contains("a finite loss"));
    for number in [f64::INFINITY, f64::NAN] {
        let mut infinite = right.clone();
        infinite.gaussians.means[4] = number;
        let sparse = Quotients::DEFAULT.with_stride(1000);
        assert!(fails(&scene, &v_image, &infinite, sparse).starts_with("means[4]"));
    }
    for step in [0.0, f64::NAN] {
        let nothing = Quotients::DEFAULT.with_step(step);
        assert!(fails(&scene, &v_image, &right, nothing).contains("skipped"));
    }
}

#[test]
fn a_wrong_vjp_is_named() {
    let x = [0.3, -0.7];
    let f = |x: &[f64]| vec![x[0] * x[0] * x[1]];
    let right = [2.0 * x[0] * x[1], x[0] * x[0]];
    let outcome = |vjp: &[f64]| check_vjp("a b", &x, &[1.0], f, vjp);
    assert_eq!(outcome(&right), Ok(()));
    for (wrong, name) in [
        (vec![right[0], -right[1]], "b[1]: "),
        (vec![right[0] * (1.0 + 1e-5), right[1]], "a[0]: "),
        (vec![0.0, right[1]], "a[0]: "),
        (vec![right[0], f64::INFINITY], "b[1]: "),
        (vec![f64::NAN, right[1]], "a[0]: "),
        (vec![right[0]], "vjp: expected 2 numbers"),
        (vec![right[0], right[1], 0.0], "vjp: expected 2 numbers"),
    ] {
        let said = outcome(&wrong).expect_err("a wrong vjp").to_string();
        assert!(said.starts_with(name), "{wrong:?}: {said}");
    }
    let unnamed = check_vjp("a", &x, &[1.0], f, &right).expect_err("one name of two");
    assert!(unnamed.to_string().starts_with("names"), "{unnamed}");
}

/// The gradients are 1e-5 and 1000. With one scale for both, a wrong sign of the small one would
/// pass.
#[test]
fn a_wrong_vjp_beside_a_large_one_is_named() {
    let x = [0.5, 0.5];
    let f = |x: &[f64]| vec![1e3 * (x[0] - 0.4), 1e-5 * x[1] * x[1]];
    let outcome = |vjp: &[f64]| check_vjp("large small", &x, &[1.0, 1.0], f, vjp);
    assert_eq!(outcome(&[1e3, 1e-5]), Ok(()));
    for wrong in [-1e-5, 0.0, 3e-5] {
        let said = outcome(&[1e3, wrong]).expect_err("a wrong vjp").to_string();
        assert!(said.starts_with("small[1]: "), "{said}");
    }
}
