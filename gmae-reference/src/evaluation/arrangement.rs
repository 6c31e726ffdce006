//! Where the Gaussians of images lie: their density against image detail, and their size against
//! depth.

use splat::{Backend as _, Splats};

use super::distribution::{density_map, detail_map};
use super::pictures::{first, images};
use crate::config::Config;
use crate::data::Image;
use crate::error::Error;
use crate::model::{Autoencoder, Batch, Gaussians, Mask, camera, predict, render};
use crate::ops::Operations;
use crate::report::{DensityData, DensityPicture, SizeDepth, SizeDepthData, heat_map};

/// Largest number of images whose Gaussians enter the two distributions.
pub(crate) const ARRANGED: usize = 64;
/// Number of pictures shown with their maps.
const PICTURES: usize = 3;

/// The two distributions of the Gaussians of some images.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrangement {
    /// Density against detail, in cells of the size of a patch.
    pub(crate) density: DensityData,
    /// Size against depth.
    pub(crate) size_depth: SizeDepthData,
}

/// Computes the distributions of the Gaussians that `model` predicts for the first [`ARRANGED`]
/// images of `batch`. The encoder receives every patch, whatever the masks of the batch. `name` is
/// the name of the run. The result is `None` for MAE, which predicts no Gaussians.
///
/// # Errors
///
/// All errors of [`predict`]. [`Error::Render`] if the Gaussians cannot be projected.
pub(crate) fn arrangement<B: Operations>(
    config: &Config,
    name: &str,
    model: &Autoencoder<B>,
    batch: &Batch,
) -> Result<Option<Arrangement>, Error> {
    let mut whole = first(config, batch, ARRANGED)?;
    whole.masks.fill(Mask::none(config.patches()));
    let Some(gaussians) = predict(config, model, &whole)?.gaussians else {
        return Ok(None);
    };
    distributions(config, name, &images(config, &whole.pixels), gaussians).map(Some)
}

/// Computes the distributions of `gaussians`, which belong to `images` in order.
///
/// A Gaussian that reaches no pixel counts nowhere. A Gaussian that reaches a pixel from a centre
/// outside of the image has a size and a depth, but is in no cell.
fn distributions<B: Operations>(
    config: &Config,
    name: &str,
    images: &[Image],
    gaussians: Gaussians<B>,
) -> Result<Arrangement, Error> {
    let count = gaussians.images;
    let scene = render::buffers(gaussians)?;
    let views = camera::views(config, count)?;
    let projected =
        splat::Cpu::<f32>::new().project(&scene.as_slices(), &views, &render::settings(config));
    let splats = projected.map_err(|error| Error::Render(error.to_string()))?;
    let mut found = Arrangement::default();
    name.clone_into(&mut found.density.name);
    name.clone_into(&mut found.size_depth.name);
    for (view, image) in images.iter().enumerate().take(count) {
        let range = splats.offsets[view]..splats.offsets[view + 1];
        let (mut centres, mut weights) = (Vec::new(), Vec::new());
        for i in range.filter(|&i| splats.extents[2 * i] > 0.0) {
            centres.push([splats.means[2 * i], splats.means[2 * i + 1]]);
            weights.push(splats.opacities[i]);
            found.size_depth.points.push(size_depth(&splats, i));
        }
        let cell = config.patch_size;
        let detail = detail_map(image, cell)?;
        let density = density_map(&centres, &weights, image.width, image.height, cell)?;
        let cells = detail.values().iter().zip(density.values());
        found.density.cells.extend(cells.map(|(&x, &y)| (x, y)));
        if view < PICTURES {
            found.density.pictures.push(DensityPicture {
                original: image.clone(),
                detail: heat_map(&detail),
                density: heat_map(&density),
            });
        }
    }
    Ok(found)
}

/// Depth, size and opacity of splat `i`. The size is the fourth root of the determinant of the
/// covariance of the footprint, which is the inverse of the determinant of the conic.
fn size_depth(splats: &Splats<Vec<f32>>, i: usize) -> SizeDepth {
    let [xx, xy, yy] = [0, 1, 2].map(|c| f64::from(splats.conics[3 * i + c]));
    SizeDepth {
        depth: f64::from(splats.depths[i]),
        size: (xx * yy - xy * xy).powf(-0.25),
        opacity: f64::from(splats.opacities[i]),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Tensor, TensorData};

    use super::super::examples::{Labelled, config};
    use super::super::reconstruction::mask;
    use super::*;
    use crate::backend::{Cpu, Device};
    use crate::config::{Method, Preset};

    /// Centre, scales and opacity.
    type Gaussian = ([f32; 3], [f32; 3], f32);

    /// Gaussians without rotation, in grey.
    fn gaussians(of: &[Gaussian], images: usize) -> Gaussians<Cpu> {
        fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<Cpu, D> {
            Tensor::from_data(TensorData::new(values, shape), &Device::default())
        }
        let count = of.len();
        Gaussians {
            means: tensor(of.iter().flat_map(|g| g.0).collect(), [count, 3]),
            scales: tensor(of.iter().flat_map(|g| g.1).collect(), [count, 3]),
            quaternions: tensor([1.0, 0.0, 0.0, 0.0].repeat(count), [count, 4]),
            colours: tensor(vec![0.5; 3 * count], [count, 3]),
            opacities: tensor(of.iter().map(|g| g.2).collect(), [count]),
            images,
        }
    }

    /// nano with three Gaussians: the focal length is 16 px, the blur 0.05, and cells are 4 px
    /// wide.
    fn nano() -> Config {
        Config {
            gaussians: 3,
            ..Preset::Nano.config()
        }
    }

    /// A black image of 32 x 32 px, and one whose luminance rises by 0.02 per column.
    fn pictures() -> [Image; 2] {
        let mut ramp = Image::filled(32, 32, [0.0; 3]);
        for (i, pixel) in ramp.pixels.chunks_mut(3).enumerate() {
            pixel.fill(0.02 * (i % 32) as f32);
        }
        [Image::filled(32, 32, [0.0; 3]), ramp]
    }

    /// The first image: one Gaussian beside the axis, one far outside of the image, and one with
    /// its centre outside, 1 px from the border. The second image: one on the axis, and two in the
    /// first cell.
    const PLACED: [Gaussian; 6] = [
        ([0.25, -0.5, -0.5], [1.0; 3], 0.75),
        ([3.0, 0.0, 0.0], [0.5; 3], 0.5),
        ([1.0625, 0.0, 0.5], [1.5; 3], 0.5),
        ([0.0, 0.0, 0.0], [0.8, 0.2, 5.0], 0.625),
        ([-0.95, -0.95, 0.9], [1.0; 3], 0.5),
        ([-0.85, -0.9, 0.9], [1.0; 3], 0.25),
    ];

    fn placed() -> Arrangement {
        let gaussians = gaussians(&PLACED, 2);
        distributions(&nano(), "a run", &pictures(), gaussians).expect("two images")
    }

    /// The footprint of an isotropic Gaussian of scale s at (x, y), at the distance t, is
    /// `(f s / t)^2 (I + p p^T) + b I` with `p = (x, y) / t`.
    fn size([x, y, z]: [f64; 3], s: f64) -> f64 {
        let t = z + 8.0;
        let (a, b) = ((16.0 * s / t).powi(2), 0.05);
        let stretched = a * (1.0 + (x * x + y * y) / (t * t));
        ((a + b) * (stretched + b)).powf(0.25)
    }

    #[test]
    fn sizes_and_depths_are_those_of_the_hybrid_camera() {
        let found = placed().size_depth;
        assert_eq!(found.name, "a run");
        // The sides of the footprint on the axis: the scale along the axis has no effect there.
        let [wide, narrow] = [0.8, 0.2].map(|s: f64| (16.0 * s / 8.0).powi(2) + 0.05);
        let expected = [
            (7.5, size([0.25, -0.5, -0.5], 1.0), 0.75),
            (8.5, size([1.0625, 0.0, 0.5], 1.5), 0.5),
            (8.0, (wide * narrow).powf(0.25), 0.625),
            (8.9, size([-0.95, -0.95, 0.9], 1.0), 0.5),
            (8.9, size([-0.85, -0.9, 0.9], 1.0), 0.25),
        ];
        assert_eq!(found.points.len(), expected.len());
        for (got, (depth, size, opacity)) in found.points.iter().zip(expected) {
            assert!((got.depth - depth).abs() < 1e-5, "{got:?} at {depth}");
            assert!((got.size - size).abs() < 1e-4 * size, "{got:?} of {size}");
            assert!((got.opacity - opacity).abs() < 1e-6, "{got:?}");
        }
    }

    /// Pixel coordinates are 16 x + 16 and 16 y + 16.
    #[test]
    fn opacities_count_in_the_cells_of_the_centres() {
        let found = placed().density;
        assert_eq!(found.name, "a run");
        assert_eq!(found.cells.len(), 2 * 64);
        let mut expected = [0.0; 2 * 64];
        expected[2 * 8 + 5] = 0.75;
        expected[64 + 4 * 8 + 4] = 0.625;
        expected[64] = 0.5 + 0.25;
        for (cell, (&(detail, density), expected)) in found.cells.iter().zip(expected).enumerate() {
            assert!((density - expected).abs() < 1e-6, "{cell}: {density}");
            let slope = if cell < 64 { 0.0 } else { 0.02 };
            assert!((detail - slope).abs() < 1e-6, "{cell}: {detail}");
        }
        let originals = found.pictures.iter().map(|picture| &picture.original);
        assert!(originals.eq(&pictures()));
    }

    /// 66 images, with all patches visible or with masks.
    fn batch(whole: bool) -> Batch {
        let data = Labelled::new(66);
        let mask = |index: usize| {
            if whole {
                Mask::none(16)
            } else {
                mask(&config(), 1, index)
            }
        };
        Batch {
            pixels: (0..66).flat_map(|index| data.pixels(index)).collect(),
            masks: (0..66).map(mask).collect(),
        }
    }

    fn arranged(config: &Config, batch: &Batch) -> Option<Arrangement> {
        let model = Autoencoder::<Cpu>::new(config, &Device::default());
        arrangement(config, "", &model, batch).expect("a batch")
    }

    #[test]
    fn the_first_images_are_arranged_with_all_patches_visible() {
        let config = config();
        let found = arranged(&config, &batch(false)).expect("Gaussians");
        assert_eq!(found.density.cells.len(), ARRANGED * 16);
        assert_eq!(found.density.pictures.len(), PICTURES);
        let points = found.size_depth.points.len();
        assert!((ARRANGED..=4 * ARRANGED).contains(&points), "{points}");
        let mut first = batch(true);
        first.masks.truncate(ARRANGED);
        first.pixels.truncate(ARRANGED * config.image_len());
        let expected = arranged(&config, &first).expect("Gaussians");
        assert_eq!(found.density, expected.density);
        assert_eq!(found.size_depth, expected.size_depth);
        let centres: f64 = found.density.cells.iter().map(|cell| cell.1).sum();
        let opacities: f64 = found.size_depth.points.iter().map(|p| p.opacity).sum();
        assert!(
            (centres - opacities).abs() < 1e-6 * opacities,
            "no centre is outside"
        );
    }

    #[test]
    fn patches_are_not_arranged() {
        let config = Config {
            method: Method::Mae,
            ..config()
        };
        assert!(arranged(&config, &batch(false)).is_none());
    }
}
