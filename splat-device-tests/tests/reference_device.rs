//! Compares every available reference file with a render on a device, in both regimes. The
//! comparison is the one of the example `verify --backend wgpu`. Each file and regime is one trial.
//! Without a device, or without files (see `reference_folder`), the trials are reported as ignored.
//!
//! `cargo test -p splat-device-tests --features wgpu --test reference_device`

#![expect(dead_code, reason = "the example's report is not used")]

#[path = "../../splat/examples/verify/compare.rs"]
mod compare;
#[path = "../../splat/examples/verify/computed.rs"]
mod computed;
#[path = "../../splat/examples/verify/dims.rs"]
mod dims;
#[path = "../../splat/examples/verify/expected.rs"]
mod expected;
#[path = "../../splat/examples/verify/harmonic.rs"]
mod harmonic;
#[path = "../../splat/examples/verify/params.rs"]
mod params;
#[path = "../../splat/examples/verify/precision.rs"]
mod precision;
#[path = "../../splat/examples/verify/reference.rs"]
mod reference;
#[path = "../../splat/tests/reference_folder/mod.rs"]
mod reference_folder;
#[path = "../../splat/examples/verify/renderer.rs"]
mod renderer;
#[path = "../../splat/examples/verify/run.rs"]
mod run;
#[path = "../../splat/examples/verify/tensors.rs"]
mod tensors;
#[path = "../../splat/examples/verify/tolerance.rs"]
mod tolerance;

use std::path::Path;

use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::{Arguments, Failed};
use splat::{Gpu, Regime};

use compare::Row;
use precision::Precision;
use reference::Reference;

fn verify(gpu: &Gpu<WgpuRuntime>, file: &Path) -> Result<(), Failed> {
    let reference = Reference::parse(&std::fs::read(file)?)?;
    let computed = run::compute(&reference, gpu)?;
    let rows = compare::rows(&reference, Precision::Single, &computed);
    let outside = rows.iter().filter(|row| !row.passed);
    let say = |row: &Row| {
        format!(
            "{}: {} off, relative {}\n",
            row.tensor, row.absolute, row.relative
        )
    };
    let outside: String = outside.map(say).collect();
    if rows.is_empty() {
        return Err("nothing was compared".into());
    }
    if outside.is_empty() {
        return Ok(());
    }
    Err(outside.into())
}

fn main() {
    let gpu = Gpu::<WgpuRuntime>::new(&WgpuDevice::default()).ok();
    let mut trials = Vec::new();
    for (name, regime) in [("small", Regime::Small), ("large", Regime::Large)] {
        let gpu = gpu.clone().map(|gpu| gpu.with_regime(regime));
        trials.extend(reference_folder::trials(
            &format!("{name}::"),
            gpu.is_none(),
            move |file| verify(gpu.as_ref().ok_or("no device")?, file),
        ));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
