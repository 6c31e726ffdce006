//! Thousands of damaged scene files: no panic, and no more memory than the size of a file allows.
//!
//! The allocator measures the whole process, so the file has one test.

#[path = "io/archive.rs"]
mod archive;
#[path = "../../fuzz-targets/src/damage.rs"]
mod damage;
#[path = "io/file.rs"]
mod file;
#[path = "damaged/packed.rs"]
mod packed;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use splat::io::{Format, SceneFile, parse, parse_as};
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

/// Reads a file. Returns its contents if it was accepted, and the bytes that were needed at the
/// same time beside the file.
fn read_as(file: &[u8], format: Option<Format>) -> (Option<SceneFile>, usize) {
    let before = ALLOCATOR.now.load(SeqCst);
    ALLOCATOR.most.store(before, SeqCst);
    let read = match format {
        Some(format) => parse_as(file, format),
        None => parse(file),
    };
    (read.ok(), ALLOCATOR.most.load(SeqCst) - before)
}

fn read(file: &[u8]) -> (bool, usize) {
    let (read, bytes) = read_as(file, None);
    (read.is_some(), bytes)
}

/// Returns the properties of a Gaussian of degree 3.
fn harmonic() -> Vec<&'static str> {
    let names = (0..45).map(|i| format!("float f_rest_{i}"));
    let names = names.map(|name| -> &str { name.leak() });
    GAUSSIAN.into_iter().chain(names).collect()
}

/// A whole file that is damaged.
struct Whole {
    name: String,
    bytes: Vec<u8>,
    /// The format, if the bytes do not show it.
    format: Option<Format>,
    /// Whether a checksum finds each damage of the numbers.
    checked: bool,
    /// The bytes that the file may need beyond four times its size.
    spare: usize,
    /// The shares of damages that are accepted.
    accepted: [f64; 2],
}

impl Whole {
    fn new(name: String, bytes: Vec<u8>) -> Self {
        Self {
            name,
            bytes,
            format: None,
            checked: false,
            spare: 64 << 10,
            // Most damage is noticed, and one script in seven is empty.
            accepted: [0.125, 0.5],
        }
    }
}

/// The whole files that are damaged.
fn files() -> Vec<Whole> {
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
        let packed = packed::compressed(encoding);
        files.push(Whole::new(format!("PLY, {encoding:?}"), plain.bytes()));
        let name = format!("PLY with lists, {encoding:?}");
        files.push(Whole::new(name, lists.bytes()));
        let name = format!("compressed PLY, {encoding:?}");
        files.push(Whole::new(name, packed.bytes()));
    }
    for method in [Stored, Deflated] {
        let bytes = archive::archive(&archive::arrays(), method);
        files.push(Whole {
            checked: true,
            ..Whole::new(format!("NPZ, {method:?}"), bytes)
        });
    }
    for version in 1..=4 {
        files.push(Whole {
            checked: version < 4,
            // The tables of the decompressors, and what a small file may unpack to.
            spare: 64 << 20,
            ..Whole::new(format!("SPZ {version}"), packed::spz(version))
        });
    }
    files.push(Whole {
        format: Some(Format::Splat),
        accepted: [0.15, 0.8],
        ..Whole::new(".splat".to_owned(), packed::splat())
    });
    files
}

#[test]
fn damaged_files_are_refused_or_read_within_the_memory_of_their_size() {
    const DAMAGES: usize = 2_000;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    for whole in files() {
        let name = &whole.name;
        let (original, _) = read_as(&whole.bytes, whole.format);
        let original = original.unwrap_or_else(|| panic!("{name}"));
        let mut accepted = 0;
        for i in 0..DAMAGES {
            let mut script = [0; 65];
            rng.fill(&mut script);
            let damaged = damage::damage(whole.bytes.clone(), &script);
            let (read, bytes) = read_as(&damaged, whole.format);
            accepted += usize::from(read.is_some());
            let most = 4 * damaged.len() + whole.spare;
            assert!(bytes <= most, "{name}, damage {i}: {bytes} bytes");
            if whole.checked
                && let Some(read) = read
            {
                // As text, in which NaN equals NaN.
                let same = format!("{read:?}") == format!("{original:?}");
                assert!(same, "{name}, damage {i}: another scene");
            }
        }
        let share = accepted as f64 / DAMAGES as f64;
        let [least, most] = whole.accepted;
        assert!(
            (least..most).contains(&share),
            "{name}: {accepted} accepted"
        );
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
