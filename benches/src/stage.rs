//! One workload with all its intermediate results at hand, so that every stage can be timed by
//! itself.

use std::time::{Duration, Instant};

use splat::stages::{Hits, Recycle};
use splat::{
    Backend, Cpu, Image, RenderError, Saved, Splats, Wanted, Workspace, render, render_vjp,
};

use crate::Workload;

/// The gradients that are timed: all that training needs.
pub const WANTED: Wanted = Wanted::NONE.with_geometry(true).with_features(true);

/// What can be timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Stage 1.
    Project,
    /// Stage 2.
    Bin,
    /// Stage 3.
    Sort,
    /// Stage 4.
    Composite,
    /// Vjp of stage 4.
    CompositeVjp,
    /// Vjp of stage 1.
    ProjectVjp,
    /// The four stages.
    Render,
    /// The two vjps.
    RenderVjp,
}

impl Stage {
    /// The single stages, in order.
    pub const SINGLE: [Self; 6] = [
        Self::Project,
        Self::Bin,
        Self::Sort,
        Self::Composite,
        Self::CompositeVjp,
        Self::ProjectVjp,
    ];

    /// The name of the function.
    pub fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Bin => "bin",
            Self::Sort => "sort",
            Self::Composite => "composite",
            Self::CompositeVjp => "composite_vjp",
            Self::ProjectVjp => "project_vjp",
            Self::Render => "render",
            Self::RenderVjp => "render_vjp",
        }
    }
}

/// A workload, rendered once, and the gradient of its loss by the image: `image - 0.5`.
pub struct Bench {
    /// What is rendered.
    pub workload: Workload,
    /// What the forward pass kept.
    pub saved: Saved<Cpu<f32>>,
    backend: Cpu<f32>,
    workspace: Workspace<f32>,
    hits: Hits,
    v_image: Image<Vec<f32>>,
    v_splats: Splats<Vec<f32>>,
}

impl Bench {
    /// Renders forward and backward once.
    ///
    /// # Errors
    /// As [`splat::render()`].
    pub fn new(workload: Workload) -> Result<Self, RenderError> {
        let workspace = Workspace::new();
        let backend = Cpu::new().with_workspace(&workspace);
        let scene = workload.scene();
        let (mut v_image, saved) = render(&backend, &scene, &workload.config)?;
        v_image.features.iter_mut().for_each(|x| *x -= 0.5);
        let splats = saved.splats.as_slices();
        let hits = backend.bin(&splats, workload.views.width, workload.views.height)?;
        let (v_splats, _) = backend.composite_vjp(
            &splats,
            &saved.sorted,
            scene.backgrounds,
            &saved.composited,
            &v_image.as_slices(),
            WANTED,
        )?;
        Ok(Self {
            workload,
            saved,
            backend,
            workspace,
            hits,
            v_image,
            v_splats,
        })
    }

    /// Times `work` and then gives its buffers back, as a training loop would.
    fn clock<R: Recycle<f32>>(
        &self,
        work: impl FnOnce() -> Result<R, RenderError>,
    ) -> Result<Duration, RenderError> {
        let start = Instant::now();
        let result = std::hint::black_box(work()?);
        let time = start.elapsed();
        self.workspace.recycle(result);
        Ok(time)
    }

    /// The time that one run of a stage takes. What it returns goes back to the workspace off the
    /// clock.
    ///
    /// # Errors
    /// None that [`Bench::new`] would not have returned.
    pub fn time(&self, stage: Stage) -> Result<Duration, RenderError> {
        let (backend, saved, scene) = (&self.backend, &self.saved, self.workload.scene());
        let (views, config) = (&self.workload.views, &self.workload.config);
        let (splats, v_splats) = (saved.splats.as_slices(), self.v_splats.as_slices());
        let (sorted, v_image) = (&saved.sorted, self.v_image.as_slices());
        match stage {
            Stage::Project => self.clock(|| backend.project(&scene.gaussians, views, config)),
            Stage::Bin => self.clock(|| backend.bin(&splats, views.width, views.height)),
            Stage::Sort => {
                let hits = self.hits.clone();
                self.clock(|| backend.sort(&splats, hits))
            }
            Stage::Composite => {
                self.clock(|| backend.composite(&splats, sorted, scene.backgrounds, config))
            }
            Stage::CompositeVjp => self.clock(|| {
                backend.composite_vjp(
                    &splats,
                    sorted,
                    scene.backgrounds,
                    &saved.composited,
                    &v_image,
                    WANTED,
                )
            }),
            Stage::ProjectVjp => self.clock(|| {
                backend.project_vjp(&scene.gaussians, views, config, &splats, &v_splats, WANTED)
            }),
            Stage::Render => self.clock(|| render(backend, &scene, config)),
            Stage::RenderVjp => self.clock(|| render_vjp(backend, &scene, saved, &v_image, WANTED)),
        }
    }

    /// Runs `after_forward` between a forward and a backward pass and `after_backward` when both
    /// are through and everything they returned is still there.
    ///
    /// # Errors
    /// None that [`Bench::new`] would not have returned.
    pub fn watch<A, B>(
        &self,
        after_forward: impl FnOnce(&Image<Vec<f32>>) -> A,
        after_backward: impl FnOnce() -> B,
    ) -> Result<(A, B), RenderError> {
        let scene = self.workload.scene();
        let (image, saved) = render(&self.backend, &scene, &self.workload.config)?;
        let a = after_forward(&image);
        let v_image = self.v_image.as_slices();
        let _gradients = render_vjp(&self.backend, &scene, &saved, &v_image, WANTED)?;
        Ok((a, after_backward()))
    }
}
