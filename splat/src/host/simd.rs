//! Which vector instructions the CPU backend runs on: chosen at run time, one source for all.
//!
//! The loops over lanes are plain Rust over arrays. [`Simd::dispatch`] compiles them once per
//! instruction set and the compiler turns them into vector code, so that no build flag is needed to
//! use what the machine has.

use std::sync::OnceLock;

use crate::error::RenderError;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;

/// A set of vector instructions.
///
/// The results of one set are the same bits on any number of threads, at `f32` on every machine too
/// (at `f64` the exponential is the platform's); those of two sets differ by rounding, because the
/// wider ones multiply and add in one rounding. (Needles of a hundred pixels and more, whose sigma
/// is rounded by more than their bounds' slack, may also end a few pixels apart: bounds count in as
/// many pixels as a set has lanes.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Simd {
    /// x86-64-v4: sixteen `f32` at once.
    Avx512,
    /// x86-64-v3: eight `f32` at once, fused multiply-add.
    Avx2,
    /// 64-bit Arm: four `f32` at once, fused multiply-add.
    Neon,
    /// Whatever the crate was compiled for (SSE2 on x86-64 unless told otherwise), products and
    /// sums rounded one by one.
    Portable,
}

impl Simd {
    /// The environment variable that names the instruction set to use: `avx512`, `avx2`, `neon` or
    /// `portable`.
    pub const VARIABLE: &'static str = "SPLAT_SIMD";

    /// Every set there is, the fastest first.
    pub const ALL: [Self; 4] = [Self::Avx512, Self::Avx2, Self::Neon, Self::Portable];

    /// The name that [`Simd::VARIABLE`] takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Neon => "neon",
            Self::Portable => "portable",
        }
    }

    /// Whether this machine has it.
    pub fn is_available(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => pulp::x86::V4::try_new().is_some(),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => pulp::x86::V3::try_new().is_some(),
            // Part of every 64-bit Arm that Rust compiles for, unless switched off.
            Self::Neon => cfg!(all(target_arch = "aarch64", target_feature = "neon")),
            Self::Portable => true,
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx512 | Self::Avx2 => false,
        }
    }

    /// What [`crate::Cpu`] uses if not told otherwise: the set that [`Simd::VARIABLE`] names, else
    /// the fastest one available.
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

    /// Runs `kernel` compiled for this set; for [`Simd::Portable`] if the machine does not have it.
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

/// A loop over lanes, generic over how its products and sums are rounded and how many lanes it
/// takes at once.
///
/// `run` and everything it calls per lane must be `#[inline(always)]`: only what is inlined into
/// the dispatch is compiled for the instruction set.
pub(crate) trait Kernel {
    type Scalar: Scalar;
    type Output;
    fn run<A: Arithmetic<Self::Scalar>, const LANES: usize>(self) -> Self::Output;
}

/// A kernel on its way into pulp's dispatch.
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
