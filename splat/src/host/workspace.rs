//! Reuse of buffers by successive renders.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::error::{RenderError, try_made};
use crate::host::simd::Simd;
use crate::number::Number;

/// Buffers that [`Cpu`](crate::Cpu) reuses. On most systems, the first access to fresh memory takes
/// about as long as filling it.
///
/// Images, splats, gradients, the saved state of a render, and the gradients of hits are taken from
/// the workspace. A loop that recycles its results allocates none of these after its first
/// iterations. Every call still allocates
///
/// - the tiles of each splat, 12 bytes per splat;
/// - the depth order of each view and the tables of the sort;
/// - 16-bit features;
/// - the lists of tasks and views, and the working memory of each thread;
/// - the results of the spherical harmonics.
///
/// A clone shares the buffers. Several threads and scenes of different sizes may use one workspace.
/// A workspace keeps its buffers until it is dropped or [`clear`](Workspace::clear)ed.
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
pub struct Workspace<T>(Arc<Mutex<Pools<T>>>);

/// Number of values that one task sets to zero.
const ZEROS_PER_TASK: usize = 1 << 15;

/// The instruction set and the workspace of a stage.
#[derive(Debug, Clone, Copy)]
pub struct Resources<'a, T> {
    pub(crate) simd: Simd,
    pub(crate) workspace: &'a Workspace<T>,
}

/// Unused buffers with unspecified contents.
struct Pools<T> {
    scalars: Vec<Vec<T>>,
    indices: Vec<Vec<u32>>,
}

impl<T> Clone for Workspace<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
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
        Self(Arc::new(Mutex::new(Pools {
            scalars: Vec::new(),
            indices: Vec::new(),
        })))
    }

    /// Returns the size of all unused buffers in bytes.
    pub fn bytes(&self) -> usize {
        self.with(|pools| {
            let scalars = pools.scalars.iter().map(|b| b.capacity() * size_of::<T>());
            let indices = pools
                .indices
                .iter()
                .map(|b| b.capacity() * size_of::<u32>());
            scalars.sum::<usize>() + indices.sum::<usize>()
        })
    }

    /// Frees all unused buffers.
    pub fn clear(&self) {
        self.with(|pools| {
            pools.scalars.clear();
            pools.indices.clear();
        });
    }

    /// Takes the buffers of `done`, the result of a render or of a stage, for reuse.
    pub fn recycle(&self, done: impl Recycle<T>) {
        done.recycle(self);
    }

    fn with<R>(&self, f: impl FnOnce(&mut Pools<T>) -> R) -> R {
        // A thread that panicked with the lock left the pools in a valid state.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Number> Workspace<T> {
    /// Returns a buffer of `count` values with unspecified contents. The caller must write all of
    /// them.
    pub(crate) fn scalars(&self, what: &'static str, count: usize) -> Result<Vec<T>, RenderError> {
        take(
            self.with(|pools| fitting(&mut pools.scalars, count)),
            what,
            count,
        )
    }

    /// Returns a buffer of `count` zeros.
    pub(crate) fn zeros(&self, what: &'static str, count: usize) -> Result<Vec<T>, RenderError> {
        match self.with(|pools| fitting(&mut pools.scalars, count)) {
            Some(mut buffer) => {
                buffer.resize(count, T::ZERO);
                let parts = buffer.par_chunks_mut(ZEROS_PER_TASK);
                parts.for_each(|part| part.fill(T::ZERO));
                Ok(buffer)
            }
            None => try_made(what, count, || T::ZERO),
        }
    }

    /// Returns a buffer of `count` indices with unspecified contents. The caller must write all of
    /// them.
    pub(crate) fn indices(
        &self,
        what: &'static str,
        count: usize,
    ) -> Result<Vec<u32>, RenderError> {
        take(
            self.with(|pools| fitting(&mut pools.indices, count)),
            what,
            count,
        )
    }
}

/// Removes the smallest buffer with room for `count` elements from a pool. Buffers more than four
/// times too large are skipped.
fn fitting<U>(pool: &mut Vec<Vec<U>>, count: usize) -> Option<Vec<U>> {
    let fits = |buffer: &Vec<U>| buffer.capacity() >= count && buffer.capacity() / 4 <= count;
    let candidates = pool.iter().enumerate().filter(|(_, buffer)| fits(buffer));
    let (best, _) = candidates.min_by_key(|(_, buffer)| buffer.capacity())?;
    Some(pool.swap_remove(best))
}

/// Sets the length of `buffer` to `count` and keeps its contents. Allocates a new buffer if there
/// is none.
fn take<U: Copy + Default + Send>(
    buffer: Option<Vec<U>>,
    what: &'static str,
    count: usize,
) -> Result<Vec<U>, RenderError> {
    match buffer {
        Some(mut buffer) => {
            buffer.resize(count, U::default());
            Ok(buffer)
        }
        None => try_made(what, count, U::default),
    }
}

/// A result whose buffers [`Workspace::recycle`] can reuse.
pub trait Recycle<T> {
    /// Moves every buffer into `workspace`.
    fn recycle(self, workspace: &Workspace<T>);
}

impl<T> Recycle<T> for Vec<T> {
    fn recycle(self, workspace: &Workspace<T>) {
        if self.capacity() > 0 {
            workspace.with(|pools| pools.scalars.push(self));
        }
    }
}

/// A buffer of indices. Its type does not depend on the scalar.
pub(crate) struct Indices(pub(crate) Vec<u32>);

impl<T> Recycle<T> for Indices {
    fn recycle(self, workspace: &Workspace<T>) {
        if self.0.capacity() > 0 {
            workspace.with(|pools| pools.indices.push(self.0));
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
