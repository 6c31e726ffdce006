//! Arguments of all kinds: those that are errors, and those that are not.

use splat::density::{
    Growth, Pruning, Revision, add, grow, perturb, prune, relocate, reset_opacities,
};
use splat::encoding::{Encoding, Features};
use splat::{Gaussians, RenderError};

use crate::{some, uniform};

type List = Gaussians<Vec<f64>>;
type Change = Result<Revision, RenderError>;
type Operation = (&'static str, Box<dyn Fn(&mut List) -> Change>);

const GROWTH: Growth = Growth::new(0.0, 0.1);

fn half() -> f64 {
    0.5
}

/// Returns every operation with valid arguments for `n` Gaussians.
fn operations(n: usize) -> Vec<Operation> {
    let keep = |g: &List| Pruning::new(0.1).keep(g, &[]);
    vec![
        (
            "grow",
            Box::new(move |g| grow(g, &vec![1.0; n], &GROWTH, &mut half)),
        ),
        ("prune", Box::new(move |g| prune(g, &vec![false; n]))),
        (
            "keep",
            Box::new(move |g| keep(g).and_then(|keep| prune(g, &keep))),
        ),
        ("reset", Box::new(|g| reset_opacities(g, 0.01))),
        ("relocate", Box::new(|g| relocate(g, 0.5, &mut half))),
        ("add", Box::new(|g| add(g, 2, &mut half))),
        (
            "perturb",
            Box::new(|g| {
                perturb(g, 1.0, &mut half)?;
                prune(g, &vec![true; g.count])
            }),
        ),
    ]
}

#[test]
fn every_operation_accepts_an_empty_list() {
    for (name, operation) in operations(0) {
        let mut none = some(0);
        let revision = operation(&mut none).expect(name);
        assert_eq!([revision.count(), none.count], [0, 0], "{name}");
        assert_eq!(revision.rows::<f32>(&[]), Ok(vec![]));
        assert!(revision.rows(&[1.0]).is_err());
    }
}

#[test]
fn every_operation_refuses_what_is_no_list_and_changes_nothing() {
    let cut = |cut: fn(&mut List)| {
        let mut list = some(5);
        cut(&mut list);
        list
    };
    let per_splat = Encoding::PLAIN.with_features(Features::PerSplat);
    let lists = [
        ("gaussians.scales", cut(|g| g.scales.truncate(14))),
        ("gaussians.features", cut(|g| g.features.push(0.0))),
        ("gaussians.channels", cut(|g| g.channels = 0)),
        ("gaussians.means", cut(|g| g.count = 6)),
        (
            "gaussians.encoding.features",
            Gaussians {
                encoding: per_splat,
                ..some(5)
            },
        ),
    ];
    for (said, list) in lists {
        for (name, operation) in operations(5) {
            let mut changed = list.clone();
            let error = operation(&mut changed).expect_err(name).to_string();
            assert!(error.starts_with(said), "{name}: {error}");
            assert_eq!(changed, list, "{name}");
        }
    }
}

#[test]
fn wrong_arguments_are_named_and_change_nothing() {
    let grown = |growth: Growth| move |g: &mut List| grow(g, &[1.0; 5], &growth, &mut half);
    let kept = |pruning: Pruning, radii: &'static [f64]| {
        move |g: &mut List| pruning.keep(g, radii).and_then(|keep| prune(g, &keep))
    };
    let pruning = Pruning::new(0.1);
    let cases: Vec<Operation> = vec![
        (
            "gradients",
            Box::new(|g| grow(g, &[1.0; 4], &GROWTH, &mut half)),
        ),
        (
            "growth.gradient",
            Box::new(grown(GROWTH.with_gradient(f64::NAN))),
        ),
        (
            "growth.gradient",
            Box::new(grown(GROWTH.with_gradient(-1.0))),
        ),
        ("growth.scale", Box::new(grown(GROWTH.with_scale(f64::NAN)))),
        ("growth.divisor", Box::new(grown(GROWTH.with_divisor(0.0)))),
        (
            "growth.divisor",
            Box::new(grown(GROWTH.with_divisor(f64::INFINITY))),
        ),
        ("keep", Box::new(|g| prune(g, &[true; 6]))),
        ("radii", Box::new(kept(pruning, &[1.0]))),
        (
            "radii",
            Box::new(kept(pruning.with_largest_radius(Some(1.0)), &[])),
        ),
        (
            "pruning.least_opacity",
            Box::new(kept(pruning.with_least_opacity(f64::NAN), &[])),
        ),
        (
            "pruning.largest_scale",
            Box::new(kept(pruning.with_largest_scale(Some(-1.0)), &[])),
        ),
        (
            "pruning.largest_radius",
            Box::new(kept(pruning.with_largest_radius(Some(f64::NAN)), &[1.0; 5])),
        ),
        ("most", Box::new(|g| reset_opacities(g, 0.0))),
        ("most", Box::new(|g| reset_opacities(g, 1.1))),
        ("most", Box::new(|g| reset_opacities(g, f64::NAN))),
        (
            "dead_opacity",
            Box::new(|g| relocate(g, f64::NAN, &mut half)),
        ),
        ("dead_opacity", Box::new(|g| relocate(g, 1.0, &mut half))),
        (
            "indices of Gaussians",
            Box::new(|g| add(g, usize::MAX, &mut half)),
        ),
        (
            "indices of Gaussians",
            Box::new(|g| add(g, u32::MAX as usize - 4, &mut half)),
        ),
        (
            "step",
            Box::new(|g| {
                perturb(g, f64::INFINITY, &mut half)?;
                prune(g, &[true; 5])
            }),
        ),
    ];
    for (said, operation) in cases {
        let mut list = some(5);
        let error = operation(&mut list).expect_err(said).to_string();
        assert!(error.starts_with(said), "{said}: {error}");
        assert_eq!(list, some(5), "{said}");
    }
}

#[test]
fn random_numbers_outside_their_range_count_as_the_nearest() {
    for (bad, good) in [
        (f64::NAN, 0.0),
        (-3.0, 0.0),
        (f64::NEG_INFINITY, 0.0),
        (1.0, 1.0 - f64::EPSILON / 2.0),
        (f64::INFINITY, 1.0 - f64::EPSILON / 2.0),
    ] {
        let results = [bad, good].map(|number| {
            let mut list = some(20);
            let mut next = || number;
            let gradients = [1.0; 20];
            grow(&mut list, &gradients, &GROWTH, &mut next).expect("valid");
            relocate(&mut list, 0.3, &mut next).expect("valid");
            add(&mut list, 9, &mut next).expect("valid");
            perturb(&mut list, 1.0, &mut next).expect("valid");
            list
        });
        let [got, expected] = results;
        assert_eq!(got, expected);
        let buffers = got.buffers().map(|(_, buffer)| buffer.iter());
        assert!(buffers.into_iter().flatten().all(|x| x.is_finite()));
    }
}

#[test]
fn numbers_that_are_not_finite_are_never_copied_and_never_errors() {
    let mut list = some(12);
    list.means[0] = f64::NAN;
    list.scales[3] = f64::NEG_INFINITY;
    list.quaternions[4 * 2..4 * 3].fill(0.0);
    list.quaternions[4 * 3] = f64::MAX;
    list.opacities[4] = f64::INFINITY;
    list.features[3 * 5] = f64::NAN;
    let bad = 0..6;
    let grown = |list: &List| {
        let mut list = list.clone();
        let revision = grow(&mut list, &[1.0; 12], &GROWTH, &mut uniform(14)).expect("valid");
        revision.sources().to_vec()
    };
    let expected: Vec<u32> = bad.clone().chain((6..12).flat_map(|i| [i, i])).collect();
    assert_eq!(grown(&list), expected);
    let revision = relocate(&mut list.clone(), 0.0, &mut uniform(14)).expect("valid");
    assert_eq!([revision.removed(), revision.count()], [6, 12]);
    assert!(revision.sources().iter().all(|i| !bad.contains(i)));
    let before = list.means.clone();
    perturb(&mut list, 1e9, &mut uniform(14)).expect("valid");
    assert_eq!(list.means[1..18], before[1..18]);
    assert!(list.means[0].is_nan() && list.means[18..] != before[18..]);
    let keep = Pruning::new(f64::NEG_INFINITY)
        .keep(&list, &[])
        .expect("valid");
    prune(&mut list, &keep).expect("valid");
    assert_eq!(list.count, 6);
}

#[test]
fn rows_of_other_lists_are_refused() {
    let revision = prune(&mut some(3), &[true, false, true]).expect("valid");
    assert_eq!(revision.rows(&[1, 2, 3, 4, 5, 6]), Ok(vec![1, 2, 5, 6]));
    assert_eq!(revision.rows::<u8>(&[]), Ok(vec![]));
    let error = revision
        .moments(&[1.0; 4])
        .expect_err("no multiple")
        .to_string();
    assert!(
        error.starts_with("rows: expected a multiple of 3"),
        "{error}"
    );
}
