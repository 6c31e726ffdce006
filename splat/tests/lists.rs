//! Invalid lists of the caller: offsets of views, ranks of layers.

mod support;

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use splat::check::{OwnedScene, crowd};
use splat::{Backend, Cpu, Projection, RenderConfig, Wanted};
use support::Valid;

fn world() -> OwnedScene {
    crowd(1, 1, 4, [8, 6], Projection::Pinhole)
}

#[test]
fn offsets_may_be_anything() {
    let good = world().rendered().1.splats;
    let visible = 4 - good.culled()[0];
    assert!(visible > 0);
    let all = usize::MAX;
    let cases = [
        (vec![], vec![]),
        (vec![0], vec![]),
        (vec![0, all], vec![all - visible]),
        (vec![all, all], vec![0]),
        (vec![4, 0], vec![0]),
        (vec![0, all, 4], vec![all - visible, 0]),
        (vec![1 << 62, all], vec![all - (1 << 62)]),
    ];
    for (offsets, culled) in cases {
        let mut splats = good.clone();
        splats.offsets = offsets;
        let (given, result) = mpsc::channel();
        let counted = splats.clone();
        thread::spawn(move || given.send(counted.culled()));
        // Counting up to `usize::MAX` would take centuries.
        let result = result.recv_timeout(Duration::from_mins(1));
        assert_eq!(result, Ok(culled), "{:?}", splats.offsets);
        let backend = Cpu::<f64>::new();
        let config = RenderConfig::default();
        backend
            .splats(splats.clone(), 8, 6, &config)
            .expect_err("wrong offsets");
        backend
            .bin(&splats.as_slices(), 8, 6)
            .expect_err("wrong offsets");
    }
}

#[test]
fn messages_are_short_however_long_the_lists() {
    const SHORT: usize = 200;
    let mut world = world();
    let (_, saved) = world.rendered();
    let mut splats = saved.splats.clone();
    splats.offsets = (0..100_000).rev().collect();
    let error = Cpu::new().bin(&splats.as_slices(), 8, 6);
    let error = error.expect_err("falling offsets").to_string();
    assert!(
        error.contains("first offset 99999") && error.len() < SHORT,
        "{error}"
    );
    splats.offsets = (0..50_000).chain(0..50_000).collect();
    let error = Cpu::new().bin(&splats.as_slices(), 8, 6);
    let error = error.expect_err("falling offsets").to_string();
    assert!(
        error.contains("0 after 49999") && error.len() < SHORT,
        "{error}"
    );
    let mut v_splats = saved.splats.clone();
    v_splats.offsets = vec![0; 100_000];
    let v = Cpu::new().project_vjp(
        &world.gaussians.as_slices(),
        &world.views,
        &world.config,
        &saved.splats.as_slices(),
        &v_splats.as_slices(),
        Wanted::ALL,
    );
    let error = v.expect_err("too many offsets").to_string();
    assert!(
        error.contains("v_splats.offsets") && error.contains("100000") && error.len() < SHORT,
        "{error}"
    );
    world.config.layers = (0..100_000).rev().collect();
    let image = splat::render(&Cpu::new(), &world.scene(), &world.config);
    let error = image.expect_err("falling ranks").to_string();
    assert!(
        error.contains("99998 after 99999") && error.len() < SHORT,
        "{error}"
    );
}
