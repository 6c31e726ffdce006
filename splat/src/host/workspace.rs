//! Memory that renders hand from one to the next.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::error::{RenderError, try_made};
use crate::host::simd::Simd;
use crate::number::Number;

/// Buffers for [`Cpu`](crate::Cpu) to use again. On most systems, first touching fresh memory takes
/// about as long as filling it.
///
/// Images, splats, gradients, what a render saves for its vjp, and the gradients of hits come from
/// here. A loop that gives back what it is done with allocates none of these after its first
/// rounds. Every call allocates by itself
///
/// - the tiles of each splat, 12 bytes per splat;
/// - the depth order of each view and the tables of the sort;
/// - features of 16 bits;
/// - the lists of tasks and views, and the working memory of each thread;
/// - what the spherical harmonics return.
///
/// A clone shares the buffers. They may be used from several threads at once, and for scenes of
/// different sizes. A workspace holds what it was given until it is dropped or
/// [`clear`](Workspace::clear)ed.
///
/// ```
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

/// Numbers that one task blanks.
const ZEROS_PER_TASK: usize = 1 << 15;

/// What a stage runs on: instructions and memory.
#[derive(Debug, Clone, Copy)]
pub struct Resources<'a, T> {
    pub(crate) simd: Simd,
    pub(crate) workspace: &'a Workspace<T>,
}

/// Buffers at rest, any contents.
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
    /// An empty one.
    pub fn new() -> Self {
        Self(Arc::new(Mutex::new(Pools {
            scalars: Vec::new(),
            indices: Vec::new(),
        })))
    }

    /// The size of all buffers at rest.
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

    /// Frees all buffers at rest.
    pub fn clear(&self) {
        self.with(|pools| {
            pools.scalars.clear();
            pools.indices.clear();
        });
    }

    /// Takes back the buffers of whatever a render or a stage returned.
    pub fn recycle(&self, done: impl Recycle<T>) {
        done.recycle(self);
    }

    fn with<R>(&self, f: impl FnOnce(&mut Pools<T>) -> R) -> R {
        // A thread that panicked here left whole buffers behind.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Number> Workspace<T> {
    /// A buffer of `count` numbers of any value: whoever asks must write them all.
    pub(crate) fn scalars(&self, what: &'static str, count: usize) -> Result<Vec<T>, RenderError> {
        take(
            self.with(|pools| fitting(&mut pools.scalars, count)),
            what,
            count,
        )
    }

    /// A buffer of `count` zeros.
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

    /// A buffer of `count` indices of any value: whoever asks must write them all.
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

/// Takes the smallest buffer with room for `count` elements off a pool; none that is more than four
/// times too large.
fn fitting<U>(pool: &mut Vec<Vec<U>>, count: usize) -> Option<Vec<U>> {
    let fits = |buffer: &Vec<U>| buffer.capacity() >= count && buffer.capacity() / 4 <= count;
    let candidates = pool.iter().enumerate().filter(|(_, buffer)| fits(buffer));
    let (best, _) = candidates.min_by_key(|(_, buffer)| buffer.capacity())?;
    Some(pool.swap_remove(best))
}

/// Brings a buffer to length, whatever is in it; without one, a new one.
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

/// What [`Workspace::recycle`] takes.
pub trait Recycle<T> {
    /// Puts every buffer into `workspace`.
    fn recycle(self, workspace: &Workspace<T>);
}

impl<T> Recycle<T> for Vec<T> {
    fn recycle(self, workspace: &Workspace<T>) {
        if self.capacity() > 0 {
            workspace.with(|pools| pools.scalars.push(self));
        }
    }
}

/// Indices, of which there is one kind whatever the scalar.
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
