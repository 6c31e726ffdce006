//! Relocation and growth of 3DGS-MCMC.

use super::draws::Draws;
use super::revision::Revision;
use super::rows;
use crate::error::{RenderError, try_filled, try_reserved};
use crate::gaussians::Gaussians;
use crate::math::exp;
use crate::number::Number;

/// The opacity up to which 3DGS-MCMC relocates a Gaussian.
pub const DEAD_OPACITY: f64 = 0.005;

/// The greatest opacity of a Gaussian that was copied. It has a finite logit and is exact in `f32`.
const GREATEST_OPACITY: f64 = 1.0 - f32::EPSILON as f64;

/// Replaces Gaussians that are dead by copies of others (Kheradmand et al. 2024, eq. 9; MATH eq.
/// 26). The count stays the same.
///
/// A Gaussian is dead if its opacity is at most `dead_opacity`, such as [`DEAD_OPACITY`], or if it is
/// not valid. For each dead Gaussian, one that is not dead is drawn, with a probability proportional
/// to its opacity. It takes one number of `uniform`. The dead Gaussian leaves the list, and a copy of
/// the drawn one comes behind it.
///
/// If N Gaussians have then taken the place of one, all get the opacity and the scales of eq. 26.
/// Together they have the same opacity at their common mean, and the same integral of alpha along
/// any line of a picture through it. None of them is kept. N is not bounded: the paper's code uses
/// the opacity and scales of N = 51 for larger numbers. As there, the new opacity is raised to
/// `dead_opacity`, so that the copies are not dead at once (those that the bound raises are dead at
/// the next relocation if they do not gain opacity), and lowered to `1 - 2^-23`. The scales are those
/// without these bounds. Opacities above `1 - 2^-23` count as `1 - 2^-23`.
///
/// If no Gaussian can be drawn, nothing changes, and all Gaussians are kept.
///
/// # Errors
/// - [`RenderError::Config`] if `dead_opacity` is not from 0 to below 1.
/// - The errors of the [module](super#errors).
pub fn relocate<T: Number>(
    gaussians: &mut Gaussians<Vec<T>>,
    dead_opacity: f64,
    uniform: &mut dyn FnMut() -> f64,
) -> Result<Revision, RenderError> {
    rows::check(gaussians)?;
    if !(0.0..1.0).contains(&dead_opacity) {
        let expected = "a number from 0 to below 1";
        return Err(RenderError::config("dead_opacity", expected, dead_opacity));
    }
    let n = gaussians.count;
    let wheel = Wheel::new(gaussians, dead_opacity)?;
    let mut copies = try_filled("numbers of copies [N]", n, 1)?;
    if !wheel.is_empty() {
        let mut draws = Draws::new(uniform);
        for i in 0..n {
            if !wheel.alive[i] {
                copies[i] -= 1;
                copies[wheel.draw(&mut draws)] += 1;
            }
        }
    }
    share_out(gaussians, &copies, dead_opacity)
}

/// Adds `count` Gaussians, each a copy of one that is drawn as in [`relocate`] (Kheradmand et al.
/// 2024, eq. 9; MATH eq. 26).
///
/// Valid Gaussians with a positive opacity are drawn. The opacities and scales of a drawn Gaussian and
/// its copies are those of `relocate`, without a lower bound of the opacity. If no Gaussian can be
/// drawn, nothing is added, and all Gaussians are kept.
///
/// # Errors
/// The errors of the [module](super#errors).
pub fn add<T: Number>(
    gaussians: &mut Gaussians<Vec<T>>,
    count: usize,
    uniform: &mut dyn FnMut() -> f64,
) -> Result<Revision, RenderError> {
    rows::check(gaussians)?;
    rows::check_count((gaussians.count as u64).saturating_add(count as u64))?;
    let wheel = Wheel::new(gaussians, 0.0)?;
    let mut copies = try_filled("numbers of copies [N]", gaussians.count, 1)?;
    if !wheel.is_empty() {
        let mut draws = Draws::new(uniform);
        for _ in 0..count {
            copies[wheel.draw(&mut draws)] += 1;
        }
    }
    share_out(gaussians, &copies, 0.0)
}

/// The valid Gaussians with an opacity above a bound, from which one is drawn with a probability
/// proportional to its opacity.
struct Wheel {
    /// For each Gaussian, the sum of the opacities up to it.
    sums: Vec<f64>,
    /// For each Gaussian, whether it can be drawn.
    alive: Vec<bool>,
    /// The last Gaussian that can be drawn.
    last: usize,
}

impl Wheel {
    fn new<T: Number>(gaussians: &Gaussians<Vec<T>>, bound: f64) -> Result<Self, RenderError> {
        let mut sums = try_reserved("sums of opacities [N]", gaussians.count)?;
        let mut alive = try_filled("living Gaussians [N]", gaussians.count, false)?;
        let (mut sum, mut last) = (0.0, 0);
        for i in 0..gaussians.count {
            let opacity = rows::opacity(gaussians, i);
            if opacity > bound && rows::is_valid(gaussians, i) {
                sum += opacity.min(GREATEST_OPACITY);
                alive[i] = true;
                last = i;
            }
            sums.push(sum);
        }
        Ok(Self { sums, alive, last })
    }

    /// Returns whether no Gaussian can be drawn.
    fn is_empty(&self) -> bool {
        self.total() <= 0.0
    }

    fn draw(&self, draws: &mut Draws<'_>) -> usize {
        let place = draws.uniform() * self.total();
        // The product can round to the total, which is beyond the last sum.
        self.sums
            .partition_point(|&sum| sum <= place)
            .min(self.last)
    }

    fn total(&self) -> f64 {
        self.sums.last().copied().unwrap_or(0.0)
    }
}

/// Makes `copies[i]` Gaussians from Gaussian `i`. If there are several, they share its opacity.
fn share_out<T: Number>(
    gaussians: &mut Gaussians<Vec<T>>,
    copies: &[u32],
    least_opacity: f64,
) -> Result<Revision, RenderError> {
    let revision = Revision::new(copies, |i| copies[i] == 1)?;
    let mut revised = revision.apply(gaussians)?;
    for (i, &source) in revision.sources().iter().enumerate() {
        let n = copies[source as usize];
        if n > 1 {
            let (opacity, factor) = share(rows::opacity(&revised, i), n);
            let opacity = opacity.max(least_opacity).min(GREATEST_OPACITY);
            revised.opacities[i] = rows::stored_opacity(&revised, opacity);
            rows::multiply_scales(&mut revised, i, factor);
        }
    }
    *gaussians = revised;
    Ok(revision)
}

/// The last term of the sum of [`share`]. Term j is `(-1)^(j + 1) C(n, j) each^j / sqrt(j)`. Without its
/// sign and root it is at most `c^j / j!` with `c = -ln(1 - opacity) < 16`, so the terms vanish long
/// before this one.
const LAST_TERM: u32 = 200;

/// Returns the opacity of each of `copies` Gaussians that replace one with this opacity, and the
/// factor of their scales (MATH eq. 26).
fn share(opacity: f64, copies: u32) -> (f64, f64) {
    let opacity = opacity.min(GREATEST_OPACITY);
    let n = f64::from(copies);
    let each = exp::one_minus_root(opacity, n);
    let (mut product, mut sum) = (-1.0, 0.0);
    for j in (1..=copies.min(LAST_TERM)).map(f64::from) {
        product *= -each * (n - j + 1.0) / j;
        sum += product / j.sqrt();
    }
    // The smallest numbers of `f64` have no N-th part.
    let factor = if sum > 0.0 { opacity / sum } else { 1.0 };
    (each, factor)
}
