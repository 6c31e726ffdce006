//! Reads points and cameras from a `NumPy` archive. Its arrays are `means3d` and `colors` `[N, 3]`,
//! the poses `viewmats` `[V, 4, 4]`, the intrinsics `Ks` `[V, 3, 3]`, `width` and `height`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use npyz::npz::NpzArchive;
use npyz::{Deserialize, Order};
use splat::Camera;
use splat::formulas::MAX_SIDE_PX;

use crate::cloud::{Appearance, Cloud, Shot};
use crate::neighbours;

/// Standard deviation of a point's Gaussian, relative to the mean distance to its nearest
/// neighbours. With 0.5 the Gaussians of neighbouring points touch.
const SCALE_OF_DISTANCE: f32 = 0.5;
/// Quantile of the distances to which larger distances are reduced. It bounds the Gaussians of
/// points far from all others.
const KEPT_SHARE: f64 = 0.9;
/// Opacity of a point: nearly opaque.
const OPACITY: f32 = 0.95;

/// Reads the file.
pub(crate) fn read(path: &Path) -> Result<(Cloud, Vec<Shot>), String> {
    let mut archive =
        NpzArchive::open(path).map_err(|error| format!("not a NumPy archive: {error}"))?;
    let (means, shape) = array::<f32>(&mut archive, "means3d")?;
    let count = expect_shape("means3d", &shape, &[None, Some(3)])?;
    let (colours, shape) = colours(&mut archive)?;
    expect_shape("colors", &shape, &[Some(count), Some(3)])?;
    let mut distances = neighbours::distances(&means);
    let widest = quantile(&distances, KEPT_SHARE);
    for distance in &mut distances {
        *distance = distance.min(widest);
    }
    let cloud = Cloud {
        scales: distances
            .iter()
            .flat_map(|distance| [SCALE_OF_DISTANCE * distance; 3])
            .collect(),
        quaternions: [1.0, 0.0, 0.0, 0.0].repeat(means.len() / 3),
        opacities: vec![OPACITY; means.len() / 3],
        appearance: Appearance::Colours(colours),
        means,
    };
    Ok((cloud, shots(&mut archive)?))
}

/// Returns the value that the given share of the values does not exceed. Without values it is
/// infinite.
fn quantile(values: &[f32], share: f64) -> f32 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = (share * sorted.len() as f64) as usize;
    sorted.get(at).copied().unwrap_or(f32::INFINITY)
}

type Archive = NpzArchive<BufReader<File>>;

fn shots(archive: &mut Archive) -> Result<Vec<Shot>, String> {
    let (viewmats, shape) = array::<f32>(archive, "viewmats")?;
    let views = expect_shape("viewmats", &shape, &[None, Some(4), Some(4)])?;
    let (matrices, shape) = array::<f32>(archive, "Ks")?;
    expect_shape("Ks", &shape, &[Some(views), Some(3), Some(3)])?;
    let (width, height) = (side(archive, "width")?, side(archive, "height")?);
    let pairs = viewmats.chunks_exact(16).zip(matrices.chunks_exact(9));
    let shot = |(view, k): (&[f32], &[f32])| {
        let row = |i: usize| std::array::from_fn(|j| f64::from(view[4 * i + j]));
        let [fx, fy, cx, cy] = [k[0], k[4], k[2], k[5]].map(f64::from);
        let camera = Camera::pinhole(fx, fy, cx, cy).with_pose([row(0), row(1), row(2)]);
        Shot {
            camera,
            width,
            height,
        }
    };
    Ok(pairs.map(shot).collect())
}

/// Reads an array. Returns its elements in C order, and its shape.
fn array<T: Deserialize>(archive: &mut Archive, name: &str) -> Result<(Vec<T>, Vec<u64>), String> {
    let fail = |error: std::io::Error| format!("{name}: {error}");
    let file = archive
        .by_name(name)
        .map_err(fail)?
        .ok_or(format!("{name}: the array is missing"))?;
    let shape = file.shape().to_vec();
    if file.order() != Order::C && shape.len() > 1 {
        return Err(format!("{name}: stored in Fortran order, expected C order"));
    }
    let values = file.into_vec().map_err(fail)?;
    let expected = shape.iter().try_fold(1u64, |n, &side| n.checked_mul(side));
    if expected != Some(values.len() as u64) {
        let got = values.len();
        return Err(format!(
            "{name}: expected the elements of shape {shape:?}, got {got}"
        ));
    }
    Ok((values, shape))
}

/// Reads the colours and returns them in [0, 1]. They are stored as floats in [0, 1] or as bytes.
fn colours(archive: &mut Archive) -> Result<(Vec<f32>, Vec<u64>), String> {
    if let Ok((bytes, shape)) = array::<u8>(archive, "colors") {
        return Ok((
            bytes.iter().map(|&byte| f32::from(byte) / 255.0).collect(),
            shape,
        ));
    }
    array::<f32>(archive, "colors")
}

/// Reads the width or the height of the pictures, px.
fn side(archive: &mut Archive, name: &str) -> Result<usize, String> {
    let (values, _) = array::<i64>(archive, name)?;
    match values[..] {
        [side] if (1..=MAX_SIDE_PX as i64).contains(&side) => Ok(side as usize),
        _ => Err(format!(
            "{name}: expected one integer from 1 to {MAX_SIDE_PX}, got {values:?}"
        )),
    }
}

/// Checks a shape and returns its first length. In `expected`, `None` matches any length.
fn expect_shape(name: &str, shape: &[u64], expected: &[Option<u64>]) -> Result<u64, String> {
    let fits = |(&got, want): (&u64, &Option<u64>)| want.is_none_or(|want| want == got);
    if shape.len() == expected.len() && shape.iter().zip(expected).all(fits) {
        return Ok(shape[0]);
    }
    let symbol =
        |length: &Option<u64>| length.map_or("any".to_owned(), |length| length.to_string());
    let expected: Vec<String> = expected.iter().map(symbol).collect();
    Err(format!(
        "{name}: expected shape [{}], got {shape:?}",
        expected.join(", ")
    ))
}
