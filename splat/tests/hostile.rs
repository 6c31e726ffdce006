//! Splats that the caller made, extents included, with arbitrary values. A splat that cannot count
//! has no gradient and does not affect the other splats.

mod support;

use proptest::prelude::*;
use splat::check::weight;
use splat::{Backend, Cpu, CpuScalar, Image, RenderConfig, RenderError, Simd, Splats, Wanted};

const SIDE: usize = 12;
const CHANNELS: usize = 2;

/// Values per splat: mean 2, conic 3, opacity, depth, features, extents 2.
const FIELDS: usize = 9 + CHANNELS;
const OPACITY: usize = 5;
const DEPTH: usize = 6;
const FEATURES: usize = 7;
const EXTENTS: usize = FEATURES + CHANNELS;

type Row = [f64; FIELDS];

/// Returns a valid splat that counts in a large part of the image.
fn ordinary(k: usize) -> Row {
    let shift = weight(k);
    [
        6.0 + 2.0 * shift,
        5.5 - 2.0 * shift,
        0.3,
        0.05 * shift,
        0.25,
        0.6 + 0.3 * shift,
        1.0 + k as f64,
        shift,
        0.5 - shift,
        7.0,
        7.5,
    ]
}

fn splats<T: CpuScalar>(rows: &[Row]) -> Splats<Vec<T>> {
    let part = |fields: std::ops::Range<usize>| {
        let row = |row: &Row| row[fields.clone()].to_vec();
        let numbers = rows.iter().flat_map(row);
        numbers.map(T::from_f64).collect::<Vec<T>>()
    };
    Splats {
        means: part(0..2),
        conics: part(2..5),
        opacities: part(OPACITY..DEPTH),
        depths: part(DEPTH..FEATURES),
        features: part(FEATURES..EXTENTS),
        half_features: None,
        extents: part(EXTENTS..FIELDS),
        offsets: vec![0, rows.len()],
        channels: CHANNELS,
    }
}

/// An image, and the gradients with respect to splats and background.
type BothWays<T> = (Image<Vec<T>>, Splats<Vec<T>>, Vec<T>);

/// Composites `splats` forward and backward, with the lists that were made from `listed`.
fn both_ways<T: CpuScalar>(
    backend: &Cpu<T>,
    listed: &Splats<Vec<T>>,
    splats: &Splats<Vec<T>>,
) -> Result<BothWays<T>, RenderError> {
    let config = RenderConfig::default().with_outputs(splat::Outputs::ALL);
    let (listed, splats) = (listed.as_slices(), splats.as_slices());
    let backgrounds = [T::ONE; CHANNELS];
    let sorted = backend.sort(&listed, backend.bin(&listed, SIDE, SIDE)?)?;
    let (image, composited) = backend.composite(&splats, &sorted, &backgrounds, &config)?;
    let ramp = |x: &Vec<T>| {
        let ramp = (0..x.len()).map(|i| T::from_f64(weight(i)));
        ramp.collect::<Vec<T>>()
    };
    let v_image = image.map(ramp);
    let v_image = v_image.as_slices();
    let (v, v_backgrounds) = backend.composite_vjp(
        &splats,
        &sorted,
        &backgrounds,
        &composited,
        &v_image,
        Wanted::ALL,
    )?;
    Ok((image, v, v_backgrounds))
}

/// Returns the gradient of splat `m`, all fields.
fn gradient_of<T: CpuScalar>(v: &Splats<Vec<T>>, m: usize) -> Vec<f64> {
    let parts = [
        &v.means[2 * m..2 * m + 2],
        &v.conics[3 * m..3 * m + 3],
        &v.opacities[m..=m],
        &v.depths[m..=m],
        &v.features[CHANNELS * m..CHANNELS * (m + 1)],
    ];
    parts.concat().into_iter().map(T::to_f64).collect()
}

fn all_numbers<T: CpuScalar>(image: &Image<Vec<T>>) -> Vec<f64> {
    let planes = [&image.transmittance, &image.depth].map(|plane| plane.iter().flatten());
    let planes = planes.into_iter().flatten();
    let numbers = image.features.iter().chain(planes);
    numbers.map(|x| x.to_f64()).collect()
}

/// Returns whether a row, rounded to `T`, can count: every value is finite, the box is not empty,
/// and the opacity is at least `alpha_min`.
fn may_count<T: CpuScalar>(row: &Row) -> bool {
    let finite = row.iter().all(|&x| T::from_f64(x).finite());
    let alpha_min = T::from_f64(RenderConfig::default().alpha_min);
    let box_is_some = row[EXTENTS..]
        .iter()
        .all(|&half| T::from_f64(half) > T::ZERO);
    finite && box_is_some && T::from_f64(row[OPACITY]) >= alpha_min
}

fn check<T: CpuScalar>(rows: &[Row]) -> Result<(), TestCaseError> {
    for simd in Simd::ALL.into_iter().filter(|simd| simd.is_available()) {
        let backend = Cpu::<T>::new().with_simd(simd);
        let given = splats::<T>(rows);
        let (image, v, v_backgrounds) = both_ways(&backend, &given, &given).expect("valid shapes");
        let image = all_numbers(&image);
        prop_assert!(image.iter().all(|x| x.is_finite()), "an image of {image:?}");
        prop_assert!(v_backgrounds.iter().all(|x| x.finite()));
        for (m, row) in rows.iter().enumerate() {
            let v = gradient_of(&v, m);
            prop_assert!(v.iter().all(|x| x.is_finite()), "{row:?} has {v:?}");
            if !may_count::<T>(row) {
                prop_assert!(v.iter().all(|&x| x == 0.0), "{row:?} has {v:?}");
            }
        }
        // Splats that cannot count change only the indices of the others.
        let kept = rows
            .iter()
            .copied()
            .filter(may_count::<T>)
            .collect::<Vec<_>>();
        let kept = splats::<T>(&kept);
        let (alone, v_alone, _) = both_ways(&backend, &kept, &kept).expect("valid shapes");
        prop_assert_eq!(all_numbers(&alone), image);
        let indices = (0..rows.len()).filter(|&m| may_count::<T>(&rows[m]));
        for (k, m) in indices.enumerate() {
            prop_assert_eq!(gradient_of(&v_alone, k), gradient_of(&v, m));
        }
        let culled = rows.iter().filter(|row| {
            let box_is_some = row[EXTENTS..]
                .iter()
                .all(|&half| T::from_f64(half) > T::ZERO);
            let finite = row.iter().all(|&x| T::from_f64(x).finite());
            !(finite && box_is_some && T::from_f64(row[OPACITY]) > T::ZERO)
        });
        prop_assert_eq!(given.culled(), vec![culled.count()]);
    }
    Ok(())
}

/// Values outside the valid range of some field, or near its limits.
fn hostile() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        -1.0,
        // Subnormal at `f64` (zero at `f32`), subnormal at `f32`, and almost subnormal.
        5e-324,
        1e-310,
        1e-40,
        -1e-40,
        1e-37,
        1e-3,
    ])
}

/// Rows in which up to two fields are hostile.
fn spoilt() -> impl Strategy<Value = Row> {
    let places = prop::collection::vec((0..FIELDS, hostile()), 0..3);
    (0usize..20, places).prop_map(|(k, places)| {
        let mut row = ordinary(k);
        for (field, x) in places {
            row[field] = x;
        }
        row
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_cannot_count_has_no_gradient_and_spoils_no_other(
        rows in prop::collection::vec(spoilt(), 1..6)
    ) {
        check::<f32>(&rows)?;
        check::<f64>(&rows)?;
    }
}

/// Makes each field of a splat hostile, one at a time, with a valid splat behind it.
#[test]
fn each_hostile_field_by_itself() {
    for field in 0..FIELDS {
        for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -1.0, 1e-40] {
            let mut rows = [ordinary(1), ordinary(2)];
            rows[0][field] = x;
            if let Err(error) = check::<f32>(&rows).and_then(|()| check::<f64>(&rows)) {
                panic!("field {field} = {x}: {error}");
            }
        }
    }
}

/// Composites the lists of an earlier step again, after an opacity changed. An opacity that is too
/// small to count, or NaN, has no gradient.
#[test]
fn an_opacity_that_vanished_after_the_sort_has_no_gradient() {
    let rows = [ordinary(1), ordinary(2)];
    for opacity in [0.0, -0.0, -1.0, 1e-40, f64::NAN] {
        let mut moved = rows;
        moved[0][OPACITY] = opacity;
        let backend = Cpu::<f32>::new();
        let (_, v, _) = both_ways(&backend, &splats(&rows), &splats(&moved)).expect("valid shapes");
        assert_eq!(gradient_of(&v, 0), [0.0; FIELDS - 2], "opacity {opacity}");
        assert!(gradient_of(&v, 1).iter().any(|&x| x != 0.0));
    }
}
