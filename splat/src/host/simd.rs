//! Selection of the CPU's vector instructions at run time.
//!
//! The loops over lanes are plain Rust over arrays. [`Simd::dispatch`] compiles them once per
//! instruction set, and the compiler turns them into vector code. No build flag is needed to use
//! the machine's instructions.

use std::sync::OnceLock;

use crate::error::RenderError;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// A set of vector instructions for the CPU backend.
///
/// One set gives the same bits on any number of threads. At `f32` it also gives the same bits on
/// every machine. At `f64` the exponential is that of the platform.
///
/// Two sets differ by rounding, because all sets except [`Simd::Portable`] use fused multiply-add.
/// In addition, needles with a standard deviation above about 80 px may end a few pixels apart
/// (MATH section 8). The rounding error of their sigma exceeds the slack of their bounds, and the
/// bounds select groups of as many pixels as the set has lanes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Simd {
    /// x86-64-v4: sixteen `f32` lanes, fused multiply-add.
    Avx512,
    /// x86-64-v3: eight `f32` lanes, fused multiply-add.
    Avx2,
    /// 64-bit Arm: four `f32` lanes, fused multiply-add.
    Neon,
    /// The target features of the build (by default SSE2 on x86-64), with products and sums rounded
    /// separately.
    Portable,
}

impl Simd {
    /// The environment variable that selects the instruction set: `avx512`, `avx2`, `neon` or
    /// `portable`.
    pub const VARIABLE: &'static str = "SPLAT_SIMD";

    /// All instruction sets, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// Returns the value of [`Simd::VARIABLE`] that selects this set.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Returns whether this machine supports the set.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => pulp::x86::V4::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => pulp::x86::V3::try_new().is_some(),
            // NEON is part of every 64-bit Arm target of Rust, unless a build disables it.
            Self::Neon => cfg!(all(target_arch = "aarch64", target_feature = "neon")),
            Self::Portable => true,
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
        }
    }

    /// Returns the default set of [`crate::Cpu`]: the set that [`Simd::VARIABLE`] names, or the
    /// fastest available set if the variable is not set.
    ///
    /// The variable is read once per process.
    ///
    /// # Errors
    /// [`RenderError::Config`] if the variable names a set that is unknown or not available.
    pub fn preferred() -> Result<Self, RenderError> {
        static PREFERRED: OnceLock<Result<Simd, String>> = OnceLock::new();
        let preferred = PREFERRED.get_or_init(|| match std::env::var_os(Self::VARIABLE) {
            None => Ok(Self::fastest()),
            Some(name) => Self::ALL
                .into_iter()
                .find(|simd| name == simd.name() && simd.is_available())
                .ok_or_else(|| name.to_string_lossy().into_owned()),
        });
        preferred.clone().map_err(|name| {
            let expected = "an instruction set of this machine: avx512, avx2, neon or portable";
            RenderError::config(Self::VARIABLE, expected, name)
        })
    }

    fn fastest() -> Self {
        let available = Self::ALL.into_iter().find(|simd| simd.is_available());
        available.unwrap_or(Self::Portable)
    }

    /// Returns the number of lanes with which [`dispatch`](Self::dispatch) runs kernels.
    pub(crate) fn lanes(self) -> usize {
        if self == Self::Avx512 && self.is_available() {
            16
        } else {
            8
        }
    }

    /// Runs `kernel` compiled for this set, or for [`Simd::Portable`] if the machine lacks this
    /// set.
    #[inline(never)]
    pub(crate) fn dispatch<K: Kernel>(self, kernel: K) -> K::Output {
        #[cfg(target_arch = "x86_64")]
        {
            if let (Self::Avx512, Some(simd)) = (self, pulp::x86::V4::try_new()) {
                return pulp::Simd::vectorize(simd, Wide::<K, 16>(kernel));
            }
            if let (Self::Avx2, Some(simd)) = (self, pulp::x86::V3::try_new()) {
                return pulp::Simd::vectorize(simd, Wide::<K, 8>(kernel));
            }
        }
        if self == Self::Neon && self.is_available() {
            return kernel.run::<<K::Scalar as Scalar>::Fused, 8>();
        }
        kernel.run::<<K::Scalar as Scalar>::Separate, 8>()
    }
}

/// A loop over lanes, generic over the rounding of products and sums and over the number of lanes.
///
/// `run` and every function that it calls per lane must be `#[inline(always)]`: only code inlined
/// into the dispatch is compiled for the instruction set.
pub(crate) trait Kernel {
    type Scalar: Scalar;
    type Output;
    fn run<A: Arithmetic<Self::Scalar>, const LANES: usize>(self) -> Self::Output;
}

/// Adapts a kernel to the dispatch of pulp.
#[cfg(target_arch = "x86_64")]
struct Wide<K, const LANES: usize>(K);

#[cfg(target_arch = "x86_64")]
impl<K: Kernel, const LANES: usize> pulp::WithSimd for Wide<K, LANES> {
    type Output = K::Output;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> K::Output {
        self.0.run::<<K::Scalar as Scalar>::Fused, LANES>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the number of its lanes.
    struct Lanes;

    impl Kernel for Lanes {
        type Scalar = f32;
        type Output = usize;

        #[inline(always)]
        fn run<A: Arithmetic<f32>, const LANES: usize>(self) -> usize {
            LANES
        }
    }

    #[test]
    fn lanes_are_those_of_the_kernels() {
        for simd in Simd::ALL {
            assert_eq!(simd.lanes(), simd.dispatch(Lanes), "{}", simd.name());
        }
    }
}
