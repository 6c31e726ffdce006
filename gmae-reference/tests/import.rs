//! Encoders of public checkpoints.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gmae_reference::backend::{Cpu, Device};
use gmae_reference::config::{Config, Preset};
use gmae_reference::model::{Autoencoder, Mask, Visible};
use gmae_reference::training::Public;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/timm")
        .join(name)
}

fn values(file: &[u8], name: &str) -> Vec<f32> {
    let tensors = SafeTensors::deserialize(file).expect("safetensors");
    let (chunks, _) = tensors.tensor(name).expect("a tensor").data().as_chunks();
    chunks
        .iter()
        .map(|chunk| f32::from_le_bytes(*chunk))
        .collect()
}

fn tokens(config: &Config, model: &Autoencoder<Cpu>, pixels: &[f32]) -> Vec<f32> {
    let masks = vec![Mask::none(config.patches()); 2];
    let visible = Visible::new(config, pixels, &masks, &Device::default()).expect("two images");
    model.encode(&visible).into_data().to_vec().expect("f32")
}

/// `benches/peers/timm_vit.py` made the files, with random weights in every parameter and in the
/// position table. The second file holds half-precision numbers and nests them in a dictionary.
#[test]
fn imported_encoders_have_the_tokens_of_timm() {
    let expected = std::fs::read(reference("tokens.safetensors")).expect("a file");
    let pixels = values(&expected, "images");
    for (name, tolerance) in [("vit.safetensors", 1e-5), ("half.pth", 5e-3)] {
        let public = Public::read(&reference(name)).expect("a model");
        let config = public
            .config(Preset::Base.config(), Some(2))
            .expect("sizes");
        let sizes = (config.image_size, config.patch_size, config.encoder_width);
        assert_eq!(sizes, (8, 4, 16));
        assert_eq!((config.encoder_depth, config.mlp_ratio), (2, 4));
        assert_eq!(public.unused(), ["head.bias", "head.weight"]);
        let config = Config {
            decoder_width: 8,
            decoder_depth: 1,
            decoder_heads: 2,
            gaussians: 4,
            ..config
        };
        let model = public
            .model::<Cpu>(&config, &Device::default())
            .expect("an encoder");
        let got = tokens(&config, &model, &pixels);
        let expected = values(&expected, "tokens");
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(&expected) {
            assert!(
                (got - expected).abs() < tolerance,
                "{name}: {got}, {expected}"
            );
        }
        let one = Config {
            encoder_heads: 1,
            ..config
        };
        let other = tokens(
            &one,
            &public
                .model::<Cpu>(&one, &Device::default())
                .expect("an encoder"),
            &pixels,
        );
        let difference = |(a, b): (&f32, &f32)| (a - b).abs();
        let largest = other.iter().zip(&got).map(difference).fold(0.0, f32::max);
        assert!(largest > 1e-4, "one head has other tokens: {largest}");
    }
}

#[test]
fn files_that_are_no_encoder_are_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in [
        ("text.pth", b"no model".to_vec()),
        ("empty.safetensors", Vec::new()),
        (
            "tokens.safetensors",
            std::fs::read(reference("tokens.safetensors")).expect("a file"),
        ),
    ] {
        std::fs::write(folder.path().join(name), &content).expect("writing");
        let error = Public::read(&folder.path().join(name))
            .err()
            .expect("no model");
        assert!(error.to_string().contains(name), "{error}");
    }
    let public = Public::read(&reference("vit.safetensors")).expect("a model");
    let unknown = public.config(Preset::Nano.config(), None);
    let words = unknown
        .expect_err("no public model has this width")
        .to_string();
    assert!(
        words.contains("--encoder-heads") && words.contains("16"),
        "{words}"
    );
    let config = public
        .config(Preset::Nano.config(), Some(2))
        .expect("sizes");
    let wide = Config {
        encoder_width: 32,
        ..config
    };
    let words = public
        .model::<Cpu>(&wide, &Device::default())
        .expect_err("another width")
        .to_string();
    assert!(
        words.contains("expected a tensor") && words.contains("16"),
        "{words}"
    );
}

/// Files with tensors that an encoder of this kind does not have, with several encoders, or with
/// values that are not finite.
#[test]
fn encoders_of_other_kinds_are_refused_by_name() {
    let file = std::fs::read(reference("vit.safetensors")).expect("a file");
    let good = SafeTensors::deserialize(&file).expect("safetensors");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.safetensors");
    let [zeros, infinity] = [0.0_f32, f32::INFINITY].map(|v| v.to_le_bytes().repeat(16));
    let added = |name: &'static str, bytes| {
        let view = TensorView::new(Dtype::F32, vec![16], bytes).expect("a tensor");
        let mut tensors: BTreeMap<String, TensorView> = good
            .iter()
            .map(|(name, view)| (name.to_owned(), view))
            .collect();
        tensors.insert(name.to_owned(), view);
        safetensors::serialize_to_file(tensors, None, &path).expect("writing");
        let public = Public::read(&path)?;
        let config = public.config(Preset::Nano.config(), Some(2))?;
        public.model::<Cpu>(&config, &Device::default())
    };
    added("fc_norm.weight", &zeros).expect("a tensor that is not of the encoder is left out");
    for (name, bytes) in [
        ("blocks.0.ls1.gamma", &zeros),
        ("blocks.1.attn.q_norm.weight", &zeros),
        ("teacher.cls_token", &zeros),
        ("norm.weight", &infinity),
    ] {
        let words = added(name, bytes).expect_err(name).to_string();
        assert!(words.contains(name), "{name}: {words}");
    }
}
