//! Hashes as text.

use std::fmt::Write as _;

/// Returns two hexadecimal digits, in lower case, for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_two_digits() {
        assert_eq!(hexadecimal(&[0, 7, 16, 255]), "000710ff");
        assert_eq!(hexadecimal(&[]), "");
    }
}
