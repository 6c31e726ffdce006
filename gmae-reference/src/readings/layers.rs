//! Layers of depth: the prefix renders of a scene.
//!
//! The visible Gaussians of a scene, sorted by depth, are cut into L groups of equal count (GMAE,
//! "Zero-shot learning without training"). Counts differ by at most one. Prefix l shows groups 1 to
//! l.

use splat::{Backend as _, NO_CONTRIBUTOR, Scene as Input, Splats};

use super::scene::{Scene, picked};
use crate::data::Image;
use crate::error::Error;
use crate::model::render;

/// The numbers of layers for which a scene is rendered at once.
pub(crate) const LEVELS: [usize; 5] = [4, 8, 16, 32, 64];

/// The prefix renders of one scene for all [`LEVELS`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Layers {
    width: usize,
    height: usize,
    /// The V visible Gaussians, nearest first.
    order: Vec<usize>,
    /// The ranks that the prefixes end at, ascending and without repetition.
    cuts: Vec<usize>,
    /// The prefix images over white, `[cuts, H, W, 3]`.
    prefixes: Vec<f32>,
    /// The transmittance of the prefix images, `[cuts, H, W]`.
    transmittance: Vec<f32>,
    /// The depth rank of the Gaussian with the largest weight, `[H, W]`, or `V` without one.
    ranks: Vec<usize>,
}

/// Returns the rank that group `group` of `groups` ends at, of `visible` Gaussians.
pub(super) fn cut(group: usize, groups: usize, visible: usize) -> usize {
    group * visible / groups
}

/// Renders the prefixes of `scene` at `width` x `height` px for all `levels` in one pass.
///
/// # Errors
///
/// [`Error::Render`] if the size is not valid or memory runs out.
pub(crate) fn layers(
    scene: &Scene,
    levels: &[usize],
    width: usize,
    height: usize,
) -> Result<Layers, Error> {
    let refused = |error: splat::RenderError| Error::Render(error.to_string());
    let backend = splat::Cpu::<f32>::new();
    let views = scene.view(width, height);
    let settings = scene.settings(width, height);
    let gaussians = scene.gaussians.as_slices();
    let splats = backend
        .project(&gaussians, &views, &settings)
        .map_err(refused)?;
    let order = nearest_first(&splats);
    let visible = order.len();
    let ends = levels
        .iter()
        .flat_map(|&groups| (1..=groups).map(move |group| cut(group, groups, visible)));
    let mut cuts: Vec<usize> = ends.collect();
    cuts.sort_unstable();
    cuts.dedup();
    let outputs = settings
        .outputs
        .with_transmittance(true)
        .with_contributors(true);
    let settings = settings.with_outputs(outputs).with_layers(cuts.clone());
    let input = Input {
        gaussians,
        views: &views,
        backgrounds: &[1.0; 3],
    };
    let (image, saved) = render::render_on_host(&input, &settings)?;
    let mut rank_of = vec![visible; scene.gaussians.count];
    for (rank, &index) in order.iter().enumerate() {
        rank_of[index] = rank;
    }
    let found = saved.contributors().map(|found| found.indices.as_slice());
    let rank = |&index: &u32| match index {
        NO_CONTRIBUTOR => visible,
        index => rank_of[index as usize],
    };
    Ok(Layers {
        width,
        height,
        order,
        cuts,
        prefixes: image.layers.unwrap_or_default(),
        transmittance: image.layer_transmittance.unwrap_or_default(),
        ranks: found.unwrap_or_default().iter().map(rank).collect(),
    })
}

/// Returns the indices of the visible splats, nearest first, and by index at equal depth.
fn nearest_first(splats: &Splats<Vec<f32>>) -> Vec<usize> {
    let visible = (0..splats.depths.len()).filter(|&i| splats.extents[2 * i] > 0.0);
    let mut order: Vec<usize> = visible.collect();
    order.sort_by(|&a, &b| splats.depths[a].total_cmp(&splats.depths[b]));
    order
}

impl Layers {
    /// Width in px.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Height in px.
    pub(crate) fn height(&self) -> usize {
        self.height
    }

    /// The depth rank of the Gaussian with the largest weight in each pixel, or the number of
    /// visible Gaussians without one.
    pub(super) fn ranks(&self) -> &[usize] {
        &self.ranks
    }

    /// Number of visible Gaussians.
    pub(super) fn visible(&self) -> usize {
        self.order.len()
    }

    /// Renders layer `group` of `groups` by itself over white. `scene` is the scene of these
    /// layers.
    ///
    /// # Errors
    ///
    /// [`Error::Render`] if memory runs out.
    pub(crate) fn alone(&self, scene: &Scene, group: usize, groups: usize) -> Result<Image, Error> {
        let ranks = cut(group - 1, groups, self.visible())..cut(group, groups, self.visible());
        let own = self.order[ranks].iter().copied();
        let layer = scene.with(picked(&scene.gaussians, own));
        let input = Input {
            gaussians: layer.gaussians.as_slices(),
            views: &layer.view(self.width, self.height),
            backgrounds: &[1.0; 3],
        };
        let settings = layer.settings(self.width, self.height);
        let (image, _) = render::render_on_host(&input, &settings)?;
        Ok(Image {
            width: self.width,
            height: self.height,
            pixels: image.features,
        })
    }

    /// Returns the picture of the nearest `group` of `groups` layers. Group 0 is the background.
    /// `groups` must be one of the rendered levels.
    pub(crate) fn prefix(&self, group: usize, groups: usize) -> Image {
        let pixels = match self.index(group, groups) {
            Some(at) => self.image(at).to_vec(),
            None => vec![1.0; self.width * self.height * 3],
        };
        Image {
            width: self.width,
            height: self.height,
            pixels,
        }
    }

    /// Returns the position in `cuts` of the end of a group, or `None` if the prefix has no
    /// Gaussian.
    pub(super) fn index(&self, group: usize, groups: usize) -> Option<usize> {
        let end = cut(group, groups, self.visible());
        if end == 0 {
            return None;
        }
        self.cuts.binary_search(&end).ok()
    }

    pub(super) fn image(&self, at: usize) -> &[f32] {
        let len = self.width * self.height * 3;
        &self.prefixes[at * len..(at + 1) * len]
    }

    pub(super) fn transmittance(&self, at: usize) -> &[f32] {
        let len = self.width * self.height;
        &self.transmittance[at * len..(at + 1) * len]
    }
}

/// Four opaque Gaussians, one in each quarter of the image, at depths in the order 2, 0, 3, 1, and
/// a transparent one in front of all.
#[cfg(test)]
pub(super) fn quarters() -> Scene {
    let quarter = |x: f32, y: f32, z: f32| ([x, y, z], 0.9, 0.99);
    super::scene::tests::scene(&[
        quarter(-0.5, -0.5, -0.2),
        quarter(0.5, -0.5, 0.6),
        quarter(-0.5, 0.5, -0.6),
        quarter(0.5, 0.5, 0.2),
        ([0.0, 0.0, -0.9], 4.0, 0.001),
    ])
}

#[cfg(test)]
mod tests {
    use super::super::labels::{Rule, labels};
    use super::super::scene::tests::scene;
    use super::*;

    #[test]
    fn prefixes_begin_with_the_background_and_end_with_the_whole_render() {
        let scene = quarters();
        let found = layers(&scene, &LEVELS, 40, 24).expect("a scene");
        let input = Input {
            gaussians: scene.gaussians.as_slices(),
            views: &scene.view(40, 24),
            backgrounds: &[1.0; 3],
        };
        let settings = scene.settings(40, 24);
        let (whole, _) = splat::render(&splat::Cpu::<f32>::new(), &input, &settings).unwrap();
        for groups in LEVELS {
            assert!(found.prefix(0, groups).pixels.iter().all(|&v| v == 1.0));
            assert_eq!(found.prefix(groups, groups).pixels, whole.features);
        }
        let alone = found.alone(&scene, 1, 4).expect("a layer");
        assert_eq!(alone, found.prefix(1, 4));
        assert_ne!(
            found.alone(&scene, 2, 4).expect("a layer"),
            found.prefix(2, 4)
        );
        // With 8 layers the first holds no Gaussian.
        let empty = found.alone(&scene, 1, 8).expect("an empty layer");
        assert!(empty.pixels.iter().all(|&v| v == 1.0));
    }

    #[test]
    fn a_scene_without_visible_gaussians_has_no_layer() {
        let none = scene(&[([0.0, 0.0, 0.0], 1.0, 0.001)]);
        let found = layers(&none, &LEVELS, 8, 8).expect("a scene");
        for rule in [Rule::Change(0.05), Rule::Strongest, Rule::Summed] {
            let found = labels(&found, 16, rule).expect("labels");
            assert!(found.labels().iter().all(|&label| label == 0));
        }
        assert!(found.prefix(16, 16).pixels.iter().all(|&v| v == 1.0));
    }
}
