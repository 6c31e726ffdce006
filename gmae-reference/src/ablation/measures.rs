//! Label, unit, digits and direction of each measure.

/// The values that count as better.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Better {
    Lower,
    Higher,
    /// The values are not ranked.
    Neither,
}

/// The presentation of a measure.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Measure {
    /// The label of the column, without unit.
    pub(super) label: String,
    /// The unit, or an empty text. Values are printed in the unit in which they are given.
    pub(super) unit: &'static str,
    /// Number of decimals.
    pub(super) digits: usize,
    pub(super) better: Better,
}

impl Measure {
    /// Returns the measure with a given name. An unknown measure has its name as label and four
    /// decimals. Lower values of it are better if `mse`, `error`, `loss` or `fd` is a word of its
    /// name.
    pub(super) fn named(name: &str) -> Self {
        if let Some(known) = KNOWN.iter().find(|known| known.0 == name) {
            let (_, label, unit, digits, better) = *known;
            return Self {
                label: label.to_owned(),
                unit,
                digits,
                better,
            };
        }
        let lower = |word: &str| ["mse", "error", "loss", "fd"].contains(&word);
        Self {
            label: name.replace('_', " "),
            unit: "",
            digits: 4,
            better: if name.split('_').any(lower) {
                Better::Lower
            } else {
                Better::Higher
            },
        }
    }

    /// The heading of the column: label, unit, and an arrow in the better direction.
    pub(super) fn heading(&self) -> String {
        let unit = if self.unit.is_empty() {
            String::new()
        } else {
            format!(" ({})", self.unit)
        };
        let arrow = match self.better {
            Better::Lower => " ↓",
            Better::Higher => " ↑",
            Better::Neither => "",
        };
        format!("{}{unit}{arrow}", self.label)
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
    fn headings_show_unit_and_direction() {
        for (name, heading) in [
            ("masked_mse", "masked MSE ↓"),
            ("ridge", "ridge probe (%) ↑"),
            ("seconds", "time (s)"),
            ("pixel_error", "pixel error ↓"),
            ("fd_classes", "fd classes ↓"),
            ("lossless", "lossless ↑"),
        ] {
            assert_eq!(Measure::named(name).heading(), heading);
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
