//! Loops that recycle their results allocate no buffer after their first iterations.
//!
//! The allocator counts the requests of the whole process, so the tests run one at a time.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

use splat::check::{Rounded, crowd};
use splat::encoding::Encoding;
use splat::pack::{Alpha, TransferFunction};
use splat::{
    Cpu, Outputs, Projection, RenderConfig, Scene, Views, Wanted, Workspace, render, render_vjp,
};

/// Requests of more bytes are buffers.
const BUFFER: usize = 1 << 10;

/// The number of requests for buffers.
static BUFFERS: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which counts requests for buffers.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

impl Counting {
    fn count(bytes: usize) {
        if bytes > BUFFER {
            BUFFERS.fetch_add(1, SeqCst);
        }
    }
}

// SAFETY: each call forwards to the system's allocator with the same layout.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::count(layout.size());
        // SAFETY: the caller upholds the same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller upholds the same contract.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::count(size);
        // SAFETY: the caller upholds the same contract.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Makes the tests of this program run one at a time.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the number of buffers that each of some calls allocates.
fn buffers_of<R>(calls: usize, mut call: impl FnMut(usize) -> R) -> Vec<usize> {
    let one = |i: usize| {
        let before = BUFFERS.load(SeqCst);
        call(i);
        BUFFERS.load(SeqCst) - before
    };
    (0..calls).map(one).collect()
}

/// A scene with harmonics of degree 3, large enough for every parallel part of the stages.
fn harmonics_scene(count: usize, size: [usize; 2]) -> Rounded<f32> {
    let mut world = crowd(8, 1, count, size, Projection::Pinhole);
    world.gaussians.encoding = Encoding::PLAIN.with_harmonics(3);
    world.gaussians.features = (0..48 * count).map(|i| (i % 7) as f64 * 0.02).collect();
    world.rounded::<f32>()
}

/// The pool of rayon takes 1.5 KB for every 63 jobs that come from outside: one allocation per 63
/// frames.
#[test]
fn frames_allocate_no_buffer_after_the_third() {
    let _turn = turn();
    let world = harmonics_scene(60_000, [640, 360]);
    let scene = world.scene();
    let config = RenderConfig::default();
    let backend = Cpu::<f32>::new();
    let mut features = vec![0.0; 640 * 360 * 3];
    let frame = |_| {
        backend
            .render_into(&scene, &config, &mut features)
            .expect("a valid scene")
    };
    let found = buffers_of(40, frame);
    assert!(found[3..].iter().sum::<usize>() <= 1, "{found:?}");
    let mut bytes = vec![0; 640 * 360 * 4];
    let (transfer, alpha) = (TransferFunction::Srgb, Alpha::Transmittance);
    let frame = |_| {
        let visible = backend.render_rgba8_into(&scene, &config, transfer, alpha, &mut bytes);
        visible.expect("a valid scene")
    };
    let found = buffers_of(40, frame);
    assert!(found[3..].iter().sum::<usize>() <= 1, "{found:?}");
}

#[test]
fn steps_of_training_allocate_no_buffer_after_the_third() {
    let _turn = turn();
    let world = harmonics_scene(30_000, [320, 200]);
    let scene = world.scene();
    for half_features in [false, true] {
        let config = RenderConfig::default()
            .with_outputs(Outputs::ALL)
            .with_layers(vec![100, 1000])
            .with_half_features(half_features);
        let workspace = Workspace::new();
        let backend = Cpu::<f32>::new().with_workspace(&workspace);
        let (image, _) = render(&Cpu::<f32>::new(), &scene, &config).expect("a valid scene");
        let v_image = image.without_layers();
        let v_image = v_image.as_slices();
        let wanted = Wanted::ALL.with_splats(true).with_statistics(true);
        // One job of the pool for the whole step, see above.
        let step = |_| {
            rayon::scope(|_| {
                let (image, saved) = render(&backend, &scene, &config).expect("a valid scene");
                let v = render_vjp(&backend, &scene, &saved, &v_image, wanted);
                workspace.recycle(v.expect("a valid scene"));
                workspace.recycle((image, saved));
            });
        };
        let found = buffers_of(40, step);
        assert!(found[3..].iter().sum::<usize>() <= 1, "{found:?}");
    }
}

#[test]
fn memory_stays_the_same_while_sizes_change() {
    let _turn = turn();
    let worlds = [3_000, 700, 9_000, 20].map(|count| harmonics_scene(count, [64, 64]));
    let workspace = Workspace::new();
    let backend = Cpu::<f32>::new().with_workspace(&workspace);
    let mut most = [0; 2];
    for frame in 0..500 {
        let world = &worlds[frame % worlds.len()];
        let (width, height) = (16 + frame * 37 % 300, 16 + frame * 91 % 200);
        let camera = world.views.cameras[0];
        let views = Views::single(width, height, camera, world.gaussians.count);
        let scene = Scene {
            views: &views,
            ..world.scene()
        };
        let mut features = vec![0.0; width * height * 3];
        backend
            .render_into(&scene, &RenderConfig::default(), &mut features)
            .expect("a valid scene");
        // A buffer from elsewhere, which the workspace must not collect.
        workspace.recycle(features);
        let half = &mut most[frame / 250];
        *half = workspace.bytes().max(*half);
    }
    let [first, second] = most;
    assert!(
        second as f64 <= 1.1 * first as f64,
        "{first} bytes, then {second}"
    );
    let largest = 316 * 216 * 3 * 4 + 9_000 * 4 * 50;
    assert!(second < 12 * largest, "{second} bytes");
}
