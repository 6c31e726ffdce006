//! The files of a run: complete, checked against damage, and with public names.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use gmae_reference::Error;
use gmae_reference::config::Config;
use gmae_reference::data::Shapes;
use gmae_reference::training::{Checkpoint, Plan, Trainer, metrics, train};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

const IMAGES: usize = 12;

/// Trains a new run to step `stop_at` with its files in `folder`.
fn run(folder: &Path, config: Config, stop_at: usize) {
    let data = Shapes::new(7, IMAGES, config.image_size).expect("a valid size");
    let plan = Plan::new(&config, folder, IMAGES).expect("a plan");
    let mut trainer = Trainer::new(config).expect("a trainer");
    train(&mut trainer, &data, &plan.stop_at(stop_at), &mut |_| Ok(())).expect("training");
}

/// Returns the files that belong to the checkpoint, with their contents.
fn files(folder: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    let names = [
        "SHA256SUMS",
        "config.json",
        "model.safetensors",
        "state.safetensors",
    ];
    let read = |name| (name, std::fs::read(folder.join(name)).expect("a file"));
    names.into_iter().map(read).collect()
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    std::fs::write(folder.join(name), content).expect("writing");
}

/// Checks that the folder is refused by a message that names the file `name` or the list of
/// checksums, and returns the message.
fn refused(folder: &Path, name: &str, what: &str) -> String {
    let error = Checkpoint::load(folder).err();
    let error = error.unwrap_or_else(|| panic!("accepted: {what} in {name}"));
    assert!(matches!(error, Error::Checkpoint { .. }), "{what}: {error}");
    let words = error.to_string();
    let named = words.contains(name) || words.contains("SHA256SUMS");
    assert!(named, "{what} in {name}: {words}");
    words
}

/// Writes the checksums of the files in `folder`, as `sha256sum` does.
fn write_checksums(folder: &Path) {
    let line = |name: &str| {
        let digest = Sha256::digest(std::fs::read(folder.join(name)).expect("a file"));
        let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}  {name}\n", digits.concat())
    };
    let names = ["config.json", "model.safetensors", "state.safetensors"];
    write(folder, "SHA256SUMS", names.map(line).concat().as_bytes());
}

#[test]
fn every_random_damage_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run(folder, common::config(), 2);
    let good = files(folder);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for i in 0..500 {
        let (name, content) = good.iter().nth(i % good.len()).expect("a file");
        let mut bad = content.clone();
        let at = rng.random_range(0..bad.len());
        let what = match i / good.len() % 5 {
            0 | 1 => {
                bad[at] ^= 1 << rng.random_range(0..8);
                "a flipped bit"
            }
            2 => {
                bad.truncate(at);
                "a truncated file"
            }
            3 => {
                bad.insert(at, rng.random());
                "an additional byte"
            }
            _ => {
                let len = rng.random_range(1..64).min(bad.len() - at);
                rng.fill(&mut bad[at..at + len]);
                "random bytes"
            }
        };
        if bad != *content {
            write(folder, name, &bad);
            refused(folder, name, &format!("{what} at {at}"));
            write(folder, name, content);
        }
    }
    assert_eq!(Checkpoint::load(folder).expect("the sound files").step(), 2);
}

#[test]
fn missing_swapped_and_edited_files_are_named() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    run(first.path(), common::config(), 1);
    run(second.path(), common::config(), 2);
    let (folder, good, other) = (first.path(), files(first.path()), files(second.path()));
    for (name, content) in &good {
        std::fs::remove_file(folder.join(name)).expect("a file");
        let words = refused(folder, name, "a missing file");
        assert!(words.contains(name), "{name}: {words}");
        // The settings of the two runs are the same.
        if other[name] != *content {
            write(folder, name, &other[name]);
            refused(folder, name, "a file of another run");
        }
        write(folder, name, content);
    }
    let config = String::from_utf8(good["config.json"].clone()).expect("text");
    let edited = config.replace("\"gaussians\": 4", "\"gaussians\": 5");
    assert_ne!(edited, config);
    write(folder, "config.json", edited.as_bytes());
    assert!(refused(folder, "config.json", "an edited number").contains("config.json"));
    write(folder, "config.json", config.as_bytes());
    // Another line in the list of checksums, and upper-case digits.
    let sums = String::from_utf8(good["SHA256SUMS"].clone()).expect("text");
    for bad in [
        format!("{sums}{sums}"),
        sums.to_uppercase(),
        sums.replace("  ", " "),
    ] {
        write(folder, "SHA256SUMS", bad.as_bytes());
        assert!(refused(folder, "SHA256SUMS", "an edited list").contains("SHA256SUMS"));
    }
}

/// A state that contradicts the settings is refused although its checksums are right.
#[test]
fn a_state_that_contradicts_the_settings_is_refused() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    let config = common::config();
    run(first.path(), config, 2);
    run(second.path(), Config { seed: 9, ..config }, 2);
    write_checksums(first.path());
    Checkpoint::load(first.path()).expect("the sums are as the program writes them");
    for (name, expected, got) in [
        ("state.safetensors", "seed 0", "seed 9"),
        ("config.json", "seed 9", "seed 0"),
    ] {
        let good = files(first.path());
        write(first.path(), name, &files(second.path())[name]);
        write_checksums(first.path());
        let words = refused(first.path(), "state.safetensors", "another seed");
        for part in ["generator", expected, got] {
            assert!(words.contains(part), "{words}");
        }
        for (name, content) in good {
            write(first.path(), name, &content);
        }
    }
}

/// A model is created before its tensors are read: settings must not make it fill the memory.
#[test]
fn settings_of_a_far_larger_model_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run(folder, common::config(), 1);
    let good = String::from_utf8(files(folder)["config.json"].clone()).expect("text");
    for (from, to) in [
        ("\"encoder_width\": 16", "\"encoder_width\": 65536"),
        ("\"encoder_depth\": 1", "\"encoder_depth\": 4000"),
        ("\"decoder_width\": 8", "\"decoder_width\": 32768"),
        ("\"decoder_depth\": 1", "\"decoder_depth\": 4000"),
        ("\"mlp_ratio\": 4", "\"mlp_ratio\": 26000000"),
        ("\"gaussians\": 4", "\"gaussians\": 4000000"),
        ("\"image_size\": 8", "\"image_size\": 4096"),
    ] {
        let edited = good.replacen(from, to, 1);
        assert_ne!(edited, good, "{from}");
        write(folder, "config.json", edited.as_bytes());
        write_checksums(folder);
        let words = Checkpoint::load(folder).expect_err("refused").to_string();
        // Larger ones are refused as settings, of any file.
        let known = ["expected about", "expected a product of at most"];
        let named = known.iter().any(|part| words.contains(part));
        assert!(named, "{to}: {words}");
    }
}

#[test]
fn a_damaged_line_of_metrics_is_reported_and_the_run_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = common::config();
    run(folder.path(), config, 3);
    let path = folder.path().join("metrics.jsonl");
    let text = std::fs::read_to_string(&path).expect("metrics");
    let damaged = text.replacen(
        "\"step\":2,\"epoch\":0,\"loss\":0",
        "\"step\":2,\"epoch\":0,\"loss\":7",
        1,
    );
    assert_ne!(text, damaged);
    std::fs::write(&path, &damaged).expect("writing");
    let checkpoint = Checkpoint::load(folder.path()).expect("a checkpoint");
    let name = &checkpoint.state.expect("a state").run;
    let opened = metrics::Metrics::resume(&path, name, 3).expect("metrics");
    let repairs = opened.repairs().join("\n");
    for words in ["line 2: damaged", "steps 2 to 2", "metrics.damaged-1.jsonl"] {
        assert!(repairs.contains(words), "{repairs}");
    }
    let steps: Vec<usize> = metrics::read(&path)
        .expect("metrics")
        .iter()
        .map(|r| r.step)
        .collect();
    assert_eq!(steps, [1, 3]);
    let kept = std::fs::read_to_string(path.with_file_name("metrics.damaged-1.jsonl"));
    assert_eq!(kept.expect("a copy"), damaged);
}

/// Reading a pipe or a device may never end.
#[cfg(unix)]
#[test]
fn files_that_are_no_regular_files_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    run(folder, common::config(), 1);
    for (name, content) in files(folder) {
        std::fs::remove_file(folder.join(name)).expect("removing");
        std::os::unix::fs::symlink("/dev/zero", folder.join(name)).expect("a link");
        refused(folder, name, "a device");
        std::fs::remove_file(folder.join(name)).expect("removing");
        write(folder, name, &content);
    }
}

/// The names and shapes are those of MAE and timm.
#[test]
fn the_files_of_a_run_have_public_names() {
    let folder = tempfile::tempdir().expect("a folder");
    run(folder.path(), common::config(), 1);
    let model = std::fs::read(folder.path().join("model.safetensors")).expect("a file");
    let model = SafeTensors::deserialize(&model).expect("safetensors");
    let expected: BTreeMap<&str, Vec<usize>> = [
        ("cls_token", vec![1, 1, 16]),
        ("pos_embed", vec![1, 5, 16]),
        ("patch_embed.proj.weight", vec![16, 3, 4, 4]),
        ("patch_embed.proj.bias", vec![16]),
        ("blocks.0.norm1.weight", vec![16]),
        ("blocks.0.norm1.bias", vec![16]),
        ("blocks.0.attn.qkv.weight", vec![48, 16]),
        ("blocks.0.attn.qkv.bias", vec![48]),
        ("blocks.0.attn.proj.weight", vec![16, 16]),
        ("blocks.0.attn.proj.bias", vec![16]),
        ("blocks.0.norm2.weight", vec![16]),
        ("blocks.0.norm2.bias", vec![16]),
        ("blocks.0.mlp.fc1.weight", vec![64, 16]),
        ("blocks.0.mlp.fc1.bias", vec![64]),
        ("blocks.0.mlp.fc2.weight", vec![16, 64]),
        ("blocks.0.mlp.fc2.bias", vec![16]),
        ("norm.weight", vec![16]),
        ("norm.bias", vec![16]),
        ("mask_token", vec![1, 1, 8]),
        ("queries", vec![4, 8]),
        ("decoder_embed.weight", vec![8, 16]),
        ("decoder_embed.bias", vec![8]),
        ("decoder_pos_embed", vec![1, 5, 8]),
        ("decoder_blocks.0.norm1.weight", vec![8]),
        ("decoder_blocks.0.norm1.bias", vec![8]),
        ("decoder_blocks.0.attn.qkv.weight", vec![24, 8]),
        ("decoder_blocks.0.attn.qkv.bias", vec![24]),
        ("decoder_blocks.0.attn.proj.weight", vec![8, 8]),
        ("decoder_blocks.0.attn.proj.bias", vec![8]),
        ("decoder_blocks.0.norm2.weight", vec![8]),
        ("decoder_blocks.0.norm2.bias", vec![8]),
        ("decoder_blocks.0.mlp.fc1.weight", vec![32, 8]),
        ("decoder_blocks.0.mlp.fc1.bias", vec![32]),
        ("decoder_blocks.0.mlp.fc2.weight", vec![8, 32]),
        ("decoder_blocks.0.mlp.fc2.bias", vec![8]),
        ("decoder_norm.weight", vec![8]),
        ("decoder_norm.bias", vec![8]),
        ("decoder_pred.weight", vec![14, 8]),
    ]
    .into();
    let got: BTreeMap<&str, Vec<usize>> = model
        .iter()
        .map(|(name, view)| (name, view.shape().to_vec()))
        .collect();
    assert_eq!(got, expected);
    let state = std::fs::read(folder.path().join("state.safetensors")).expect("a file");
    let state = SafeTensors::deserialize(&state).expect("safetensors");
    let trained = expected.keys().filter(|name| !name.ends_with("pos_embed"));
    let mut names: Vec<String> = trained
        .flat_map(|name| ["first.", "second."].map(|prefix| format!("{prefix}{name}")))
        .collect();
    let mut got: Vec<&str> = state.names();
    names.sort();
    got.sort_unstable();
    assert_eq!(got, names);
}

/// A disk with room for the first files has room for all later ones.
#[test]
fn the_first_files_are_as_large_as_later_ones() {
    let [first, later] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    run(first.path(), common::config(), 0);
    run(later.path(), common::config(), 3);
    for name in ["model.safetensors", "state.safetensors"] {
        let size = |folder: &Path| folder.join(name).metadata().expect("a file").len() as f64;
        let (first, later) = (size(first.path()), size(later.path()));
        assert!(
            (first / later - 1.0).abs() < 1e-3,
            "{name}: {first} and {later} bytes"
        );
    }
}

#[test]
fn weights_that_are_not_finite_are_not_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = common::config();
    run(folder.path(), config, 2);
    let good = files(folder.path());
    let checkpoint = Checkpoint::load(folder.path()).expect("a checkpoint");
    let state = checkpoint.state.clone().expect("a state");
    let mut trainer = Trainer::resume(&checkpoint).expect("a trainer");
    let batch = gmae_reference::training::held_out(
        &config,
        &Shapes::new(7, 6, config.image_size).expect("a valid size"),
        6,
    );
    // The loss and its gradient are finite, the step leads to infinity.
    trainer.step(&batch.expect("images"), 1e40).expect("a step");
    let saved = trainer
        .snapshot(state.schedule, state.data)
        .save(folder.path());
    let words = saved.expect_err("infinite weights").to_string();
    assert!(words.contains("finite"), "{words}");
    assert_eq!(files(folder.path()), good);
}
