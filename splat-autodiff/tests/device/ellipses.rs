//! Renders of ellipses.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};
use burn_flex::{Flex, FlexDevice};
use libtest_mimic::Failed;
use splat_autodiff::{EllipseTensors, Renderer, render_ellipses, render_ellipses_forward};

use crate::buffers::allocation_of;
use crate::compare::all_close;
use crate::scene::{C, V, config, ellipse_views, ellipses, numbers};

/// Returns the images and gradients of a render as named buffers.
fn everything<B: Backend>(device: &B::Device) -> Result<Vec<(&'static str, Vec<f32>)>, Failed> {
    let (e, background) = ellipses::<Autodiff<B>>(device);
    let e = EllipseTensors {
        means: e.means.require_grad(),
        shapes: e.shapes.require_grad(),
        kind: e.kind,
        opacities: e.opacities.require_grad(),
        depths: e.depths.require_grad(),
        features: e.features.require_grad(),
    };
    let background = background.require_grad();
    let image = render_ellipses(&e, &ellipse_views(), background.clone(), &config())?;
    let transmittance = image.transmittance.ok_or("no transmittance")?;
    let depth = image.depth.ok_or("no depth")?;
    let layers = image.layers.ok_or("no layers")?;
    let weight = Tensor::<Autodiff<B>, 4>::from_data(
        TensorData::new(numbers(V * 20 * 24 * C, 7), [V, 20, 24, C]),
        device,
    );
    let loss = (image.features.clone() * weight).sum()
        + transmittance.clone().powf_scalar(2.0).sum()
        + depth.clone().sum() * 0.1;
    let gradients = loss.backward();
    let host = |data: TensorData| data.to_vec::<f32>().map_err(|error| format!("{error:?}"));
    macro_rules! gradient {
        ($tensor:expr) => {
            host($tensor.grad(&gradients).ok_or("no gradient")?.into_data())?
        };
    }
    Ok(vec![
        ("features", host(image.features.into_data())?),
        ("transmittance", host(transmittance.into_data())?),
        ("depth", host(depth.into_data())?),
        ("layers", host(layers.into_data())?),
        ("v_means", gradient!(e.means)),
        ("v_shapes", gradient!(e.shapes)),
        ("v_opacities", gradient!(e.opacities)),
        ("v_depths", gradient!(e.depths)),
        ("v_features", gradient!(e.features)),
        ("v_background", gradient!(background)),
    ])
}

/// Images, gradients and counts of culled ellipses equal those of the CPU.
pub(crate) fn ellipses_equal_the_cpu<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    all_close(everything::<Flex>(&FlexDevice)?, everything::<B>(device)?)?;
    let renderer = Renderer::new().with_culled_on_device(true);
    let (views, config) = (ellipse_views(), config());
    let (e, background) = ellipses::<B>(device);
    let shapes = e.shapes.slice_fill([3..4, 0..1], -1.0);
    let e = EllipseTensors { shapes, ..e };
    let unasked = render_ellipses_forward(&e, &views, background.clone(), &config)?.culled;
    let counted = renderer
        .render_ellipses_forward(&e, &views, background, &config)?
        .culled;
    let (e, background) = ellipses::<Flex>(&FlexDevice);
    let shapes = e.shapes.slice_fill([3..4, 0..1], -1.0);
    let e = EllipseTensors { shapes, ..e };
    let expected = render_ellipses_forward(&e, &views, background, &config)?.culled;
    let some = expected.as_ref().is_some_and(|counts| counts[0] > 0);
    if unasked.is_none() && some && counted == expected {
        return Ok(());
    }
    Err(format!("unasked {unasked:?}, counted {counted:?}, on the CPU {expected:?}").into())
}

/// The kernels write all images into one allocation, see
/// [`renders_stay_on_the_device`](crate::buffers::renders_stay_on_the_device).
pub(crate) fn ellipses_stay_on_the_device<B: Backend>(device: &B::Device) -> Result<(), Failed> {
    let (e, background) = ellipses::<B>(device);
    let image = render_ellipses_forward(&e, &ellipse_views(), background, &config())?;
    let images = [
        allocation_of(image.features)?,
        allocation_of(image.transmittance.ok_or("no transmittance")?)?,
        allocation_of(image.depth.ok_or("no depth")?)?,
        allocation_of(image.layers.ok_or("no layers")?)?,
    ];
    if images.iter().all(|it| *it == images[0]) {
        return Ok(());
    }
    Err(format!("images in {images:?}").into())
}
