//! Features of the images of a data set: those of an encoder, block by block, and raw pixels.

use burn::tensor::backend::Backend;
use rayon::prelude::*;

use super::probe::{Features, Labelled};
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Dataset, Sample};
use crate::error::Error;
use crate::model::{Autoencoder, Mask, Visible};
use crate::numbers::numbers;
use crate::training::{Stream, stream};
use crate::workers::Workers;

/// Largest side of the raw pixels, which are features of a baseline. Larger images are averaged in
/// cells.
const RAW_SIDE: usize = 32;
/// Number of images that are read together.
const READ: usize = 64;

/// Reports finished images of all images, and returns whether to go on.
pub(crate) type Watch<'a> = &'a mut dyn FnMut(usize, usize) -> bool;

/// Encodes every image of `data`, which is opened for evaluation, with all patches visible. Returns
/// for each block the means of the patch tokens with the classes of the images. The result is
/// `None` if `watch` returned `false`.
///
/// # Errors
///
/// [`Error::Data`] if an image cannot be read. [`Error::Argument`] if an image has no class.
pub(crate) fn encode<B: Trains>(
    config: &Config,
    model: &Autoencoder<B>,
    data: &dyn Dataset,
    classes: usize,
    watch: Watch,
) -> Result<Option<Vec<Labelled>>, Error> {
    let workers = B::workers()?;
    let mut layers = vec![Vec::new(); config.encoder_depth];
    let mut labels = Vec::with_capacity(data.len());
    let encode = |_, samples: Vec<Sample>| {
        let visible = whole(config, &samples, &model.device())?;
        let means = model.layers(&visible).into_iter().map(numbers);
        let labels = samples.iter().map(label).collect::<Result<Vec<_>, _>>()?;
        Ok::<_, Error>((means.collect::<Result<Vec<_>, _>>()?, labels))
    };
    let size = config.for_finetuning().images_per_piece();
    let done = pieces(&workers, data, size, encode, |piece| {
        let (means, new) = piece?;
        for (layer, mean) in layers.iter_mut().zip(means) {
            layer.extend(mean);
        }
        labels.extend(new);
        Ok(watch(labels.len(), data.len()))
    })?;
    if !done {
        return Ok(None);
    }
    let labelled = layers.into_iter().map(|values| {
        let features = Features::new(values, config.encoder_width)?;
        Labelled::new(features, labels.clone(), classes)
    });
    labelled.collect::<Result<_, _>>().map(Some)
}

/// Returns the pixels of every image of `data` as features: `3 S^2` values of an image of at most
/// 32 x 32 cells. The result is `None` if `watch` returned `false`.
///
/// # Errors
///
/// [`Error::Data`] if an image cannot be read. [`Error::Argument`] if an image has no class.
pub(crate) fn raw_pixels(
    data: &dyn Dataset,
    classes: usize,
    watch: Watch,
) -> Result<Option<Labelled>, Error> {
    let (mut values, mut labels, mut side) = (Vec::new(), Vec::new(), 1);
    let shrink = |_, samples: Vec<Sample>| samples;
    let done = pieces(&Workers::none(), data, READ, shrink, |samples| {
        for sample in &samples {
            side = sample.image.width.min(RAW_SIDE);
            values.extend(cells(&sample.image.pixels, sample.image.width, side));
            labels.push(label(sample)?);
        }
        Ok(watch(labels.len(), data.len()))
    })?;
    if !done {
        return Ok(None);
    }
    let features = Features::new(values, side * side * 3)?;
    Labelled::new(features, labels, classes).map(Some)
}

/// Reads the images of `data` in pieces of at most `size`, and applies `work` to the number of the
/// first image of each piece and to the images. A `size` of 0 counts as 1. `take` receives the
/// results in order. The result is `false` if `take` returned `false`.
pub(super) fn pieces<R: Send>(
    workers: &Workers,
    data: &dyn Dataset,
    size: usize,
    work: impl Fn(usize, Vec<Sample>) -> R + Sync,
    mut take: impl FnMut(R) -> Result<bool, Error>,
) -> Result<bool, Error> {
    /// Ends the work: with an error, or because `take` returned false.
    enum End {
        Error(Error),
        Stopped,
    }
    let size = size.max(1);
    let read = |start: usize| {
        let piece = start..(start + size).min(data.len());
        let samples: Result<Vec<Sample>, _> = piece
            .into_par_iter()
            // A set for evaluation draws nothing.
            .map(|index| data.sample(index, &mut stream(0, Stream::HeldOut, 0)))
            .collect();
        samples
            .map(|samples| (start, samples))
            .map_err(|error| End::Error(error.into()))
    };
    let ended = workers.run(
        (0..data.len()).step_by(size).map(read),
        |(start, samples)| work(start, samples),
        |result| match take(result) {
            Ok(true) => Ok(()),
            Ok(false) => Err(End::Stopped),
            Err(error) => Err(End::Error(error)),
        },
    );
    match ended {
        Ok(()) => Ok(true),
        Err(End::Stopped) => Ok(false),
        Err(End::Error(error)) => Err(error),
    }
}

/// Cuts whole images into patches.
pub(super) fn whole<B: Backend>(
    config: &Config,
    samples: &[Sample],
    device: &B::Device,
) -> Result<Visible<B>, Error> {
    let pixels: Vec<f32> = samples
        .iter()
        .flat_map(|sample| sample.image.pixels.iter().copied())
        .collect();
    let masks = vec![Mask::none(config.patches()); samples.len()];
    Visible::new(config, &pixels, &masks, device)
}

/// Returns the class of an image.
pub(super) fn label(sample: &Sample) -> Result<usize, Error> {
    sample.label.ok_or_else(|| Error::Argument {
        argument: "--data",
        expected: "images inside one folder per class".to_owned(),
        got: "an image without a class".to_owned(),
    })
}

/// Averages an image `[size, size, 3]` in `side` x `side` cells. The borders of the cells are whole
/// pixels.
fn cells(pixels: &[f32], size: usize, side: usize) -> Vec<f32> {
    let border = |cell: usize| cell * size / side;
    let mut cells = Vec::with_capacity(side * side * 3);
    for y in 0..side {
        for x in 0..side {
            let mut sum = [0.0_f64; 3];
            for row in border(y)..border(y + 1) {
                let run = &pixels[(row * size + border(x)) * 3..(row * size + border(x + 1)) * 3];
                for pixel in run.chunks(3) {
                    sum.iter_mut()
                        .zip(pixel)
                        .for_each(|(s, &v)| *s += f64::from(v));
                }
            }
            let count = (border(y + 1) - border(y)) * (border(x + 1) - border(x));
            cells.extend(sum.map(|s| (s / count as f64) as f32));
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::examples::{CLASSES, Labelled as Images, config, go_on, on_threads};
    use super::*;
    use crate::backend::{Cpu, Device};

    /// Two whole pieces and a part of one.
    const COUNT: usize = 19;

    fn model() -> Autoencoder<Cpu> {
        Autoencoder::new(&config(), &Device::default())
    }

    fn encoded(data: &Images) -> Vec<Labelled> {
        let found = encode(&config(), &model(), data, CLASSES, &mut go_on);
        found.expect("valid arguments").expect("not stopped")
    }

    #[test]
    fn features_are_those_of_single_images() {
        let (config, model, data) = (config(), model(), Images::new(COUNT));
        let found = encoded(&data);
        assert_eq!(found.len(), config.encoder_depth);
        for block in &found {
            assert_eq!(block.features().rows(), COUNT);
            let labels: Vec<usize> = (0..COUNT).map(|i| 5 * i % 3).collect();
            assert_eq!((block.labels(), block.classes()), (&labels[..], CLASSES));
        }
        let mut largest = 0.0_f32;
        for image in 0..COUNT {
            let masks = [Mask::none(config.patches())];
            let single = Visible::new(&config, &data.pixels(image), &masks, &model.device());
            let layers = model.layers(&single.expect("an image"));
            for (block, layer) in found.iter().zip(layers) {
                let row = image * config.encoder_width..(image + 1) * config.encoder_width;
                let got = &block.features().values()[row];
                for (got, expected) in got.iter().zip(numbers(layer).expect("numbers")) {
                    assert!((got - expected).abs() < 1e-5, "{image}: {got} {expected}");
                    largest = largest.max(expected.abs());
                }
            }
        }
        assert!(largest > 0.1, "{largest}");
        let rows = found[0].features().values().chunks(config.encoder_width);
        let rows: Vec<&[f32]> = rows.collect();
        assert_ne!(rows[0], rows[1], "images differ");
    }

    #[test]
    fn threads_change_no_bit() {
        let data = Images::new(COUNT);
        assert_eq!(
            on_threads(1, || encoded(&data)),
            on_threads(3, || encoded(&data))
        );
    }

    #[test]
    fn pieces_come_in_order_and_whole() {
        let data = Images::new(COUNT);
        for threads in [0, 1, 3] {
            let workers = match threads {
                0 => Workers::none(),
                threads => Workers::new(threads).expect("threads"),
            };
            for size in [0, 1, 5, 8, 19, 100] {
                let work = |start: usize, samples: Vec<Sample>| (start, samples);
                let mut images = Vec::new();
                let done = pieces(&workers, &data, size, work, |(start, samples)| {
                    assert_eq!(start, images.len(), "pieces of {size}");
                    assert!(samples.len() <= size.max(1));
                    images.extend(samples);
                    Ok(true)
                });
                assert!(done.expect("images"));
                assert_eq!(images.len(), COUNT);
                for (index, image) in images.iter().enumerate() {
                    assert_eq!(image.image.pixels, data.pixels(index));
                }
            }
        }
    }

    #[test]
    fn every_report_can_stop_the_work() {
        let (config, model, data) = (config(), model(), Images::new(COUNT));
        let reports = Cell::new(0);
        for stop in [8, 16, 19] {
            reports.set(0);
            let watch = &mut |done, total| {
                reports.set(reports.get() + 1);
                assert_eq!((done, total), ((8 * reports.get()).min(COUNT), COUNT));
                done != stop
            };
            let found = encode(&config, &model, &data, CLASSES, watch).expect("images");
            assert_eq!(found, None);
            assert_eq!(reports.get(), stop.div_ceil(8));
        }
        let raw = raw_pixels(&data, CLASSES, &mut |_, _| false).expect("images");
        assert_eq!(raw, None);
    }

    #[test]
    fn raw_pixels_are_the_images() {
        let data = Images::new(COUNT);
        let found = raw_pixels(&data, CLASSES, &mut go_on).expect("images");
        let found = found.expect("not stopped");
        let pixels: Vec<f32> = (0..COUNT).flat_map(|index| data.pixels(index)).collect();
        assert_eq!(found.features().values(), pixels);
        assert_eq!(found.features().columns(), 3 * 16 * 16);
        assert_eq!(found.labels()[..4], [0, 2, 1, 0]);
    }

    #[test]
    fn an_image_without_a_class_is_refused_by_name() {
        let mut data = Images::new(COUNT);
        data.labels[17] = None;
        let found = encode(&config(), &model(), &data, CLASSES, &mut go_on);
        let raw = raw_pixels(&data, CLASSES, &mut go_on);
        for message in [found.map(|_| ()), raw.map(|_| ())] {
            let message = message.expect_err("no class").to_string();
            assert!(
                message.starts_with("--data: expected images inside"),
                "{message}"
            );
        }
        data.labels[17] = Some(CLASSES);
        let found = encode(&config(), &model(), &data, CLASSES, &mut go_on);
        let message = found.expect_err("too few classes").to_string();
        assert!(message.contains("3 in row 17"), "{message}");
    }

    #[test]
    fn cells_are_means_of_whole_pixels() {
        // Grey level x + 10 y of a 5 x 5 image in 2 x 2 cells: columns 0, 1 and 2, 3, 4.
        let pixels: Vec<f32> = (0..25)
            .flat_map(|i| [(i % 5 + 10 * (i / 5)) as f32; 3])
            .collect();
        let got = cells(&pixels, 5, 2);
        let expected = [5.5, 8.0, 30.5, 33.0].map(|level: f32| [level; 3]).concat();
        let near = got.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(near, "{got:?}");
        assert_eq!(cells(&pixels, 5, 5), pixels);
    }
}
