//! Parts of images: they have the bits of the whole, and their gradients sum to those of the whole.

use std::ops::Range;

use splat::check::{OwnedScene, PROJECTIONS, crowd, max_difference, max_magnitude, weight};
use splat::{
    Camera, Cpu, CpuScalar, Gaussians, Image, Outputs, Projection, RenderConfig, Scene, Simd,
    TileSize, Views, render,
};

/// The image of all scenes, px: no multiple of a tile or a block.
const SIZE: [usize; 2] = [93, 71];
/// The views of all scenes.
const VIEWS: usize = 2;

/// Columns and rows of a part.
type Part = [Range<usize>; 2];

/// Four parts of the image, cut inside tiles and blocks.
fn quarters() -> [Part; 4] {
    let [width, height] = SIZE;
    [
        [0..37, 0..30],
        [37..width, 0..30],
        [0..37, 30..height],
        [37..width, 30..height],
    ]
}

/// Returns a scene whose cameras have Gaussians far to the side, where the tangents are clamped.
fn wide(projection: Projection) -> OwnedScene {
    let mut scene = crowd(3, VIEWS, 150, SIZE, projection);
    for camera in &mut scene.views.cameras {
        (camera.fx, camera.fy) = (0.35 * camera.fx, 0.45 * camera.fy);
    }
    let config = scene.config.clone().with_outputs(Outputs::ALL);
    scene.with_config(config)
}

/// Returns the scene of a part of each image.
fn cropped(scene: &OwnedScene, [columns, rows]: &Part) -> OwnedScene {
    let views = scene.views.crop(columns.clone(), rows.clone());
    let mut part = scene.clone();
    part.views = views.expect("a part of the images");
    part
}

/// Returns the part of `images` images of the whole, `[images, H, W, per_pixel]`.
fn cut<T: Copy>(buffer: &[T], per_pixel: usize, [columns, rows]: &Part) -> Vec<T> {
    let [width, height] = SIZE;
    let images = buffer.chunks_exact(width * height * per_pixel);
    let rows_of = |image: &[T]| {
        let row = |y: usize| {
            let start = (y * width + columns.start) * per_pixel;
            image[start..start + columns.len() * per_pixel].to_vec()
        };
        rows.clone().flat_map(row).collect::<Vec<T>>()
    };
    images.flat_map(rows_of).collect()
}

/// Returns the part of every buffer of an image without layers: they count the splats of a part.
fn cut_image<T: CpuScalar>(image: &Image<Vec<T>>, part: &Part) -> Image<Vec<T>> {
    let mut cropped = image.clone();
    let plane = |plane: &Option<Vec<T>>, per_pixel| plane.as_ref().map(|x| cut(x, per_pixel, part));
    cropped.features = cut(&image.features, 3, part);
    cropped.transmittance = plane(&image.transmittance, 1);
    cropped.depth = plane(&image.depth, 1);
    cropped
}

fn assert_same_bits<T: CpuScalar>(backend: &Cpu<T>, what: &str) {
    for projection in PROJECTIONS {
        let whole = wide(projection);
        let image = |scene: &OwnedScene| {
            let rendered = render(backend, &scene.rounded::<T>().scene(), &scene.config);
            rendered.expect("a valid scene").0
        };
        let of_whole = image(&whole);
        assert!(of_whole.features.iter().any(|x| x.to_f64() > 0.1));
        for part in quarters() {
            let of_part = image(&cropped(&whole, &part));
            let expected = cut_image(&of_whole, &part);
            assert!(of_part == expected, "{what} {projection:?} {part:?}");
        }
    }
}

#[test]
fn four_quarters_have_the_bits_of_the_whole() {
    for simd in Simd::ALL.into_iter().filter(|simd| simd.is_available()) {
        assert_same_bits(&Cpu::<f32>::new().with_simd(simd), simd.name());
        assert_same_bits(&Cpu::<f64>::new().with_simd(simd), simd.name());
    }
    assert_same_bits(&Cpu::<f32>::new().with_tile(TileSize::Px8), "tiles of 8 px");
}

#[test]
fn gradients_of_the_quarters_sum_to_those_of_the_whole() {
    for projection in PROJECTIONS {
        let whole = wide(projection);
        let (image, _) = whole.render().expect("a valid scene");
        let ramp = |x: &Vec<f64>| (0..x.len()).map(weight).collect();
        let v_image: Image<Vec<f64>> = image.map(ramp).without_layers();
        let expected = whole.gradients(&v_image).expect("a valid scene");
        let parts = quarters().map(|part| {
            let v_image = cut_image(&v_image, &part);
            cropped(&whole, &part)
                .gradients(&v_image)
                .expect("a valid scene")
        });
        for (k, (name, expected)) in expected.buffers().into_iter().enumerate() {
            let mut sum = vec![0.0; expected.len()];
            for part in &parts {
                for (sum, x) in sum.iter_mut().zip(part.buffers()[k].1) {
                    *sum += x;
                }
            }
            let off = max_difference(&sum, expected) / max_magnitude(expected).max(1e-300);
            assert!(off <= 1e-12, "{name} {projection:?}: {off:e}");
        }
    }
}

/// The two halves of a picture with a slanted Gaussian that reaches over the cut. With the
/// principal point moved instead, the left half differs by 0.09.
#[test]
fn a_picture_in_two_halves_has_no_seam() {
    let render_part = |columns: Option<Range<usize>>| {
        let views = Views::single(200, 100, Camera::pinhole(100.0, 100.0, 100.0, 50.0), 1);
        let views = columns.map_or(Ok(views.clone()), |columns| views.crop(columns, 0..100));
        let gaussians = Gaussians {
            means: &[1.0, 0.1, 2.0][..],
            scales: &[0.4, 0.1, 0.8],
            quaternions: &[0.9, 0.1, 0.4, 0.0],
            opacities: &[0.9],
            features: &[1.0],
            count: 1,
            channels: 1,
            encoding: splat::encoding::Encoding::PLAIN,
        };
        let scene = Scene {
            gaussians,
            views: &views.expect("a half"),
            backgrounds: &[0.0],
        };
        let rendered = render(&Cpu::<f64>::new(), &scene, &RenderConfig::default());
        rendered.expect("a valid scene").0.features
    };
    let whole = render_part(None);
    let (left, right) = (render_part(Some(0..100)), render_part(Some(100..200)));
    assert!(left.iter().any(|&x| x > 0.1) && right.iter().any(|&x| x > 0.1));
    for (y, row) in whole.chunks_exact(200).enumerate() {
        let half = y * 100..(y + 1) * 100;
        assert_eq!(row[..100], left[half.clone()]);
        assert_eq!(row[100..], right[half]);
    }
}

#[test]
fn a_part_of_a_part_is_a_part_of_the_whole() {
    let whole = wide(Projection::Pinhole).views;
    let twice = whole.crop(10..80, 5..60).expect("a part");
    let twice = twice.crop(7..30, 11..40).expect("a part");
    assert_eq!(twice, whole.crop(17..40, 16..45).expect("a part"));
    let [width, height] = SIZE;
    let placed = |camera: &Camera| camera.corner == [17, 16] && camera.whole == Some(SIZE);
    assert!(twice.cameras.iter().all(placed));
    // The whole is a part of itself.
    let same = whole.crop(0..width, 0..height).expect("a part");
    assert_eq!((same.width, same.height), (width, height));
}

#[test]
fn parts_beyond_the_image_are_refused() {
    let scene = wide(Projection::Hybrid);
    let [width, height] = SIZE;
    let crop = |columns, rows| scene.views.crop(columns, rows).map(drop);
    for (result, argument) in [
        (crop(0..0, 0..height), "columns"),
        (crop(5..width + 1, 0..height), "columns"),
        (crop(usize::MAX..usize::MAX, 0..height), "columns"),
        (crop(0..width, 7..7), "rows"),
        (crop(0..width, 0..usize::MAX), "rows"),
    ] {
        let error = result.expect_err(argument).to_string();
        assert!(error.contains(argument), "{argument}: {error}");
    }
    let parts = [
        ([1, 0], Some(SIZE)),
        ([0, usize::MAX], Some(SIZE)),
        ([0, 0], Some([width - 1, height])),
        ([0, 0], Some([width, (1 << 22) + 1])),
        ([0, 1], None),
    ];
    for (corner, whole) in parts {
        let mut wrong = scene.clone();
        (wrong.views.cameras[1].corner, wrong.views.cameras[1].whole) = (corner, whole);
        let error = wrong.render().map(drop).expect_err("a wrong part");
        assert!(error.to_string().contains("camera.corner"), "{error}");
        let oracle = wrong.oracle().map(drop);
        assert_eq!(oracle, Err(error));
    }
}
