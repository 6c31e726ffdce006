use super::*;
use rand::SeedableRng;
use std::collections::HashSet;

fn set(size: usize) -> Shapes {
    Shapes::new(7, 100, size).expect("a valid size")
}

/// Computes the FNV-1a hash of the eight-bit picture.
fn fingerprint(image: &Image) -> u64 {
    image
        .to_rgb8()
        .as_raw()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

#[test]
fn a_scene_follows_from_seed_and_index_alone() {
    let a = set(32);
    assert_eq!(a.scene(3), set(32).scene(3));
    assert_ne!(a.scene(3), a.scene(4));
    assert_ne!(a.scene(3), Shapes::new(8, 100, 32).unwrap().scene(3));
}

#[test]
fn the_first_scenes_never_change() {
    let got: Vec<u64> = (0..3)
        .map(|i| fingerprint(&set(32).scene(i).image))
        .collect();
    assert_eq!(
        got,
        [
            5_548_065_982_345_522_426,
            6_635_235_785_262_511_353,
            4_179_301_419_182_977_896
        ]
    );
}

#[test]
fn masks_partition_the_image_in_order_of_depth() {
    for index in 0..60 {
        let scene = set(40).scene(index);
        assert!((2..=5).contains(&scene.shapes.len()));
        for (i, &label) in scene.labels.iter().enumerate() {
            // The label is the label of the nearest shape that covers the pixel.
            let nearest = scene
                .shapes
                .iter()
                .filter(|shape| shape.amodal[i])
                .min_by_key(|shape| shape.depth_rank);
            assert_eq!(label, nearest.map_or(0, |shape| shape.label));
            for shape in &scene.shapes {
                assert_eq!(shape.visible[i], shape.label == label);
            }
        }
    }
}

#[test]
fn boundaries_are_label_differences() {
    let scene = set(24).scene(0);
    let label = |x: usize, y: usize| scene.labels[y * 24 + x];
    for y in 0..24 {
        for x in 0..24 {
            let right = x < 23 && label(x, y) != label(x + 1, y);
            let below = y < 23 && label(x, y) != label(x, y + 1);
            assert_eq!(scene.boundary[y * 24 + x], right || below, "{x} {y}");
        }
    }
    assert!(scene.boundary.contains(&true));
}

#[test]
fn the_truth_at_a_size_is_that_of_the_picture() {
    for index in 0..30 {
        let scene = set(40).scene(index);
        // The set of other pictures has the same scenes.
        let truth = set(16).truth(index, 40).expect("a valid size");
        assert_eq!(truth, scene.truth());
        assert_eq!(truth.labels, scene.labels);
        assert_eq!(truth.foreground.size(), [40, 40]);
        for (i, &label) in scene.labels.iter().enumerate() {
            let shape = scene.shapes.iter().find(|shape| shape.label == label);
            let rank = shape.map_or(scene.shapes.len(), |shape| shape.depth_rank);
            assert_eq!(usize::from(truth.depth_ranks[i]), rank);
            assert_eq!(truth.foreground.values()[i], shape.is_some());
        }
    }
    assert!(set(16).truth(0, 0).is_err());
    assert!(set(16).truth(0, 4097).is_err());
}

#[test]
fn shapes_hide_each_other_but_stay_visible() {
    let count = |mask: &[bool]| mask.iter().filter(|&&m| m).count() as f32;
    let mut kinds = HashSet::new();
    let mut sizes = HashSet::new();
    let mut with_occlusion = 0;
    for index in 0..200 {
        let scene = set(32).scene(index);
        sizes.insert(scene.shapes.len());
        let mut occluded = false;
        for shape in &scene.shapes {
            kinds.insert(format!("{:?}", shape.kind));
            // At 32 pixels the raster of the layout is the pixel grid, so that the bound is exact.
            assert!(count(&shape.visible) >= layout::MIN_VISIBLE * count(&shape.amodal));
            occluded |= shape.visible != shape.amodal;
        }
        with_occlusion += usize::from(occluded);
    }
    assert_eq!(kinds.len(), 5);
    assert_eq!(sizes.len(), 4);
    assert!(
        with_occlusion > 150,
        "only {with_occlusion} of 200 scenes have an occlusion"
    );
}

#[test]
fn sizes_show_the_same_scene() {
    let (small, large) = (set(16).scene(5), set(64).scene(5));
    let mut difference = 0.0;
    for y in 0..16 {
        for x in 0..16 {
            for c in 0..3 {
                let block = (0..16)
                    .map(|i| large.image.pixel(4 * x + i % 4, 4 * y + i / 4).unwrap()[c])
                    .sum::<f32>();
                difference += (block / 16.0 - small.image.pixel(x, y).unwrap()[c]).abs();
            }
        }
    }
    assert!(
        difference / 768.0 < 0.02,
        "mean difference {}",
        difference / 768.0
    );
    assert!(large.image.pixels.iter().all(|v| (0.0..=1.0).contains(v)));
}

#[test]
fn edges_are_anti_aliased() {
    // Some pixels along a boundary must be blends, which a picture with hard edges does not have.
    let layout = Layout::new(7, 0);
    let scene = set(32).scene(0);
    let blended = (0..32 * 32)
        .filter(|&i| {
            let p = pixel_centre(i, 32);
            let shape = usize::from(scene.labels[i]).checked_sub(1);
            let flat = colour_of(&layout, shape, p, 1.0 / 32.0);
            (0..3).any(|c| (flat[c] - scene.image.pixels[3 * i + c]).abs() > 0.02)
        })
        .count();
    assert!((20..400).contains(&blended), "{blended} blended pixels");
}

#[test]
fn only_training_flips() {
    let flips = |set: &Shapes| {
        (0..40)
            .filter(|&seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                let image = set.image(2, &mut rng).unwrap();
                assert!(image == set.scene(2).image || image == set.scene(2).image.flipped());
                image != set.scene(2).image
            })
            .count()
    };
    assert_eq!(flips(&set(16)), 0);
    assert!((8..32).contains(&flips(&set(16).for_training())));
}

#[test]
fn bad_arguments_are_named() {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let error = set(8).image(100, &mut rng).unwrap_err();
    assert_eq!(
        error.to_string(),
        "image index: expected less than 100, got 100"
    );
    let error = Shapes::new(0, 1, 0).unwrap_err();
    assert_eq!(
        error.to_string(),
        "size of the shapes: expected 1 to 4096 pixels, got 0"
    );
}
