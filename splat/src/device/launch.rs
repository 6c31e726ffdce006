//! Grids of workgroups, sections of buffers, and the indices of workgroups and threads.

use cubecl::prelude::*;

use crate::error::RenderError;

/// Number of threads of every workgroup: one per pixel of a tile.
///
/// Loops of a workgroup's threads over a list step by `CUBE_DIM_X`, which has the same value at run
/// time. A constant step would let the compiler unroll these loops. A third of the compositor's
/// variants would then need more registers than available.
pub(crate) const UNITS: u32 = 256;

/// Greatest number of workgroups along one dimension of a grid.
pub(crate) const MAX_CUBES: usize = 65_535;

/// Alignment of the sections of one allocation, in words. 256 bytes is the greatest alignment that
/// WebGPU requires.
const SECTION: usize = 64;

/// One allocation with several sections, so that a kernel binds only one buffer.
pub(crate) struct Sections {
    lens: Vec<usize>,
    pub(crate) total: usize,
}

impl Sections {
    pub(crate) fn new() -> Self {
        let lens = Vec::new();
        Self { lens, total: 0 }
    }

    /// Adds a section of `len` words and returns its first word.
    pub(crate) fn push(&mut self, len: usize) -> usize {
        let start = self.total;
        self.lens.push(len);
        self.total =
            start.saturating_add(len.max(1).saturating_add(SECTION - 1) / SECTION * SECTION);
        start
    }
}

/// Greatest number of requested threads. A grid may have up to 257 workgroups more than requested,
/// and 32 bits must number all threads.
const MAX_UNITS: usize = u32::MAX as usize - 257 * UNITS as usize;

/// Returns a grid of at least `cubes` workgroups, with no side beyond the limit of any runtime.
/// Kernels ignore the workgroups beyond `cubes`.
///
/// # Errors
/// [`RenderError::Capacity`] if 32 bits cannot number the threads.
pub(crate) fn grid(cubes: usize) -> Result<CubeCount, RenderError> {
    let [x, y, z] = sides(cubes)?;
    Ok(CubeCount::Static(x, y, z))
}

/// Returns the sides of the grid that [`grid`] returns.
///
/// # Errors
/// The errors of [`grid`].
pub(crate) fn sides(cubes: usize) -> Result<[u32; 3], RenderError> {
    if cubes > MAX_UNITS / UNITS as usize {
        return Err(RenderError::Capacity {
            what: "threads of a launch",
            needed: format!("{cubes} workgroups of {UNITS} threads"),
            limit: format!("{MAX_UNITS} threads (32-bit index)"),
        });
    }
    let cubes = cubes.max(1);
    let y = cubes.div_ceil(MAX_CUBES);
    let x = cubes.div_ceil(y);
    Ok([x as u32, y as u32, 1])
}

/// Returns a grid with a thread for each of `units` items, in workgroups of [`UNITS`].
///
/// # Errors
/// The errors of [`grid`].
pub(crate) fn grid_of_units(units: usize) -> Result<CubeCount, RenderError> {
    grid(units.div_ceil(UNITS as usize))
}

/// Returns the shape of every workgroup.
pub(crate) fn cube_dim() -> CubeDim {
    CubeDim::new_1d(UNITS)
}

/// Returns the index of this workgroup in a grid of [`grid`].
#[cube]
pub(crate) fn cube_index() -> u32 {
    CUBE_POS_X + CUBE_COUNT_X * (CUBE_POS_Y + CUBE_COUNT_Y * CUBE_POS_Z)
}

/// Returns the index of this thread in a grid of [`grid_of_units`].
#[cube]
pub(crate) fn unit_index() -> u32 {
    cube_index() * CUBE_DIM_X + UNIT_POS_X
}
