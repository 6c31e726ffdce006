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

/// Name, label, unit, decimals, direction. Accuracies and overlaps are in per cent, as in the
/// paper. The scores of boundaries (ODS, OIS, AP) are fractions, as in the paper.
const KNOWN: &[(&str, &str, &str, usize, Better)] = &[
    ("mse", "MSE", "", 5, Better::Lower),
    ("masked_mse", "masked MSE", "", 5, Better::Lower),
    ("psnr", "PSNR", "dB", 2, Better::Higher),
    ("masked_psnr", "masked PSNR", "dB", 2, Better::Higher),
    ("ssim", "SSIM", "", 4, Better::Higher),
    ("masked_ssim", "masked SSIM", "", 4, Better::Higher),
    ("fd", "Frechet distance", "", 3, Better::Lower),
    ("ridge", "ridge probe", "%", 2, Better::Higher),
    ("ridge_block", "its block", "", 1, Better::Neither),
    ("linear", "linear probe", "%", 2, Better::Higher),
    ("linear_block", "its block", "", 1, Better::Neither),
    ("knn", "20 neighbours", "%", 2, Better::Higher),
    ("knn_block", "its block", "", 1, Better::Neither),
    ("fine_tune", "fine-tuning", "%", 2, Better::Higher),
    ("ods", "ODS", "", 3, Better::Higher),
    ("ois", "OIS", "", 3, Better::Higher),
    ("ap", "AP", "", 3, Better::Higher),
    ("foreground_iou", "foreground IoU", "%", 2, Better::Higher),
    ("detection_iou", "single-object IoU", "%", 2, Better::Higher),
    (SECONDS, "time", "s", 0, Better::Neither),
];

/// The measure that every result has: the time of the run. A runner is not asked for it.
pub(super) const SECONDS: &str = "seconds";

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
