//! The pictures of a report.

use splat::{Backend as _, Scene, Splats};

use super::losses::image_losses;
use super::pictures::{first, images, masked, pasted};
use crate::config::Config;
use crate::data::Image;
use crate::error::Error;
use crate::model::{Autoencoder, Batch, Gaussians, Mask, camera, predict, render};
use crate::numbers::numbers;
use crate::ops::Operations;
use crate::report::{DepthLayer, DepthPicture, Ellipse, GaussianPicture, ReconstructionRow};

/// Number of held-out pictures shown with their masks.
const ROWS: usize = 8;
/// Number of pictures shown with their Gaussians and their depth layers.
const PICTURES: usize = 4;
/// Number of depth layers per picture. The numbers of Gaussians in the layers differ by at most
/// one.
const LAYERS: usize = 4;

/// The pictures of a report.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gallery {
    /// Held-out pictures: masked, reconstructed, pasted and original.
    pub rows: Vec<ReconstructionRow>,
    /// Pictures with their Gaussians. The encoder received every patch.
    pub gaussians: Vec<GaussianPicture>,
    /// Pictures in depth layers. The encoder received every patch.
    pub depths: Vec<DepthPicture>,
}

/// Reconstructs the first images of `batch` with their masks, for the rows. Then reconstructs fewer
/// of them with every patch visible, for the Gaussians and the depth layers.
///
/// # Errors
///
/// All errors of [`predict`]. [`Error::Render`] if the depth layers cannot be rendered.
pub(crate) fn gallery<B: Operations>(
    config: &Config,
    model: &Autoencoder<B>,
    batch: &Batch,
) -> Result<Gallery, Error> {
    let rows = rows(config, model, &first(config, batch, ROWS)?)?;
    let mut whole = first(config, batch, PICTURES)?;
    whole.masks.fill(Mask::none(config.patches()));
    let Some(gaussians) = predict(config, model, &whole)?.gaussians else {
        return Ok(Gallery {
            rows,
            ..Gallery::default()
        });
    };
    let scenes = take_apart(config, gaussians)?;
    let originals = images(config, &whole.pixels);
    let mut gallery = Gallery {
        rows,
        ..Gallery::default()
    };
    for (original, scene) in originals.into_iter().zip(scenes) {
        let ellipses = scene
            .layers
            .iter()
            .flat_map(|layer| layer.ellipses.clone())
            .collect();
        gallery.gaussians.push(GaussianPicture {
            original: original.clone(),
            render: scene.render,
            ellipses,
        });
        gallery.depths.push(DepthPicture {
            original,
            layers: scene.layers,
        });
    }
    Ok(gallery)
}

fn rows<B: Operations>(
    config: &Config,
    model: &Autoencoder<B>,
    batch: &Batch,
) -> Result<Vec<ReconstructionRow>, Error> {
    let prediction = predict(config, model, batch)?;
    let losses = image_losses(config, batch, &prediction.pixels)?;
    let originals = images(config, &batch.pixels);
    let renders = images(config, &prediction.pixels);
    let pictures = originals
        .into_iter()
        .zip(renders)
        .zip(&batch.masks)
        .zip(losses);
    let row =
        |(((original, reconstruction), mask), loss): (((Image, Image), &Mask), Option<f64>)| {
            ReconstructionRow {
                masked: masked(config, &original, mask),
                pasted: pasted(config, &original, &reconstruction, mask),
                reconstruction,
                original,
                loss,
            }
        };
    Ok(pictures.map(row).collect())
}

/// The render of one image and its depth layers.
struct TakenApart {
    render: Image,
    layers: Vec<DepthLayer>,
}

/// Renders every image and its depth layers, and projects the Gaussians to ellipses.
fn take_apart<B: Operations>(
    config: &Config,
    gaussians: Gaussians<B>,
) -> Result<Vec<TakenApart>, Error> {
    let (count, images_count) = (config.gaussians, gaussians.images);
    let scene = splat::Gaussians {
        means: numbers(gaussians.means)?,
        scales: numbers(gaussians.scales)?,
        quaternions: numbers(gaussians.quaternions)?,
        opacities: numbers(gaussians.opacities)?,
        features: numbers(gaussians.colours)?,
        count: count * images_count,
        channels: 3,
        encoding: splat::encoding::Encoding::PLAIN,
    };
    let views = camera::views(config, images_count)?;
    let backend = splat::Cpu::<f32>::new();
    let refused = |error: splat::RenderError| Error::Render(error.to_string());
    let layers = (1..=LAYERS).map(|layer| layer * count / LAYERS).collect();
    let settings = render::settings(config).with_layers(layers);
    let splats = backend
        .project(&scene.as_slices(), &views, &settings)
        .map_err(refused)?;
    let white = vec![1.0; images_count * 3];
    let input = Scene {
        gaussians: scene.as_slices(),
        views: &views,
        backgrounds: &white,
    };
    let (image, _) = render::render_on_host(&input, &settings)?;
    let renders = images(config, &image.features);
    let mut prefixes = images(config, &image.layers.unwrap_or_default()).into_iter();
    let apart = renders.into_iter().enumerate().map(|(view, render)| {
        let nearest_first = ellipses(&splats, view);
        let layers = prefixes
            .by_ref()
            .take(LAYERS)
            .enumerate()
            .map(|(layer, prefix)| {
                let ranks = layer * count / LAYERS..(layer + 1) * count / LAYERS;
                let visible = nearest_first.len();
                let ellipses =
                    nearest_first[ranks.start.min(visible)..ranks.end.min(visible)].to_vec();
                DepthLayer { prefix, ellipses }
            });
        TakenApart {
            render,
            layers: layers.collect(),
        }
    });
    Ok(apart.collect())
}

/// Returns the visible splats of a view as ellipses, nearest first.
fn ellipses(splats: &Splats<Vec<f32>>, view: usize) -> Vec<Ellipse> {
    let mut visible: Vec<usize> = (splats.offsets[view]..splats.offsets[view + 1])
        .filter(|&i| splats.extents[2 * i] > 0.0)
        .collect();
    visible.sort_by(|&a, &b| {
        splats.depths[a]
            .total_cmp(&splats.depths[b])
            .then(a.cmp(&b))
    });
    let ellipse = |i: usize| {
        let [xx, xy, yy] = [0, 1, 2].map(|c| splats.conics[3 * i + c]);
        let determinant = xx * yy - xy * xy;
        Ellipse {
            x: splats.means[2 * i],
            y: splats.means[2 * i + 1],
            xx: yy / determinant,
            xy: -xy / determinant,
            yy: xx / determinant,
            colour: [0, 1, 2].map(|c| splats.features[3 * i + c]),
            opacity: splats.opacities[i],
        }
    };
    visible.into_iter().map(ellipse).collect()
}
