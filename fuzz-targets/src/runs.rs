//! The files of a run of gmae-reference. A damaged file is refused by its checksum, so the checksums
//! are written again: what is read was made by someone who wants to be believed.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use gmae_reference::backend::{Cpu, Device};
use gmae_reference::config::{Config, Preset};
use gmae_reference::data::Shapes;
use gmae_reference::training::{Checkpoint, Plan, Trainer, metrics, train};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::damage::damage;

/// The files that have a checksum.
const SUMMED: [&str; 3] = ["config.json", "model.safetensors", "state.safetensors"];
/// A line for each step. It has a checksum of its own.
const METRICS: &str = "metrics.jsonl";
/// The number of steps of the run.
const STEPS: usize = 2;

/// A folder that is changed, and the sound contents of its files.
struct Run {
    folder: TempDir,
    name: String,
    files: Vec<(&'static str, Vec<u8>)>,
}

/// Damages one file of a run and reads the run. A model is made of what is accepted. The model
/// cannot be trained: Burn would keep the graph of each.
pub fn runs(data: &[u8]) -> usize {
    static RUN: OnceLock<Run> = OnceLock::new();
    let Some((&first, script)) = data.split_first() else {
        return 0;
    };
    let run = RUN.get_or_init(trained);
    let folder = run.folder.path();
    let (name, sound) = &run.files[first as usize % run.files.len()];
    write(folder, name, &damage(sound.clone(), script));
    write_checksums(folder);
    let accepted = if *name == METRICS {
        // Bad lines are dropped, after a copy has been made. Only a file without one is accepted.
        let path = folder.join(METRICS);
        let resumed = metrics::Metrics::resume(&path, &run.name, STEPS);
        remove_copies(folder);
        metrics::read(&path).is_ok() && resumed.is_ok_and(|file| file.repairs().is_empty())
    } else {
        let model = |checkpoint: Checkpoint| checkpoint.model::<Cpu>(&Device::default());
        Checkpoint::load(folder).and_then(model).is_ok()
    };
    write(folder, name, sound);
    usize::from(accepted)
}

/// Trains the smallest model for two steps.
fn trained() -> Run {
    const IMAGES: usize = 12;
    let folder = TempDir::new().expect("a temporary folder");
    let config = Config {
        image_size: 8,
        patch_size: 4,
        encoder_width: 16,
        encoder_depth: 1,
        encoder_heads: 2,
        decoder_width: 8,
        decoder_depth: 1,
        decoder_heads: 2,
        gaussians: 4,
        batch_size: 6,
        micro_batch: 2,
        epochs: 2,
        warmup_epochs: 0.5,
        ..Preset::Nano.config()
    };
    let data = Shapes::new(7, IMAGES, config.image_size).expect("a valid size");
    let plan = Plan::new(&config, folder.path(), IMAGES).expect("a plan");
    let mut trainer = Trainer::new(config).expect("a trainer");
    train(&mut trainer, &data, &plan.stop_at(STEPS), &mut |_| Ok(())).expect("training");
    let read = |name| (name, fs::read(folder.path().join(name)).expect("a file"));
    let files = SUMMED.into_iter().chain([METRICS]).map(read).collect();
    let name = trainer.name().to_owned();
    Run {
        folder,
        name,
        files,
    }
}

/// Removes the copies of damaged files, whose number would grow.
fn remove_copies(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().contains("damaged") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn write(folder: &Path, name: &str, content: &[u8]) {
    fs::write(folder.join(name), content).expect("the temporary folder is writable");
}

/// Writes the checksums of the files in `folder`, as `sha256sum` does.
fn write_checksums(folder: &Path) {
    let line = |name: &str| {
        let digest = Sha256::digest(fs::read(folder.join(name)).expect("a file"));
        let digits: Vec<String> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}  {name}\n", digits.concat())
    };
    write(folder, "SHA256SUMS", SUMMED.map(line).concat().as_bytes());
}
