//! The innermost loop of the forward compositor: blends hits into the pixels of their tile.

use std::hint::select_unpredictable;
use std::ops::Range;

use crate::composite::cpu::coverage::{
    BatchBounds, Coverage, MAX_PARTS, PartSets, SavedSet, save_sets,
};
use crate::composite::cpu::hits::{BATCH, Batch, Hit};
use crate::composite::cpu::tile::{
    BLOCK_COLUMNS, BLOCK_SIDE, Block, BlockSet, Blocks, Centres, Constants, MAX_LANES, Tile,
    blocks_of_planes, take_first,
};
use crate::contributors::NO_CONTRIBUTOR;
use crate::error::RenderError;
use crate::host::cut::cut;
use crate::host::simd::Kernel;
use crate::scalar::Scalar;
use crate::scalar::rounding::Arithmetic;
use crate::splats::Splats;

/// The pixels of a tile during the forward pass, as planes.
pub struct Pixels<T> {
    /// The transmittance. Negated once the pixel has ended, so that no further splat is composited.
    /// Zero outside the image.
    pub(crate) transmittance: Blocks<T>,
    /// The index, in the tile's list, of the splat at which the pixel ended, or [`NEVER`].
    pub(crate) ends: Blocks<u32>,
    /// The sums of weight times value, block by block: the depth if it is wanted, then the
    /// features.
    pub(crate) values: Vec<Block<T>>,
    /// The number of planes.
    pub(crate) planes: usize,
    /// The contributors, if they are wanted.
    pub(crate) contributors: Option<Strongest<T>>,
    centres: Centres<T>,
    /// The blocks with a pixel that has not ended.
    live: BlockSet,
    bounds: BatchBounds<T>,
    coverage: Coverage<T>,
    /// The number of lanes evaluated so far.
    pub(crate) evaluated: u64,
}

/// The contributors of the pixels of a tile, as planes.
pub(crate) struct Strongest<T> {
    /// The index of the splat with the largest weight.
    pub(crate) indices: Blocks<u32>,
    pub(crate) weights: Blocks<T>,
    pub(crate) counts: Blocks<u32>,
}

impl<T: Scalar> Strongest<T> {
    fn new() -> Self {
        Self {
            indices: Box::new([Block::all(NO_CONTRIBUTOR); _]),
            weights: Box::new([Block::all(T::ZERO); _]),
            counts: Box::new([Block::all(0); _]),
        }
    }

    fn reset(&mut self, blocks: Range<usize>) {
        self.indices[blocks.clone()].fill(Block::all(NO_CONTRIBUTOR));
        self.weights[blocks.clone()].fill(Block::all(T::ZERO));
        self.counts[blocks].fill(Block::all(0));
    }

    /// Adds the weights of the splat `index` in one part of a block. `composited` is one where the
    /// splat was composited, else zero.
    #[inline(always)]
    fn add<const LANES: usize>(
        &mut self,
        block: usize,
        part: usize,
        index: u32,
        weights: &[T; LANES],
        composited: &[u32; LANES],
    ) {
        let mut indices: [u32; LANES] = self.indices[block].load(part);
        let mut largest: [T; LANES] = self.weights[block].load(part);
        let mut counts: [u32; LANES] = self.counts[block].load(part);
        for lane in 0..LANES {
            // The weight of a splat that is not composited is zero.
            let larger = weights[lane] > largest[lane];
            indices[lane] = select_unpredictable(larger, index, indices[lane]);
            largest[lane] = select_unpredictable(larger, weights[lane], largest[lane]);
            counts[lane] += composited[lane];
        }
        self.indices[block].store(part, indices);
        self.weights[block].store(part, largest);
        self.counts[block].store(part, counts);
    }
}

/// The end of a pixel that has not ended.
pub(crate) const NEVER: u32 = u32::MAX;

/// A hit's index in its tile's list, and its value for each plane.
#[derive(Clone, Copy)]
pub(crate) struct Listed<'a, T> {
    pub(crate) index: u32,
    pub(crate) values: &'a [T],
}

impl<T: Scalar> Pixels<T> {
    /// Allocates the pixels of a tile with `planes` planes, and with contributors if they are
    /// wanted.
    ///
    /// # Errors
    /// Returns an error if the size overflows or an allocation fails.
    pub(crate) fn new(planes: usize, contributors: bool) -> Result<Self, RenderError> {
        Ok(Self {
            transmittance: Box::new([Block::all(T::ONE); _]),
            ends: Box::new([Block::all(NEVER); _]),
            values: blocks_of_planes(planes)?,
            planes,
            contributors: contributors.then(Strongest::new),
            centres: Centres::new(),
            live: 0,
            bounds: BatchBounds::new(),
            coverage: Coverage::new(),
            evaluated: 0,
        })
    }

    /// Resets the pixels for the tile `tile`.
    pub(crate) fn reset(&mut self, tile: &Tile) {
        for blocks in tile.blocks() {
            self.values[blocks.start * self.planes..blocks.end * self.planes]
                .fill(Block::all(T::ZERO));
            self.ends[blocks.clone()].fill(Block::all(NEVER));
            if let Some(contributors) = &mut self.contributors {
                contributors.reset(blocks.clone());
            }
            self.transmittance[blocks].fill(Block::all(T::ONE));
        }
        self.centres.set(tile);
        self.live = tile.block_set();
        if !tile.cuts_blocks() {
            return;
        }
        // Pixels outside the image have transmittance zero, and ended before the first splat.
        for number in tile.blocks().flatten() {
            let (row, column) = (number / BLOCK_COLUMNS, number % BLOCK_COLUMNS);
            let pixels = self.transmittance[number].0.iter_mut();
            for (lane, (t, end)) in pixels.zip(&mut self.ends[number].0).enumerate() {
                let x = column * BLOCK_SIDE + lane % BLOCK_SIDE;
                let y = row * BLOCK_SIDE + lane / BLOCK_SIDE;
                if x >= tile.width || y >= tile.height {
                    (*t, *end) = (T::ZERO, 0);
                }
            }
        }
    }

    /// Removes blocks in which every pixel has ended from `live`. Returns whether any remain.
    #[inline(always)]
    pub(crate) fn goes_on(&mut self) -> bool {
        let mut blocks = self.live;
        while blocks != 0 {
            let block = take_first(&mut blocks);
            let t = self.transmittance[block].0.iter();
            let goes_on = t.fold(false, |any, &t| any | (t > T::ZERO));
            self.live &= !(BlockSet::from(!goes_on) << block);
        }
        self.live != 0
    }

    /// Returns whether a pixel of the tile's blocks has ended. Pixels outside the image count as
    /// ended.
    #[inline(always)]
    pub(crate) fn ended(&self, tile: &Tile) -> bool {
        let mut common = NEVER;
        for block in tile.blocks().flat_map(|blocks| &self.ends[blocks]) {
            common = block.0.iter().fold(common, |common, &end| common & end);
        }
        common != NEVER
    }

    /// Returns the planes of a block.
    #[inline(always)]
    pub(crate) fn planes(&self, block: usize) -> &[Block<T>] {
        &self.values[block * self.planes..(block + 1) * self.planes]
    }

    /// Returns the last `channels` planes of a block, which are its features.
    #[inline(always)]
    pub(crate) fn features(&self, block: usize, channels: usize) -> &[Block<T>] {
        &self.planes(block)[self.planes - channels..]
    }

    /// Blends hit `k` of the batch. Returns the blocks in which it was composited in some pixel.
    /// `PLANES` is the number of values per pixel, or 0 to read it at run time. `splat` is the
    /// index of the hit's splat.
    #[inline(always)]
    pub(crate) fn add<
        A: Arithmetic<T>,
        const LANES: usize,
        const PLANES: usize,
        const CONTRIBUTORS: bool,
    >(
        &mut self,
        tile: &Tile,
        k: usize,
        hit: &Hit<T>,
        listed: Listed<'_, T>,
        splat: u32,
        constants: &Constants<T>,
    ) -> PartSets {
        let bounds = self.bounds.bounds(k);
        bounds.cover::<A, LANES>(hit, tile, &self.centres, &mut self.coverage);
        let mut composited_in = [0; MAX_PARTS];
        for part in 0..MAX_LANES / LANES {
            let mut blocks = self.coverage.blocks[part] & self.live;
            self.evaluated += blocks.count_ones() as u64 * LANES as u64;
            while blocks != 0 {
                let block = take_first(&mut blocks);
                let (transmittance, ends) = (&mut self.transmittance[block], &mut self.ends[block]);
                let count = if PLANES > 0 { PLANES } else { self.planes };
                let planes = &mut self.values[block * count..][..count];
                let dx = self.centres.right_of(hit.mean.x, block);
                let terms = self.coverage.terms::<LANES>(block, part);
                let sigma = terms.sigma::<A>(hit.conic, &dx);
                let pixels = Lanes {
                    transmittance: transmittance.load(part),
                    ends: ends.load(part),
                };
                let (behind, weights, composited) =
                    pixels.behind::<A>(&sigma, hit.opacity, listed.index, constants);
                transmittance.store(part, behind.transmittance);
                ends.store(part, behind.ends);
                let any = composited.iter().fold(false, |any, &one| any | (one != 0));
                composited_in[part] |= BlockSet::from(any) << block;
                if CONTRIBUTORS && let Some(contributors) = &mut self.contributors {
                    contributors.add(block, part, splat, &weights, &composited);
                }
                if let (Some(planes), Some(values)) = (
                    planes.first_chunk_mut::<PLANES>(),
                    listed.values.first_chunk::<PLANES>(),
                ) && PLANES > 0
                {
                    add_weighted::<T, A, LANES>(planes, values, part, &weights);
                } else {
                    add_weighted::<T, A, LANES>(planes, listed.values, part, &weights);
                }
            }
        }
        composited_in
    }
}

/// Adds a splat's weighted values to the planes of a block, in one part of the block.
#[inline(always)]
fn add_weighted<T: Scalar, A: Arithmetic<T>, const LANES: usize>(
    planes: &mut [Block<T>],
    values: &[T],
    part: usize,
    weights: &[T; LANES],
) {
    for (plane, &value) in planes.iter_mut().zip(values) {
        let mut sums: [T; LANES] = plane.load(part);
        for lane in 0..LANES {
            sums[lane] = A::add_weighted(sums[lane], weights[lane], value);
        }
        plane.store(part, sums);
    }
}

/// The state of the pixels in one part of a block.
struct Lanes<T, const LANES: usize> {
    transmittance: [T; LANES],
    ends: [u32; LANES],
}

impl<T: Scalar, const LANES: usize> Lanes<T, LANES> {
    /// Returns the pixels behind a hit, the hit's weights, and ones where the hit is composited.
    #[inline(always)]
    fn behind<A: Arithmetic<T>>(
        mut self,
        sigma: &[T; LANES],
        opacity: T,
        index: u32,
        constants: &Constants<T>,
    ) -> (Self, [T; LANES], [u32; LANES]) {
        let (mut weights, mut ones) = ([T::ZERO; LANES], [0; LANES]);
        for lane in 0..LANES {
            let (sigma, t) = (sigma[lane], self.transmittance[lane]);
            let alpha = A::alpha(opacity, A::falloff(sigma), constants.alpha_max);
            let counts = A::counts(sigma, alpha, constants.alpha_min);
            let behind = A::behind(t, alpha);
            let composited = counts & (behind > constants.transmittance_min);
            weights[lane] = select_unpredictable(composited, A::weight(alpha, t), T::ZERO);
            ones[lane] = u32::from(composited);
            // The alpha of a pair that does not count can be any value, and its results are
            // discarded. The sign is set separately: from two nested selects the compiler makes a
            // masked store, and the next load from it is slow.
            let stops = counts & !composited;
            self.transmittance[lane] =
                select_unpredictable(composited, behind, t.negative_if(stops));
            // Indices ascend, so the first is the least.
            self.ends[lane] = self.ends[lane].min(select_unpredictable(stops, index, NEVER));
        }
        (self, weights, ones)
    }
}

/// Blends consecutive hits of a tile's list into its pixels. This kernel is separate from
/// [`Write`](crate::composite::cpu::write::Write), so that the compiler has enough registers.
pub(crate) struct Blend<'p, 'a, T: Scalar> {
    pub(crate) splats: &'p Splats<&'a [T]>,
    pub(crate) constants: &'p Constants<T>,
    pub(crate) pixels: &'p mut Pixels<T>,
    pub(crate) batch: &'p mut Batch<T>,
    pub(crate) tile: &'p Tile,
    pub(crate) hits: &'p [u32],
    /// `[hits, parts]`: the blocks in which each hit is composited in some pixel.
    pub(crate) hit_blocks: &'p mut [SavedSet],
    /// The index of the first hit in the tile's list.
    pub(crate) first: usize,
}

impl<T: Scalar> Kernel for Blend<'_, '_, T> {
    type Scalar = T;
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic<T>, const LANES: usize>(self) {
        match (self.pixels.planes, &self.pixels.contributors) {
            (3, None) => self.hits::<A, LANES, 3, false>(),
            (4, None) => self.hits::<A, LANES, 4, false>(),
            (_, None) => self.hits::<A, LANES, 0, false>(),
            (3, Some(_)) => self.hits::<A, LANES, 3, true>(),
            (4, Some(_)) => self.hits::<A, LANES, 4, true>(),
            (_, Some(_)) => self.hits::<A, LANES, 0, true>(),
        }
    }
}

impl<T: Scalar> Blend<'_, '_, T> {
    #[inline(always)]
    fn hits<A: Arithmetic<T>, const LANES: usize, const PLANES: usize, const CONTRIBUTORS: bool>(
        self,
    ) {
        let Self {
            splats,
            constants,
            pixels,
            batch,
            tile,
            hit_blocks,
            ..
        } = self;
        let parts = MAX_LANES / LANES;
        let (mut to_come, mut hit_blocks) = (self.hits, hit_blocks);
        for (first, hits) in (self.first..).step_by(BATCH).zip(self.hits.chunks(BATCH)) {
            if !pixels.goes_on() {
                break;
            }
            to_come = &to_come[hits.len()..];
            batch.load::<PLANES>(splats, hits);
            pixels.bounds.find(splats, hits, batch, tile, constants);
            let sets = cut(&mut hit_blocks, hits.len() * parts).chunks_exact_mut(parts);
            for ((k, &hit), sets) in hits.iter().enumerate().zip(sets) {
                let listed = Listed {
                    index: (first + k) as u32,
                    values: batch.values(k),
                };
                let next = &to_come[k.min(to_come.len())..(k + 1).min(to_come.len())];
                batch.fetch(splats, next);
                BatchBounds::fetch(splats, next);
                let in_blocks = pixels.add::<A, LANES, PLANES, CONTRIBUTORS>(
                    tile,
                    k,
                    &batch.hit(k),
                    listed,
                    hit,
                    constants,
                );
                save_sets(&in_blocks, sets);
            }
        }
        hit_blocks.fill([0; _]);
    }
}
