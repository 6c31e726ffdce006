//! The error of every picture at the end.

use image::RgbImage;

use crate::common::pictures::picture;
use crate::common::visible::Visible;
use crate::dataset::{Dataset, Photo};
use crate::state::{Loss, Renderer, State};

/// Factor by which the error pictures amplify the errors.
const ERROR_GAIN: f32 = 4.0;

/// One picture and its error.
pub(crate) struct Evaluated {
    pub(crate) name: String,
    pub(crate) held_out: bool,
    pub(crate) loss: Loss,
    /// The photograph, the rendered picture, and four times the absolute error, from left to right.
    pub(crate) pictures: RgbImage,
}

/// Renders all pictures, those that are held out first.
///
/// # Errors
/// One line: those of a render.
pub(crate) fn evaluate(data: &Dataset, state: &State) -> Result<(Vec<Evaluated>, Visible), String> {
    let renderer = Renderer::new();
    let mut visible = Visible::default();
    let held_out = data.held_out.iter().map(|photo| (photo, true));
    let trained = data.trained.iter().map(|photo| (photo, false));
    let mut evaluate = |(photo, held_out): (&Photo, bool)| {
        let gaussians = &state.gaussians;
        let rendered = renderer.render(gaussians, photo, data.background);
        let rendered = rendered.map_err(|error| format!("{}: {error}", photo.name))?;
        visible.add(&rendered.saved.splats);
        Ok(Evaluated {
            name: photo.name.clone(),
            held_out,
            loss: rendered.loss,
            pictures: side_by_side(photo, &rendered.image.features),
        })
    };
    let evaluated: Result<Vec<_>, String> = held_out.chain(trained).map(&mut evaluate).collect();
    Ok((evaluated?, visible))
}

fn side_by_side(photo: &Photo, rendered: &[f32]) -> RgbImage {
    let photograph = photo.colours();
    let pairs = photograph.iter().zip(rendered);
    let errors: Vec<f32> = pairs
        .map(|(a, b)| ERROR_GAIN * (a - b.clamp(0.0, 1.0)).abs())
        .collect();
    let row = 3 * photo.view.width;
    let rows = photograph
        .chunks(row)
        .zip(rendered.chunks(row))
        .zip(errors.chunks(row));
    let all: Vec<f32> = rows.flat_map(|((a, b), c)| [a, b, c].concat()).collect();
    picture(3 * photo.view.width, photo.view.height, &all)
}
