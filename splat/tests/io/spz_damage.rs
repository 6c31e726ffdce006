//! SPZ files that are damaged, or that promise what they do not have.

use splat::io::parse;

use crate::spz::{attributes, file, gzip, header, spz, unpacked};
use crate::{assert_refused, scene_of};

#[test]
fn a_changed_byte_of_gzip_data_is_refused_or_changes_nothing() {
    for whole in [
        file(1, 0, &[]),
        file(2, 0, &[]),
        file(3, 0, &[]),
        spz(&scene_of(30, 2)),
    ] {
        let expected = parse(&whole).expect("a valid file");
        let mut refused = 0;
        for i in 0..whole.len() {
            for flip in [0x01, 0x10, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[i] ^= flip;
                match parse(&damaged) {
                    Ok(read) => assert_eq!(read, expected, "byte {i}"),
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(refused > 3 * whole.len(), "{refused} of {}", whole.len());
        for length in 0..whole.len() {
            assert!(parse(&whole[..length]).is_err(), "{length} bytes");
        }
    }
}

#[test]
fn members_are_joined_and_trailing_bytes_refused() {
    let whole = file(3, 0, &[]);
    let expected = parse(&whole).expect("a valid file");
    let bytes = unpacked(&whole);
    for cut in [0, 7, 16, 40, bytes.len()] {
        let joined = [gzip(&bytes[..cut]), gzip(&bytes[cut..])].concat();
        assert_eq!(parse(&joined).expect("two members"), expected, "{cut}");
    }
    // The checksum of the first member counts.
    let mut damaged = [gzip(&bytes[..40]), gzip(&bytes[40..])].concat();
    let first = gzip(&bytes[..40]).len();
    damaged[first - 8] ^= 1;
    assert_refused(&damaged, &[]);
    assert_refused(
        &[whole.clone(), whole.clone()].concat(),
        &["after the attributes"],
    );
    assert_refused(
        &gzip(&[&bytes[..], &[0]].concat()),
        &["after the attributes"],
    );
    for trailing in [&b"\0"[..], b"\n", b"garbage of some length"] {
        assert_refused(&[&whole[..], trailing].concat(), &["end"]);
        assert_refused(
            &[&file(4, 0, &[])[..], trailing].concat(),
            &["after the attributes"],
        );
    }
}

#[test]
fn headers_that_promise_too_much_are_refused_before_anything_is_allocated() {
    for count in [3, 500_000_000, u32::MAX] {
        for version in 1..=3 {
            let bytes = [
                header(version, count, 1, 0, 0),
                attributes(version).concat(),
            ]
            .concat();
            assert_refused(&gzip(&bytes), &[]);
        }
        let mut frames = file(4, 0, &[]);
        frames[8..12].copy_from_slice(&count.to_le_bytes());
        assert_refused(&frames, &[]);
    }
    // A few kilobytes that unpack to gigabytes.
    let count = 20_000_000u32;
    let bomb = [header(3, count, 0, 0, 0), vec![0; 1 << 26]].concat();
    let bomb = gzip(&bomb);
    assert!(bomb.len() < 1 << 17);
    assert_refused(&bomb, &["header", "at most", "20000000"]);
    for (at, value, words) in [
        (4, 0, &["version", "1 to 4", "0"][..]),
        (4, 5, &["version", "5"]),
        (4, 4, &["version", "1 to 3", "4"]),
        (12, 5, &["degree", "5"]),
        (13, 25, &["fractional", "25"]),
        (0, b'X', &["NGSP", "XGSP"]),
    ] {
        let mut bytes = [header(3, 2, 1, 0, 0), attributes(3).concat()].concat();
        bytes[at] = value;
        assert_refused(&gzip(&bytes), words);
    }
    assert_refused(&gzip(b"ply\nformat ascii 1.0\n"), &["NGSP", "ply"]);
    assert_refused(&gzip(b""), &["header"]);
    let plain = [header(3, 2, 1, 0, 0), attributes(3).concat()].concat();
    assert_refused(&plain, &["gzip"]);
    assert_refused(b"NGSP", &[]);
}

#[test]
fn tables_of_version_4_must_fit_their_streams() {
    let whole = file(4, 0, &[]);
    let refused = |change: &dyn Fn(&mut Vec<u8>), words: &[&str]| {
        let mut file = whole.clone();
        change(&mut file);
        assert_refused(&file, words);
    };
    let word = |at: usize, value: u64| {
        move |file: &mut Vec<u8>| file[at..at + 8].copy_from_slice(&value.to_le_bytes())
    };
    for wrong in [0, 1, u64::MAX, 1 << 40] {
        refused(&word(32, wrong), &["positions"]);
        refused(&word(40, wrong), &["positions"]);
        refused(&word(32 + 16 * 3 + 8, wrong), &["scales"]);
    }
    refused(&|file| file[15] = 5, &[]);
    refused(&|file| file[15] = 7, &[]);
    for table in [0u32, 31, 4000, u32::MAX] {
        refused(
            &|file| file[16..20].copy_from_slice(&table.to_le_bytes()),
            &["header"],
        );
    }
    for length in 0..whole.len() {
        assert!(parse(&whole[..length]).is_err(), "{length} bytes");
    }
}
