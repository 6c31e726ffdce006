//! The boxes that a model of boxes finds.

use super::encoding::{Watch, pieces, whole};
use crate::backend::Trains;
use crate::config::Config;
use crate::data::{Dataset, Sample};
use crate::error::Error;
use crate::model::Localizer;
use crate::numbers::numbers;

/// Predicts the box of every image of `data`, which is opened for evaluation: left, top, right and
/// bottom, as fractions of the sides of the image. Parts outside of the image are cut off. The
/// result is `None` if `watch` returned `false`.
///
/// # Errors
///
/// [`Error::Data`] if an image cannot be read.
pub(crate) fn found_boxes<B: Trains>(
    config: &Config,
    model: &Localizer<B>,
    data: &dyn Dataset,
    watch: Watch,
) -> Result<Option<Vec<[f64; 4]>>, Error> {
    let workers = B::workers()?;
    let mut found = Vec::with_capacity(data.len());
    let locate = |_, samples: Vec<Sample>| {
        let visible = whole(config, &samples, &model.device())?;
        numbers(model.forward(&visible))
    };
    let size = config.images_per_piece();
    let done = pieces(&workers, data, size, locate, |piece| {
        let sides = piece?;
        let (boxes, _) = sides.as_chunks::<4>();
        let inside = |side: f32| f64::from(side).clamp(0.0, 1.0);
        found.extend(boxes.iter().map(|corners| corners.map(inside)));
        Ok(watch(found.len(), data.len()))
    })?;
    Ok(done.then_some(found))
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleMapper, Param};
    use burn::tensor::Tensor;

    use super::super::examples::{Labelled, config, go_on, on_threads};
    use super::*;
    use crate::backend::{Cpu, Device};
    use crate::model::{Autoencoder, Mask, Visible};

    /// Two whole pieces and a part of one.
    const COUNT: usize = 19;

    fn localizer() -> Localizer<Cpu> {
        Localizer::new(&config(), Autoencoder::new(&config(), &Device::default()))
    }

    fn found(model: &Localizer<Cpu>, data: &Labelled) -> Vec<[f64; 4]> {
        let found = found_boxes(&config(), model, data, &mut go_on);
        found.expect("images").expect("not stopped")
    }

    /// The four sides that the model gives for one image alone.
    fn single(model: &Localizer<Cpu>, data: &Labelled, index: usize) -> Vec<f32> {
        let (config, pixels) = (config(), data.pixels(index));
        let masks = [Mask::none(config.patches())];
        let image = Visible::new(&config, &pixels, &masks, &model.device()).expect("an image");
        numbers(model.forward(&image)).expect("numbers")
    }

    #[test]
    fn boxes_are_those_of_single_images() {
        let (model, data) = (localizer(), Labelled::new(COUNT));
        let found = found(&model, &data);
        assert_eq!(found.len(), COUNT);
        for (index, corners) in found.iter().enumerate() {
            for (got, expected) in corners.iter().zip(single(&model, &data, index)) {
                assert!((got - f64::from(expected)).abs() < 1e-5, "{index}: {got}");
            }
        }
        assert_ne!(found[0], found[1], "images differ");
    }

    /// Multiplies every parameter, so that the proposals are large.
    struct Larger;

    impl ModuleMapper<Cpu> for Larger {
        fn map_float<const D: usize>(
            &mut self,
            param: Param<Tensor<Cpu, D>>,
        ) -> Param<Tensor<Cpu, D>> {
            param.map(|values| values * 40.0)
        }
    }

    #[test]
    fn parts_outside_of_the_image_are_cut_off() {
        let (model, data) = (localizer().map(&mut Larger), Labelled::new(COUNT));
        let (mut before, mut after) = (0, 0);
        for (index, corners) in found(&model, &data).iter().enumerate() {
            for (&got, side) in corners.iter().zip(single(&model, &data, index)) {
                let side = f64::from(side);
                before += usize::from(side < -0.01);
                after += usize::from(side > 1.01);
                assert!((got - side.clamp(0.0, 1.0)).abs() < 1e-5, "{got}, {side}");
            }
        }
        assert!(before > 0 && after > 0, "{before} below 0, {after} above 1");
    }

    #[test]
    fn threads_change_no_bit_and_a_report_can_stop_the_work() {
        let (config, model, data) = (config(), localizer(), Labelled::new(COUNT));
        let all = || found_boxes(&config, &model, &data, &mut go_on).expect("images");
        assert_eq!(on_threads(1, all), on_threads(3, all));
        let stopped = found_boxes(&config, &model, &data, &mut |done, _| done < 8);
        assert_eq!(stopped.expect("images"), None);
    }
}
