//! The picture's parameters: flat Gaussians in pixels, without constraints on any number.

use splat::activation::{opacities_from_logits, opacities_from_logits_vjp, scales_from_logs};
use splat::{Cpu, RenderConfig, RenderError, Splats};

/// Colour channels.
pub(crate) const CHANNELS: usize = 3;
/// No Gaussian gets narrower than this, px: below, it would fall between pixel centres.
const LEAST_SCALE_PX: f32 = 0.35;

/// N Gaussians in the plane, the first farthest back. A gradient has the same type.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters {
    /// Centres `[N, 2]`, px.
    pub(crate) positions: Vec<f32>,
    /// Logarithms of the standard deviations along both axes `[N, 2]`, of px.
    pub(crate) log_scales: Vec<f32>,
    /// Angle of the first axis `[N]`, radians from x towards y.
    pub(crate) angles: Vec<f32>,
    /// Opacities before the sigmoid `[N]`.
    pub(crate) logits: Vec<f32>,
    /// Colours `[N, 3]`.
    pub(crate) colours: Vec<f32>,
}

impl Parameters {
    /// The number N of Gaussians.
    pub(crate) fn len(&self) -> usize {
        self.angles.len()
    }

    /// Adds one Gaussian in front of all others: round, of standard deviation `scale` px.
    pub(crate) fn push(
        &mut self,
        centre: [f32; 2],
        scale: f32,
        logit: f32,
        colour: [f32; CHANNELS],
    ) {
        self.positions.extend(centre);
        self.log_scales.extend([scale.ln(); 2]);
        self.angles.push(0.0);
        self.logits.push(logit);
        self.colours.extend(colour);
    }

    /// Both standard deviations of every Gaussian, px.
    pub(crate) fn scales(&self) -> Vec<f32> {
        let mut scales = scales_from_logs(&self.log_scales);
        for scale in &mut scales {
            *scale = scale.max(LEAST_SCALE_PX);
        }
        scales
    }

    /// The Gaussians as the compositor takes them.
    pub(crate) fn splats(
        &self,
        backend: &Cpu<f32>,
        [width, height]: [usize; 2],
        config: &RenderConfig,
    ) -> Result<Splats<Vec<f32>>, RenderError> {
        let scales = self.scales();
        let conics = self
            .angles
            .iter()
            .zip(scales.chunks_exact(2))
            .flat_map(|(&angle, scale)| {
                let (narrow, sin, cos) = (Narrowness::new(scale), angle.sin(), angle.cos());
                [
                    cos * cos * narrow.first + sin * sin * narrow.second,
                    cos * sin * (narrow.first - narrow.second),
                    sin * sin * narrow.first + cos * cos * narrow.second,
                ]
            });
        let splats = Splats {
            means: self.positions.clone(),
            conics: conics.collect(),
            opacities: opacities_from_logits(&self.logits),
            depths: (0..self.len()).map(|i| -(i as f32)).collect(),
            features: self.colours.clone(),
            half_features: None,
            extents: Vec::new(),
            offsets: vec![0, self.len()],
            channels: CHANNELS,
        };
        backend.splats(splats, width, height, config)
    }

    /// Vjp of [`Parameters::splats`]: incoming the gradient by the splats.
    pub(crate) fn splats_vjp(
        &self,
        splats: &Splats<Vec<f32>>,
        v: Splats<Vec<f32>>,
    ) -> Result<Self, RenderError> {
        let scales = self.scales();
        let mut log_scales = Vec::with_capacity(scales.len());
        let mut angles = Vec::with_capacity(self.len());
        for (i, v_conic) in v.conics.chunks_exact(3).enumerate() {
            let [xx, xy, yy] = [v_conic[0], v_conic[1], v_conic[2]];
            let narrow = Narrowness::new(&scales[2 * i..2 * i + 2]);
            let (sin, cos) = self.angles[i].sin_cos();
            // The scale's logarithm l enters as e^-2l.
            let v_first = cos * cos * xx + cos * sin * xy + sin * sin * yy;
            let v_second = sin * sin * xx - cos * sin * xy + cos * cos * yy;
            log_scales.push(-2.0 * narrow.first * v_first);
            log_scales.push(-2.0 * narrow.second * v_second);
            let turn = 2.0 * cos * sin * (yy - xx) + (cos * cos - sin * sin) * xy;
            angles.push((narrow.first - narrow.second) * turn);
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

/// Inverse variances along both axes, px^-2.
struct Narrowness {
    first: f32,
    second: f32,
}

impl Narrowness {
    fn new(scale: &[f32]) -> Self {
        Self {
            first: 1.0 / (scale[0] * scale[0]),
            second: 1.0 / (scale[1] * scale[1]),
        }
    }
}
