//! Grids, sections of buffers, and what every kernel asks of its place in the grid.

use cubecl::prelude::*;

/// Units of every cube: one per pixel of a tile.
pub(crate) const UNITS: u32 = 256;

/// The greatest number of cubes along one dimension of a grid.
const MAX_CUBES: usize = 65_535;

/// Sections of one allocation begin at multiples of this many words: 256 bytes, the greatest alignment WebGPU asks for.
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

/// A grid of at least `cubes` cubes, no side longer than any runtime allows; kernels leave out those beyond `cubes`.
pub(crate) fn grid(cubes: usize) -> CubeCount {
    let x = cubes.clamp(1, MAX_CUBES);
    let y = cubes.div_ceil(x).clamp(1, MAX_CUBES);
    let z = cubes.div_ceil(x * y).max(1);
    CubeCount::Static(x as u32, y as u32, z as u32)
}

/// A grid with a unit for each of `units` items, in cubes of [`UNITS`].
pub(crate) fn grid_of_units(units: usize) -> CubeCount {
    grid(units.div_ceil(UNITS as usize))
}

/// The shape of every cube.
pub(crate) fn cube_dim() -> CubeDim {
    CubeDim::new_1d(UNITS)
}

/// The number of this cube in the grid of [`grid`].
#[cube]
pub(crate) fn cube_index() -> u32 {
    CUBE_POS_X + CUBE_COUNT_X * (CUBE_POS_Y + CUBE_COUNT_Y * CUBE_POS_Z)
}

/// The number of this unit in the grid of [`grid_of_units`].
#[cube]
pub(crate) fn unit_index() -> u32 {
    cube_index() * CUBE_DIM_X + UNIT_POS_X
}

/// Neither infinite nor NaN, by the bits: compilers for devices may take it that such numbers do not occur.
#[cube]
pub(crate) fn finite(x: f32) -> bool {
    (u32::reinterpret(x) & 0x7f80_0000u32) != 0x7f80_0000u32
}
