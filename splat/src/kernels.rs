//! The loops over lanes, compiled inside this crate for both scalars: a user's build profile does not slow them down.

use crate::composite::blend::Pixels as Tile;
use crate::composite::cpu::{Blend, Forward, Task};
use crate::composite::cpu_vjp::{Backward, Replay, TaskVjp};
use crate::composite::replay::Pixels as TileVjp;
use crate::simd::Simd;

/// What a scalar has loops for.
pub trait Kernels: Sized {
    /// Composites one strip; returns how many lanes it evaluated.
    #[doc(hidden)]
    fn composite_strip(
        simd: Simd,
        pass: &Forward<'_, Self>,
        pixels: &mut Tile<Self>,
        task: Task<'_, Self>,
    ) -> u64
    where
        Self: crate::Scalar;

    /// Fills the gradients of one strip's hits, and its share of that by the background.
    #[doc(hidden)]
    fn composite_strip_vjp(
        simd: Simd,
        pass: &Backward<'_, Self>,
        pixels: &mut TileVjp<Self>,
        task: TaskVjp<'_, Self>,
    ) where
        Self: crate::Scalar;
}

macro_rules! kernels {
    ($($real:ident)*) => {$(
        impl Kernels for $real {
            fn composite_strip(
                simd: Simd,
                pass: &Forward<'_, Self>,
                pixels: &mut Tile<Self>,
                task: Task<'_, Self>,
            ) -> u64 {
                simd.dispatch(Blend {
                    pass,
                    pixels,
                    task,
                })
            }

            fn composite_strip_vjp(
                simd: Simd,
                pass: &Backward<'_, Self>,
                pixels: &mut TileVjp<Self>,
                task: TaskVjp<'_, Self>,
            ) {
                simd.dispatch(Replay {
                    pass,
                    pixels,
                    task,
                });
            }
        }
    )*};
}

kernels!(f32 f64);
