//! The training of a model of boxes, from frozen tokens or together with the encoder.

use std::collections::HashMap;

use burn::module::ParamId;
use burn::tensor::{ElementConversion, Tensor, TensorData};

use super::box_loss::box_loss;
use super::drop_path::drops;
use super::gradient::Gradient;
use super::sampling::Piece;
use super::task::{Task, other_kind};
use crate::backend::{Training, Trains};
use crate::config::{BoxFinetuning, Config, Tokens, Tuning};
use crate::error::{Error, check_len};
use crate::model::{Autoencoder, Localizer, Visible};

/// The training of a model of boxes.
#[derive(Clone, Copy, Debug)]
pub struct Localization(BoxFinetuning);

impl<B: Trains> Task<B> for Localization {
    type Model = Localizer<Training<B>>;
    type Inner = Localizer<B>;

    fn new(_config: &Config, finetuning: Option<Tuning>) -> Result<Self, Error> {
        let Some(Tuning::Boxes(finetuning)) = finetuning else {
            return Err(other_kind("a model of boxes", finetuning));
        };
        finetuning.validate()?;
        Ok(Self(finetuning))
    }

    fn finetuning(&self) -> Option<Tuning> {
        Some(self.0.into())
    }

    fn model(&self, config: &Config, start: Autoencoder<Training<B>>) -> Self::Model {
        Localizer::new(config, start)
    }

    /// With frozen tokens the parameters of the encoder have no gradient. The optimiser does not
    /// change a parameter without a gradient, so that weight decay does not move it either.
    fn gradient(
        &self,
        config: &Config,
        model: &Self::Model,
        piece: &Piece,
        device: &B::Device,
    ) -> Result<(Gradient, f64), Error> {
        let truth = truth(piece)?;
        let visible = Visible::new(config, &piece.batch.pixels, &piece.batch.masks, device)?;
        let tokens = match self.0.tokens {
            Tokens::Frozen => model.tokens(&visible, None).detach(),
            Tokens::FineTuned => {
                let drops = drops(config, self.0.drop_path, piece, device);
                model.tokens(&visible, Some(&drops))
            }
        };
        let predicted = model.boxes(tokens, &visible);
        let truth = TensorData::new(truth, predicted.dims());
        let loss = box_loss(predicted, Tensor::from_data(truth, device));
        let value = loss.clone().into_scalar().elem::<f64>();
        Ok((Gradient::of(loss.backward(), model), value))
    }

    fn rates(&self, model: &Self::Model) -> HashMap<ParamId, f64> {
        model.rates(self.0.layer_decay)
    }
}

/// Returns the box of every image of `piece`, `[B, 4]`.
///
/// # Errors
///
/// [`Error::Length`] if the number of boxes is not that of the images. [`Error::Argument`] if an
/// image has no box.
fn truth(piece: &Piece) -> Result<Vec<f32>, Error> {
    let images = piece.batch.masks.len();
    check_len(
        "boxes of the images of a piece",
        images,
        piece.corners.len(),
    )?;
    let mut truth = Vec::with_capacity(4 * images);
    for corners in &piece.corners {
        truth.extend(corners.ok_or_else(|| Error::Argument {
            argument: "box of an image",
            expected: "left, top, right and bottom of an annotated object".to_owned(),
            got: "none".to_owned(),
        })?);
    }
    Ok(truth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Batch, Mask};

    #[test]
    fn images_without_a_box_are_refused() {
        let corners = [0.0, 0.25, 0.5, 1.0];
        let mut piece = Piece {
            corners: vec![Some(corners), None],
            ..Piece::unlabelled(Batch {
                pixels: Vec::new(),
                masks: vec![Mask::none(4); 2],
            })
        };
        let error = truth(&piece).expect_err("no box").to_string();
        assert!(
            error.starts_with("box of an image: expected left"),
            "{error}"
        );
        piece.corners[1] = Some(corners);
        assert_eq!(truth(&piece).expect("boxes"), [corners; 2].concat());
        piece.corners.pop();
        let error = truth(&piece).expect_err("a box is missing").to_string();
        assert_eq!(error, "boxes of the images of a piece: expected 2, got 1");
    }
}
