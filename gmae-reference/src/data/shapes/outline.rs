//! Outlines of shapes in the unit square, as signed distances. Colours are in `paint.rs`.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// The kind of a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShapeKind {
    /// An ellipse in any orientation.
    Ellipse,
    /// A rectangle in any orientation.
    Rectangle,
    /// A polygon with equal sides and angles.
    RegularPolygon,
    /// A polygon with unequal sides and angles.
    IrregularPolygon,
    /// A star of five to seven points.
    Star,
}

const KINDS: [ShapeKind; 5] = [
    ShapeKind::Ellipse,
    ShapeKind::Rectangle,
    ShapeKind::RegularPolygon,
    ShapeKind::IrregularPolygon,
    ShapeKind::Star,
];

/// A point or vector in the unit square: x right, y down.
pub(super) type Point = [f32; 2];

/// The curve around a shape.
#[derive(Clone, Debug)]
enum Curve {
    /// Unit vector of the first axis and the two radii.
    Ellipse { axis: Point, radii: [f32; 2] },
    /// Corners in order.
    Polygon { corners: Vec<Point> },
}

/// A closed outline with its kind and a bounding circle.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    pub(super) kind: ShapeKind,
    pub(super) centre: Point,
    /// Radius of a circle about `centre` that contains the whole shape.
    pub(super) reach: f32,
    curve: Curve,
}

impl Outline {
    /// Draws a random outline about a random centre.
    pub(super) fn random(rng: &mut ChaCha8Rng) -> Self {
        let kind = KINDS[rng.random_range(0..KINDS.len())];
        let reach = rng.random_range(0.17..0.36_f32);
        let centre = [rng.random_range(0.15..0.85), rng.random_range(0.15..0.85)];
        let first = direction(rng.random_range(0.0..1.0));
        let curve = match kind {
            ShapeKind::Ellipse => Curve::Ellipse {
                axis: first,
                radii: [reach, reach * rng.random_range(0.5..1.0_f32)],
            },
            ShapeKind::Rectangle => rectangle(rng, centre, first, reach),
            _ => Curve::Polygon {
                corners: spokes(rng, kind)
                    .into_iter()
                    .map(|spoke| path(centre, first, spoke.map(|v| v * reach)))
                    .collect(),
            },
        };
        Self {
            kind,
            centre,
            reach,
            curve,
        }
    }

    /// Returns the signed distance from `p` to the outline, negative inside.
    ///
    /// The sign is exact. The magnitude is exact for polygons. For ellipses the magnitude is
    /// correct to first order near the curve. At more than `far` outside the outline, the result
    /// can be any value above `far`.
    pub(super) fn distance(&self, p: Point, far: f32) -> f32 {
        let from_centre = sub(p, self.centre);
        let limit = self.reach + far;
        if dot(from_centre, from_centre) > limit * limit {
            return far + self.reach;
        }
        match &self.curve {
            Curve::Ellipse { axis, radii } => ellipse_distance(from_centre, *axis, *radii),
            Curve::Polygon { corners } => polygon_distance(p, corners),
        }
    }
}

/// Returns the unit vector at `turn` whole turns.
///
/// The sine and cosine are computed in `f64` and rounded to `f32`, so that a difference in the last
/// bit between two systems vanishes.
pub(super) fn direction(turn: f64) -> Point {
    let (sin, cos) = (turn * std::f64::consts::TAU).sin_cos();
    [cos as f32, sin as f32]
}

pub(super) fn sub(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1]]
}

pub(super) fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1]
}

/// Rotates `offset` so that its x axis lies along `first`, and adds `centre`.
fn path(centre: Point, first: Point, offset: Point) -> Point {
    [
        centre[0] + offset[0] * first[0] - offset[1] * first[1],
        centre[1] + offset[0] * first[1] + offset[1] * first[0],
    ]
}

fn rectangle(rng: &mut ChaCha8Rng, centre: Point, first: Point, reach: f32) -> Curve {
    // Half the diagonal is `reach`. `ratio` is the ratio of the short side to the long side.
    let ratio = rng.random_range(0.4..1.0_f32);
    let long = reach / (1.0 + ratio * ratio).sqrt();
    let short = long * ratio;
    let corners = [
        [long, short],
        [-long, short],
        [-long, -short],
        [long, -short],
    ]
    .map(|offset| path(centre, first, offset))
    .to_vec();
    Curve::Polygon { corners }
}

/// Returns corners about the origin, at most one unit away from it.
fn spokes(rng: &mut ChaCha8Rng, kind: ShapeKind) -> Vec<Point> {
    let count = match kind {
        ShapeKind::RegularPolygon => [3, 5, 6, 8][rng.random_range(0..4)],
        ShapeKind::Star => 2 * rng.random_range(5..8_usize),
        _ => rng.random_range(5..9_usize),
    };
    let inner = rng.random_range(0.45..0.6_f32);
    (0..count)
        .map(|i| {
            let (wobble, length) = match kind {
                ShapeKind::Star if i % 2 == 1 => (0.0, inner),
                ShapeKind::IrregularPolygon => {
                    (rng.random_range(-0.3..0.3), rng.random_range(0.6..1.0_f32))
                }
                _ => (0.0, 1.0),
            };
            direction((i as f64 + wobble) / count as f64).map(|v| v * length)
        })
        .collect()
}

fn ellipse_distance(from_centre: Point, axis: Point, radii: [f32; 2]) -> f32 {
    let u = dot(from_centre, axis) / radii[0];
    let v = dot(from_centre, [-axis[1], axis[0]]) / radii[1];
    let level = (u * u + v * v).sqrt();
    let slope = ((u / radii[0]).powi(2) + (v / radii[1]).powi(2)).sqrt();
    if slope > 0.0 {
        level * (level - 1.0) / slope
    } else {
        -radii[0].min(radii[1])
    }
}

fn polygon_distance(p: Point, corners: &[Point]) -> f32 {
    let mut nearest = f32::INFINITY;
    let mut inside = false;
    let mut previous = corners[corners.len() - 1];
    for &corner in corners {
        let edge = sub(corner, previous);
        let from = sub(p, previous);
        let along = (dot(from, edge) / dot(edge, edge)).clamp(0.0, 1.0);
        let gap = sub(from, edge.map(|v| v * along));
        nearest = nearest.min(dot(gap, gap));
        // Every edge that a ray from `p` to the right crosses toggles `inside`.
        if (previous[1] > p[1]) != (corner[1] > p[1]) {
            let cross = edge[0] * from[1] - edge[1] * from[0];
            inside ^= (cross > 0.0) == (edge[1] < 0.0);
        }
        previous = corner;
    }
    if inside {
        -nearest.sqrt()
    } else {
        nearest.sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> [Point; 4] {
        [[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]]
    }

    #[test]
    fn a_polygon_measures_from_its_edges() {
        for (p, want) in [
            ([0.5, 0.5], -0.25),
            ([0.5, 0.3], -0.05),
            ([0.5, 0.15], 0.1),
            ([0.15, 0.5], 0.1),
            ([0.85, 0.5], 0.1),
            ([0.85, 0.85], 0.1 * std::f32::consts::SQRT_2),
        ] {
            let got = polygon_distance(p, &square());
            assert!((got - want).abs() < 1e-6, "{p:?}: {got} against {want}");
        }
    }

    #[test]
    fn a_circle_measures_exactly() {
        for r in [0.05_f32, 0.2, 0.3, 0.5] {
            let p = [0.6 * r, 0.8 * r];
            let got = ellipse_distance(p, direction(0.3), [0.2, 0.2]);
            assert!((got - (r - 0.2)).abs() < 1e-6, "{r}: {got}");
        }
        assert_eq!(ellipse_distance([0.0, 0.0], [1.0, 0.0], [0.3, 0.1]), -0.1);
    }

    #[test]
    fn the_reach_holds_every_corner() {
        use rand::SeedableRng;
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200 {
            let outline = Outline::random(&mut rng);
            assert!(outline.distance(outline.centre, 0.1) < 0.0);
            if let Curve::Polygon { corners } = &outline.curve {
                for corner in corners {
                    let from = sub(*corner, outline.centre);
                    assert!(dot(from, from).sqrt() <= outline.reach * 1.0001);
                }
            }
        }
    }
}
