//! Every reference file at hand on a device, in both regimes: the comparison of the example `verify --backend wgpu`, one trial per file and
//! regime. Without a device, or without files (see `reference_files.rs`), trials show as ignored.
//!
//! `cargo test -p splat --features wgpu --test reference_device`

#![expect(dead_code, reason = "of the example, the report is not used")]

#[path = "../examples/verify/compare.rs"]
mod compare;
#[path = "../examples/verify/computed.rs"]
mod computed;
#[path = "../examples/verify/dims.rs"]
mod dims;
#[path = "../examples/verify/expected.rs"]
mod expected;
#[path = "../examples/verify/harmonic.rs"]
mod harmonic;
#[path = "../examples/verify/params.rs"]
mod params;
#[path = "../examples/verify/precision.rs"]
mod precision;
#[path = "../examples/verify/reference.rs"]
mod reference;
mod reference_folder;
#[path = "../examples/verify/renderer.rs"]
mod renderer;
#[path = "../examples/verify/run.rs"]
mod run;
#[path = "../examples/verify/tensors.rs"]
mod tensors;
#[path = "../examples/verify/tolerance.rs"]
mod tolerance;

use std::path::Path;

use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::{Arguments, Failed};
use splat::{Gpu, Regime};

use compare::Row;
use precision::Precision;
use reference::Reference;

fn verify(cube: &Gpu<WgpuRuntime>, file: &Path) -> Result<(), Failed> {
    let reference = Reference::parse(&std::fs::read(file)?)?;
    let computed = run::compute(&reference, cube)?;
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
    let cube = Gpu::<WgpuRuntime>::new(&WgpuDevice::default()).ok();
    let mut trials = Vec::new();
    for (name, regime) in [("small", Regime::Small), ("large", Regime::Large)] {
        let cube = cube.clone().map(|cube| cube.with_regime(regime));
        trials.extend(reference_folder::trials(
            &format!("{name}::"),
            cube.is_none(),
            move |file| verify(cube.as_ref().ok_or("no device")?, file),
        ));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
