//! Measures how many values per second a device scans and sorts, for several lengths.
//!
//! ```text
//! cargo run --release -p benches --no-default-features --features wgpu --bin gpu_sort -- \
//!     --longest 30000000
//! ```

use std::time::{Duration, Instant};

use clap::Parser;
use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use rand::{Rng, SeedableRng, rngs::StdRng};
use splat::measure::gpu::{scan, sort, upload, wait};
use splat::{GpuBuffer, RenderError};

#[derive(Parser)]
#[command(about = "Times the running count and the sort of a device")]
struct Arguments {
    /// The longest input. The other lengths are a tenth of it, a hundredth and so on, down to 1000.
    #[arg(long, default_value_t = 1_000_000)]
    longest: usize,
    /// Timed runs for each length. The table shows the shortest.
    #[arg(long, default_value_t = 5)]
    runs: usize,
}

type Gpu = splat::Gpu<WgpuRuntime>;

/// Returns the shortest time of `runs` calls of `run`, after one call that is not counted.
/// `prepare` makes the input of each call.
fn shortest<T>(
    gpu: &Gpu,
    runs: usize,
    prepare: impl Fn() -> Result<T, RenderError>,
    run: impl Fn(T) -> Result<(), RenderError>,
) -> Result<Duration, RenderError> {
    let mut shortest = Duration::MAX;
    for counted in 0..=runs {
        let input = prepare()?;
        wait(gpu)?;
        let start = Instant::now();
        run(input)?;
        wait(gpu)?;
        if counted > 0 {
            shortest = shortest.min(start.elapsed());
        }
    }
    Ok(shortest)
}

fn main() -> Result<(), RenderError> {
    let Arguments { longest, runs } = Arguments::parse();
    let gpu = Gpu::new(&WgpuDevice::default())?;
    let mut lengths: Vec<usize> = std::iter::successors(Some(longest), |len| Some(len / 10))
        .take_while(|&len| len >= 1000)
        .collect();
    lengths.reverse();
    println!("million numbers per second on {gpu:?}");
    println!(
        "{:>12} {:>10} {:>14} {:>14}",
        "length", "scan", "sort, 13 bits", "sort, 32 bits"
    );
    for len in lengths {
        let mut rng = StdRng::seed_from_u64(len as u64);
        let keys: Vec<u32> = (0..len).map(|_| rng.random()).collect();
        let few: Vec<u32> = keys.iter().map(|key| key >> 19).collect();
        let rate = |time: Duration| len as f64 / time.as_secs_f64() / 1e6;
        let input = upload(&gpu, &few)?;
        let scanned = shortest(
            &gpu,
            runs,
            || Ok(()),
            |()| scan(&gpu, &input, len).map(|_| ()),
        )?;
        let sorted = |keys: &[u32], bits| {
            let pairs = || Ok((upload(&gpu, keys)?, upload(&gpu, keys)?));
            let run =
                |(keys, values): (GpuBuffer, GpuBuffer)| sort(&gpu, keys, values, bits).map(|_| ());
            shortest(&gpu, runs, pairs, run)
        };
        println!(
            "{len:>12} {:>10.1} {:>14.1} {:>14.1}",
            rate(scanned),
            rate(sorted(&few, 13)?),
            rate(sorted(&keys, 32)?)
        );
    }
    Ok(())
}
