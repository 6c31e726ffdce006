//! The loops over lanes, compiled inside this crate for both scalars: a user's build profile does not slow them down.

use crate::composite::cpu::{Band, Blend, Forward};
use crate::composite::cpu_vjp::{Backward, BandVjp, Replay};
use crate::simd::Simd;

/// What a scalar has loops for.
pub trait Kernels: Sized {
    /// Composites one band; returns how many lanes it evaluated.
    #[doc(hidden)]
    fn composite_band(simd: Simd, pass: &Forward<'_, Self>, band: Band<'_, Self>) -> u64
    where
        Self: crate::Scalar;

    /// Fills the gradients of one band's hits; returns its share of the gradient by the background.
    #[doc(hidden)]
    fn composite_band_vjp(
        simd: Simd,
        pass: &Backward<'_, Self>,
        band: BandVjp<'_, Self>,
    ) -> Vec<Self>
    where
        Self: crate::Scalar;
}

macro_rules! kernels {
    ($($real:ident)*) => {$(
        impl Kernels for $real {
            fn composite_band(simd: Simd, pass: &Forward<'_, Self>, band: Band<'_, Self>) -> u64 {
                simd.dispatch(Blend { pass, band })
            }

            fn composite_band_vjp(
                simd: Simd,
                pass: &Backward<'_, Self>,
                band: BandVjp<'_, Self>,
            ) -> Vec<Self> {
                simd.dispatch(Replay { pass, band })
            }
        }
    )*};
}

kernels!(f32 f64);
