//! Loops of the projection over all Gaussians of all views, forward and backward.

use rayon::prelude::*;

use crate::backend::{ProjectGradients, Wanted};
use crate::binning::cpu::{reach, visible_extent};
use crate::camera::{CameraParams, Views};
use crate::config::{COMPENSATION_FLOOR, RenderConfig};
use crate::error::{RenderError, checked_product, try_filled};
use crate::gaussians::{Gaussians, check_len};
use crate::math::{Mat3, Quaternion, Sym2, Vec2, Vec3};
use crate::project::{CameraGradient, GaussianShape, ProjectConstants, Splat, Splats};
use crate::scalar::Scalar;
use crate::sort::cpu::cut;

/// Splats or Gaussians per parallel task. Sums over Gaussians are taken in this grain, counted from the start of their view,
/// so that neither threads nor the rest of a batch can change a bit.
const GRAIN: usize = 256;

impl RenderConfig {
    fn project_constants<T: Scalar>(&self) -> ProjectConstants<T> {
        ProjectConstants {
            blur: T::from_f64(self.blur),
            compensation_floor: T::from_f64(COMPENSATION_FLOOR),
            antialias: self.antialias,
        }
    }
}

impl<T: Scalar> Gaussians<&[T]> {
    fn shape(&self, i: usize) -> GaussianShape<T> {
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
    fn splat(&self, m: usize) -> Splat<T> {
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

/// The splats of every Gaussian, in the order of the views: `list[starts[i] .. starts[i + 1]]`, as (view, splat).
#[derive(Default)]
struct SplatsOfGaussians {
    starts: Vec<u32>,
    list: Vec<(u32, u32)>,
}

impl SplatsOfGaussians {
    fn new(count: usize, views: &Views, offsets: &[usize]) -> Result<Self, RenderError> {
        let mut starts = try_filled("splats of Gaussians [N + 2]", count + 2, 0u32)?;
        let mut list = try_filled("splats of Gaussians [M]", offsets[views.len()], (0, 0))?;
        for range in &views.ranges {
            starts[range.start + 2..range.end + 2]
                .iter_mut()
                .for_each(|n| *n += 1);
        }
        for i in 2..starts.len() {
            starts[i] += starts[i - 1];
        }
        for (view, range) in views.ranges.iter().enumerate() {
            for i in range.clone() {
                let at = &mut starts[i + 1];
                list[*at as usize] = (view as u32, (offsets[view] + i - range.start) as u32);
                *at += 1;
            }
        }
        Ok(Self { starts, list })
    }

    fn of(&self, i: usize) -> &[(u32, u32)] {
        &self.list[self.starts[i] as usize..self.starts[i + 1] as usize]
    }
}

/// Vjp of [`project`] (MATH eq. 17 for the sums over views and Gaussians).
pub(crate) fn project_vjp<T: Scalar>(
    gaussians: &Gaussians<&[T]>,
    views: &Views,
    config: &RenderConfig,
    splats: &Splats<&[T]>,
    v_splats: &Splats<&[T]>,
    wanted: Wanted,
) -> Result<ProjectGradients<Vec<T>>, RenderError> {
    validate_vjp(gaussians, views, splats, v_splats, wanted)?;
    let pass = VjpPass {
        gaussians,
        views,
        splats,
        v_splats,
        cameras: views
            .cameras
            .iter()
            .map(|camera| camera.params(views.width, views.height))
            .collect(),
        constants: config.project_constants(),
        splats_of: if wanted.geometry || wanted.features {
            SplatsOfGaussians::new(gaussians.count, views, &splats.offsets)?
        } else {
            SplatsOfGaussians::default()
        },
    };
    let (count, channels) = (gaussians.count, gaussians.channels);
    let mut gradient = Gaussians {
        count,
        channels,
        ..Gaussians::default()
    };
    if wanted.geometry {
        gradient.means = try_filled("gradient by means", 3 * count, T::ZERO)?;
        gradient.scales = try_filled("gradient by scales", 3 * count, T::ZERO)?;
        gradient.quaternions = try_filled("gradient by quaternions", 4 * count, T::ZERO)?;
        gradient.opacities = try_filled("gradient by opacities", count, T::ZERO)?;
        pass.geometry(&mut gradient);
    }
    if wanted.features {
        gradient.features = try_filled("gradient by features", count * channels, T::ZERO)?;
        pass.features(&mut gradient.features);
    }
    let mut camera_from_world = Vec::new();
    if wanted.cameras {
        camera_from_world = (0..views.len())
            .flat_map(|view| pass.camera(view))
            .collect();
    }
    Ok(ProjectGradients {
        gaussians: gradient,
        camera_from_world,
    })
}

fn validate_vjp<T: Scalar>(
    gaussians: &Gaussians<&[T]>,
    views: &Views,
    splats: &Splats<&[T]>,
    v_splats: &Splats<&[T]>,
    wanted: Wanted,
) -> Result<(), RenderError> {
    splats.validate(|buffer| buffer.len())?;
    let expected = views.splat_offsets()?;
    for (argument, offsets) in [
        ("splats.offsets", &splats.offsets),
        ("v_splats.offsets", &v_splats.offsets),
    ] {
        if *offsets != expected {
            return Err(RenderError::shape(
                argument,
                "the offsets of these views",
                format!("{offsets:?}"),
            ));
        }
    }
    let (m, c) = (splats.len(), gaussians.channels);
    if wanted.splat_geometry() {
        check_len("v_splats.means", "[M, 2]", &[m, 2], v_splats.means.len())?;
        check_len("v_splats.conics", "[M, 3]", &[m, 3], v_splats.conics.len())?;
        check_len("v_splats.opacities", "[M]", &[m], v_splats.opacities.len())?;
        check_len("v_splats.depths", "[M]", &[m], v_splats.depths.len())?;
    }
    if wanted.features {
        check_len(
            "v_splats.features",
            "[M, C]",
            &[m, c],
            v_splats.features.len(),
        )?;
    }
    Ok(())
}

/// Everything the passes of [`project_vjp`] read.
struct VjpPass<'a, T: Scalar> {
    gaussians: &'a Gaussians<&'a [T]>,
    views: &'a Views,
    splats: &'a Splats<&'a [T]>,
    v_splats: &'a Splats<&'a [T]>,
    cameras: Vec<CameraParams<T>>,
    constants: ProjectConstants<T>,
    splats_of: SplatsOfGaussians,
}

impl<T: Scalar> VjpPass<'_, T> {
    /// By means, scales, quaternions and opacities.
    fn geometry(&self, out: &mut Gaussians<Vec<T>>) {
        let blocks = (
            out.means.par_chunks_mut(3 * GRAIN),
            out.scales.par_chunks_mut(3 * GRAIN),
            out.quaternions.par_chunks_mut(4 * GRAIN),
            out.opacities.par_chunks_mut(GRAIN),
        );
        let blocks = blocks.into_par_iter().enumerate();
        blocks.for_each(|(task, (means, scales, quaternions, opacities))| {
            for k in 0..opacities.len() {
                let i = task * GRAIN + k;
                let shape = self.gaussians.shape(i);
                for &(view, m) in self.splats_of.of(i) {
                    let (camera, m) = (self.cameras[view as usize], m as usize);
                    if !self.splats.visible(m) {
                        continue;
                    }
                    let v_splat = self.v_splats.splat(m);
                    let v = T::splat_vjp(shape, camera, self.constants, v_splat).gaussian;
                    accumulate(&mut means[3 * k..], &[v.mean.x, v.mean.y, v.mean.z]);
                    accumulate(&mut scales[3 * k..], &[v.scale.x, v.scale.y, v.scale.z]);
                    let q = v.quaternion;
                    accumulate(&mut quaternions[4 * k..], &[q.w, q.x, q.y, q.z]);
                    opacities[k] += v.opacity;
                }
            }
        });
    }

    /// By features: a splat's features are its Gaussian's.
    fn features(&self, out: &mut [T]) {
        let channels = self.gaussians.channels;
        let rows = out.par_chunks_mut(channels).with_min_len(GRAIN).enumerate();
        rows.for_each(|(i, row)| {
            for &(_, m) in self.splats_of.of(i) {
                let m = m as usize;
                accumulate(
                    row,
                    &self.v_splats.features[m * channels..(m + 1) * channels],
                );
            }
        });
    }

    /// By one view's pose, as rows `[R | t]`.
    fn camera(&self, view: usize) -> [T; 12] {
        let (begin, end) = (self.splats.offsets[view], self.splats.offsets[view + 1]);
        let first_gaussian = self.views.ranges[view].start;
        let starts: Vec<usize> = (begin..end).step_by(GRAIN).collect();
        let parts: Vec<[T; 12]> = starts
            .into_par_iter()
            .map(|start| {
                let mut sum = [T::ZERO; 12];
                for m in start..end.min(start + GRAIN) {
                    if self.splats.visible(m) {
                        let shape = self.gaussians.shape(first_gaussian + m - begin);
                        let v_splat = self.v_splats.splat(m);
                        let v = T::splat_vjp(shape, self.cameras[view], self.constants, v_splat);
                        accumulate(&mut sum, &pose_rows(v.camera));
                    }
                }
                sum
            })
            .collect();
        let mut total = [T::ZERO; 12];
        for part in &parts {
            accumulate(&mut total, part);
        }
        total
    }
}

/// Rows `[R | t]` of a pose's gradient.
fn pose_rows<T: Scalar>(v: CameraGradient<T>) -> [T; 12] {
    let Mat3 { r0, r1, r2 } = v.rotation;
    let t = v.translation;
    [
        r0.x, r0.y, r0.z, t.x, r1.x, r1.y, r1.z, t.y, r2.x, r2.y, r2.z, t.z,
    ]
}

/// `sum += part`, over the length of `part`.
fn accumulate<T: Scalar>(sum: &mut [T], part: &[T]) {
    for (s, &p) in sum.iter_mut().zip(part) {
        *s += p;
    }
}
