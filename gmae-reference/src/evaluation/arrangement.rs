//! Where the Gaussians of images lie: their density against image detail, and their size against
//! depth.

use splat::{Backend as _, Splats};

use super::distribution::{density_map, detail_map};
use crate::config::Config;
use crate::data::Image;
use crate::error::Error;
use crate::model::{Gaussians, camera, render};
use crate::ops::Operations;
use crate::report::{DensityData, DensityPicture, SizeDepth, SizeDepthData, heat_map};

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

/// Computes the distributions of `gaussians`, which belong to `images` in order. `name` is the name
/// of the run. Gaussians outside of the image count nowhere.
///
/// # Errors
///
/// [`Error::Render`] if the Gaussians cannot be projected.
pub(crate) fn arrangement<B: Operations>(
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
