//! Numbers as text.

/// Formats a number with few digits.
pub(super) fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "not known".to_owned()
    } else if size == 0.0 {
        "0".to_owned()
    } else if size < 1e-3 {
        format!("{value:.1e}")
    } else if size < 1.0 {
        let text = format!("{value:.4}");
        text.trim_end_matches('0').to_owned()
    } else if size < 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    }
}

/// Formats a loss with four decimals, or with fewer digits if it is tiny.
pub(super) fn loss(value: f64) -> String {
    if value.is_finite() && value.abs() >= 1e-3 {
        format!("{value:.4}")
    } else {
        short(value)
    }
}

/// Formats a fraction in per cent.
pub(super) fn percent(part: f64) -> String {
    format!("{:.1} %", 100.0 * part)
}

/// Formats a whole number in groups of three digits.
pub(super) fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

/// Formats a duration in seconds, minutes or hours.
pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if !s.is_finite() => short(s),
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7200.0 => format!(
            "{:.0} min {:02.0} s",
            (s / 60.0).floor(),
            (s % 60.0).floor()
        ),
        s => format!(
            "{:.0} h {:02.0} min",
            (s / 3600.0).floor(),
            (s % 3600.0 / 60.0).floor()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(12), "12");
        assert_eq!(duration(59.96), "60.0 s");
        assert_eq!(duration(150.0), "2 min 30 s");
        assert_eq!(duration(7260.0), "2 h 01 min");
        assert_eq!(loss(0.05), "0.0500");
    }

    #[test]
    fn numbers_are_short() {
        let cases = [
            (0.0, "0"),
            (0.05, "0.05"),
            (0.012_34, "0.0123"),
            (0.000_12, "1.2e-4"),
            (12.345, "12.3"),
            (1234.5, "1234"),
            (f64::NAN, "not known"),
        ];
        for (value, want) in cases {
            assert_eq!(short(value), want);
        }
    }
}
