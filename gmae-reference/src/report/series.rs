//! Long series of points made short enough to draw.

use super::axis::drawable;

/// Number of groups of the line through a cloud of points.
const GROUPS: usize = 16;
/// Smallest number of points in a group. Smaller groups would show noise.
const LEAST: usize = 4;

/// Returns the points with two drawable coordinates.
pub(super) fn drawable_points(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let good = |p: &&(f64, f64)| drawable(p.0) && drawable(p.1);
    points.iter().filter(good).copied().collect()
}

/// Reduces a curve to at most `most` points, the means of neighbouring points.
pub(super) fn thinned(points: &[(f64, f64)], most: usize) -> Vec<(f64, f64)> {
    let group = points.len().div_ceil(most).max(1);
    points.chunks(group).map(mean_point).collect()
}

fn mean_point(part: &[(f64, f64)]) -> (f64, f64) {
    let sum = part
        .iter()
        .fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
    (sum.0 / part.len() as f64, sum.1 / part.len() as f64)
}

/// Returns the indices of at most `most` of `count` points, in increasing order. The choice looks
/// random but is always the same. A regular choice could select the same Gaussian of every picture.
pub(super) fn sample(count: usize, most: usize) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..count).collect();
    if count > most {
        indices.sort_by_key(|&i| (scrambled(i as u64), i));
        indices.truncate(most);
        indices.sort_unstable();
    }
    indices
}

/// The output function of the generator `SplitMix64` (Steele, Lea and Flood 2014).
fn scrambled(index: u64) -> u64 {
    let z = index.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The typical value of a group of points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Middle {
    /// The arithmetic mean.
    Mean,
    /// The median; of an even number of values, the mean of the two in the middle.
    Median,
}

/// Returns the line through a cloud of points. The points, sorted by x, are cut into groups of
/// similar size. Points of equal x are in the same group. Each group becomes the median of its x
/// and the `middle` of its y.
pub(super) fn grouped(points: &[(f64, f64)], middle: Middle) -> Vec<(f64, f64)> {
    let mut points = drawable_points(points);
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let size = points.len().div_ceil(GROUPS).max(LEAST);
    let mut line = Vec::new();
    let mut rest = points.as_slice();
    while let Some(last) = rest.get(size.min(rest.len()).saturating_sub(1)) {
        let mut end = rest.partition_point(|p| p.0 <= last.0);
        // A remainder that is too small joins the last group.
        if rest.len() - end < LEAST {
            end = rest.len();
        }
        let (group, others) = rest.split_at(end);
        let (xs, ys): (Vec<f64>, Vec<f64>) = group.iter().copied().unzip();
        let y = match middle {
            Middle::Mean => mean_point(group).1,
            Middle::Median => median(ys),
        };
        line.push((median(xs), y));
        rest = others;
    }
    line
}

/// Returns the median of at least one value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 {
        return values[half];
    }
    0.5 * (values[half - 1] + values[half])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_curves_are_averaged() {
        let points: Vec<_> = (0..2500)
            .map(|i| (f64::from(i), f64::from(i % 3)))
            .collect();
        let thin = thinned(&points, 1000);
        assert_eq!(thin.len(), 834);
        assert_eq!(thin[0], (1.0, 1.0));
        assert_eq!(thin[833], (2499.0, 0.0));
        assert_eq!(thinned(&points[..900], 1000), points[..900]);
        assert_eq!(thinned(&[], 1000), []);
    }

    #[test]
    fn samples_are_spread_over_all_points() {
        assert_eq!(sample(4, 4), [0, 1, 2, 3]);
        let chosen = sample(64_000, 1000);
        assert_eq!(chosen.len(), 1000);
        assert!(chosen.is_sorted() && chosen[999] < 64_000);
        // Each of 64 Gaussians of 1000 pictures is chosen about 16 times.
        for gaussian in 0..64 {
            let times = chosen.iter().filter(|&i| i % 64 == gaussian).count();
            assert!((3..=40).contains(&times), "{gaussian}: {times}");
        }
    }

    #[test]
    fn groups_have_means_and_medians() {
        let points = [
            (4.0, 1.0),
            (1.0, 0.0),
            (2.0, 0.0),
            (3.0, 8.0),
            (f64::NAN, 5.0),
            (10.0, 3.0),
            (11.0, 3.0),
            (12.0, 3.0),
            (13.0, 7.0),
        ];
        assert_eq!(grouped(&points, Middle::Mean), [(2.5, 2.25), (11.5, 4.0)]);
        assert_eq!(grouped(&points, Middle::Median), [(2.5, 0.5), (11.5, 3.0)]);
        assert_eq!(grouped(&points[..3], Middle::Median), [(2.0, 0.0)]);
        assert_eq!(grouped(&[], Middle::Mean), []);
        // Points of equal x are not separated.
        let mut tied: Vec<_> = (0..40).map(|i| (0.0, f64::from(i))).collect();
        tied.extend([(1.0, 7.0); 5]);
        assert_eq!(grouped(&tied, Middle::Mean), [(0.0, 19.5), (1.0, 7.0)]);
        let many: Vec<_> = (0..1003).map(|i| (f64::from(i), 1.0)).collect();
        assert_eq!(grouped(&many, Middle::Mean).len(), GROUPS);
    }
}
