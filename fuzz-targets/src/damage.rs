//! Damages the bytes of a file, as a script of bytes says.

/// Numbers at the edges of types, as text.
const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483648",
    "4294967296",
    "4000000000000",
    "18446744073709551615",
    "99999999999999999999",
    "nan",
    "1e309",
];

/// The greatest number of instructions, so that some files remain valid.
const MOST: usize = 6;

/// Takes the number of instructions from the script, then instructions of eight bytes: what to do,
/// where, and with what.
pub(crate) fn damage(mut file: Vec<u8>, script: &[u8]) -> Vec<u8> {
    let Some((&count, script)) = script.split_first() else {
        return file;
    };
    let (steps, _) = script.as_chunks::<8>();
    for [what, value, at @ .., near] in steps.iter().take(count as usize % (MOST + 1)) {
        // The most interesting numbers are at the beginning.
        let at = u32::from_le_bytes([at[0], at[1], at[2], at[3]]) as usize;
        let within = if near & 1 == 0 { 1 << 10 } else { usize::MAX };
        let len = file.len().min(within);
        if len == 0 {
            return file;
        }
        let at = at % len;
        let end = (at + 1 + *near as usize).min(file.len());
        match what % 8 {
            0 => file[at] ^= 1 << (value % 8),
            1 => file[at] = *value,
            2 => file[at..end].fill(*value),
            3 => file.truncate(at),
            4 => drop(file.drain(at..end)),
            5 => {
                let copy = file[at..end].to_vec();
                file.splice(at..at, copy);
            }
            6 => replace_number(&mut file, at, NUMBERS[*value as usize % NUMBERS.len()]),
            _ => drop(file.splice(at..at, std::iter::repeat_n(*value, *near as usize))),
        }
    }
    file
}

/// Replaces the first run of digits behind a place.
fn replace_number(file: &mut Vec<u8>, from: usize, number: &str) {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = file[from..].iter().position(digit) else {
        return;
    };
    let start = from + start;
    let length = file[start..].iter().position(|byte| !digit(byte));
    let end = length.map_or(file.len(), |length| start + length);
    file.splice(start..end, number.bytes());
}
