//! Kernels access rows of device buffers by name. Outside the files that define the layouts, no
//! kernel indexes by a literal offset.

use std::path::Path;

/// The files that define the layouts, beneath `src`.
const LAYOUTS: [&str; 10] = [
    "binning/gpu/rects.rs",
    "composite/gpu/moments.rs",
    "composite/gpu/packed.rs",
    "composite/gpu/partial_row.rs",
    "composite/gpu/state.rs",
    "device/rows.rs",
    "pack/gpu/pixel_row.rs",
    "project/gpu/gaussian_rows.rs",
    "project/gpu/gradient_row.rs",
    "project/gpu/splat_rows.rs",
];

/// Returns the literal row offsets in a text: `x[(.. + 2) as usize]` or more, and `x[(2 * ..`. An
/// offset of one is allowed, because it reads the end of a range from a running count.
fn literal_offsets(text: &str) -> Vec<&str> {
    let indices = text.match_indices("[(").filter_map(|(start, _)| {
        let rest = &text[start + 2..];
        rest.find("as usize]").map(|end| &rest[..end])
    });
    let literal = |word: &str| word.trim().parse::<u32>().is_ok_and(|number| number > 1);
    indices
        .filter(|index| {
            let after_plus = index
                .split('+')
                .skip(1)
                .any(|term| literal(term.trim_end_matches([')', ' '])));
            let factor = index
                .split_once('*')
                .is_some_and(|(first, _)| literal(first));
            after_plus || factor
        })
        .collect()
}

/// Collects every file beneath `folder` whose name ends in `.rs`, by its path beneath `src`.
fn files(src: &Path, folder: &Path, found: &mut Vec<(String, String)>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files(src, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path
                .strip_prefix(src)
                .unwrap_or(&path)
                .to_string_lossy()
                .replace('\\', "/");
            found.push((name, std::fs::read_to_string(&path)?));
        }
    }
    Ok(())
}

#[test]
fn no_kernel_indexes_a_row_by_a_literal_offset() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &src, &mut all).expect("the sources of the crate");
    for layout in LAYOUTS {
        assert!(
            all.iter().any(|(name, _)| name == layout),
            "no file {layout}"
        );
    }
    let of_devices = |name: &str| name.contains("/gpu") || name.starts_with("device/");
    let found: Vec<String> = all
        .iter()
        .filter(|(name, _)| of_devices(name) && !LAYOUTS.contains(&name.as_str()))
        .flat_map(|(name, text)| {
            literal_offsets(text)
                .into_iter()
                .map(move |index| format!("{name}: {index}"))
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn literal_offsets_are_found() {
    let faults = [
        "rows[(at + 8) as usize]",
        "x[(2 * m) as usize]",
        "x[(out + 3 * m + 2) as usize]",
    ];
    for fault in faults {
        assert_eq!(literal_offsets(fault).len(), 1, "{fault}");
    }
    for sound in [
        "ranges[(tile + 1) as usize]",
        "x[(at + DEPTH) as usize]",
        "x[(m * ROW + k) as usize]",
    ] {
        assert!(literal_offsets(sound).is_empty(), "{sound}");
    }
}
