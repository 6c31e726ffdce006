//! Training on a GPU: the losses agree with the losses on the CPU. If there is no device, the test
//! is reported as ignored.
//!
//! `cargo test -p gmae-reference --features wgpu --test device -- --nocapture`

mod common;

use gmae_reference::backend::{Cpu, Device, Trains, Wgpu, find};
use gmae_reference::config::{Config, Method};
use gmae_reference::data::Shapes;
use gmae_reference::training::{Sampler, Schedule, Trainer};
use libtest_mimic::{Arguments, Failed, Trial};

const STEPS: usize = 20;

/// Largest difference of two losses, relative to the loss.
const TOLERANCE: f64 = 1e-3;

/// Returns the losses of the first steps of a run on `device`.
fn losses<B: Trains>(config: Config, device: B::Device) -> Result<Vec<f64>, Failed> {
    let data = Shapes::new(7, 24, config.image_size)?.for_training();
    let mut sampler = Sampler::new(config, 24);
    let schedule = Schedule::new(&config, sampler.steps_per_epoch());
    let mut trainer = Trainer::<B>::new_on(config, device)?;
    let mut losses = Vec::new();
    for step in 0..STEPS {
        let batch = sampler.batch(&data, step)?;
        losses.push(trainer.step(&batch, schedule.learning_rate(step))?.0);
    }
    Ok(losses)
}

fn the_curve_is_that_of_the_cpu(method: Method) -> Result<(), Failed> {
    // Five epochs of four steps, at a rate that makes the loss fall visibly.
    let config = Config {
        method,
        epochs: 5,
        learning_rate: 0.4,
        ..common::config()
    };
    let cpu = losses::<Cpu>(config, Device::default())?;
    let wgpu = losses::<Wgpu>(config, find::<Wgpu>()?)?;
    println!("cpu  {cpu:.6?}\nwgpu {wgpu:.6?}");
    let difference = |(a, b): (&f64, &f64)| (a - b).abs() / a;
    let worst = cpu.iter().zip(&wgpu).map(difference).fold(0.0, f64::max);
    println!("greatest relative difference {worst:.1e}");
    if worst > TOLERANCE {
        return Err(format!("losses differ by {worst:.1e} of the CPU's").into());
    }
    // Every epoch has the same pictures with other masks.
    let epoch = STEPS / config.epochs;
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let (first, last) = (mean(&cpu[..epoch]), mean(&cpu[STEPS - epoch..]));
    println!("mean of the first epoch {first:.4}, of the last {last:.4}");
    if last > 0.9 * first {
        return Err("nothing was learned: the comparison says nothing".into());
    }
    Ok(())
}

fn main() {
    let ignored = find::<Wgpu>().is_err();
    let trial = |name: &str, method| {
        Trial::test(name, move || the_curve_is_that_of_the_cpu(method)).with_ignored_flag(ignored)
    };
    let trials = vec![
        trial("the_curve_is_that_of_the_cpu", Method::Gmae),
        trial("the_curve_of_mae_is_that_of_the_cpu", Method::Mae),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
