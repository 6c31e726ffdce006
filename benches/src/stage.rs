//! One workload on the CPU with all its intermediate results. Each stage can be timed alone.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};
use std::time::{Duration, Instant};

use splat::stages::{Hits, Recycle};
use splat::{
    Backend, Cpu, Gradients, Image, RenderError, Saved, Splats, Wanted, Workspace, render,
    render_vjp,
};

use crate::Workload;

/// The gradients that are timed: those that training needs.
pub const WANTED: Wanted = Wanted::NONE.with_geometry(true).with_features(true);

/// The bytes that are written to empty the caches, several times what a last-level cache of today
/// holds for a core.
const EVICTION: usize = 256 << 20;

/// The bytes of a cache line.
const CACHE_LINE: usize = 64;

/// Empties the caches of all cores of the current pool: every thread writes the same memory.
fn evict() {
    static MEMORY: LazyLock<Vec<AtomicU8>> =
        LazyLock::new(|| (0..EVICTION).map(|_| AtomicU8::new(0)).collect());
    let memory = &*MEMORY;
    rayon::broadcast(|context| {
        for byte in memory.iter().step_by(CACHE_LINE) {
            byte.store(context.index() as u8, Relaxed);
        }
    });
}

/// A timed part of a render.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Stage 1: projects Gaussians to splats.
    Project,
    /// Stage 2: finds the tiles that each splat touches.
    Bin,
    /// Stage 3: sorts the hits of each tile by depth.
    Sort,
    /// Stage 4: composites the images.
    Composite,
    /// Vjp of stage 4.
    CompositeVjp,
    /// Vjp of stage 1.
    ProjectVjp,
    /// The forward pass: all four stages.
    Render,
    /// The backward pass: both vjps.
    RenderVjp,
}

impl Stage {
    /// The single stages, in the order of a forward and a backward pass.
    pub const SINGLE: [Self; 6] = [
        Self::Project,
        Self::Bin,
        Self::Sort,
        Self::Composite,
        Self::CompositeVjp,
        Self::ProjectVjp,
    ];

    /// All stages.
    pub const ALL: [Self; 8] = [
        Self::Project,
        Self::Bin,
        Self::Sort,
        Self::Composite,
        Self::CompositeVjp,
        Self::ProjectVjp,
        Self::Render,
        Self::RenderVjp,
    ];

    /// Returns the name of the timed function of `splat`.
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

/// An image, and the gradients of its loss.
pub type Results = (Image<Vec<f32>>, Gradients<Vec<f32>>);

/// A workload with the intermediate results of one render on the CPU, and the gradient of the loss
/// with respect to the image, `image - 0.5`.
pub struct Bench {
    /// The workload.
    pub workload: Workload,
    /// The saved state of the forward pass.
    pub saved: Saved<Cpu<f32>>,
    backend: Cpu<f32>,
    workspace: Workspace<f32>,
    hits: Hits,
    v_image: Image<Vec<f32>>,
    v_splats: Splats<Vec<f32>>,
    /// Whether the caches are emptied before every timed run.
    cold: bool,
}

impl Bench {
    /// Renders `workload` once, and computes the gradients with respect to its splats, which
    /// `project_vjp` takes.
    ///
    /// # Errors
    /// Returns the errors of [`splat::render()`].
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
            cold: false,
        })
    }

    /// Empties the caches before every timed run, by writing more memory than they hold.
    #[must_use]
    pub fn with_cold_caches(mut self) -> Self {
        self.cold = true;
        self
    }

    /// Returns the bytes of the splats, the lists of hits, the feature image and the saved
    /// transmittance. *composite* reads or writes each of them at least once.
    pub fn composite_bytes(&self) -> usize {
        let splats = &self.saved.splats;
        let numbers = [
            &splats.means,
            &splats.conics,
            &splats.opacities,
            &splats.features,
            &splats.extents,
            &self.v_image.features,
        ];
        let numbers: usize = numbers.iter().map(|buffer| buffer.len()).sum();
        let pixels = self.v_image.features.len() / splats.channels.max(1);
        size_of::<f32>() * (numbers + pixels) + size_of::<u32>() * self.saved.sorted.hits()
    }

    /// Returns the image and all gradients.
    ///
    /// # Errors
    /// Returns the errors of [`Bench::new`].
    pub fn results(&self) -> Result<Results, RenderError> {
        let scene = self.workload.scene();
        let (image, saved) = render(&self.backend, &scene, &self.workload.config)?;
        let v_image = self.v_image.as_slices();
        let gradients = render_vjp(&self.backend, &scene, &saved, &v_image, Wanted::ALL)?;
        Ok((image, gradients))
    }

    /// Times `work`, and then recycles the buffers of its result, as a training loop does.
    fn clock<R: Recycle<f32>>(
        &self,
        work: impl FnOnce() -> Result<R, RenderError>,
    ) -> Result<Duration, RenderError> {
        if self.cold {
            evict();
        }
        let start = Instant::now();
        let result = std::hint::black_box(work()?);
        let time = start.elapsed();
        self.workspace.recycle(result);
        Ok(time)
    }

    /// Returns the time of one run of a stage. The time does not include recycling the result.
    ///
    /// # Errors
    /// Returns the errors of [`Bench::new`].
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

    /// Runs a forward and a backward pass without memory of earlier passes. Calls `after_forward`
    /// with the image between the two passes, and `after_backward` at the end, while the results of
    /// both passes are still in memory. Returns the results of both calls.
    ///
    /// # Errors
    /// Returns the errors of [`Bench::new`].
    pub fn watch<A, B>(
        &self,
        after_forward: impl FnOnce(&Image<Vec<f32>>) -> A,
        after_backward: impl FnOnce() -> B,
    ) -> Result<(A, B), RenderError> {
        let scene = self.workload.scene();
        // Buffers that a workspace keeps would be counted as results, or not at all.
        let kept = Workspace::new();
        let backend = Cpu::new().with_workspace(&kept);
        let (image, saved) = render(&backend, &scene, &self.workload.config)?;
        kept.clear();
        let a = after_forward(&image);
        let v_image = self.v_image.as_slices();
        let _gradients = render_vjp(&backend, &scene, &saved, &v_image, WANTED)?;
        kept.clear();
        Ok((a, after_backward()))
    }
}
