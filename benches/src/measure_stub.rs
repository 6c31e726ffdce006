//! Stands in for `splat::measure` until that is there: the same signatures, counts by scalar loops.

use std::fmt::{self, Write as _};

use splat::{RenderConfig, RenderError, SortedHits, Splats};

/// How much a compositor had to do, in (splat, pixel) pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Work {
    /// Pairs with alpha of at least `alpha_min` before the pixel stops.
    pub useful: u64,
    /// Pairs looked at: here the same.
    pub evaluated: u64,
}

/// Counts the pairs of a forward pass.
///
/// # Errors
/// None.
pub fn count(
    splats: &Splats<&[f32]>,
    sorted: &SortedHits,
    config: &RenderConfig,
) -> Result<Work, RenderError> {
    let [width, height] = image_size(sorted);
    let mut useful = 0;
    for view in splats.offsets.windows(2) {
        let mut order: Vec<usize> = (view[0]..view[1])
            .filter(|&m| splats.extents[2 * m] > 0.0 && splats.extents[2 * m + 1] > 0.0)
            .collect();
        order.sort_by(|&a, &b| splats.depths[a].total_cmp(&splats.depths[b]));
        let mut transmittance = vec![1.0f32; width * height];
        for m in order {
            useful += add(splats, m, [width, height], config, &mut transmittance);
        }
    }
    Ok(Work {
        useful,
        evaluated: useful,
    })
}

/// Composites one splat and returns how many pixels it counts in. A pixel that has ended has no transmittance.
fn add(
    splats: &Splats<&[f32]>,
    m: usize,
    [width, height]: [usize; 2],
    config: &RenderConfig,
    transmittance: &mut [f32],
) -> u64 {
    let range = |axis: usize, count: usize| {
        let (centre, half) = (splats.means[2 * m + axis], splats.extents[2 * m + axis]);
        let first = (centre - half - 0.5).ceil().max(0.0) as usize;
        let end = (centre + half + 0.5).floor().max(0.0) as usize;
        first..end.min(count)
    };
    let conic = &splats.conics[3 * m..3 * m + 3];
    let [alpha_min, alpha_max, least] =
        [config.alpha_min, config.alpha_max, config.transmittance_min].map(|x| x as f32);
    let mut useful = 0;
    for row in range(1, height) {
        let dy = row as f32 + 0.5 - splats.means[2 * m + 1];
        for column in range(0, width) {
            let dx = column as f32 + 0.5 - splats.means[2 * m];
            let sigma = 0.5 * (conic[0] * dx * dx + conic[2] * dy * dy) + conic[1] * dx * dy;
            let alpha = (splats.opacities[m] * (-sigma).exp()).min(alpha_max);
            let t = &mut transmittance[row * width + column];
            if sigma >= 0.0 && alpha >= alpha_min && *t > 0.0 {
                let next = *t * (1.0 - alpha);
                *t = if next > least { next } else { 0.0 };
                useful += u64::from(next > least);
            }
        }
    }
    useful
}

/// Width and height, from the first words that `sorted` says about itself: they are private.
fn image_size(sorted: &SortedHits) -> [usize; 2] {
    struct Start(String);
    impl fmt::Write for Start {
        fn write_str(&mut self, s: &str) -> fmt::Result {
            self.0.push_str(s);
            if self.0.len() < 256 {
                Ok(())
            } else {
                Err(fmt::Error)
            }
        }
    }
    let mut start = Start(String::new());
    // Ends with an error as soon as there is enough.
    let _ = write!(start, "{sorted:?}");
    ["width: ", "height: "].map(|name| {
        let digits = start.0.split(name).nth(1).unwrap_or("");
        let digits = digits.split(|c: char| !c.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
    })
}

/// The compositor's mix of operations on registers, `steps` times. Returns the lanes evaluated.
pub fn roofline(steps: usize) -> u64 {
    const LANES: usize = 16;
    let x: [f32; LANES] = std::array::from_fn(|lane| lane as f32 * 0.1);
    let mut transmittance = [1.0f32; LANES];
    let mut sums = [[0.0f32; LANES]; 4];
    for step in 0..steps {
        let mean = std::hint::black_box((step & 15) as f32 * 0.1);
        for lane in 0..LANES {
            let d = x[lane] - mean;
            let sigma = 0.5 * (d * d + 0.7) + 0.1 * d;
            let shifted = -sigma * std::f32::consts::LOG2_E + 12_582_912.0;
            let r = -sigma - (shifted - 12_582_912.0) * std::f32::consts::LN_2;
            let p = 1.0 + r * (1.0 + r * (0.5 + r * (0.1667 + r * (0.0417 + r * 0.0083))));
            let power = (shifted.to_bits() << 23).wrapping_add(1.0f32.to_bits());
            let alpha = (0.01 * p * f32::from_bits(power)).min(0.999);
            let weight = alpha * transmittance[lane];
            let next = transmittance[lane] - weight;
            transmittance[lane] = if next > 1e-4 { next } else { 1.0 };
            for (channel, sum) in sums.iter_mut().enumerate() {
                sum[lane] += weight * (0.1 + channel as f32);
            }
        }
    }
    std::hint::black_box((transmittance, sums));
    (steps * LANES) as u64
}

/// The instruction set in use.
pub fn simd_name() -> &'static str {
    "unknown (stand-in)"
}
