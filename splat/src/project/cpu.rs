//! Loops of the projection over all Gaussians of all views. Its vjp is in `cpu_vjp.rs`.

use rayon::prelude::*;

use crate::binning::cpu::{reach, visible_extent};
use crate::camera::{CameraParams, Views};
use crate::config::{COMPENSATION_FLOOR, RenderConfig};
use crate::error::{RenderError, checked_product, try_filled};
use crate::gaussians::Gaussians;
use crate::math::{Quaternion, Sym2, Vec2, Vec3};
use crate::project::{GaussianShape, ProjectConstants, Splat, Splats};
use crate::scalar::Scalar;
use crate::sort::cpu::cut;

/// Splats or Gaussians per parallel task. Sums over Gaussians are taken in this grain, counted from the start of their view,
/// so that neither threads nor the rest of a batch can change a bit.
pub(crate) const GRAIN: usize = 256;

impl RenderConfig {
    pub(crate) fn project_constants<T: Scalar>(&self) -> ProjectConstants<T> {
        ProjectConstants {
            blur: T::from_f64(self.blur),
            compensation_floor: T::from_f64(COMPENSATION_FLOOR),
            antialias: self.antialias,
        }
    }
}

impl<T: Scalar> Gaussians<&[T]> {
    pub(crate) fn shape(&self, i: usize) -> GaussianShape<T> {
        let (mean, scale) = (
            &self.means[3 * i..3 * i + 3],
            &self.scales[3 * i..3 * i + 3],
        );
        let q = &self.quaternions[4 * i..4 * i + 4];
        GaussianShape {
            mean: Vec3 {
                x: mean[0],
                y: mean[1],
                z: mean[2],
            },
            scale: Vec3 {
                x: scale[0],
                y: scale[1],
                z: scale[2],
            },
            quaternion: Quaternion {
                w: q[0],
                x: q[1],
                y: q[2],
                z: q[3],
            },
            opacity: self.opacities[i],
        }
    }

    fn feature(&self, i: usize) -> &[T] {
        &self.features[i * self.channels..(i + 1) * self.channels]
    }
}

impl<T: Scalar> Splats<&[T]> {
    pub(crate) fn splat(&self, m: usize) -> Splat<T> {
        Splat {
            mean: Vec2 {
                x: self.means[2 * m],
                y: self.means[2 * m + 1],
            },
            conic: self.conic(m),
            opacity: self.opacities[m],
            depth: self.depths[m],
        }
    }

    pub(crate) fn conic(&self, m: usize) -> Sym2<T> {
        Sym2 {
            xx: self.conics[3 * m],
            xy: self.conics[3 * m + 1],
            yy: self.conics[3 * m + 2],
        }
    }
}

/// A run of splats of one view, and the places they go to.
struct Job<'a, T> {
    view: usize,
    first_gaussian: usize,
    means: &'a mut [T],
    conics: &'a mut [T],
    opacities: &'a mut [T],
    depths: &'a mut [T],
    features: &'a mut [T],
    extents: &'a mut [T],
}

/// Projects every Gaussian of every view.
pub(crate) fn project<T: Scalar>(
    gaussians: &Gaussians<&[T]>,
    views: &Views,
    config: &RenderConfig,
) -> Result<Splats<Vec<T>>, RenderError> {
    let offsets = views.splat_offsets()?;
    let (m, channels) = (offsets[views.len()], gaussians.channels);
    let elements = checked_product("splat features [M, C]", &[m, channels])?;
    let mut splats = Splats {
        means: try_filled("splat means [M, 2]", 2 * m, T::ZERO)?,
        conics: try_filled("conics [M, 3]", 3 * m, T::ZERO)?,
        opacities: try_filled("splat opacities [M]", m, T::ZERO)?,
        depths: try_filled("depths [M]", m, T::ZERO)?,
        features: try_filled("splat features [M, C]", elements, T::ZERO)?,
        extents: try_filled("extents [M, 2]", 2 * m, T::ZERO)?,
        offsets,
        channels,
    };
    let cameras: Vec<CameraParams<T>> = views
        .cameras
        .iter()
        .map(|camera| camera.params(views.width, views.height))
        .collect();
    jobs(&mut splats, views).into_par_iter().for_each(|job| {
        let camera = cameras[job.view];
        run(gaussians, camera, [views.width, views.height], config, job);
    });
    Ok(splats)
}

/// Cuts the buffers of `splats` into runs of at most [`GRAIN`].
fn jobs<'a, T: Scalar>(splats: &'a mut Splats<Vec<T>>, views: &Views) -> Vec<Job<'a, T>> {
    let channels = splats.channels;
    let mut means = splats.means.as_mut_slice();
    let mut conics = splats.conics.as_mut_slice();
    let mut opacities = splats.opacities.as_mut_slice();
    let mut depths = splats.depths.as_mut_slice();
    let mut features = splats.features.as_mut_slice();
    let mut extents = splats.extents.as_mut_slice();
    let mut jobs = Vec::new();
    for (view, range) in views.ranges.iter().enumerate() {
        for first_gaussian in range.clone().step_by(GRAIN) {
            let n = GRAIN.min(range.end - first_gaussian);
            jobs.push(Job {
                view,
                first_gaussian,
                means: cut(&mut means, 2 * n),
                conics: cut(&mut conics, 3 * n),
                opacities: cut(&mut opacities, n),
                depths: cut(&mut depths, n),
                features: cut(&mut features, n * channels),
                extents: cut(&mut extents, 2 * n),
            });
        }
    }
    jobs
}

fn run<T: Scalar>(
    gaussians: &Gaussians<&[T]>,
    camera: CameraParams<T>,
    size: [usize; 2],
    config: &RenderConfig,
    job: Job<'_, T>,
) {
    let constants = config.project_constants();
    let channels = gaussians.channels;
    for k in 0..job.opacities.len() {
        let i = job.first_gaussian + k;
        let Some((splat, extent)) =
            project_one(gaussians, i, camera, constants, size, config.alpha_min)
        else {
            continue;
        };
        job.means[2 * k..2 * k + 2].copy_from_slice(&[splat.mean.x, splat.mean.y]);
        let conic = [splat.conic.xx, splat.conic.xy, splat.conic.yy];
        job.conics[3 * k..3 * k + 3].copy_from_slice(&conic);
        job.opacities[k] = splat.opacity;
        job.depths[k] = splat.depth;
        job.features[k * channels..(k + 1) * channels].copy_from_slice(gaussians.feature(i));
        job.extents[2 * k..2 * k + 2].copy_from_slice(&extent);
    }
}

/// The only gate of the renderer: `None` where the Gaussian is culled. Every test is phrased so that NaN fails it.
fn project_one<T: Scalar>(
    gaussians: &Gaussians<&[T]>,
    i: usize,
    camera: CameraParams<T>,
    constants: ProjectConstants<T>,
    size: [usize; 2],
    alpha_min: f64,
) -> Option<(Splat<T>, [T; 2])> {
    let shape = gaussians.shape(i);
    let length = T::norm(shape.quaternion);
    if !(length > T::ZERO && length.finite()) {
        return None;
    }
    let footprint = T::footprint(shape, camera, constants);
    let z = footprint.centre.z;
    if !(z >= camera.near && z <= camera.far && z.finite()) {
        return None;
    }
    let splat = T::splat(shape, footprint, camera, constants);
    let conic = [splat.conic.xx, splat.conic.xy, splat.conic.yy];
    // Products that only the vjp forms must be finite too: determinants of covariance and conic.
    let sound = footprint.det > T::ZERO
        && footprint.det.finite()
        && (splat.conic.xx * splat.conic.yy).finite()
        && conic.iter().all(|x| x.finite())
        && gaussians.feature(i).iter().all(|x| x.finite());
    if !sound {
        return None;
    }
    let centre = [splat.mean.x, splat.mean.y];
    let extent = visible_extent(
        centre,
        footprint.covariance,
        reach(splat.opacity, alpha_min),
        size,
    );
    (extent[0] > T::ZERO && extent[1] > T::ZERO).then_some((splat, extent))
}
