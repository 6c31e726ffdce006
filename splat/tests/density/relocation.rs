//! Relocation and growth of 3DGS-MCMC.

use splat::check::{Random, smooth};
use splat::density::{DEAD_OPACITY, add, relocate};
use splat::encoding::Encoding;
use splat::{Camera, Cpu, Gaussians, Outputs, RenderConfig, Scene, Views, render};

use crate::{assert_same, raw, some, uniform};

/// Returns one round Gaussian with a standard deviation of 0.4, followed by `dead` dead ones.
fn one_alive(opacity: f64, dead: usize) -> Gaussians<Vec<f64>> {
    let count = dead + 1;
    let mut opacities = vec![DEAD_OPACITY; count];
    opacities[0] = opacity;
    Gaussians {
        means: [0.0, 0.0, 2.0].repeat(count),
        scales: vec![0.4; 3 * count],
        quaternions: [0.6, 0.0, 0.8, 0.0].repeat(count),
        opacities,
        features: vec![1.0; count],
        count,
        channels: 1,
        encoding: Encoding::PLAIN,
    }
}

/// Returns the alphas of a row of 121 pixels through the first `shown` Gaussians, whose standard
/// deviation of 0.4 is 4 px.
fn row(gaussians: &Gaussians<Vec<f64>>, shown: usize) -> Vec<f64> {
    let camera = Camera::orthographic(10.0, 10.0, 60.5, 0.5);
    let views = Views::single(121, 1, camera, shown);
    let scene = Scene {
        gaussians: gaussians.as_slices(),
        views: &views,
        backgrounds: &[0.0],
    };
    let config = smooth(RenderConfig::default().with_blur(0.0))
        .with_outputs(Outputs::NONE.with_transmittance(true));
    let (image, _) = render(&Cpu::<f64>::new(), &scene, &config).expect("a valid scene");
    let transmittance = image.transmittance.expect("wanted");
    transmittance.iter().map(|t| 1.0 - t).collect()
}

#[test]
fn gaussians_in_one_place_have_the_opacity_and_the_line_integral_of_one() {
    for opacity in [0.05, 0.6, 0.95] {
        for n in 2..=5 {
            let old = one_alive(opacity, n - 1);
            let mut new = old.clone();
            let revision = relocate(&mut new, DEAD_OPACITY, &mut uniform(4)).expect("valid");
            assert_eq!(revision.sources(), vec![0; n]);
            assert_eq!([revision.removed(), revision.changed()], [n - 1, n]);
            let (before, after) = (row(&old, 1), row(&new, n));
            assert!((before[60] - opacity).abs() < 1e-12);
            assert!((after[60] - opacity).abs() < 1e-12, "{}", after[60]);
            let [before, after] = [before, after].map(|row| row.iter().sum::<f64>());
            // Pixels are samples of smooth functions that vanish at the border of the image, so their
            // sums are integrals.
            assert!((after / before - 1.0).abs() < 1e-9, "{n}: {after} {before}");
        }
    }
}

/// Returns the integral over x of `1 - (1 - o exp(-x^2 / 2 s^2))^n`.
fn line_integral(opacity: f64, deviation: f64, n: i32) -> f64 {
    let spacing = deviation / 64.0;
    let alpha = |i: i32| opacity * (-0.5 * (f64::from(i) / 64.0).powi(2)).exp();
    // Written so that small alphas keep their digits.
    let samples = (-64 * 12..=64 * 12).map(|i| -(f64::from(n) * (-alpha(i)).ln_1p()).exp_m1());
    spacing * samples.sum::<f64>()
}

#[test]
fn opacities_and_scales_of_many_copies_keep_the_integral_of_alpha() {
    for opacity in [1e-6, 0.01, 0.5, 0.999, 0.999_999] {
        for n in [2, 3, 12, 51, 52, 400] {
            let mut gaussians = one_alive(opacity, 0);
            let revision = add(&mut gaussians, n - 1, &mut uniform(5)).expect("valid");
            assert_eq!([revision.added(), revision.changed()], [n - 1, n]);
            let (each, scale) = (gaussians.opacities[n - 1], gaussians.scales[0]);
            assert_eq!(gaussians.scales, vec![scale; 3 * n]);
            assert_eq!(gaussians.opacities, vec![each; n]);
            let n = n as i32;
            let together = 1.0 - (1.0 - each).powi(n);
            assert!((together - opacity).abs() < 1e-12, "{together}");
            let (got, expected) = (
                line_integral(each, scale, n),
                line_integral(opacity, 0.4, 1),
            );
            // At an opacity of 1 - 1e-6, the terms of the sum are up to 1e6 times their sum.
            assert!((got / expected - 1.0).abs() < 1e-9, "{n}: {got} {expected}");
        }
    }
}

#[test]
fn bounds_of_opacities() {
    // The copies would have an opacity below the bound.
    let mut faint = one_alive(0.006, 3);
    relocate(&mut faint, DEAD_OPACITY, &mut uniform(6)).expect("valid");
    assert_eq!(faint.opacities, [DEAD_OPACITY; 4]);
    assert!(faint.scales.iter().all(|s| (s / 0.4 - 1.0).abs() < 0.01));
    let greatest = 1.0 - f64::from(f32::EPSILON);
    for opacity in [1.0, 2.5, f64::from(f32::MAX)] {
        let mut opaque = one_alive(opacity, 1);
        relocate(&mut opaque, DEAD_OPACITY, &mut uniform(6)).expect("valid");
        let expected = 1.0 - f64::from(f32::EPSILON).sqrt();
        assert!((opaque.opacities[0] - expected).abs() < 1e-12);
        assert!(expected < greatest);
    }
    // Logits of opacities that round to one.
    let mut sure = raw(&one_alive(0.5, 1));
    sure.opacities[0] = 60.0;
    relocate(&mut sure, DEAD_OPACITY, &mut uniform(6)).expect("valid");
    assert!(sure.opacities.iter().all(|o| o.is_finite()));
    // The smallest number has no half.
    let mut least = one_alive(f64::from_bits(1), 0);
    add(&mut least, 1, &mut uniform(6)).expect("valid");
    assert_eq!(least.scales, [0.4; 6]);
}

#[test]
fn gaussians_are_drawn_in_proportion_to_their_opacity() {
    const DRAWS: usize = 20_000;
    let opacities = [0.1f32, 0.0, 0.2, f32::NAN, 0.3, -1.0, 0.4];
    let mut gaussians = Gaussians {
        means: vec![0.0f32; 3 * opacities.len()],
        scales: vec![1.0; 3 * opacities.len()],
        quaternions: vec![1.0; 4 * opacities.len()],
        features: vec![0.0; opacities.len()],
        opacities: opacities.to_vec(),
        count: opacities.len(),
        channels: 1,
        encoding: Encoding::PLAIN,
    };
    let revision = add(&mut gaussians, DRAWS, &mut uniform(7)).expect("valid");
    assert_eq!(revision.count(), DRAWS + opacities.len());
    let drawn = |i: u32| revision.sources().iter().filter(|s| **s == i).count() - 1;
    assert_eq!([1, 3, 5].map(drawn), [0; 3], "never drawn");
    let squares = [(0, 0.1), (2, 0.2), (4, 0.3), (6, 0.4)].map(|(i, share)| {
        let expected = share * DRAWS as f64;
        (drawn(i) as f64 - expected).powi(2) / expected
    });
    // Chi-square with three degrees of freedom exceeds 21.1 with a probability of 1e-4.
    assert!(squares.iter().sum::<f64>() < 21.1, "{squares:?}");
}

#[test]
fn the_dead_leave_and_copies_stand_behind_their_sources() {
    let mut old = some(60);
    old.means[3 * 9] = f64::NAN;
    old.scales[3 * 11 + 1] = f64::INFINITY;
    for i in [0, 7, 8, 59] {
        old.opacities[i] = 0.004;
    }
    let mut new = old.clone();
    let revision = relocate(&mut new, DEAD_OPACITY, &mut uniform(8)).expect("valid");
    let counts = [revision.count(), revision.removed(), revision.added()];
    assert_eq!(counts, [60, 6, 6]);
    let sources = revision.sources();
    assert!(sources.is_sorted());
    assert!([0, 7, 8, 9, 11, 59].iter().all(|i| !sources.contains(i)));
    for (i, &source) in sources.iter().enumerate() {
        let copies = sources.iter().filter(|s| **s == source).count();
        assert_eq!(revision.is_kept(i), copies == 1);
        let opacity = old.opacities[source as usize];
        let together = 1.0 - (1.0 - new.opacities[i]).powi(copies as i32);
        assert!((together - opacity).abs() < 1e-12);
    }
    assert_eq!(new.means, revision.rows(&old.means).expect("whole rows"));
    let moments = revision.moments(&[1.0f32; 120]).expect("whole rows");
    let zeros = moments.iter().filter(|m| **m == 0.0).count();
    assert_eq!(zeros, 2 * revision.changed());

    for operation in [relocate_some, add_some] {
        let (mut plain, mut logs) = (some(60), raw(&some(60)));
        let (a, b) = (operation(&mut plain), operation(&mut logs));
        assert_eq!(a, b);
        assert!(a.len() >= 60 && a.iter().any(|kept| !kept));
        assert_same(&logs, &plain);
    }
}

fn relocate_some(gaussians: &mut Gaussians<Vec<f64>>) -> Vec<bool> {
    let revision = relocate(gaussians, 0.3, &mut uniform(9)).expect("valid");
    revision.kept().to_vec()
}

fn add_some(gaussians: &mut Gaussians<Vec<f64>>) -> Vec<bool> {
    let revision = add(gaussians, 70, &mut uniform(9)).expect("valid");
    revision.kept().to_vec()
}

#[test]
fn without_a_gaussian_to_draw_nothing_changes() {
    let mut random = Random::new(10);
    let mut unused = || random.between(0.0, 1.0);
    let mut dead = some(5);
    dead.opacities = vec![0.0, -1.0, f64::NAN, 0.001, 0.005];
    let before = format!("{dead:?}");
    let revision = relocate(&mut dead, DEAD_OPACITY, &mut unused).expect("valid");
    assert_eq!([revision.changed(), revision.removed()], [0, 0]);
    assert_eq!(format!("{dead:?}"), before);
    dead.opacities.fill(0.0);
    let revision = add(&mut dead, 3, &mut unused).expect("valid");
    assert_eq!([revision.count(), revision.changed()], [5, 0]);
    // One that is alive only by a little is not dead.
    let mut little = some(2);
    little.opacities = vec![1.0, 1e-30];
    let revision = relocate(&mut little, 0.0, &mut unused).expect("valid");
    assert_eq!([revision.changed(), revision.removed()], [0, 0]);
}
