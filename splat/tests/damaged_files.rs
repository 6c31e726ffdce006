//! Thousands of damaged scene files: no panic, and no more memory than the size of a file allows.
//!
//! The allocator measures the whole process, so the file has one test.

#[path = "io/archive.rs"]
mod archive;
#[path = "../../fuzz-targets/src/damage.rs"]
mod damage;
#[path = "io/file.rs"]
mod file;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splat::io::parse;
use zip::CompressionMethod::{Deflated, Stored};

use archive::Npy;
use file::{ENCODINGS, GAUSSIAN, Ply, rows};

/// The system's allocator, which counts the bytes in use.
struct Counting {
    now: AtomicUsize,
    most: AtomicUsize,
}

#[global_allocator]
static ALLOCATOR: Counting = Counting {
    now: AtomicUsize::new(0),
    most: AtomicUsize::new(0),
};

// SAFETY: every request is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = self.now.fetch_add(layout.size(), SeqCst) + layout.size();
        self.most.fetch_max(now, SeqCst);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.now.fetch_sub(layout.size(), SeqCst);
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Reads a file. Returns whether it was accepted, and the bytes that were needed at the same time
/// beside the file.
fn read(file: &[u8]) -> (bool, usize) {
    let before = ALLOCATOR.now.load(SeqCst);
    ALLOCATOR.most.store(before, SeqCst);
    let accepted = parse(file).is_ok();
    (accepted, ALLOCATOR.most.load(SeqCst) - before)
}

/// Returns the properties of a Gaussian of degree 3.
fn harmonic() -> Vec<&'static str> {
    let names = (0..45).map(|i| format!("float f_rest_{i}"));
    let names = names.map(|name| -> &str { name.leak() });
    GAUSSIAN.into_iter().chain(names).collect()
}

/// The whole files that are damaged.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let listed = [&["list uchar int near"], &GAUSSIAN[..]].concat();
    for encoding in ENCODINGS {
        let plain = Ply::new(encoding).element("vertex", &harmonic(), &rows(20, 59));
        let faces = vec![vec![3.0, 1.0, 2.0, 3.0]; 5];
        let mut rows = rows(20, 14);
        for row in &mut rows {
            row.splice(0..0, [2.0, 7.0, 8.0]);
        }
        let lists = Ply::new(encoding)
            .element("face", &["list int uint corners"], &faces)
            .element("vertex", &listed, &rows);
        files.push((format!("PLY, {encoding:?}"), plain.bytes()));
        files.push((format!("PLY with lists, {encoding:?}"), lists.bytes()));
    }
    for method in [Stored, Deflated] {
        let bytes = archive::archive(&archive::arrays(), method);
        files.push((format!("NPZ, {method:?}"), bytes));
    }
    files
}

#[test]
fn damaged_files_are_refused_or_read_within_the_memory_of_their_size() {
    const DAMAGES: usize = 2_000;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for (name, whole) in files() {
        assert!(read(&whole).0, "{name}");
        let mut accepted = 0;
        for i in 0..DAMAGES {
            let mut script = [0; 65];
            rng.fill(&mut script);
            let damaged = damage::damage(whole.clone(), &script);
            let (fine, bytes) = read(&damaged);
            accepted += usize::from(fine);
            let most = 4 * damaged.len() + (64 << 10);
            assert!(bytes <= most, "{name}, damage {i}: {bytes} bytes");
        }
        // Most damage is noticed, and one script in seven is empty.
        let shares = DAMAGES / 8..DAMAGES / 2;
        assert!(shares.contains(&accepted), "{name}: {accepted} accepted");
    }
    // Larger files, whose rows have few bytes.
    let count = 20_000;
    let numbers = |columns: usize| vec![vec![7.0; columns]; count];
    let bounded = |name: &str, file: &[u8]| {
        let (accepted, bytes) = read(file);
        assert!(accepted, "{name}");
        assert!(bytes <= 160 * count, "{name}: {} bytes each", bytes / count);
    };
    for encoding in ENCODINGS {
        for kind in ["char", "float", "double"] {
            let columns = ["x", "y", "z"].map(|name| format!("{kind} {name}"));
            let columns = columns.each_ref().map(String::as_str);
            let file = Ply::new(encoding).element("vertex", &columns, &numbers(3));
            bounded(&format!("{encoding:?} {kind}"), &file.bytes());
        }
        bounded("Gaussians", &file::gaussians(encoding, count).bytes());
    }
    for kind in ["|u1", "<f8"] {
        let mut arrays = archive::arrays();
        for (array, colour) in arrays.iter_mut().zip([0.0, 1.0]) {
            *array = Npy::new(array.name, kind, &[count, 3], &[colour].repeat(3 * count));
        }
        bounded(kind, &archive::archive(&arrays, Deflated));
    }
    let harmonics = Ply::new(ENCODINGS[1]).element("vertex", &harmonic(), &numbers(59));
    let file = harmonics.bytes();
    let (accepted, bytes) = read(&file);
    assert!(
        accepted && bytes <= file.len() * 9 / 8,
        "{bytes} of {}",
        file.len()
    );
}
