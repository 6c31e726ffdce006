//! Structs that can gain fields are built by methods. Each method sets exactly one field.

use splat::{Image, Outputs, RenderConfig, Wanted};

#[test]
fn every_method_of_the_settings_sets_its_field() {
    let config = RenderConfig::default()
        .with_blur(0.5)
        .with_antialias(true)
        .with_alpha_min(0.25)
        .with_alpha_max(0.75)
        .with_transmittance_min(0.125)
        .with_half_features(true)
        .with_outputs(Outputs::ALL)
        .with_layers(vec![3, 5]);
    assert_eq!(
        (config.blur, config.alpha_min, config.alpha_max),
        (0.5, 0.25, 0.75)
    );
    assert_eq!((config.antialias, config.half_features), (true, true));
    assert_eq!(config.transmittance_min, 0.125);
    assert_eq!((config.outputs, config.layers), (Outputs::ALL, vec![3, 5]));
}

#[test]
fn every_method_of_the_outputs_sets_its_field() {
    assert_eq!(Outputs::NONE, Outputs::default());
    let [none, all] = [Outputs::NONE, Outputs::ALL];
    let transmittance = none.with_transmittance(true);
    assert_eq!(
        (transmittance.transmittance, transmittance.depth),
        (true, false)
    );
    assert_eq!(transmittance.with_depth(true).with_contributors(true), all);
    let contributors = none.with_contributors(true);
    assert!(contributors.contributors && !contributors.depth && !contributors.transmittance);
    assert_eq!(
        all.with_transmittance(false).with_depth(false),
        contributors
    );
}

#[test]
fn every_method_of_the_wanted_sets_its_field() {
    let row = |w: Wanted| [w.geometry, w.features, w.backgrounds, w.cameras];
    let methods = [
        Wanted::with_geometry,
        Wanted::with_features,
        Wanted::with_backgrounds,
        Wanted::with_cameras,
    ];
    for (i, with) in methods.into_iter().enumerate() {
        let only = std::array::from_fn(|field| field == i);
        assert_eq!(row(with(Wanted::NONE, true)), only);
        assert_eq!(row(with(Wanted::ALL, false)), only.map(|on: bool| !on));
    }
}

#[test]
fn every_method_of_the_image_sets_its_buffer() {
    let features = Image::from_features(vec![1.0]);
    assert_eq!((&features.transmittance, &features.depth), (&None, &None));
    let image = features
        .clone()
        .with_transmittance(vec![2.0])
        .with_depth(Some(vec![3.0]))
        .with_layers(vec![4.0])
        .with_layer_transmittance(vec![5.0]);
    assert_eq!(image.features, [1.0]);
    assert_eq!(image.transmittance, Some(vec![2.0]));
    assert_eq!(image.depth, Some(vec![3.0]));
    assert_eq!(image.layers, Some(vec![4.0]));
    assert_eq!(image.layer_transmittance, Some(vec![5.0]));
    let without = image.without_layers();
    assert_eq!((without.layers, without.layer_transmittance), (None, None));
    assert_eq!(without.depth, Some(vec![3.0]));
}
