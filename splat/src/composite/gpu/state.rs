//! The layout of the initial states for a replay: [`STATE`] words per pixel of a chunk of views,
//! then one word per tile.

use cubecl::prelude::*;

/// The transmittance behind the last hit.
const TRANSMITTANCE: u32 = 0;
/// One past the index of the pixel's last hit in its tile's list.
const END: u32 = 1;
/// The gradient with respect to the transmittance behind the last hit.
const V_REST: u32 = 2;
/// The gradient with respect to the depth.
const V_DEPTH: u32 = 3;

/// The number of words of one pixel's state.
pub(crate) const STATE: u32 = 4;

/// The state of a pixel behind its last hit.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct PixelState {
    pub(crate) transmittance: f32,
    pub(crate) end: u32,
    pub(crate) v_rest: f32,
    pub(crate) v_depth: f32,
}

/// Stores the state of pixel `pixel` of the chunk.
#[cube]
pub(crate) fn set_state(state: &mut Array<u32>, pixel: u32, value: PixelState) {
    let at = pixel * STATE;
    state[(at + TRANSMITTANCE) as usize] = u32::reinterpret(value.transmittance);
    state[(at + END) as usize] = value.end;
    state[(at + V_REST) as usize] = u32::reinterpret(value.v_rest);
    state[(at + V_DEPTH) as usize] = u32::reinterpret(value.v_depth);
}

/// Returns the state of pixel `pixel` of the chunk. Without `with_rest` or `with_depth`, the
/// respective gradient is zero.
#[cube]
pub(crate) fn state_of(
    state: &Array<u32>,
    pixel: u32,
    #[comptime] with_rest: bool,
    #[comptime] with_depth: bool,
) -> PixelState {
    let at = pixel * STATE;
    let transmittance = f32::reinterpret(state[(at + TRANSMITTANCE) as usize]);
    let end = state[(at + END) as usize];
    let mut v_rest = 0.0f32;
    let mut v_depth = 0.0f32;
    if comptime![with_rest] {
        v_rest = f32::reinterpret(state[(at + V_REST) as usize]);
    }
    if comptime![with_depth] {
        v_depth = f32::reinterpret(state[(at + V_DEPTH) as usize]);
    }
    PixelState {
        transmittance,
        end,
        v_rest,
        v_depth,
    }
}

/// Stores the greatest end of the pixels of tile `tile` of the chunk. The ends of the tiles begin
/// at word `tiles`.
#[cube]
pub(crate) fn set_tile_end(state: &mut Array<u32>, tiles: u32, tile: u32, end: u32) {
    state[(tiles + tile) as usize] = end;
}

/// Returns the greatest end of the pixels of a tile.
#[cube]
pub(crate) fn tile_end(state: &Array<u32>, tiles: u32, tile: u32) -> u32 {
    state[(tiles + tile) as usize]
}

/// Limits the end of pixel `pixel` to the `count` hits of its tile.
#[cube]
pub(crate) fn cut_end(state: &mut Array<u32>, pixel: u32, count: u32) {
    let at = pixel * STATE + END;
    state[at as usize] = u32::min(state[at as usize], count);
}
