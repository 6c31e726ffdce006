//! If the system refuses threads, calls return an error instead of a panic.
//!
//! rayon builds its global pool once per process, so each case needs a separate process. This
//! program starts itself again, and an environment variable selects the case.

mod support;

use std::process::Command;

use splat::check::crowd;
use splat::sh::{self, Harmonics};
use splat::{Backend, Camera, Cpu, Projection, RenderError};
use support::Valid;

/// The environment variable that selects the case of a process.
const CASE: &str = "SPLAT_TEST_THREADS";

/// A stack size in bytes that exceeds every address space, so that the system refuses every thread.
const NO_STACK: &str = "70368744177664";

/// Runs only the test `name`, in a process whose threads are refused, with [`CASE`] set to `case`.
fn run_again(name: &str, case: &str) {
    let program = std::env::current_exe().expect("a test knows its own path");
    let output = Command::new(program)
        .args(["--exact", name, "--test-threads=1", "--nocapture"])
        .env(CASE, case)
        .env("RUST_MIN_STACK", NO_STACK)
        .output()
        .expect("this program starts");
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(
        output.status.success() && out.contains("1 passed"),
        "{case}: {}\n{out}\n{err}",
        output.status
    );
}

fn case() -> Option<String> {
    std::env::var(CASE).ok()
}

/// Calls every kind of function that uses threads, twice. After an error, the second call must not
/// assume that the pool exists.
fn refused_everywhere() {
    let world = crowd(1, 1, 4, [8, 6], Projection::Pinhole);
    let (backend, scene) = (Cpu::<f64>::new(), world.scene());
    let camera = Camera::pinhole(1.0, 1.0, 0.5, 0.5);
    let harmonics = Harmonics {
        degree: 0,
        means: &[0.0, 0.0, 1.0],
        coefficients: &[1.0],
        stored: 1,
        channels: 1,
    };
    let splats = splat::Splats {
        offsets: vec![0],
        channels: 1,
        ..splat::Splats::default()
    };
    for _ in 0..2 {
        let errors: [RenderError; 4] = [
            splat::render(&backend, &scene, &world.config).expect_err("no threads to render on"),
            backend
                .bin(&splats, 4, 4)
                .expect_err("no threads to bin on"),
            sh::features(harmonics, &camera).expect_err("no threads for harmonics"),
            sh::features_vjp(harmonics, &camera, &[1.0]).expect_err("no threads for harmonics"),
        ];
        for error in errors {
            assert!(
                matches!(error, RenderError::Device { .. }) && error.to_string().contains("thread"),
                "{error}"
            );
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn refused_threads_are_an_error() {
    if case().is_some() {
        refused_everywhere();
    } else {
        run_again("refused_threads_are_an_error", "first use");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn threads_that_were_refused_to_somebody_else_are_an_error() {
    if case().is_some() {
        rayon::ThreadPoolBuilder::new()
            .build_global()
            .expect_err("no threads");
        refused_everywhere();
    } else {
        run_again(
            "threads_that_were_refused_to_somebody_else_are_an_error",
            "second use",
        );
    }
}

#[test]
fn a_pool_of_the_callers_own_is_enough() {
    // The render uses only the caller's thread. The global pool cannot be built, and is not needed.
    let render = || {
        let world = crowd(1, 1, 4, [8, 6], Projection::Pinhole);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .use_current_thread()
            .build();
        let pool = pool.expect("a thread that is there");
        pool.install(|| world.rendered());
    };
    if case().is_some() {
        render();
    } else {
        run_again("a_pool_of_the_callers_own_is_enough", "own pool");
    }
}
