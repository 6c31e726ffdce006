//! Grids, sections of buffers, and what every kernel asks of its position in the grid.

use cubecl::prelude::*;

use crate::error::RenderError;

/// Threads of every workgroup: one per pixel of a tile.
///
/// Loops of a workgroup's threads over a list step by `CUBE_DIM_X`, the same number: a compiler
/// that knows the step unrolls such loops, which then cost a third of the compositor's variants
/// more registers than they have.
pub(crate) const UNITS: u32 = 256;

/// The greatest number of workgroups along one dimension of a grid.
const MAX_CUBES: usize = 65_535;

/// Sections of one allocation begin at multiples of this many words: 256 bytes, the greatest
/// alignment WebGPU asks for.
const SECTION: usize = 64;

/// One allocation cut into sections, so that a kernel binds it as one buffer.
pub(crate) struct Sections {
    lens: Vec<usize>,
    pub(crate) total: usize,
}

impl Sections {
    pub(crate) fn new() -> Self {
        let lens = Vec::new();
        Self { lens, total: 0 }
    }

    /// Adds a section of `len` words and returns where it begins.
    pub(crate) fn push(&mut self, len: usize) -> usize {
        let start = self.total;
        self.lens.push(len);
        self.total =
            start.saturating_add(len.max(1).saturating_add(SECTION - 1) / SECTION * SECTION);
        start
    }
}

/// Threads that 32 bits number: a grid has up to 257 workgroups more than were asked for.
const MAX_UNITS: usize = u32::MAX as usize - 257 * UNITS as usize;

/// A grid of at least `cubes` workgroups, no side longer than any runtime allows; kernels leave out
/// those beyond `cubes`.
///
/// # Errors
/// [`RenderError::Capacity`] where 32 bits would not number its threads.
pub(crate) fn grid(cubes: usize) -> Result<CubeCount, RenderError> {
    let [x, y, z] = sides(cubes)?;
    Ok(CubeCount::Static(x, y, z))
}

/// The sides of that grid.
///
/// # Errors
/// As [`grid`].
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

/// A grid with a thread for each of `units` items, in workgroups of [`UNITS`].
///
/// # Errors
/// As [`grid`].
pub(crate) fn grid_of_units(units: usize) -> Result<CubeCount, RenderError> {
    grid(units.div_ceil(UNITS as usize))
}

/// The shape of every workgroup.
pub(crate) fn cube_dim() -> CubeDim {
    CubeDim::new_1d(UNITS)
}

/// The number of this workgroup in the grid of [`grid`].
#[cube]
pub(crate) fn cube_index() -> u32 {
    CUBE_POS_X + CUBE_COUNT_X * (CUBE_POS_Y + CUBE_COUNT_Y * CUBE_POS_Z)
}

/// The number of this thread in the grid of [`grid_of_units`].
#[cube]
pub(crate) fn unit_index() -> u32 {
    cube_index() * CUBE_DIM_X + UNIT_POS_X
}
