//! Times each stage of one workload on a device. A time ends when the device has finished the work.

use std::time::{Duration, Instant};

use cubecl::Runtime;
use splat::measure::gpu::{roofline, wait};
use splat::{
    Backend, Gaussians, Gpu, GpuBuffer, Image, RenderError, Saved, Scene, Splats, render,
    render_vjp,
};

use crate::{Stage, WANTED, Workload};

/// Workgroups and steps of one launch of the roofline kernel. This many workgroups keep a large
/// device busy. The number of steps must stay below 900: after about 900 steps a pixel is opaque,
/// and a step does less work.
const CEILING: (u32, u32) = (1 << 12, 1 << 8);

/// Minimum total time of the launches of the roofline kernel. On a large device a single launch
/// ends before the host can queue the next one.
const LEAST: Duration = Duration::from_millis(20);

/// A workload on a device, with the intermediate results of one render and the gradient of the
/// loss with respect to the image, `image - 0.5`.
pub struct DeviceBench<R: Runtime> {
    /// The workload.
    pub workload: Workload,
    gpu: Gpu<R>,
    gaussians: Gaussians<GpuBuffer>,
    backgrounds: GpuBuffer,
    saved: Saved<Gpu<R>>,
    v_image: Image<GpuBuffer>,
    v_splats: Splats<GpuBuffer>,
}

impl<R: Runtime> DeviceBench<R> {
    /// Renders `workload` once, and computes the gradients with respect to its splats, which
    /// `project_vjp` takes.
    ///
    /// # Errors
    /// Returns an error if a buffer cannot be copied to or from the device, or if
    /// [`splat::render()`] fails.
    pub fn new(gpu: Gpu<R>, workload: Workload) -> Result<Self, RenderError> {
        let gaussians = gpu.upload_gaussians(&workload.gaussians.as_slices())?;
        let backgrounds = gpu.upload(&workload.backgrounds)?;
        let scene = Scene {
            gaussians: gaussians.map(|buffer| buffer),
            views: &workload.views,
            backgrounds: &backgrounds,
        };
        let (image, saved) = render(&gpu, &scene, &workload.config)?;
        let mut v_image = gpu.download(&image.features)?;
        for x in &mut v_image {
            *x -= 0.5;
        }
        let v_image = Image::from_features(gpu.upload(&v_image)?);
        let (v_splats, _) = gpu.composite_vjp(
            &saved.splats.map(|buffer| buffer),
            &saved.sorted,
            &backgrounds,
            &saved.composited,
            &v_image.map(|buffer| buffer),
            WANTED,
        )?;
        Ok(Self {
            workload,
            gpu,
            gaussians,
            backgrounds,
            saved,
            v_image,
            v_splats,
        })
    }

    fn clock<T>(
        &self,
        work: impl FnOnce() -> Result<T, RenderError>,
    ) -> Result<Duration, RenderError> {
        wait(&self.gpu)?;
        let start = Instant::now();
        let result = work()?;
        wait(&self.gpu)?;
        let time = start.elapsed();
        drop(result);
        Ok(time)
    }

    /// Returns the time of one run of a stage. The device is idle before the run, and the time ends
    /// when the device is idle again.
    ///
    /// # Errors
    /// Returns an error if the stage or the device fails.
    pub fn time(&self, stage: Stage) -> Result<Duration, RenderError> {
        let (gpu, saved, config) = (&self.gpu, &self.saved, &self.workload.config);
        let views = &self.workload.views;
        let scene = Scene {
            gaussians: self.gaussians.map(|buffer| buffer),
            views,
            backgrounds: &self.backgrounds,
        };
        let splats = saved.splats.map(|buffer| buffer);
        let v_image = self.v_image.map(|buffer| buffer);
        match stage {
            Stage::Project => self.clock(|| gpu.project(&scene.gaussians, views, config)),
            Stage::Bin => self.clock(|| gpu.bin(&splats, views.width, views.height)),
            Stage::Sort => {
                let hits = gpu.bin(&splats, views.width, views.height)?;
                self.clock(|| gpu.sort(&splats, hits))
            }
            Stage::Composite => {
                self.clock(|| gpu.composite(&splats, &saved.sorted, scene.backgrounds, config))
            }
            Stage::CompositeVjp => self.clock(|| {
                gpu.composite_vjp(
                    &splats,
                    &saved.sorted,
                    scene.backgrounds,
                    &saved.composited,
                    &v_image,
                    WANTED,
                )
            }),
            Stage::ProjectVjp => {
                let v_splats = self.v_splats.map(|buffer| buffer);
                self.clock(|| {
                    gpu.project_vjp(&scene.gaussians, views, config, &splats, &v_splats, WANTED)
                })
            }
            Stage::Render => self.clock(|| render(gpu, &scene, config)),
            Stage::RenderVjp => self.clock(|| render_vjp(gpu, &scene, saved, &v_image, WANTED)),
        }
    }

    /// Returns the ceiling of the compositor: the (splat, pixel) pairs per second of a kernel that
    /// only executes the compositor's arithmetic, on registers.
    ///
    /// # Errors
    /// Returns an error if the device has no memory for the result or fails.
    pub fn ceiling(&self) -> Result<f64, RenderError> {
        let mut launches = 1u64;
        loop {
            let mut pairs = 0;
            let time = self.clock(|| {
                for _ in 0..launches {
                    pairs += roofline(&self.gpu, CEILING.0, CEILING.1)?;
                }
                Ok(())
            })?;
            if time >= LEAST {
                return Ok(pairs as f64 / time.as_secs_f64());
            }
            launches *= 2;
        }
    }
}
