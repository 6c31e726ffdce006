//! Loops of the projection's vjp: gradients by Gaussians, summed over views, and by poses, summed over Gaussians.

use rayon::prelude::*;

use crate::backend::{ProjectGradients, Wanted};
use crate::camera::{CameraParams, Views};
use crate::config::RenderConfig;
use crate::error::{RenderError, try_filled};
use crate::gaussians::{Gaussians, check_len};
use crate::math::Mat3;
use crate::project::cpu::GRAIN;
use crate::project::{CameraGradient, ProjectConstants, Splats};
use crate::scalar::Scalar;

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

/// Vjp of [`project`](crate::project::cpu::project) (MATH eq. 17 for the sums over views and Gaussians).
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
