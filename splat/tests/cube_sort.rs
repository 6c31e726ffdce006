//! The device's scan and sort against the host's. Without a wgpu device the tests show as ignored.
//!
//! `cargo test -p splat --features wgpu --test cube_sort`; with `-- --ignored` the long ones too.

use cubecl::prelude::*;
use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::{Arguments, Failed, Trial};
use rand::{Rng, SeedableRng, rngs::StdRng};
use splat::cube_measure::{self as device, Numbers};

type Client = ComputeClient<WgpuRuntime>;

fn client() -> Client {
    WgpuRuntime::client(&WgpuDevice::default())
}

/// Lengths around the sides of cubes, blocks, and two levels of blocks.
const LENGTHS: [usize; 16] = [
    0, 1, 2, 255, 256, 257, 2047, 2048, 2049, 4095, 4096, 4097, 65_535, 65_536, 70_001, 1_000_003,
];

fn random(len: usize, below: u32) -> Vec<u32> {
    let mut rng = StdRng::seed_from_u64(len as u64);
    (0..len).map(|_| rng.random_range(0..=below)).collect()
}

/// The first place where two lists differ.
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
    let client = client();
    let output_len = input.len() + extra;
    let numbers = device::scan(&client, &Numbers::upload(&client, input), output_len)?;
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
    same("sum", &numbers.download(&client)?, &expected)
}

fn scans() -> Result<(), Failed> {
    for len in LENGTHS {
        for extra in [0, 1] {
            scan_equals_host(&random(len, 1000), extra)?;
        }
        scan_equals_host(&vec![1; len], 1)?;
    }
    // Three levels of blocks.
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
    let client = client();
    let values: Vec<u32> = (0..keys.len() as u32).collect();
    let (sorted_keys, sorted_values) = device::sort(
        &client,
        Numbers::upload(&client, keys),
        Numbers::upload(&client, &values),
        bits,
    )?;
    let mut expected: Vec<(u32, u32)> = keys.iter().copied().zip(values).collect();
    expected.sort_by_key(|&(key, _)| key);
    let (expected_keys, expected_values): (Vec<u32>, Vec<u32>) = expected.into_iter().unzip();
    let what = format!("{} keys of {bits} bits", keys.len());
    same(&what, &sorted_keys.download(&client)?, &expected_keys)?;
    same(&what, &sorted_values.download(&client)?, &expected_values)
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

fn main() {
    // CubeCL panics where no adapter is found; that is the only way it has to say so.
    let found = std::panic::catch_unwind(client).is_ok();
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
        trial("sort_of_30_million", true, sort_of_30_million),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
