//! Compares the parallel implementation of the sort stage with simple ones on the same input.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::binning::bounds::splat_pixels;
use crate::binning::cpu::bin;
use crate::binning::grid::TileSize;
use crate::host::memory::Memory;
use crate::host::simd::Simd;
use crate::host::workspace::{Resources, Workspace};
use crate::scalar::Scalar;
use crate::sort::cpu::counting::into_bins;
use crate::sort::cpu::deal::Deal;
use crate::sort::cpu::depth::ViewSplats;
use crate::sort::cpu::lists::SortedHits;
use crate::sort::cpu::sort;
use crate::splats::Splats;

fn resources<T>(workspace: &Workspace<T>) -> Resources<'_, T> {
    let simd = Simd::Portable;
    Resources { simd, workspace }
}

/// Returns random depths. Many are equal, some are zero of either sign, and some are negative. If
/// `narrow` is true, all depths lie in one binade.
fn depths<T: Scalar>(count: usize, narrow: bool) -> Vec<T> {
    let mut rng = ChaCha8Rng::seed_from_u64(count as u64);
    let mut depth = || match rng.random_range(0..6) {
        _ if narrow => rng.random_range(1.0..2.0),
        0 => 0.0,
        1 => -0.0,
        2 => f64::from(rng.random_range(-3i8..3)),
        3 => rng.random_range(-1e30..1e30),
        _ => rng.random_range(-1.0..2.0),
    };
    (0..count).map(|_| T::from_f64(depth())).collect()
}

fn order_is_that_of_a_stable_sort<T: Scalar>() {
    let border = 8192;
    let counts = [
        0,
        1,
        2,
        1023,
        1024,
        1025,
        border - 1,
        border,
        border + 1,
        3 * border + 5,
    ];
    for (count, narrow) in counts.into_iter().flat_map(|n| [(n, false), (n, true)]) {
        // The view begins with splat 3. Every fifth splat touches no tile.
        let begin = 3;
        let depths = depths::<T>(begin + count, narrow);
        let mut hits_from_splat = vec![0];
        for m in 0..depths.len() {
            hits_from_splat.push(hits_from_splat[m] + u32::from(m % 5 != 4));
        }
        let view = ViewSplats {
            depths: &depths,
            hits_from_splat: &hits_from_splat,
            splats: begin..begin + count,
        };
        let mut expected: Vec<u32> = (begin as u32..(begin + count) as u32)
            .filter(|m| m % 5 != 4)
            .collect();
        expected.sort_by(|&a, &b| {
            let depth = |m: u32| depths[m as usize];
            depth(a).partial_cmp(&depth(b)).expect("numbers")
        });
        assert_eq!(
            view.order(&Memory::default()).expect("memory"),
            expected,
            "{count}"
        );
        let order = view.order_by_comparison(&Memory::default());
        assert_eq!(order.expect("memory"), expected, "{count}");
        for blocks in [1, 2, 3, 7] {
            let order = view.order_by_digits(blocks, &Memory::default());
            let order = order.expect("memory");
            assert_eq!(order, expected, "{count} in {blocks} blocks");
        }
    }
}

#[test]
fn order_is_that_of_a_stable_sort_f32() {
    order_is_that_of_a_stable_sort::<f32>();
}

#[test]
fn order_is_that_of_a_stable_sort_f64() {
    order_is_that_of_a_stable_sort::<f64>();
}

#[test]
fn bins_fill_up_in_order_however_many_the_blocks() {
    // There are more bins than one task handles, and most bins are empty.
    let (bins, count) = (1500, 4000);
    let bin_of = |i: usize| (i * i) % bins;
    let mut expected: Vec<u32> = (0..count as u32).collect();
    expected.sort_by_key(|&i| bin_of(i as usize));
    for blocks in [1, 2, 9] {
        let slots: Vec<AtomicU32> = (0..count).map(|_| AtomicU32::new(0)).collect();
        let of_block = |block: usize| block * count / blocks..(block + 1) * count / blocks;
        let mut counts = vec![0; blocks * bins];
        into_bins(
            &mut counts,
            bins,
            7,
            &Memory::default(),
            |block, row| of_block(block).for_each(|i| row[bin_of(i)] += 1),
            |block, row| {
                for i in of_block(block) {
                    let slot = &mut row[bin_of(i)];
                    slots[*slot as usize - 7].store(i as u32, Relaxed);
                    *slot += 1;
                }
            },
        )
        .expect("memory");
        let slots: Vec<u32> = slots.into_iter().map(AtomicU32::into_inner).collect();
        assert_eq!(slots, expected, "{blocks} blocks");
        assert_eq!(counts.last(), Some(&(7 + count as u32)), "{blocks} blocks");
    }
}

/// Returns random splats inside and around an image of `[width, height]` px. Some of them are
/// culled. View `b` has `counts[b]` splats.
fn splats<T: Scalar>(counts: &[usize], [width, height]: [usize; 2]) -> Splats<Vec<T>> {
    let mut offsets = vec![0];
    for count in counts {
        offsets.push(offsets[offsets.len() - 1] + count);
    }
    let m = offsets[counts.len()];
    let mut rng = ChaCha8Rng::seed_from_u64(m as u64);
    let mut extents = Vec::new();
    let mut means = Vec::new();
    for _ in 0..m {
        for side in [width, height] {
            let side = side as f64;
            means.push(T::from_f64(rng.random_range(-0.2 * side..1.2 * side)));
            let half: f64 = rng.random_range(-1.0..3.0);
            extents.push(T::from_f64(half.max(0.0).powi(3)));
        }
    }
    Splats {
        means,
        conics: vec![T::ONE; 3 * m],
        opacities: vec![T::ONE; m],
        depths: depths(m, false),
        features: vec![T::ONE; m],
        half_features: None,
        extents,
        offsets,
        channels: 1,
    }
}

/// Computes the list of every tile with one test per splat and tile.
fn lists(splats: &Splats<&[f32]>, sorted: &SortedHits) -> Vec<Vec<u32>> {
    let grid = &sorted.grid;
    let mut lists = vec![Vec::new(); grid.size.views * grid.per_view()];
    for (view, offsets) in splats.offsets.windows(2).enumerate() {
        let mut order: Vec<usize> = (offsets[0]..offsets[1]).collect();
        order.sort_by(|&a, &b| {
            splats.depths[a]
                .partial_cmp(&splats.depths[b])
                .expect("numbers")
        });
        for m in order {
            let [x, y] = splat_pixels(splats, m, grid.size);
            for (row, column) in
                (0..grid.rows).flat_map(|row| (0..grid.columns).map(move |column| (row, column)))
            {
                let meets = |pixels: &std::ops::Range<usize>, tile: usize, side: usize| {
                    !pixels.is_empty()
                        && pixels.start < (tile + 1) * side
                        && pixels.end > tile * side
                };
                if meets(&x, column, grid.tile_width) && meets(&y, row, grid.tile_height) {
                    lists[view * grid.per_view() + row * grid.columns + column].push(m as u32);
                }
            }
        }
    }
    lists
}

fn fields(sorted: SortedHits) -> [Vec<u32>; 5] {
    [
        sorted.splat_from_slot,
        sorted.slot_from_hit,
        sorted.hits_from_splat,
        sorted.slots_from_tile,
        sorted.rank_from_splat,
    ]
}

fn binned_and_sorted(splats: &Splats<&[f32]>, size: [usize; 2], tile: TileSize) -> SortedHits {
    let hits =
        bin(splats, size[0], size[1], tile, resources(&Workspace::new())).expect("valid splats");
    sort(splats, hits, resources(&Workspace::new())).expect("hits of these splats")
}

#[test]
fn lists_have_the_splats_of_every_tile_in_depth_order() {
    let size = [150, 70];
    let splats = splats::<f32>(&[700, 0, 1, 300], size);
    let splats = splats.as_slices();
    for tile in [
        TileSize::Px8,
        TileSize::Px16,
        TileSize::Px32,
        TileSize::Px32x16,
    ] {
        let sorted = binned_and_sorted(&splats, size, tile);
        let expected = lists(&splats, &sorted);
        for (tile, expected) in expected.iter().enumerate() {
            assert_eq!(sorted.splats_of_tile(tile), expected);
        }
        // Each hit of a splat leads to a slot of this splat, in the order of the tiles.
        for m in 0..splats.len() {
            let [begin, end] = [m, m + 1].map(|m| sorted.hits_from_splat[m] as usize);
            let slots = &sorted.slot_from_hit[begin..end];
            assert!(slots.is_sorted());
            let own = slots
                .iter()
                .all(|&slot| sorted.splat_from_slot[slot as usize] == m as u32);
            assert!(own, "splat {m} with {tile:?}");
        }
    }
}

#[test]
fn blocks_deal_as_one_does() {
    let size = [150, 70];
    let splats = splats::<f32>(&[900], size);
    let splats = splats.as_slices();
    let hits = bin(
        &splats,
        size[0],
        size[1],
        TileSize::Px8,
        resources(&Workspace::new()),
    )
    .expect("valid splats");
    let expected = binned_and_sorted(&splats, size, TileSize::Px8);
    let view = ViewSplats {
        depths: splats.depths,
        hits_from_splat: &hits.from_splat,
        splats: 0..splats.len(),
    };
    let order = view.order(&Memory::default()).expect("memory");
    for blocks in [1, 2, 5, 64, 2000] {
        let fresh = |count: usize| (0..count).map(|_| AtomicU32::new(u32::MAX)).collect();
        let total = expected.hits();
        let [ranks, slots, slots_of_hits]: [Vec<AtomicU32>; 3] =
            [splats.len(), total, total].map(fresh);
        let mut tile_ends = vec![0; hits.grid.per_view()];
        let deal = Deal {
            grid_columns: hits.grid.columns,
            rects: &hits.rects,
            hits_from_splat: &hits.from_splat,
            rank_from_splat: &ranks,
            splat_from_slot: &slots,
            slot_from_hit: &slots_of_hits,
        };
        deal.view(&order, 0, &mut tile_ends, blocks, &Memory::default())
            .expect("memory");
        let plain = |numbers: Vec<AtomicU32>| -> Vec<u32> {
            numbers.into_iter().map(AtomicU32::into_inner).collect()
        };
        assert_eq!(plain(ranks), expected.rank_from_splat, "{blocks} blocks");
        assert_eq!(plain(slots), expected.splat_from_slot, "{blocks} blocks");
        assert_eq!(
            plain(slots_of_hits),
            expected.slot_from_hit,
            "{blocks} blocks"
        );
        assert_eq!(tile_ends, expected.slots_from_tile[1..], "{blocks} blocks");
    }
}

#[test]
fn any_number_of_threads_sorts_alike() {
    // The first view is large enough for several blocks in every step.
    let size = [200, 150];
    let splats = splats::<f32>(&[70_000, 300, 20_000], size);
    let splats = splats.as_slices();
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let sorted = || fields(binned_and_sorted(&splats, size, TileSize::Px8));
        pool.expect("threads").install(sorted)
    };
    let one = on(1);
    assert!(one[0].len() > 80_000, "{} hits", one[0].len());
    assert_eq!(one, on(2));
    assert_eq!(one, on(5));
}

#[test]
fn a_single_splat_that_moved_to_another_tile_is_found() {
    let size = [64, 64];
    let mut splats = splats::<f32>(&[9000], size);
    let hits = bin(
        &splats.as_slices(),
        64,
        64,
        TileSize::Px16,
        resources(&Workspace::new()),
    )
    .expect("valid splats");
    // The splat moves to the opposite corner: as many tiles as before, but other tiles.
    let m = 8500;
    splats.extents[2 * m..2 * m + 2].fill(1.0);
    splats.means[2 * m..2 * m + 2].fill(8.0);
    let before = bin(
        &splats.as_slices(),
        64,
        64,
        TileSize::Px16,
        resources(&Workspace::new()),
    )
    .expect("valid splats");
    splats.means[2 * m..2 * m + 2].fill(56.0);
    assert_eq!(
        before.first_stranger(&splats.as_slices(), Simd::Portable),
        Some(m)
    );
    assert!(sort(&splats.as_slices(), before, resources(&Workspace::new())).is_err());
    // The hits belong to 9000 splats, and there is no splat now.
    let mut fewer = splats.clone();
    fewer.offsets = vec![0, 0];
    for buffer in [&mut fewer.means, &mut fewer.depths, &mut fewer.extents] {
        buffer.clear();
    }
    assert!(sort(&fewer.as_slices(), hits, resources(&Workspace::new())).is_err());
}
