//! What every launch of the sort needs: cubes that fit the device, buffers that fit it, arguments.

use cubecl::prelude::*;
use cubecl::server::Handle;

use crate::error::RenderError;

/// Units of every cube: all that plain WebGPU grants.
pub(crate) const UNITS: u32 = 256;

/// Cubes along one side of a grid: all that plain WebGPU grants.
const MAX_SIDE: u32 = 65_535;

/// A grid of at least `cubes` cubes. Kernels number them by `CUBE_POS` and let those from `cubes` on do nothing.
pub(crate) fn grid(cubes: u32) -> CubeCount {
    let rows = cubes.div_ceil(MAX_SIDE).max(1);
    CubeCount::Static(cubes.div_ceil(rows), rows, 1)
}

/// A grid with at least one unit for each of `len` elements.
pub(crate) fn grid_of_units(len: u32) -> CubeCount {
    grid(len.div_ceil(UNITS))
}

/// Units of a cube, in one row.
pub(crate) fn cube_dim() -> CubeDim {
    CubeDim::new_1d(UNITS)
}

/// Room for `len` numbers of 32 bits, not filled; never of no length, which devices refuse.
pub(crate) fn room<R: Runtime>(
    client: &ComputeClient<R>,
    what: &'static str,
    len: usize,
) -> Result<Handle, RenderError> {
    let limit = client.properties().memory.max_page_size;
    let bytes = (len.max(1) as u64).saturating_mul(size_of::<u32>() as u64);
    if bytes > limit {
        return Err(RenderError::Capacity {
            what,
            needed: format!("{bytes} bytes in one buffer"),
            limit: format!("the {limit} bytes of the device"),
        });
    }
    Ok(client.empty(bytes as usize))
}

/// `len` as the 32-bit number that indices on the device are.
pub(crate) fn index(what: &'static str, len: usize) -> Result<u32, RenderError> {
    u32::try_from(len).map_err(|_| RenderError::Capacity {
        what,
        needed: len.to_string(),
        limit: format!("{} (32-bit index)", u32::MAX),
    })
}

/// The first `len` numbers of a buffer as the argument of a kernel. No handle in this crate is shorter than the length that goes with it.
pub(crate) fn array<R: Runtime>(handle: &Handle, len: usize) -> ArrayArg<R> {
    debug_assert!(len as u64 * 4 <= handle.size_in_used());
    // SAFETY: the buffer has at least `len` numbers of 32 bits.
    unsafe { ArrayArg::from_raw_parts(handle.clone(), len) }
}
