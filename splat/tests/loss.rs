//! The loss of photographs against its definition, difference quotients and numbers of JAX.

use splat::check::check_loss;
use splat::loss::{l1_ssim, l1_ssim_vjp};
use splat::stages::ImageSize;
use splat::{Image, RenderError};

const fn size(views: usize, height: usize, width: usize) -> ImageSize {
    ImageSize {
        views,
        height,
        width,
    }
}

/// Numbers in [0, 1] without a pattern. Every `seed` gives others.
fn numbers(count: usize, seed: usize) -> Vec<f64> {
    let number = |i: usize| ((i + 1) as f64 * 12.9898 + seed as f64 * 4.1414).sin() * 43.7585;
    (0..count).map(|i| number(i) - number(i).floor()).collect()
}

/// A picture and one that is similar to it.
fn pair(count: usize) -> [Vec<f64>; 2] {
    let image = numbers(count, 1);
    let noise = numbers(count, 2);
    let target = image.iter().zip(noise).map(|(x, n)| 0.7 * x + 0.3 * n);
    let target = target.collect();
    [image, target]
}

/// The similarity by its definition: windows of two-dimensional weights, zeros outside the image,
/// and deviations from the means.
fn ssim_by_definition(image: &[f64], target: &[f64], size: ImageSize, channels: usize) -> f64 {
    let gauss = |dx: isize, dy: isize| (-((dx * dx + dy * dy) as f64) / (2.0 * 1.5 * 1.5)).exp();
    let window = || (-5..=5isize).flat_map(|dy| (-5..=5isize).map(move |dx| (dx, dy)));
    let total: f64 = window().map(|(dx, dy)| gauss(dx, dy)).sum();
    let mut sum = 0.0;
    for pixel in 0..size.views * size.height * size.width {
        let (x, rest) = (pixel % size.width, pixel / size.width);
        let (y, view) = (rest % size.height, rest / size.height);
        for channel in 0..channels {
            let at = |values: &[f64], dx: isize, dy: isize| {
                let (x, y) = (x.checked_add_signed(dx), y.checked_add_signed(dy));
                match (x, y) {
                    (Some(x), Some(y)) if x < size.width && y < size.height => {
                        let pixel = (view * size.height + y) * size.width + x;
                        values[pixel * channels + channel]
                    }
                    _ => 0.0,
                }
            };
            let mean = |f: &dyn Fn(isize, isize) -> f64| {
                let terms = window().map(|(dx, dy)| gauss(dx, dy) * f(dx, dy));
                terms.sum::<f64>() / total
            };
            let a = mean(&|dx, dy| at(image, dx, dy));
            let b = mean(&|dx, dy| at(target, dx, dy));
            let covariance = mean(&|dx, dy| (at(image, dx, dy) - a) * (at(target, dx, dy) - b));
            let variances =
                mean(&|dx, dy| (at(image, dx, dy) - a).powi(2) + (at(target, dx, dy) - b).powi(2));
            sum += (2.0 * a * b + 1e-4) / (a * a + b * b + 1e-4) * (2.0 * covariance + 9e-4)
                / (variances + 9e-4);
        }
    }
    sum / image.len() as f64
}

#[test]
fn similarity_is_its_definition() -> Result<(), RenderError> {
    for (size, channels) in [
        (size(1, 1, 1), 1),
        (size(1, 3, 17), 3),
        (size(2, 13, 4), 3),
        (size(3, 12, 11), 2),
        (size(1, 25, 31), 4),
    ] {
        let [image, target] = pair(size.views * size.height * size.width * channels);
        let got = l1_ssim(&image, &target, size, channels, 0.2)?;
        let expected = ssim_by_definition(&image, &target, size, channels);
        assert!(
            (got.ssim - expected).abs() < 1e-12,
            "{size:?}: {} and {expected}",
            got.ssim
        );
        let differences = image.iter().zip(&target).map(|(a, b)| (a - b).abs());
        let l1 = differences.sum::<f64>() / image.len() as f64;
        assert!((got.l1 - l1).abs() < 1e-14, "{size:?}");
        let loss = 0.8 * l1 + 0.2 * (1.0 - expected);
        assert!((got.loss() - loss).abs() < 1e-12, "{size:?}");
    }
    Ok(())
}

/// `check_loss` has images of one view and of two.
#[test]
fn gradients_are_those_of_difference_quotients() {
    for ssim_weight in [0.0, 0.2, 1.0] {
        let report = check_loss(|image: &Image<Vec<f64>>| {
            let size = match image.features.len() / 3 {
                192 => size(1, 12, 16),
                _ => size(2, 9, 7),
            };
            let target = numbers(image.features.len(), 3);
            let loss = l1_ssim(&image.features, &target, size, 3, ssim_weight);
            let loss = loss.expect("valid images");
            let v = l1_ssim_vjp(&loss, &image.features, &target, 1.0);
            (loss.loss(), Image::from_features(v.expect("valid images")))
        });
        assert!(report.passed(), "{ssim_weight}: {report}");
    }
}

/// The numbers were computed with JAX 0.10.2 in 64 bits: `conv_general_dilated` with a window of 11 x 11
/// weights and five pixels of zeros around the images, and `value_and_grad`.
#[test]
fn values_and_gradients_are_those_of_jax() -> Result<(), RenderError> {
    let size = size(2, 14, 19);
    let [image, target] = pair(2 * 14 * 19 * 3);
    let loss = l1_ssim(&image, &target, size, 3, 0.2)?;
    assert!((loss.l1 - 0.088_050_641_819_481_65).abs() < 1e-12);
    assert!((loss.ssim - 0.933_234_672_985_340_8).abs() < 1e-12);
    assert!((loss.loss() - 0.083_793_578_858_517_15).abs() < 1e-12);
    let v = l1_ssim_vjp(&loss, &image, &target, 1.0)?;
    for (i, expected) in [
        (0, -0.000_521_914_928_477_263_6),
        (1, 0.000_517_256_695_078_262),
        (500, 0.000_614_225_366_958_143_9),
        (1595, -0.000_559_055_898_874_549_4),
    ] {
        assert!((v[i] - expected).abs() < 1e-14, "{i}: {} {expected}", v[i]);
    }
    Ok(())
}

#[test]
fn gradients_of_equal_images_are_zero_and_scale_with_the_loss() -> Result<(), RenderError> {
    let size = size(1, 14, 15);
    let [image, target] = pair(14 * 15 * 3);
    let same = l1_ssim(&image, &image, size, 3, 0.2)?;
    assert_eq!((same.l1, same.loss().abs() < 1e-15), (0.0, true));
    let v = l1_ssim_vjp(&same, &image, &image, 1.0)?;
    assert!(v.iter().all(|v| v.abs() < 1e-15), "{v:?}");
    let loss = l1_ssim(&image, &target, size, 3, 0.2)?;
    let once = l1_ssim_vjp(&loss, &image, &target, 1.0)?;
    let twice = l1_ssim_vjp(&loss, &image, &target, -2.0)?;
    for (a, b) in once.iter().zip(&twice) {
        assert!((2.0 * a + b).abs() < 1e-15, "{a} {b}");
    }
    Ok(())
}

/// The largest gradient of these images is 0.0013.
#[test]
fn single_precision_is_near_double_precision() -> Result<(), RenderError> {
    let size = size(1, 40, 50);
    let [image, target] = pair(40 * 50 * 3);
    let narrow = |x: &[f64]| x.iter().map(|&x| x as f32).collect::<Vec<f32>>();
    let (image32, target32) = (narrow(&image), narrow(&target));
    let wide = l1_ssim(&image, &target, size, 3, 1.0)?;
    let single = l1_ssim(&image32, &target32, size, 3, 1.0)?;
    assert!((wide.ssim - single.ssim).abs() < 1e-6);
    let v = l1_ssim_vjp(&wide, &image, &target, 1.0)?;
    let v32 = l1_ssim_vjp(&single, &image32, &target32, 1.0)?;
    let largest = v.iter().fold(0.0f64, |most, v| most.max(v.abs()));
    for (v, v32) in v.iter().zip(&v32) {
        assert!((v - f64::from(*v32)).abs() < 1e-5 * largest, "{v} {v32}");
    }
    Ok(())
}

#[test]
fn wrong_arguments_are_named() -> Result<(), RenderError> {
    let [image, target] = pair(12);
    let one = size(1, 2, 2);
    let refused = |image: &[f64], target: &[f64], size, channels, weight| {
        let error = l1_ssim(image, target, size, channels, weight).expect_err("a wrong argument");
        error.to_string()
    };
    assert_eq!(
        refused(&image[1..], &target, one, 3, 0.2),
        "image: expected 12 elements, [B, H, W, C] = [1, 2, 2, 3], got 11 elements"
    );
    assert!(refused(&image, &target[2..], one, 3, 0.2).starts_with("target: "));
    assert!(refused(&[], &[], size(0, 2, 2), 3, 0.2).starts_with("size.views: "));
    assert!(refused(&[], &[], size(1, 0, 2), 3, 0.2).contains("height"));
    assert!(refused(&[], &[], one, 0, 0.2).starts_with("channels: "));
    let huge = size(usize::MAX, 2, 2);
    assert!(!refused(&image, &target, huge, 3, 0.2).is_empty());
    for weight in [-0.1, 1.1, f64::NAN] {
        assert!(refused(&image, &target, one, 3, weight).starts_with("ssim_weight: "));
    }
    let saved = l1_ssim(&image, &target, one, 3, 0.2)?;
    for (image, target) in [(&image[1..], &target[..]), (&image[..], &target[1..])] {
        assert!(l1_ssim_vjp(&saved, image, target, 1.0).is_err());
    }
    let mut broken = image.clone();
    broken[3] = f64::NAN;
    assert!(l1_ssim(&broken, &target, one, 3, 0.2)?.loss().is_nan());
    Ok(())
}
