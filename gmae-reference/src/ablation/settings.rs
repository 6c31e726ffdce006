//! Settings of the TOML file, applied to a configuration.

use serde_json::{Map, Value};

use crate::config::Config;

/// The setting that the list `seeds` of the table determines.
const SEED: &str = "seed";

/// Returns the settings of `config` as a JSON object, with the names of `config.json`.
///
/// # Errors
///
/// The reason, in words, if a setting has no JSON form.
pub(super) fn object(config: &Config) -> Result<Map<String, Value>, String> {
    match serde_json::to_value(config) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(other) => Err(format!("settings: expected a JSON object, got {other}")),
        Err(error) => Err(format!("settings: {error}")),
    }
}

/// Returns `base` with the values of `settings`. The ranges are not checked, because a later layer
/// of settings can still change them.
///
/// # Errors
///
/// The key and the fault, in words, if a key is not a setting, or a value has the wrong type.
pub(super) fn apply(base: &Config, settings: &toml::Table) -> Result<Config, String> {
    let base = object(base)?;
    let mut all = base.clone();
    for (key, value) in settings {
        if key == SEED {
            return Err(
                "settings.seed: expected the list `seeds` at the top of the table".to_owned(),
            );
        }
        if !base.contains_key(key) {
            let names = base.keys().filter(|name| *name != SEED);
            let names: Vec<&str> = names.map(String::as_str).collect();
            return Err(format!(
                "settings.{key}: expected one of {}, got an unknown setting",
                names.join(", ")
            ));
        }
        let refused = |error: serde_json::Error| format!("settings.{key} = {value}: {error}");
        let json = serde_json::to_value(value).map_err(refused)?;
        // Each setting is tried alone, so that the message can name it.
        let mut alone = base.clone();
        alone.insert(key.clone(), json.clone());
        serde_json::from_value::<Config>(Value::Object(alone)).map_err(refused)?;
        all.insert(key.clone(), json);
    }
    serde_json::from_value(Value::Object(all)).map_err(|error| format!("settings: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CameraKind, Method, Preset};

    fn applied(text: &str) -> Result<Config, String> {
        let settings = text.parse::<toml::Table>().expect("TOML");
        apply(&Preset::Nano.config(), &settings)
    }

    #[test]
    fn the_listed_settings_replace_those_of_the_base() {
        let text = "gaussians = 128\nclip_norm = 3\ncamera = \"perspective\"\nmethod = \"mae\"\n\
                    norm_pix = true";
        let config = applied(text);
        let expected = Config {
            method: Method::Mae,
            norm_pix: true,
            gaussians: 128,
            clip_norm: 3.0,
            camera: CameraKind::Perspective,
            ..Preset::Nano.config()
        };
        assert_eq!(config, Ok(expected));
        assert_eq!(applied(""), Ok(Preset::Nano.config()));
    }

    #[test]
    fn wrong_settings_are_refused_by_name() {
        for (text, parts) in [
            (
                "gausians = 1",
                ["settings.gausians", "gaussian_scale, gaussians, "],
            ),
            ("seed = 1", ["settings.seed", "`seeds`"]),
            ("gaussians = 1.5", ["settings.gaussians = 1.5", "usize"]),
            ("gaussians = -1", ["settings.gaussians = -1", "usize"]),
            ("blur = nan", ["settings.blur = nan", "f64"]),
            ("freeze_z = \"on\"", ["settings.freeze_z = \"on\"", "bool"]),
            ("freeze_z = 1", ["settings.freeze_z = 1", "bool"]),
            ("blur = \"0.3\"", ["settings.blur = \"0.3\"", "f64"]),
            (
                "camera = \"fisheye\"",
                ["settings.camera = \"fisheye\"", "orthographic"],
            ),
        ] {
            let error = applied(text).expect_err(text);
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
