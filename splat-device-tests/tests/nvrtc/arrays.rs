//! The placement of a kernel's arrays in shared memory.

use libtest_mimic::Failed;

/// Returns the source with its shared arrays at consecutive addresses. `order` selects one of their
/// orders; order 0 sorts them by name.
///
/// `CubeCL` places the arrays in an order that differs between processes. The register allocation
/// of ptxas depends on their addresses.
pub fn placed(source: &str, order: usize) -> Result<String, String> {
    const PLACE: &str = "(&dynamic_shared_mem[";
    const BYTES: &str = "// Shared array size: ";
    let mut arrays = Vec::new();
    for (at, _) in source.match_indices(BYTES) {
        // "// Shared array size: LENGTH, BYTES bytes", then "TYPE *NAME =
        // reinterpret_cast<TYPE*>(&dynamic_shared_mem[PLACE]);".
        let parse = || {
            let (size, rest) = source[at..].split_once('\n')?;
            let bytes = size.rsplit(' ').nth(1)?.parse::<usize>().ok()?;
            let (before, rest) = rest.split_once(PLACE)?;
            let (place, _) = rest.split_once(']')?;
            let name = before.split('*').nth(1)?.split(' ').next()?;
            let start = at + size.len() + 1 + before.len() + PLACE.len();
            Some((name, bytes, start..start + place.len()))
        };
        arrays.push(parse().ok_or_else(|| format!("no shared array as expected in\n{source}"))?);
    }
    if arrays.len() != source.matches(PLACE).count() {
        return Err(format!(
            "a shared array of which nothing is said in\n{source}"
        ));
    }
    arrays.sort_unstable_by_key(|&(name, ..)| (name.len(), name));
    // `order` is a factorial number: each digit selects one of the remaining arrays.
    let (mut rest, mut end, mut order, mut places) = (arrays, 0, order, Vec::new());
    while !rest.is_empty() {
        let (_, bytes, range) = rest.remove(order % rest.len());
        order /= rest.len() + 1;
        places.push((range, end));
        end += bytes;
    }
    places.sort_unstable_by_key(|(range, _)| range.start);
    let mut result = source.to_owned();
    for (range, place) in places.into_iter().rev() {
        result.replace_range(range, &place.to_string());
    }
    Ok(result)
}

/// Tests [`placed`].
pub fn arrays_are_placed() -> Result<(), Failed> {
    let line = |name: &str, bytes: usize, place: &str| {
        format!(
            "// Shared array size: {}, {bytes} bytes\nfloat *{name} = reinterpret_cast<float*>(&dynamic_shared_mem[{place}]);\n",
            bytes / 4
        )
    };
    let source =
        |a: &str, b: &str| line("shared_memory_10", 16, a) + &line("shared_memory_9", 8, b);
    let given = source("0", "16");
    let got = (placed(&given, 0)?, placed(&given, 1)?);
    if got == (source("8", "0"), given) && placed("(&dynamic_shared_mem[4])", 0).is_err() {
        return Ok(());
    }
    Err(format!("{got:?}").into())
}
