//! Images are read ahead of the steps, in bounded number, and no fault of a data set hangs a run.

mod common;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use gmae_reference::Error;
use gmae_reference::data::{DataError, Dataset, Image, Shapes};
use gmae_reference::training::{Checkpoint, LoaderOptions, Plan, Trainer, train};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

/// Number of images: 8 steps of 6 images in each of 2 epochs.
const IMAGES: usize = 50;

/// Pictures of shapes that count the requests. From request number `last` on, `fault` is called.
struct Counted {
    shapes: Shapes,
    requests: AtomicUsize,
    last: usize,
    fault: fn() -> DataError,
}

impl Counted {
    fn new(last: usize, fault: fn() -> DataError) -> Self {
        Self {
            shapes: Shapes::new(7, IMAGES, 8).expect("a valid size"),
            requests: AtomicUsize::new(0),
            last,
            fault,
        }
    }
}

impl Dataset for Counted {
    fn len(&self) -> usize {
        IMAGES
    }

    fn image(&self, index: usize, rng: &mut ChaCha8Rng) -> Result<Image, DataError> {
        if self.requests.fetch_add(1, Ordering::SeqCst) >= self.last {
            return Err((self.fault)());
        }
        self.shapes.image(index, rng)
    }

    fn fingerprint(&self) -> String {
        self.shapes.fingerprint()
    }
}

fn lost() -> DataError {
    DataError::Vanished {
        path: "photos".into(),
        reason: "the network is gone".to_owned(),
    }
}

fn broken() -> DataError {
    panic!("a fault of the data set")
}

/// Trains on `data` with one step after the other passed to `watch`.
fn run(
    folder: &TempDir,
    data: &Counted,
    loader: LoaderOptions,
    watch: &mut dyn FnMut(usize),
) -> Result<(), Error> {
    let config = common::config();
    let mut plan = Plan::new(&config, folder.path(), IMAGES)?;
    plan.loader = loader;
    let mut trainer = Trainer::new(config)?;
    let outcome = train(&mut trainer, data, &plan, &mut |trainer| {
        watch(trainer.step);
        Ok(())
    });
    outcome.map(|_| ())
}

/// While steps are slow, at most two batches are in memory, and at most what the limit allows.
#[test]
fn the_queue_is_bounded() {
    // One image has 8 x 8 x 3 numbers, and its mask 4.
    let bytes = 8 * 8 * 3 * 4 + 4 * 8;
    for (memory, threads, ahead) in [(1, 4, 1), (3 * bytes, 2, 3), (1 << 20, 3, 12)] {
        let data = Counted::new(usize::MAX, lost);
        let folder = tempfile::tempdir().expect("a folder");
        let loader = LoaderOptions { threads, memory };
        let mut largest = 0;
        run(&folder, &data, loader, &mut |step| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            let requested = data.requests.load(Ordering::SeqCst);
            largest = largest.max(requested - 6 * step);
        })
        .expect("training");
        assert_eq!(largest, ahead, "memory for {memory} bytes");
        let all = data.requests.load(Ordering::SeqCst);
        assert_eq!(all, 2 * 8 * 6, "no image is read that no step uses");
    }
}

#[test]
fn data_that_fail_end_the_run_with_the_state_of_the_last_step() {
    let data = Counted::new(30, lost);
    let folder = tempfile::tempdir().expect("a folder");
    let error = run(&folder, &data, LoaderOptions::default(), &mut |_| {}).expect_err("lost data");
    assert!(
        matches!(error, Error::Data(DataError::Vanished { .. })),
        "{error}"
    );
    let step = Checkpoint::load(folder.path())
        .expect("a checkpoint")
        .step();
    assert!((1..=5).contains(&step), "step {step} of 5 complete batches");
}

/// The panic reaches the caller. Before that, the threads of the run end.
#[test]
fn a_data_set_that_panics_ends_the_run() {
    let data = Counted::new(20, broken);
    let folder = tempfile::tempdir().expect("a folder");
    let run = || run(&folder, &data, LoaderOptions::default(), &mut |_| {});
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    Checkpoint::load(folder.path()).expect("a sound checkpoint");
}

#[test]
fn a_step_that_panics_ends_the_run() {
    let data = Counted::new(usize::MAX, lost);
    let folder = tempfile::tempdir().expect("a folder");
    let watch = &mut |step: usize| assert!(step < 3, "a fault of the caller");
    let run = || run(&folder, &data, LoaderOptions::default(), watch);
    assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    Checkpoint::load(folder.path()).expect("a sound checkpoint");
}
