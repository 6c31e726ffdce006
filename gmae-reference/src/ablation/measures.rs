//! Label, unit, digits and direction of each measure.

use crate::report::comparison::{Better, Quantity};

/// Returns the column of a measure. An unknown measure has its name as label and four decimals.
/// Lower values of it are better if `mse`, `error`, `loss` or `fd` is a word of its name.
pub(super) fn quantity(name: &str) -> Quantity {
    if let Some(known) = KNOWN.iter().find(|known| known.0 == name) {
        let (_, label, unit, decimals, better) = *known;
        return Quantity {
            label: label.to_owned(),
            unit: unit.to_owned(),
            better,
            decimals,
        };
    }
    let lower = |word: &str| ["mse", "error", "loss", "fd"].contains(&word);
    Quantity {
        label: name.replace('_', " "),
        unit: String::new(),
        better: if name.split('_').any(lower) {
            Better::Lower
        } else {
            Better::Higher
        },
        decimals: 4,
    }
}

/// Name, label, unit, decimals, direction. Accuracies are in per cent, as in the paper.
const KNOWN: &[(&str, &str, &str, usize, Better)] = &[
    ("masked_mse", "masked MSE", "", 5, Better::Lower),
    ("psnr", "PSNR", "dB", 2, Better::Higher),
    ("masked_psnr", "masked PSNR", "dB", 2, Better::Higher),
    ("ssim", "SSIM", "", 4, Better::Higher),
    ("masked_ssim", "masked SSIM", "", 4, Better::Higher),
    ("ridge", "ridge probe", "%", 2, Better::Higher),
    ("ridge_block", "ridge probe: block", "", 1, Better::Neither),
    ("linear", "linear probe", "%", 2, Better::Higher),
    (
        "linear_block",
        "linear probe: block",
        "",
        1,
        Better::Neither,
    ),
    ("knn", "20 neighbours", "%", 2, Better::Higher),
    ("knn_block", "20 neighbours: block", "", 1, Better::Neither),
    (FINE_TUNE, "fine-tuning", "%", 2, Better::Higher),
    (SECONDS, "time", "s", 0, Better::Neither),
];

/// The accuracy of a classifier that is trained from the encoder, or from initial weights.
pub(crate) const FINE_TUNE: &str = "fine_tune";

/// The measure that every result has: the time of the training, or of the measures if nothing is
/// trained. A runner is not asked for it.
pub(crate) const SECONDS: &str = "seconds";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_unknown_measures_have_a_column() {
        for (name, label, unit, better, decimals) in [
            ("masked_mse", "masked MSE", "", Better::Lower, 5),
            ("ridge", "ridge probe", "%", Better::Higher, 2),
            ("seconds", "time", "s", Better::Neither, 0),
            ("pixel_error", "pixel error", "", Better::Lower, 4),
            ("fd_classes", "fd classes", "", Better::Lower, 4),
            ("lossless", "lossless", "", Better::Higher, 4),
        ] {
            let expected = Quantity {
                label: label.to_owned(),
                unit: unit.to_owned(),
                better,
                decimals,
            };
            assert_eq!(quantity(name), expected);
        }
    }

    #[test]
    fn no_measure_is_listed_twice() {
        for (i, known) in KNOWN.iter().enumerate() {
            assert!(
                KNOWN[..i].iter().all(|other| other.0 != known.0),
                "{}",
                known.0
            );
        }
    }
}
