//! Settings are checked at the precision in which they are used. A value that `f32` cannot
//! represent is rejected.

use gmae_reference::config::{CameraKind, Config, Preset};

type Set = fn(&mut Config, f64);

/// Every setting that the optimiser, the model or the renderer uses in `f32`.
const IN_F32: [(&str, Set); 7] = [
    ("beta1", |c, v| c.beta1 = v),
    ("beta2", |c, v| c.beta2 = v),
    ("learning-rate", |c, v| c.learning_rate = v),
    ("weight-decay", |c, v| c.weight_decay = v),
    ("clip-norm", |c, v| c.clip_norm = v),
    ("gaussian-scale", |c, v| c.gaussian_scale = v),
    ("blur", |c, v| c.blur = v),
];

fn refusal(set: Set, value: f64) -> Option<String> {
    let mut config = Preset::Nano.config();
    set(&mut config, value);
    config.validate().err().map(|error| error.to_string())
}

#[test]
fn values_that_f32_turns_into_nothing_or_infinity_are_refused() {
    for (name, set) in IN_F32 {
        // In `f32`, 1e-50 is 0 and 1e39 is infinite. In `f64`, both are normal numbers.
        for value in [1e-50, 1e39, f64::NAN, f64::INFINITY, -0.5] {
            let words = refusal(set, value).unwrap_or_else(|| panic!("{name} = {value} passed"));
            assert!(
                words.contains(name) && words.contains(&value.to_string()),
                "{words}"
            );
        }
    }
}

#[test]
fn a_decay_that_f32_rounds_to_one_is_refused() {
    let below_one = f64::from(1.0_f32.next_down());
    for (name, set) in &IN_F32[..2] {
        for value in [1.0 - 1e-9, 1.0_f64.next_down(), 1.0] {
            let words = refusal(*set, value).unwrap_or_else(|| panic!("{name} = {value} passed"));
            assert!(words.contains(name), "{words}");
        }
        for value in [0.0, 0.9, below_one] {
            assert_eq!(refusal(*set, value), None, "{name} = {value}");
        }
    }
}

#[test]
fn what_follows_from_settings_is_judged_too() {
    let base = Preset::Nano.config();
    let refused = |config: Config, name: &str| {
        let words = config.validate().expect_err(name).to_string();
        assert!(words.contains(name), "{words}");
    };
    // The rate itself fits, but the rate times batch size / 256 overflows.
    refused(
        Config {
            learning_rate: 3e38,
            batch_size: 1024,
            ..base
        },
        "learning-rate",
    );
    refused(
        Config {
            learning_rate: 2e-45,
            batch_size: 1,
            ..base
        },
        "learning-rate",
    );
    // An orthographic camera divides scales by 8.
    refused(
        Config {
            gaussian_scale: 2e-45,
            camera: CameraKind::Orthographic,
            ..base
        },
        "gaussian-scale",
    );
    // Each value fits, but their product, which determines the decay per step, overflows.
    refused(
        Config {
            learning_rate: 1e30,
            weight_decay: 1e30,
            ..base
        },
        "weight-decay",
    );
}

#[test]
fn ordinary_values_pass() {
    for (name, set) in IN_F32 {
        for value in [1e-6, 0.5] {
            assert_eq!(refusal(set, value), None, "{name} = {value}");
        }
    }
}
