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
/// for each block the means of the patch tokens with the classes of the images. The result is `None`
/// if `watch` returned `false`.
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
/// first image of each piece and to the images. `take` receives the results in order. The result is false if `take` returned false.
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
        (0..data.len()).step_by(size.max(1)).map(read),
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
    use super::*;

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
