//! Tests of parts of the GPU backend on a wgpu device. Without a device the tests that need one are
//! reported as ignored.
//!
//! `cargo test -p splat-device-tests --features wgpu --test gpu`

mod formulas;
mod halves;
mod handed_over;
mod regimes;

use cubecl::Runtime;
use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::{Arguments, Failed, Trial};
use splat::{Gpu, GpuBuffer, Projection, Regime, RenderError};

/// A kernel would read beyond the end of a handle that is shorter than its buffer's length.
fn buffers_longer_than_their_handle_are_refused() -> Result<(), Failed> {
    let gpu = Gpu::<WgpuRuntime>::new(&WgpuDevice::default())?;
    let handle = gpu.upload(&[1.0, 2.0, 3.0])?.handle().clone();
    let buffer = GpuBuffer::from_handle(handle.clone(), 3)?;
    let same = gpu.download(&buffer)? == [1.0, 2.0, 3.0];
    let longer = GpuBuffer::from_handle(handle, 4);
    match (same, longer) {
        (
            true,
            Err(RenderError::Shape {
                argument: "handle", ..
            }),
        ) => Ok(()),
        other => Err(format!("{other:?}").into()),
    }
}

/// Exactly one thread of a subgroup writes each of the subgroup's sums. The test covers all
/// subgroup sizes and needs no device.
fn every_sum_is_the_share_of_one_unit() -> Result<(), Failed> {
    for plane in [8, 16, 32, 64] {
        for count in 1..=10 {
            let mut owners = vec![0; count as usize];
            let (shares, most) = splat::measure::gpu::plane_shares(count, plane);
            for &[first, len] in &shares {
                if len > most {
                    return Err(format!(
                        "subgroup of {plane} threads, {count} sums: {len} of {most}"
                    )
                    .into());
                }
                (first..first + len).for_each(|k| owners[k as usize] += 1);
            }
            if shares.len() != plane as usize || owners.iter().any(|&n| n != 1) {
                return Err(
                    format!("subgroup of {plane} threads, {count} sums: {owners:?}").into(),
                );
            }
        }
    }
    Ok(())
}

/// A grid has at least the requested number of workgroups. No side is longer than WebGPU allows,
/// and 32 bits number all threads. A request beyond 32 bits is an error.
fn grids_hold_their_cubes() -> Result<(), Failed> {
    // 2^32 threads in workgroups of 256, minus the 257 workgroups that a grid can have in excess.
    let most = (1 << 24) - 258;
    for cubes in [0, 1, 65_535, 65_536, 131_071, 1 << 20, most - 1, most] {
        let sides = splat::measure::gpu::grid_sides(cubes)?;
        let [x, y, z] = sides.map(|side| side as usize);
        if x.max(y).max(z) > 65_535 || x * y * z < cubes.max(1) || x * y * z * 256 > 1 << 32 {
            return Err(format!("{cubes} cubes in {sides:?}").into());
        }
    }
    for cubes in [most + 1, 1 << 24, 1 << 32, usize::MAX] {
        match splat::measure::gpu::grid_sides(cubes) {
            Err(RenderError::Capacity { .. }) => {}
            other => return Err(format!("{cubes} cubes: {other:?}").into()),
        }
    }
    Ok(())
}

/// A check in one regime.
type Check = fn(Regime) -> Result<(), Failed>;

fn main() {
    // CubeCL reports a missing adapter only by a panic.
    let found = std::panic::catch_unwind(|| WgpuRuntime::client(&WgpuDevice::default())).is_ok();
    let mut trials = Vec::new();
    for projection in [
        Projection::Pinhole,
        Projection::Orthographic,
        Projection::Hybrid,
    ] {
        for antialias in [false, true] {
            let name = format!(
                "device_formulas_equal_host_formulas::{projection:?}::antialias_{antialias}"
            );
            let run = move || formulas::device_formulas_equal_host_formulas(projection, antialias);
            trials.push(Trial::test(name, run).with_ignored_flag(!found));
        }
    }
    trials.push(Trial::test(
        "grids_hold_their_cubes",
        grids_hold_their_cubes,
    ));
    trials.push(Trial::test(
        "every_sum_is_the_share_of_one_unit",
        every_sum_is_the_share_of_one_unit,
    ));
    let halves = Trial::test(
        "half_features_are_those_of_the_host",
        halves::half_features_are_those_of_the_host,
    );
    trials.push(halves.with_ignored_flag(!found));
    let longer = Trial::test(
        "buffers_longer_than_their_handle_are_refused",
        buffers_longer_than_their_handle_are_refused,
    );
    trials.push(longer.with_ignored_flag(!found));
    let auto = Trial::test("auto_takes_what_fits", regimes::auto_takes_what_fits);
    trials.push(auto.with_ignored_flag(!found));
    let checks: [(&str, Check); 3] = [
        (
            "composited_of_another_render_is_refused",
            handed_over::composited_of_another_render_is_refused,
        ),
        (
            "lists_of_other_splats_are_refused",
            handed_over::lists_of_other_splats_are_refused,
        ),
        (
            "ends_beyond_the_list_are_cut",
            handed_over::ends_beyond_the_list_are_cut,
        ),
    ];
    for (name, run) in checks {
        for regime in [Regime::Small, Regime::Large] {
            let trial = Trial::test(format!("{name}::{regime:?}"), move || run(regime));
            trials.push(trial.with_ignored_flag(!found));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
