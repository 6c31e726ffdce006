//! Shapes and parameter counts of the presets.

use burn::module::Module;
use gmae_reference::backend::{Cpu, Device};
use gmae_reference::config::{Config, Preset};
use gmae_reference::model::Autoencoder;

/// Returns the number of parameters of a transformer block of `width` channels: four linear layers
/// of the attention, two of the MLP, and two norms.
fn block(width: usize) -> usize {
    let (w, hidden) = (width, 4 * width);
    4 * (w * w + w) + (w * hidden + hidden) + (hidden * w + w) + 4 * w
}

fn expected(config: &Config) -> usize {
    let (e, d, k) = (config.encoder_width, config.decoder_width, config.gaussians);
    let patch = 3 * config.patch_size * config.patch_size;
    let encoder = (patch * e + e) + e + config.encoder_depth * block(e) + 2 * e;
    let decoder = (e * d + d) + d + k * d + config.decoder_depth * block(d);
    encoder + decoder + 2 * d + d * 14
}

fn count(preset: Preset) -> usize {
    let config = preset.config();
    let count = Autoencoder::<Cpu>::new(&config, &Device::default()).num_params();
    assert_eq!(count, expected(&config), "{preset:?}");
    // Biases and norms are left out of this estimate.
    let rest = config.parameters().iter().sum::<usize>().abs_diff(count);
    assert!(rest <= count / 50, "{preset:?}: {rest}");
    count
}

#[test]
fn small_presets_have_the_published_number_of_parameters() {
    assert_eq!(count(Preset::Nano), 913_152);
    assert_eq!(count(Preset::Tiny), 6_184_704);
    assert_eq!(count(Preset::Small), 3_146_624);
}

#[test]
fn base_has_111_million_parameters() {
    assert_eq!(count(Preset::Base), 111_531_008);
}

#[test]
fn presets_are_valid_and_follow_the_rule_for_small_models() {
    for preset in [Preset::Nano, Preset::Tiny, Preset::Small, Preset::Base] {
        let config = preset.config();
        config.validate().expect("a preset is valid");
        if preset != Preset::Base {
            let width = config.image_size as f64;
            assert!(
                (config.gaussian_scale - 16.0 / (config.gaussians as f64).sqrt()).abs() < 1e-12
            );
            assert_eq!(config.blur, (0.3 * (width / 224.0).powi(2)).max(0.05));
        }
    }
    let base = Preset::Base.config();
    assert_eq!((base.patches(), base.visible()), (196, 49));
    assert_eq!((base.gaussian_scale, base.blur), (1.0, 0.3));
}

#[test]
fn weights_are_a_function_of_the_seed() {
    let config = Preset::Nano.config();
    let queries = |config: &Config| {
        let model = Autoencoder::<Cpu>::new(config, &Device::default());
        let visible = gmae_reference::model::Visible::new(
            config,
            &vec![0.5; config.image_size * config.image_size * 3],
            &[gmae_reference::model::Mask::none(config.patches())],
            &Device::default(),
        );
        model
            .forward(&visible.expect("one image"))
            .into_gaussians()
            .expect("Gaussians")
            .means
            .into_data()
    };
    assert_eq!(queries(&config), queries(&config));
    assert_ne!(queries(&config), queries(&Config { seed: 1, ..config }));
}
