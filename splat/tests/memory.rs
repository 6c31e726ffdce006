//! Tests with a special allocator. If it refuses a request, the call returns an error. If a buffer
//! has no elements, even huge dimensions take no memory.
//!
//! The allocator counts and refuses requests of the whole process, so the tests run one at a time.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use splat::check::crowd;
use splat::sh::{self, Harmonics};
use splat::{
    Backend, Camera, Cpu, Gaussians, Projection, RenderConfig, RenderError, Scene, Splats, Views,
    Wanted, render, render_vjp,
};

/// Requests of fewer bytes are never refused. Allocations whose size does not depend on the scene
/// are smaller.
const SMALL: usize = 16 << 10;

/// Requests of more bytes are always refused. No test needs one.
const TOO_MUCH: usize = 256 << 20;

/// The value of `granted` at which no large request is refused.
const NEVER: usize = usize::MAX;

/// The system's allocator, which refuses one large request and every huge one.
struct Refusing {
    /// The number of large requests that are granted before one is refused.
    granted: AtomicUsize,
    /// The bytes of the refused request, or 0 if none was refused.
    refused: AtomicUsize,
    /// The bytes of the largest request.
    largest: AtomicUsize,
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing {
    granted: AtomicUsize::new(NEVER),
    refused: AtomicUsize::new(0),
    largest: AtomicUsize::new(0),
};

impl Refusing {
    /// Returns whether a request of `bytes` is granted.
    fn grants(&self, bytes: usize) -> bool {
        self.largest.fetch_max(bytes, SeqCst);
        if bytes > TOO_MUCH {
            return false;
        }
        if bytes < SMALL || self.granted.load(SeqCst) == NEVER {
            return true;
        }
        let next = |left: usize| (left != NEVER).then(|| left.checked_sub(1).unwrap_or(NEVER));
        match self.granted.fetch_update(SeqCst, SeqCst, next) {
            Ok(0) => {
                self.refused.store(bytes, SeqCst);
                false
            }
            _ => true,
        }
    }
}

// SAFETY: each call returns null, or forwards to the system's allocator with the same layout.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if self.grants(layout.size()) {
            // SAFETY: the caller upholds the same contract.
            unsafe { System.alloc(layout) }
        } else {
            null_mut()
        }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the same contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if self.grants(size) {
            // SAFETY: the caller upholds the same contract.
            unsafe { System.realloc(memory, layout, size) }
        } else {
            null_mut()
        }
    }
}

/// Makes the tests of this program run one at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the number of elements and the bytes per element that the error names.
fn named(error: &RenderError) -> [usize; 2] {
    let RenderError::Capacity { needed, .. } = error else {
        panic!("{error} is not an error of capacity");
    };
    let numbers: Vec<usize> = needed
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [count, bytes] = numbers[..] else {
        panic!("{needed:?} does not name elements and bytes");
    };
    [count, bytes]
}

/// Refuses every large request of `call`, one per run, and returns the number of these requests.
fn refuse_each<R>(name: &str, call: impl Fn() -> Result<R, RenderError>) -> usize {
    for granted in 0..1000 {
        ALLOCATOR.refused.store(0, SeqCst);
        ALLOCATOR.granted.store(granted, SeqCst);
        let result = call();
        ALLOCATOR.granted.store(NEVER, SeqCst);
        let refused = ALLOCATOR.refused.load(SeqCst);
        if refused == 0 {
            assert!(result.is_ok(), "{name}: {:?}", result.err());
            return granted;
        }
        let error = result.err();
        let error = error.unwrap_or_else(|| panic!("{name}: {refused} bytes were not needed"));
        let [count, bytes] = named(&error);
        // Large buffers are reserved in rows of 64 values. The error must count elements instead.
        assert!(bytes < 64 * size_of::<f32>(), "{name}: {error}");
        let beyond = refused.checked_sub(count * bytes);
        let beyond = beyond.unwrap_or_else(|| panic!("{name}: {error} of {refused}"));
        assert!(beyond < 64 * bytes, "{name}: {error} of {refused}");
    }
    panic!("{name}: no end of requests");
}

/// Harmonics of degree 0 with one stored coefficient.
fn harmonics<'a>(means: &'a [f32], coefficients: &'a [f32], channels: usize) -> Harmonics<'a, f32> {
    Harmonics {
        degree: 0,
        means,
        coefficients,
        stored: 1,
        channels,
    }
}

#[test]
fn every_refused_request_is_an_error_of_capacity() {
    let _turn = turn();
    let backend = Cpu::<f32>::new;
    let wanted = Wanted::ALL;
    // Many splats, so that every list over them is large, and few tiles.
    let world = crowd(3, 1, 60_000, [64, 64], Projection::Pinhole);
    let scene = world.rounded::<f32>();
    let scene = scene.scene();
    let (image, saved) = render(&backend(), &scene, &world.config).expect("a valid scene");
    let (splats, v_image) = (saved.splats.as_slices(), image.as_slices());
    let (g, views) = (&scene.gaussians, scene.views);
    let mut calls = Vec::new();
    let halves = world.config.clone().with_half_features(true);
    for (name, config) in [("project", &world.config), ("project to halves", &halves)] {
        calls.push((
            name,
            refuse_each(name, || backend().project(g, views, config)),
        ));
    }
    let bin = || backend().bin(&splats, 64, 64);
    calls.push(("bin", refuse_each("bin", bin)));
    let hits = bin().expect("valid splats");
    // The hits are copied beforehand, so that no request of the test itself is refused.
    let copies = Mutex::new((0..200).map(|_| hits.clone()).collect::<Vec<_>>());
    let sort = || {
        let hits = copies
            .lock()
            .expect("no panic")
            .pop()
            .expect("enough copies");
        backend().sort(&splats, hits)
    };
    calls.push(("sort", refuse_each("sort", sort)));
    let sorted = &saved.sorted;
    let composite = || backend().composite(&splats, sorted, scene.backgrounds, &world.config);
    calls.push(("composite", refuse_each("composite", composite)));
    let composite_vjp = || {
        let composited = &saved.composited;
        backend().composite_vjp(
            &splats,
            sorted,
            scene.backgrounds,
            composited,
            &v_image,
            wanted,
        )
    };
    calls.push(("composite_vjp", refuse_each("composite_vjp", composite_vjp)));
    let (v_splats, _) = composite_vjp().expect("a valid scene");
    let v_splats = v_splats.as_slices();
    let project_vjp = || backend().project_vjp(g, views, &world.config, &splats, &v_splats, wanted);
    calls.push(("project_vjp", refuse_each("project_vjp", project_vjp)));
    for (name, requests) in calls {
        assert!(requests > 0, "{name} made no large request");
    }
}

#[test]
fn every_refused_request_beside_the_stages_is_an_error_of_capacity() {
    let _turn = turn();
    let backend = Cpu::<f32>::new;
    let world = crowd(3, 1, 60_000, [64, 64], Projection::Pinhole);
    let scene = world.rounded::<f32>();
    let scene = scene.scene();
    let (_, saved) = render(&backend(), &scene, &world.config).expect("a valid scene");
    let (g, views) = (&scene.gaussians, scene.views);
    let mut calls = Vec::new();
    let copies = Mutex::new(vec![saved.splats.clone(); 8]);
    let complete = || {
        let splats = copies
            .lock()
            .expect("no panic")
            .pop()
            .expect("enough copies");
        backend().splats(splats, 64, 64, &world.config)
    };
    calls.push(("splats", refuse_each("splats", complete)));
    let camera = views.cameras[0];
    let h = harmonics(g.means, g.features, 3);
    let features = || sh::features(h, &camera);
    calls.push(("sh::features", refuse_each("sh::features", features)));
    let features_vjp = || sh::features_vjp(h, &camera, g.features);
    calls.push((
        "sh::features_vjp",
        refuse_each("sh::features_vjp", features_vjp),
    ));
    // One Gaussian with many channels, and many views of one pixel.
    let wide = harmonics(&g.means[..3], &g.features[..60_000], 60_000);
    let features_vjp = || sh::features_vjp(wide, &camera, wide.coefficients);
    calls.push((
        "wide harmonics",
        refuse_each("wide harmonics", features_vjp),
    ));
    let dense = || Views::dense(1, 1, camera, 3000, 20);
    calls.push(("Views::dense", refuse_each("Views::dense", dense)));
    let views = &dense().expect("a small batch");
    let project = || backend().project(g, views, &world.config);
    calls.push(("many views", refuse_each("many views", project)));
    let splats = project().expect("a valid scene");
    let (v_splats, splats) = (splats.as_slices(), splats.as_slices());
    let project_vjp =
        || backend().project_vjp(g, views, &world.config, &splats, &v_splats, Wanted::ALL);
    calls.push((
        "many views, vjp",
        refuse_each("many views, vjp", project_vjp),
    ));
    for (name, requests) in calls {
        assert!(requests > 0, "{name} made no large request");
    }
}

#[test]
fn absurd_channels_take_no_memory_where_there_is_no_element() {
    let _turn = turn();
    let camera = Camera::pinhole(1.0, 1.0, 0.5, 0.5);
    let no_view = Views::dense(1 << 22, 1 << 22, camera, 0, 0).expect("a small batch");
    let no_gaussian = Views::single(4, 4, camera, 0);
    let config = RenderConfig::default().with_outputs(splat::Outputs::ALL);
    for channels in [1 << 20, 1 << 31, u32::MAX as usize] {
        let empty = || -> Gaussians<&[f32]> {
            Gaussians {
                channels,
                ..Gaussians::default()
            }
        };
        ALLOCATOR.largest.store(0, SeqCst);
        let backend = Cpu::<f32>::new();
        let scene = Scene {
            gaussians: empty(),
            views: &no_view,
            backgrounds: &[],
        };
        let (image, saved) = render(&backend, &scene, &config).expect("nothing to render");
        let v = render_vjp(&backend, &scene, &saved, &image.as_slices(), Wanted::ALL);
        assert_eq!(v.expect("nothing to render").gaussians.channels, channels);
        let splats = backend.project(&empty(), &no_gaussian, &config);
        let splats = splats.expect("nothing to project");
        let hits = backend.bin(&splats.as_slices(), 4, 4).expect("no splats");
        backend.sort(&splats.as_slices(), hits).expect("no splats");
        let v = backend.project_vjp(
            &empty(),
            &no_gaussian,
            &config,
            &splats.as_slices(),
            &splats.as_slices(),
            Wanted::ALL,
        );
        v.expect("nothing to project");
        backend
            .splats(splats, 4, 4, &config)
            .expect("nothing to complete");
        for stored in [1, 1 << 31, 1 << 32, u32::MAX as usize] {
            let harmonics = Harmonics {
                stored,
                ..harmonics(&[], &[], channels)
            };
            if u32::try_from(stored).is_err() {
                sh::features(harmonics, &camera).expect_err("too many coefficients");
                continue;
            }
            let features = sh::features(harmonics, &camera).expect("no Gaussian");
            let v = sh::features_vjp(harmonics, &camera, &features).expect("no Gaussian");
            assert_eq!(
                (features.len(), v.means.len(), v.coefficients.len()),
                (0, 0, 0)
            );
            assert_eq!(v.camera_from_world, [[0.0; 4]; 3]);
        }
        let largest = ALLOCATOR.largest.load(SeqCst);
        assert!(
            largest < 1 << 20,
            "{channels} channels: {largest} bytes at once"
        );
    }
    let splats = Splats::<Vec<f32>> {
        offsets: vec![0],
        channels: u32::MAX as usize,
        ..Splats::default()
    };
    Cpu::new().splats(splats, 4, 4, &config).expect("no splats");
}
