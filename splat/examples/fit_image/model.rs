//! The fitted parameters: two-dimensional Gaussians in pixels. All parameters are unconstrained.

use splat::activation::{
    opacities_from_logits, opacities_from_logits_vjp, scales_from_logs, scales_from_logs_vjp,
};
use splat::{CpuScalar, RenderError, Splats};

/// Number of colour channels.
pub(crate) const CHANNELS: usize = 3;
/// Natural logarithm of the smallest standard deviation, 0.35 px. A narrower Gaussian can fall
/// between pixel centres.
pub(crate) const LEAST_LOG_SCALE: f64 = -1.05;

/// N Gaussians in the image plane, from back to front. A gradient with respect to the parameters
/// has the same type.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Parameters<T> {
    /// Centres `[N, 2]`, px.
    pub(crate) positions: Vec<T>,
    /// Natural logarithms of the standard deviations in px along both axes `[N, 2]`. Values below
    /// [`LEAST_LOG_SCALE`] are clamped to it.
    pub(crate) log_scales: Vec<T>,
    /// Angles of the first axis `[N]`, radians from x towards y.
    pub(crate) angles: Vec<T>,
    /// Logits of the opacities `[N]`.
    pub(crate) logits: Vec<T>,
    /// Colours `[N, 3]`, shown clamped to [0, 1].
    pub(crate) colours: Vec<T>,
}

impl<T: CpuScalar> Parameters<T> {
    /// The number N of Gaussians.
    pub(crate) fn len(&self) -> usize {
        self.angles.len()
    }

    /// Adds one Gaussian in front of all others. It is round with standard deviation `scale` px.
    pub(crate) fn push(&mut self, centre: [T; 2], scale: f64, logit: T, colour: [T; CHANNELS]) {
        self.positions.extend(centre);
        self.log_scales.extend([T::from_f64(scale.ln()); 2]);
        self.angles.push(T::ZERO);
        self.logits.push(logit);
        self.colours.extend(colour);
    }

    /// Computes the standard deviations along both axes of every Gaussian `[N, 2]`, px:
    /// `s = e^max(l, l_min)`.
    pub(crate) fn scales(&self) -> Vec<T> {
        let clamped = |&log: &T| if is_free(log) { log } else { least() };
        scales_from_logs(&self.log_scales.iter().map(clamped).collect::<Vec<T>>())
    }

    /// Raises every logarithm of a scale to at least [`LEAST_LOG_SCALE`]. Below this value the
    /// gradient is zero, so that a scale would stay there for the rest of the fit.
    pub(crate) fn raise_scales(&mut self) {
        for log in &mut self.log_scales {
            if !is_free(*log) {
                *log = least();
            }
        }
    }

    /// Converts the Gaussians to splats without extents. `Cpu::splats` computes the extents.
    pub(crate) fn splats(&self) -> Splats<Vec<T>> {
        let scales = self.scales();
        let pairs = self.angles.iter().zip(scales.chunks_exact(2));
        let conics = pairs.flat_map(|(&angle, scale)| {
            let ([first, second], (sin, cos)) = (narrowness(scale), sin_cos(angle));
            [
                cos * cos * first + sin * sin * second,
                cos * sin * (first - second),
                sin * sin * first + cos * cos * second,
            ]
        });
        Splats {
            means: self.positions.clone(),
            conics: conics.collect(),
            opacities: opacities_from_logits(&self.logits),
            depths: (0..self.len()).map(|i| T::from_f64(-(i as f64))).collect(),
            features: self.colours.clone(),
            half_features: None,
            extents: Vec::new(),
            offsets: vec![0, self.len()],
            channels: CHANNELS,
        }
    }

    /// Vjp of [`Parameters::splats`]. `splats` is the result of that function for `self`, and `v`
    /// is the gradient with respect to the splats. Returns the gradient with respect to `self`.
    ///
    /// Let `n = s^-2` be an inverse variance and `v_n` the gradient with respect to `n`. Then
    /// `v_s = -2 n v_n / s`. The clamp passes the gradient for `l >= l_min`, and the gradient is
    /// zero for `l < l_min`. At `l_min` the gradient is the one-sided derivative towards larger
    /// scales, so that a Gaussian of the smallest scale can grow.
    pub(crate) fn splats_vjp(
        &self,
        splats: &Splats<Vec<T>>,
        v: Splats<Vec<T>>,
    ) -> Result<Self, RenderError> {
        let scales = self.scales();
        let two = T::from_f64(2.0);
        let mut v_scales = Vec::with_capacity(scales.len());
        let mut angles = Vec::with_capacity(self.len());
        for (i, v_conic) in v.conics.chunks_exact(3).enumerate() {
            let [xx, xy, yy] = [v_conic[0], v_conic[1], v_conic[2]];
            let scale = &scales[2 * i..2 * i + 2];
            let ([first, second], (sin, cos)) = (narrowness(scale), sin_cos(self.angles[i]));
            let v_first = cos * cos * xx + cos * sin * xy + sin * sin * yy;
            let v_second = sin * sin * xx - cos * sin * xy + cos * cos * yy;
            v_scales.push(-two * first * v_first / scale[0]);
            v_scales.push(-two * second * v_second / scale[1]);
            let turn = two * cos * sin * (yy - xx) + (cos * cos - sin * sin) * xy;
            angles.push((first - second) * turn);
        }
        let mut log_scales = scales_from_logs_vjp(&scales, &v_scales)?;
        for (v_log, &log) in log_scales.iter_mut().zip(&self.log_scales) {
            if !is_free(log) {
                *v_log = T::ZERO;
            }
        }
        Ok(Self {
            positions: v.means,
            log_scales,
            angles,
            logits: opacities_from_logits_vjp(&splats.opacities, &v.opacities)?,
            colours: v.features,
        })
    }
}

/// Returns [`LEAST_LOG_SCALE`] rounded to `T`.
fn least<T: CpuScalar>() -> T {
    T::from_f64(LEAST_LOG_SCALE)
}

/// Whether the clamp of the scales does not change a logarithm.
fn is_free<T: CpuScalar>(log: T) -> bool {
    log >= least()
}

/// Inverse variances along both axes, px^-2.
fn narrowness<T: CpuScalar>(scale: &[T]) -> [T; 2] {
    [
        T::ONE / (scale[0] * scale[0]),
        T::ONE / (scale[1] * scale[1]),
    ]
}

fn sin_cos<T: CpuScalar>(angle: T) -> (T, T) {
    let (sin, cos) = angle.to_f64().sin_cos();
    (T::from_f64(sin), T::from_f64(cos))
}
