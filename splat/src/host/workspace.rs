//! Reuse of buffers by successive renders.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use rayon::prelude::*;

use crate::error::RenderError;
use crate::host::memory::Memory;
use crate::host::simd::Simd;
use crate::number::Number;

/// Buffers that [`Cpu`](crate::Cpu) reuses. On most systems, the first access to fresh memory takes
/// about as long as filling it.
///
/// Images, splats, gradients, the saved state of a render, and all working memory whose size depends on
/// the scene are taken from the workspace. A loop that recycles its results allocates no buffer of
/// more than 1 KiB after its first iterations, except for
///
/// - lists with one entry per view, if there are more than about ten views;
/// - lists of a vjp with 4 bytes for each 256 Gaussians;
/// - the rows of one Gaussian in a vjp of harmonics, if they have more than 1 KiB;
/// - the results of the functions in [`sh`](crate::sh) and of [`Cpu::splats`](crate::Cpu::splats).
///
/// A clone shares the buffers. Several threads and scenes of different sizes may use one workspace.
/// A buffer that no render can use is freed after some further renders, so that the memory stays
/// bounded while sizes change. The others are kept until the workspace is dropped or
/// [`clear`](Workspace::clear)ed.
/// Buffers that it has not lent are not kept, nor are those of a caller that holds more than 1000.
///
/// ```
/// use splat::encoding::Encoding;
/// use splat::{Camera, Cpu, Gaussians, Image, RenderConfig, Scene, Views, Wanted, Workspace, render, render_vjp};
///
/// let gaussians = Gaussians {
///     means: &[0.0f32, 0.0, 2.0][..],
///     scales: &[0.2, 0.2, 0.2],
///     quaternions: &[1.0, 0.0, 0.0, 0.0],
///     opacities: &[0.8],
///     features: &[1.0, 0.0, 0.0],
///     count: 1,
///     channels: 3,
///     encoding: Encoding::PLAIN,
/// };
/// let views = Views::single(32, 32, Camera::pinhole(32.0, 32.0, 16.0, 16.0), gaussians.count);
/// let scene = Scene { gaussians, views: &views, backgrounds: &[0.0, 0.0, 0.0] };
///
/// let workspace = Workspace::new();
/// let backend = Cpu::<f32>::new().with_workspace(&workspace);
/// for _ in 0..3 {
///     let (image, saved) = render(&backend, &scene, &RenderConfig::default())?;
///     let v_image = Image::from_features(image.features.clone());
///     let gradients = render_vjp(&backend, &scene, &saved, &v_image.as_slices(), Wanted::ALL)?;
///     // ... a step of an optimizer ...
///     workspace.recycle(image);
///     workspace.recycle(saved);
///     workspace.recycle(gradients);
/// }
/// assert!(workspace.bytes() > 0);
/// # Ok::<(), splat::RenderError>(())
/// ```
pub struct Workspace<T> {
    memory: Memory,
    scalar: PhantomData<fn() -> T>,
}

/// Number of values that one task sets to zero.
const ZEROS_PER_TASK: usize = 1 << 15;

/// The instruction set and the workspace of a stage.
#[derive(Debug, Clone, Copy)]
pub struct Resources<'a, T> {
    pub(crate) simd: Simd,
    pub(crate) workspace: &'a Workspace<T>,
}

impl<T> Clone for Workspace<T> {
    fn clone(&self) -> Self {
        Self {
            memory: self.memory.clone(),
            scalar: PhantomData,
        }
    }
}

impl<T> Default for Workspace<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Workspace<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workspace")
            .field("bytes", &self.bytes())
            .finish()
    }
}

impl<T> Workspace<T> {
    /// Creates an empty workspace.
    pub fn new() -> Self {
        Self {
            memory: Memory::default(),
            scalar: PhantomData,
        }
    }

    /// Returns the size of all unused buffers in bytes. The working memory of threads is not counted.
    pub fn bytes(&self) -> usize {
        self.memory.bytes()
    }

    /// Frees everything that is unused.
    pub fn clear(&self) {
        self.memory.clear();
    }

    /// Takes back the buffers of `done`, the result of a render or of a stage, for reuse. Buffers that
    /// the workspace has not lent are freed.
    pub fn recycle(&self, done: impl Recycle<T>) {
        done.recycle(self);
    }

    /// Takes a buffer from elsewhere for reuse, in exchange for a result that the caller keeps. A loop
    /// that gives one for each one it keeps allocates none.
    pub fn adopt(&self, buffer: Vec<T>)
    where
        T: Number,
    {
        self.memory.adopt(buffer);
    }

    /// Returns the memory behind the workspace.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl<T: Number> Workspace<T> {
    /// Returns a buffer of `count` values with unspecified contents. The caller must write all of
    /// them.
    pub(crate) fn scalars(&self, what: &'static str, count: usize) -> Result<Vec<T>, RenderError> {
        self.memory.buffer(what, count)
    }

    /// Returns a buffer of `count` zeros.
    pub(crate) fn zeros(&self, what: &'static str, count: usize) -> Result<Vec<T>, RenderError> {
        // The default of a scalar is zero.
        let (mut buffer, is_new) = self.memory.buffer_or_new(what, count)?;
        if !is_new {
            let parts = buffer.par_chunks_mut(ZEROS_PER_TASK);
            parts.for_each(|part| part.fill(T::ZERO));
        }
        Ok(buffer)
    }

    /// Returns a buffer of `count` indices with unspecified contents. The caller must write all of
    /// them.
    pub(crate) fn indices(
        &self,
        what: &'static str,
        count: usize,
    ) -> Result<Vec<u32>, RenderError> {
        self.memory.buffer(what, count)
    }
}

/// A result whose buffers [`Workspace::recycle`] can reuse.
pub trait Recycle<T> {
    /// Moves every buffer into `workspace`.
    fn recycle(self, workspace: &Workspace<T>);
}

impl<T: Number> Recycle<T> for Vec<T> {
    fn recycle(self, workspace: &Workspace<T>) {
        workspace.memory.give(self);
    }
}

/// A buffer whose type does not depend on the scalar.
pub(crate) struct Other<U>(pub(crate) Vec<U>);

impl<T, U: Send + 'static> Recycle<T> for Other<U> {
    fn recycle(self, workspace: &Workspace<T>) {
        workspace.memory.give(self.0);
    }
}

/// A shared buffer. The workspace takes it if this is its only owner.
impl<T, U: Send + 'static> Recycle<T> for Arc<Vec<U>> {
    fn recycle(self, workspace: &Workspace<T>) {
        if let Some(buffer) = Arc::into_inner(self) {
            workspace.memory.give(buffer);
        }
    }
}

impl<T, R: Recycle<T>> Recycle<T> for Option<R> {
    fn recycle(self, workspace: &Workspace<T>) {
        if let Some(done) = self {
            done.recycle(workspace);
        }
    }
}

impl<T, A: Recycle<T>, B: Recycle<T>> Recycle<T> for (A, B) {
    fn recycle(self, workspace: &Workspace<T>) {
        self.0.recycle(workspace);
        self.1.recycle(workspace);
    }
}
