//! The placement of shapes in a scene. The shapes overlap but stay visible.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::outline::Outline;
use super::paint::{Background, Texture};

/// Smallest visible fraction of a shape, measured on a `GRID` x `GRID` raster.
pub(super) const MIN_VISIBLE: f32 = 0.35;
/// Side of the raster that measures visibility, in cells. Each cell is one bit of a `u32`.
const GRID: usize = 32;
/// Number of placements that are tried for one shape.
const TRIES: usize = 24;

/// A scene in the unit square, independent of the number of pixels.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) background: Background,
    /// Farthest first.
    pub(super) shapes: Vec<(Outline, Texture)>,
}

impl Layout {
    /// Creates the scene of `seed` and `index`. The scene depends on nothing else.
    pub(super) fn new(seed: u64, index: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(index);
        let background = Background::random(&mut rng);
        let outlines = place_all(&mut rng);
        let mut used = vec![background.typical()];
        let shapes = outlines
            .into_iter()
            .map(|outline| {
                let texture = Texture::random(&mut rng, outline.centre, outline.reach, &used);
                used.push(texture.base());
                (outline, texture)
            })
            .collect();
        Self { background, shapes }
    }
}

/// Returns two to five outlines, farthest first.
fn place_all(rng: &mut ChaCha8Rng) -> Vec<Outline> {
    let wanted = rng.random_range(2..=5);
    let mut placed = Vec::with_capacity(wanted);
    let mut visible: Vec<Raster> = Vec::with_capacity(wanted);
    let mut whole = Vec::with_capacity(wanted);
    while placed.len() < wanted {
        let touching = rng.random_bool(0.8);
        let found = (0..TRIES).find_map(|_| {
            let outline = Outline::random(rng);
            let raster = Raster::new(&outline);
            let touches = whole
                .iter()
                .any(|other: &Raster| other.overlap(&raster) > 0);
            let fits = visible.iter().zip(&whole).all(|(seen, all)| {
                (seen.count() - seen.overlap(&raster)) as f32 >= MIN_VISIBLE * all.count() as f32
            });
            (fits && (touches || !touching || whole.is_empty())).then_some((outline, raster))
        });
        match found {
            Some((outline, raster)) => {
                for seen in &mut visible {
                    seen.hide(&raster);
                }
                visible.push(raster.clone());
                whole.push(raster);
                placed.push(outline);
            }
            None if placed.len() >= 2 => break,
            // Two shapes always fit, so the search continues.
            None => {}
        }
    }
    placed
}

/// The cells of a coarse grid whose centres lie inside an outline.
#[derive(Clone)]
struct Raster([u32; GRID]);

impl Raster {
    fn new(outline: &Outline) -> Self {
        let mut rows = [0; GRID];
        let at = |i: usize| (i as f32 + 0.5) / GRID as f32;
        for (y, row) in rows.iter_mut().enumerate() {
            for x in 0..GRID {
                let inside = outline.distance([at(x), at(y)], 0.0) < 0.0;
                *row |= u32::from(inside) << x;
            }
        }
        Self(rows)
    }

    fn count(&self) -> u32 {
        self.0.iter().map(|row| row.count_ones()).sum()
    }

    fn overlap(&self, other: &Self) -> u32 {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| (a & b).count_ones())
            .sum()
    }

    fn hide(&mut self, nearer: &Self) {
        for (row, hidden) in self.0.iter_mut().zip(&nearer.0) {
            *row &= !hidden;
        }
    }
}
