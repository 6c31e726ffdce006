//! Mixup and cutmix: an image and its target are mixed with those of another image.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};

use super::sampling::{Piece, Stream, stream};
use crate::config::{Config, Finetuning};
use crate::error::Error;

/// Returns the mixed pixels `[B, H, W, 3]` and the probabilities of the classes, `[B, classes]`, of
/// the images of `piece`.
///
/// The images of a batch are mixed in pairs: the first with the second, the third with the fourth,
/// and so on. Each image draws its own proportion. All pieces but the last have an even number of
/// images, so that the pairs do not depend on the size of a piece. The last image of an odd batch
/// is not mixed.
///
/// # Errors
///
/// [`Error::Argument`] if an image has no class, or one that is out of range.
pub(super) fn mixed(
    config: &Config,
    finetuning: &Finetuning,
    piece: &Piece,
) -> Result<(Vec<f32>, Vec<f32>), Error> {
    let classes = finetuning.classes;
    let labels: Vec<usize> = piece
        .labels
        .iter()
        .map(|label| label.filter(|&label| label < classes).ok_or(*label))
        .collect::<Result<_, _>>()
        .map_err(|label| Error::Argument {
            argument: "class of an image",
            expected: format!("a number below {classes}"),
            got: label.map_or_else(|| "none".to_owned(), |label| label.to_string()),
        })?;
    let original = &piece.batch.pixels;
    let len = config.image_len();
    let mut pixels = original.clone();
    let smoothing = finetuning.label_smoothing;
    let mut targets = vec![(smoothing / classes as f64) as f32; labels.len() * classes];
    for (i, &position) in piece.positions.iter().enumerate() {
        let other = if i ^ 1 < labels.len() { i ^ 1 } else { i };
        let mut rng = stream(config.seed, Stream::Mixing, position);
        let source = &original[other * len..(other + 1) * len];
        let mixed = &mut pixels[i * len..(i + 1) * len];
        let own = mix(config, finetuning, &mut rng, mixed, source);
        let target = &mut targets[i * classes..(i + 1) * classes];
        target[labels[i]] += ((1.0 - smoothing) * own) as f32;
        target[labels[other]] += ((1.0 - smoothing) * (1.0 - own)) as f32;
    }
    Ok((pixels, targets))
}

/// Mixes `source` into `image` and returns the part of the image that remains its own.
fn mix(
    config: &Config,
    finetuning: &Finetuning,
    rng: &mut ChaCha8Rng,
    image: &mut [f32],
    source: &[f32],
) -> f64 {
    let Finetuning { mixup, cutmix, .. } = *finetuning;
    let cut = if mixup > 0.0 && cutmix > 0.0 {
        rng.random()
    } else {
        cutmix > 0.0
    };
    // The shape is 0, or was checked.
    let Ok(beta) = Beta::new(
        if cut { cutmix } else { mixup },
        if cut { cutmix } else { mixup },
    ) else {
        return 1.0;
    };
    let own: f64 = beta.sample(rng);
    if !cut {
        for (own_value, &value) in image.iter_mut().zip(source) {
            *own_value = (f64::from(*own_value) * own + f64::from(value) * (1.0 - own)) as f32;
        }
        return own;
    }
    // A square of area 1 - own around a random point, cut off at the border.
    let size = config.image_size;
    let side = (1.0 - own).sqrt() * size as f64;
    let mut range = || {
        let centre = rng.random::<f64>() * size as f64;
        let border = |at: f64| (at.round().max(0.0) as usize).min(size);
        border(centre - side / 2.0)..border(centre + side / 2.0)
    };
    let (rows, columns) = (range(), range());
    for row in rows.clone() {
        let run = (row * size + columns.start) * 3..(row * size + columns.end) * 3;
        image[run.clone()].copy_from_slice(&source[run]);
    }
    1.0 - (rows.len() * columns.len()) as f64 / (size * size) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Preset;
    use crate::model::{Batch, Mask};

    const CLASSES: usize = 3;

    /// Four images of one grey level each: 0, 1/4, 1/2 and 3/4.
    fn piece(config: &Config) -> Piece {
        let levels = [0.0_f32, 0.25, 0.5, 0.75];
        Piece {
            batch: Batch {
                pixels: levels
                    .iter()
                    .flat_map(|&level| vec![level; config.image_len()])
                    .collect(),
                masks: vec![Mask::none(config.patches()); 4],
            },
            labels: vec![Some(0), Some(2), Some(1), Some(1)],
            positions: vec![10, 11, 12, 13],
            ..Piece::default()
        }
    }

    fn settings(mixup: f64, cutmix: f64, label_smoothing: f64) -> Finetuning {
        Finetuning {
            mixup,
            cutmix,
            label_smoothing,
            ..Finetuning::published(CLASSES)
        }
    }

    #[test]
    fn nothing_is_mixed_without_mixup_and_cutmix() {
        let config = Preset::Nano.config();
        let piece = piece(&config);
        let (pixels, targets) = mixed(&config, &settings(0.0, 0.0, 0.3), &piece).expect("a piece");
        assert_eq!(pixels, piece.batch.pixels);
        let near =
            |got: &[f32], want: [f32; 3]| got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6);
        assert!(near(&targets[..3], [0.8, 0.1, 0.1]), "{targets:?}");
        assert!(near(&targets[6..9], [0.1, 0.8, 0.1]), "{targets:?}");
    }

    /// The part of the target equals the part of the pixels, for both kinds.
    #[test]
    fn targets_follow_the_pixels() {
        let config = Preset::Nano.config();
        let piece = piece(&config);
        let len = config.image_len();
        let (mut mixed_images, mut whole) = (0, 0);
        for (mixup, cutmix) in [(0.8, 0.0), (0.0, 0.5), (0.8, 0.5)] {
            for first in 0..50 {
                let piece = Piece {
                    positions: (0..4).map(|i| 4 * first + i).collect(),
                    ..piece.clone()
                };
                let settings = settings(mixup, cutmix, 0.0);
                let (pixels, targets) = mixed(&config, &settings, &piece).expect("a piece");
                for i in 0..4 {
                    let image = &pixels[i * len..(i + 1) * len];
                    let mean = image.iter().map(|&v| f64::from(v)).sum::<f64>() / len as f64;
                    let [mine, other] = [i, i ^ 1].map(|j| 0.25 * j as f64);
                    let own = (mean - other) / (mine - other);
                    let target = &targets[i * CLASSES..(i + 1) * CLASSES];
                    let label = piece.labels[i].expect("a label");
                    let shared = piece.labels[i ^ 1] == piece.labels[i];
                    let expected = if shared { 1.0 } else { own };
                    assert!(
                        (f64::from(target[label]) - expected).abs() < 1e-4,
                        "{target:?}"
                    );
                    assert!((target.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                    if cutmix == 0.0 {
                        assert!(image.iter().all(|v| (v - image[0]).abs() < 1e-6));
                    }
                    mixed_images += usize::from(own < 0.9);
                    whole += 1;
                }
            }
        }
        assert!(
            mixed_images * 3 > whole,
            "{mixed_images} of {whole} images are mixed"
        );
    }

    /// Two pieces of two images have the targets and the pixels of one piece of four.
    #[test]
    fn pairs_do_not_depend_on_the_size_of_a_piece() {
        let config = Preset::Nano.config();
        let whole = piece(&config);
        let settings = settings(0.8, 0.5, 0.1);
        let (mut pixels, mut targets) = (Vec::new(), Vec::new());
        for half in [0..2, 2..4] {
            let len = config.image_len();
            let part = Piece {
                batch: Batch {
                    pixels: whole.batch.pixels[half.start * len..half.end * len].to_vec(),
                    masks: whole.batch.masks[half.clone()].to_vec(),
                },
                labels: whole.labels[half.clone()].to_vec(),
                positions: whole.positions[half].to_vec(),
                ..Piece::default()
            };
            let found = mixed(&config, &settings, &part).expect("a piece");
            pixels.extend(found.0);
            targets.extend(found.1);
        }
        let expected = mixed(&config, &settings, &whole).expect("a piece");
        assert_eq!((pixels, targets), expected);
        let one = Piece {
            batch: Batch {
                pixels: whole.batch.pixels[..config.image_len()].to_vec(),
                masks: whole.batch.masks[..1].to_vec(),
            },
            labels: vec![Some(0)],
            positions: vec![10],
            ..Piece::default()
        };
        let (pixels, _) = mixed(&config, &settings, &one).expect("a piece");
        assert_eq!(pixels, one.batch.pixels, "an image without a partner");
    }

    #[test]
    fn images_without_a_class_are_refused() {
        let config = Preset::Nano.config();
        for (label, words) in [(None, "got none"), (Some(3), "got 3")] {
            let mut piece = piece(&config);
            piece.labels[2] = label;
            let error = mixed(&config, &settings(0.8, 0.5, 0.1), &piece).expect_err(words);
            assert!(error.to_string().ends_with(words), "{error}");
        }
    }
}
