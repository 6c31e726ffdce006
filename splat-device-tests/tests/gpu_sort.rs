//! Compares the device's scan, sort and tile lists with those of the host. Without a wgpu device
//! the tests are reported as ignored.
//!
//! `cargo test -p splat-device-tests --features wgpu --test gpu_sort` runs the tests. With
//! `-- --include-ignored` the slow tests run too.

use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::{Arguments, Failed, Trial};
use rand::{Rng, SeedableRng, rngs::StdRng};
use splat::measure::gpu as device;
use splat::{Backend, Cpu, Gpu, Regime, RenderError, Splats, TileSize};

type Device = Gpu<WgpuRuntime>;

fn gpu() -> Result<Device, RenderError> {
    Gpu::new(&WgpuDevice::default())
}

/// Lengths around the sizes of workgroups, of blocks, and of two levels of blocks.
const LENGTHS: [usize; 16] = [
    0, 1, 2, 255, 256, 257, 2047, 2048, 2049, 4095, 4096, 4097, 65_535, 65_536, 70_001, 1_000_003,
];

fn random(len: usize, below: u32) -> Vec<u32> {
    let mut rng = StdRng::seed_from_u64(len as u64);
    (0..len).map(|_| rng.random_range(0..=below)).collect()
}

/// Returns an error with the first index at which two lists differ.
fn same(what: &str, got: &[u32], expected: &[u32]) -> Result<(), Failed> {
    if got.len() != expected.len() {
        return Err(format!("{what}: {} numbers, not {}", got.len(), expected.len()).into());
    }
    match (0..got.len()).find(|&i| got[i] != expected[i]) {
        None => Ok(()),
        Some(i) => Err(format!("{what} at {i}: {}, not {}", got[i], expected[i]).into()),
    }
}

fn scan_equals_host(input: &[u32], extra: usize) -> Result<(), Failed> {
    let gpu = gpu()?;
    let output_len = input.len() + extra;
    let sums = device::scan(&gpu, &device::upload(&gpu, input)?, output_len)?;
    let mut sum = 0u32;
    let padded = input.iter().copied().chain(std::iter::repeat(0));
    let expected: Vec<u32> = padded
        .take(output_len)
        .map(|x| {
            let before = sum;
            sum = sum.saturating_add(x);
            before
        })
        .collect();
    same("sum", &device::download(&gpu, &sums)?, &expected)
}

fn scans() -> Result<(), Failed> {
    for len in LENGTHS {
        for extra in [0, 1] {
            scan_equals_host(&random(len, 1000), extra)?;
        }
        scan_equals_host(&vec![1; len], 1)?;
    }
    // This length needs three levels of blocks.
    scan_equals_host(&random(2048 * 2048 + 5, 100), 1)
}

fn scans_that_overflow_stay_at_the_greatest_number() -> Result<(), Failed> {
    for len in [3, 300, 5000, 70_001] {
        scan_equals_host(&random(len, u32::MAX), 1)?;
        scan_equals_host(&vec![u32::MAX; len], 1)?;
    }
    Ok(())
}

fn sort_equals_host(keys: &[u32], bits: u32) -> Result<(), Failed> {
    let gpu = gpu()?;
    let values: Vec<u32> = (0..keys.len() as u32).collect();
    let (sorted_keys, sorted_values) = device::sort(
        &gpu,
        device::upload(&gpu, keys)?,
        device::upload(&gpu, &values)?,
        bits,
    )?;
    let mut expected: Vec<(u32, u32)> = keys.iter().copied().zip(values).collect();
    expected.sort_by_key(|&(key, _)| key);
    let (expected_keys, expected_values): (Vec<u32>, Vec<u32>) = expected.into_iter().unzip();
    let what = format!("{} keys of {bits} bits", keys.len());
    same(
        &what,
        &device::download(&gpu, &sorted_keys)?,
        &expected_keys,
    )?;
    same(
        &what,
        &device::download(&gpu, &sorted_values)?,
        &expected_values,
    )
}

fn sorts_of_all_lengths() -> Result<(), Failed> {
    for len in LENGTHS {
        sort_equals_host(&random(len, u32::MAX), 32)?;
    }
    Ok(())
}

fn sorts_of_all_bits() -> Result<(), Failed> {
    for bits in 0..=32 {
        let greatest = ((1u64 << bits) - 1) as u32;
        sort_equals_host(&random(9001, greatest), bits)?;
    }
    Ok(())
}

fn sorts_of_patterns() -> Result<(), Failed> {
    const LEN: usize = 12_345;
    let ascending: Vec<u32> = (0..LEN as u32).collect();
    let descending: Vec<u32> = ascending.iter().rev().copied().collect();
    let few: Vec<u32> = random(LEN, 2).iter().map(|x| x * 0x7fff_ffff).collect();
    let ends: Vec<u32> = random(LEN, 1).iter().map(|x| x * u32::MAX).collect();
    for keys in [ascending, descending, few, ends] {
        sort_equals_host(&keys, 32)?;
    }
    for key in [0, 1, 0x8000_0000, u32::MAX] {
        sort_equals_host(&vec![key; LEN], 32)?;
    }
    Ok(())
}

fn sort_of_30_million() -> Result<(), Failed> {
    const LEN: usize = 30_000_000;
    scan_equals_host(&random(LEN, 100), 1)?;
    sort_equals_host(&random(LEN, (1 << 13) - 1), 13)?;
    sort_equals_host(&random(LEN, u32::MAX), 32)
}

/// Returns splats in views of the lengths `lens`. The coordinates of their boxes are multiples of
/// `1 / grid` px. With 1/64 px, small sums of them are exact in `f32`, so that device and CPU must
/// agree. Some splats are culled, some depths are negative, and many depths are equal.
fn splats(lens: &[usize], width: usize, height: usize, grid: f32) -> Splats<Vec<f32>> {
    let mut rng = StdRng::seed_from_u64((width * height + lens.len()) as u64);
    let mut offsets = vec![0];
    for len in lens {
        offsets.push(offsets[offsets.len() - 1] + len);
    }
    let count = offsets[lens.len()];
    let mut on_grid = |range: std::ops::Range<f32>| (rng.random_range(range) * grid).round() / grid;
    let (mut means, mut extents, mut depths) = (Vec::new(), Vec::new(), Vec::new());
    for m in 0..count {
        means.push(on_grid(-8.0..width as f32 + 8.0));
        means.push(on_grid(-8.0..height as f32 + 8.0));
        let largest = if m % 50 == 0 { width as f32 } else { 12.0 };
        let extent = [on_grid(0.1..largest), on_grid(0.1..largest)];
        let meets = |axis: usize, pixels: usize| {
            let (mean, extent): (f32, f32) = (means[2 * m + axis], extent[axis]);
            (0..pixels).any(|pixel| (pixel as f32 + 0.5 - mean).abs() <= extent)
        };
        // The projection culls a splat without a pixel centre in its box.
        let culled = m % 7 == 3 || !meets(0, width) || !meets(1, height);
        extents.extend(if culled { [0.0; 2] } else { extent });
        depths.push(match m % 5 {
            0 => 0.0,
            1 => -0.0,
            2 => on_grid(-2.0..2.0).round(),
            _ => on_grid(-1e3..1e3),
        });
    }
    Splats {
        means,
        conics: [1.0, 0.0, 1.0].repeat(count),
        opacities: vec![0.5; count],
        depths,
        features: vec![0.0; count],
        half_features: None,
        extents,
        offsets,
        channels: 1,
    }
}

/// Returns the lists of the device after binning and sorting.
fn lists(
    gpu: &Device,
    splats: &Splats<Vec<f32>>,
    width: usize,
    height: usize,
) -> Result<device::Lists, Failed> {
    let upload = |numbers: &Vec<f32>| gpu.upload(numbers);
    let uploaded = Splats {
        means: upload(&splats.means)?,
        conics: upload(&splats.conics)?,
        opacities: upload(&splats.opacities)?,
        depths: upload(&splats.depths)?,
        features: upload(&splats.features)?,
        half_features: None,
        extents: upload(&splats.extents)?,
        offsets: splats.offsets.clone(),
        channels: splats.channels,
    };
    let views = uploaded.map(|buffer| buffer);
    let hits = gpu.bin(&views, width, height)?;
    let sorted = gpu.sort(&views, hits)?;
    device::lists(gpu, &sorted)?.ok_or_else(|| "the small regime".into())
}

fn large() -> Result<Device, RenderError> {
    Ok(gpu()?.with_regime(Regime::Large))
}

fn lists_equal_those_of_the_cpu() -> Result<(), Failed> {
    let cpu = Cpu::<f32>::new().with_tile(TileSize::Px16);
    let gpu = large()?;
    let scenes: [(&[usize], usize, usize); 7] = [
        (&[1], 1, 1),
        (&[300], 37, 53),
        (&[5000], 200, 16),
        (&[0, 700, 0, 0, 300, 1, 0], 50, 70),
        (&[40; 300], 33, 17),
        (&[20_000, 3], 333, 250),
        (&[7], 5000, 1),
    ];
    for (lens, width, height) in scenes {
        let splats = splats(lens, width, height, 64.0);
        let slices = splats.as_slices();
        let hits = cpu.bin(&slices, width, height)?;
        let expected = device::host_lists(&cpu.sort(&slices, hits)?);
        let got = lists(&gpu, &splats, width, height)?;
        same("from_splat", &got.from_splat, &expected.from_splat)?;
        same("ranges", &got.ranges, &expected.ranges)?;
        let slots = (&got.splat_from_slot, &expected.splat_from_slot);
        same("splat_from_slot", slots.0, slots.1)?;
        same("slot_from_hit", &got.slot_from_hit, &expected.slot_from_hit)?;
        let ranks = (&got.rank_from_splat, &expected.rank_from_splat);
        same("rank_from_splat", ranks.0, ranks.1)?;
        if lens[0] > 1 && got.splat_from_slot.is_empty() {
            return Err("nothing was tested".into());
        }
    }
    Ok(())
}

/// With rounded sums, no tile loses a splat: if a pixel passes the box test in `f32`, the list of
/// its tile contains the splat.
fn boxes_on_the_edge_lose_no_pixel() -> Result<(), Failed> {
    const SIDE: usize = 100;
    let tiles = SIDE.div_ceil(16);
    let mut splats = splats(&[3000], SIDE, SIDE, 1e7);
    for m in 0..2000 {
        // The box ends at a pixel centre, up to rounding.
        let centre = (m % SIDE) as f32 + 0.5;
        let extent = (splats.means[2 * m] - centre).abs();
        splats.extents[2 * m] = extent;
    }
    let got = lists(&large()?, &splats, SIDE, SIDE)?;
    let kept = |pixel: usize, mean: f32, extent: f32| {
        let d = pixel as f32 + 0.5 - mean;
        d <= extent && -d <= extent
    };
    let axis = |mean: f32, extent: f32, tile: usize| {
        let mut pixels = 16 * tile..SIDE.min(16 * tile + 16);
        extent > 0.0 && pixels.any(|pixel| kept(pixel, mean, extent))
    };
    for tile in 0..tiles * tiles {
        let slots = got.ranges[tile] as usize..got.ranges[tile + 1] as usize;
        let list = &got.splat_from_slot[slots];
        for m in 0..splats.len() {
            let (mean, extent) = (&splats.means[2 * m..], &splats.extents[2 * m..]);
            let seen =
                axis(mean[0], extent[0], tile % tiles) && axis(mean[1], extent[1], tile / tiles);
            if seen && !list.contains(&(m as u32)) {
                return Err(format!("splat {m} is missing in tile {tile}").into());
            }
        }
    }
    Ok(())
}

fn lists_without_hits() -> Result<(), Failed> {
    let gpu = large()?;
    let none = splats(&[0, 0], 40, 20, 64.0);
    let mut culled = splats(&[5, 9], 40, 20, 64.0);
    culled.extents.fill(0.0);
    for splats in [none, culled] {
        let got = lists(&gpu, &splats, 40, 20)?;
        same("from_splat", &got.from_splat, &vec![0; splats.len() + 1])?;
        same("ranges", &got.ranges, &[0; 2 * 6 + 1])?;
        same("slots", &got.splat_from_slot, &[])?;
        same("hits", &got.slot_from_hit, &[])?;
        same("ranks", &got.rank_from_splat, &vec![u32::MAX; splats.len()])?;
    }
    Ok(())
}

fn too_many_hits_are_an_error() -> Result<(), Failed> {
    const SIDE: usize = 4096;
    let gpu = large()?;
    // Each splat touches 2^16 tiles. The hits exceed 32-bit indices, or one buffer of the device.
    let in_one_buffer = (gpu.client().properties().memory.max_page_size >> 18) as usize;
    let mut tried = 0;
    for count in [1 << 16, 1 << 17, in_one_buffer + 1] {
        if count > 1 << 17 {
            continue;
        }
        let mut splats = splats(&[count], SIDE, SIDE, 64.0);
        splats.extents.fill(1e5);
        match lists(&gpu, &splats, SIDE, SIDE) {
            Err(error) if error.message().is_some_and(|text| text.contains("hits")) => tried += 1,
            Err(error) => return Err(error),
            Ok(_) => return Err(format!("{count} splats: no error").into()),
        }
    }
    if tried < 2 {
        return Err("nothing was tested".into());
    }
    Ok(())
}

fn main() {
    let found = gpu().is_ok();
    let trial = |name: &str, long: bool, run: fn() -> Result<(), Failed>| {
        Trial::test(name, run).with_ignored_flag(long || !found)
    };
    let trials = vec![
        trial("scans", false, scans),
        trial(
            "scans_that_overflow_stay_at_the_greatest_number",
            false,
            scans_that_overflow_stay_at_the_greatest_number,
        ),
        trial("sorts_of_all_lengths", false, sorts_of_all_lengths),
        trial("sorts_of_all_bits", false, sorts_of_all_bits),
        trial("sorts_of_patterns", false, sorts_of_patterns),
        trial(
            "lists_equal_those_of_the_cpu",
            false,
            lists_equal_those_of_the_cpu,
        ),
        trial(
            "boxes_on_the_edge_lose_no_pixel",
            false,
            boxes_on_the_edge_lose_no_pixel,
        ),
        trial("lists_without_hits", false, lists_without_hits),
        trial(
            "too_many_hits_are_an_error",
            false,
            too_many_hits_are_an_error,
        ),
        trial("sort_of_30_million", true, sort_of_30_million),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
