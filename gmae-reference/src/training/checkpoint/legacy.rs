//! Checkpoints of the first format: the whole state of a run in one file.
//!
//! The file starts with the eight bytes `GMAEREF1`. The length of a JSON header follows as a
//! little-endian `u64`, then the header itself. Three `MessagePack` sections follow the header: the
//! model, the optimiser's history of decayed parameters, and its history of undecayed parameters.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::Read;
use std::path::Path;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::{AdamW, Optimizer as Optimizing};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::Tensor;
use serde::Deserialize;

use super::snapshot::{SavedMoments, Snapshot};
use super::state::{DataId, State};
use crate::backend::{Cpu, Device, Training};
use crate::config::Config;
use crate::error::Error;
use crate::files::read;
use crate::model::Autoencoder;
use crate::ops::Moments;
use crate::panics::caught;
use crate::training::optimizer::Optimizer;
use crate::training::sampling::steps_per_epoch;
use crate::training::schedule::Schedule;

const MAGIC: &[u8; 8] = b"GMAEREF1";

/// The name of the file in an output folder.
pub(super) const NAME: &str = "checkpoint.gmae";

/// The header of a file.
#[derive(Debug, Deserialize)]
struct Header {
    config: Config,
    step: usize,
    images: usize,
    sections: [usize; 3],
    checksum: u32,
}

/// The optimiser's history, by the ids of the parameters in the file.
type History = <OptimizerAdaptor<AdamW, Autoencoder<Training>, Training> as Optimizing<
    Autoencoder<Training>,
    Training,
>>::Record;

/// Returns whether `path` is a checkpoint of the first format.
pub(super) fn is_legacy(path: &Path) -> bool {
    let mut magic = [0; MAGIC.len()];
    let file = std::fs::File::open(path);
    file.is_ok_and(|mut file| file.read_exact(&mut magic).is_ok()) && magic == *MAGIC
}

/// Describes what to do with a checkpoint of the first format.
pub(super) fn remedy(path: &Path) -> String {
    format!(
        "a checkpoint of the first format; convert it with: gmae-reference convert --checkpoint {} \
         --output FOLDER",
        path.display()
    )
}

/// Reads a checkpoint of the first format, as the state of the run named `run`.
///
/// Of the data set, the file stores only the number of images.
///
/// # Errors
///
/// [`Error::File`] if the file cannot be read. [`Error::Checkpoint`] if it is not a checkpoint of
/// the first format or is damaged. [`Error::Setting`] if its settings are invalid.
pub(crate) fn read_legacy(path: &Path, run: &str) -> Result<Snapshot<Cpu>, Error> {
    let bytes = read(path).map_err(Error::file("reading checkpoint", path))?;
    let (header, sections) = split(path, &bytes)?;
    header.config.validate()?;
    // Burn's recorder panics if the values of a tensor do not fit its shape.
    let decoded = caught(|| decode(path, &header, sections));
    let (model, optimizer) = decoded.unwrap_or_else(|words| Err(invalid(path, words)))?;
    let Header {
        config,
        step,
        images,
        ..
    } = header;
    let schedule = Schedule::new(&config, steps_per_epoch(&config, images));
    let data = DataId {
        images,
        fingerprint: "unknown".to_owned(),
    };
    Ok(Snapshot {
        finetuning: None,
        config,
        run: Some((
            State::new(&config, run, step, schedule, data),
            SavedMoments::of(&optimizer, &model),
        )),
        model: burn::module::AutodiffModule::valid(&model),
    })
}

fn split<'a>(path: &Path, bytes: &'a [u8]) -> Result<(Header, [&'a [u8]; 3]), Error> {
    let other = || {
        invalid(
            path,
            "expected a checkpoint of the first format, got another file",
        )
    };
    let short = || invalid(path, "the file is damaged: it is too short or too long");
    let rest = bytes.strip_prefix(MAGIC).ok_or_else(other)?;
    let (length, rest) = rest.split_first_chunk::<8>().ok_or_else(short)?;
    let (header, rest) = usize::try_from(u64::from_le_bytes(*length))
        .ok()
        .and_then(|length| rest.split_at_checked(length))
        .ok_or_else(short)?;
    let header: Header = serde_json::from_slice(header)
        .map_err(|error| invalid(path, format!("header: {error}")))?;
    if crc32fast::hash(rest) != header.checksum {
        return Err(invalid(
            path,
            "its checksum does not match: the file is damaged",
        ));
    }
    let [model, decayed, undecayed] = header.sections;
    let (model, rest) = rest.split_at_checked(model).ok_or_else(short)?;
    let (decayed, rest) = rest.split_at_checked(decayed).ok_or_else(short)?;
    if rest.len() != undecayed {
        return Err(short());
    }
    Ok((header, [model, decayed, rest]))
}

fn decode(
    path: &Path,
    header: &Header,
    [model, decayed, undecayed]: [&[u8]; 3],
) -> Result<(Autoencoder<Training>, Optimizer<Cpu>), Error> {
    let device = Device::default();
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
    let record = Recorder::<Training>::load(&recorder, model.to_vec(), &device)
        .map_err(|error| invalid(path, format!("model: {error}")))?;
    let model = Autoencoder::<Training>::new(&header.config, &device).load_record(record);
    let mut collect = Collect {
        history: History::default(),
        moments: HashMap::new(),
        missing: 0,
    };
    for bytes in [decayed, undecayed] {
        let history: History = Recorder::<Training>::load(&recorder, bytes.to_vec(), &device)
            .map_err(|error| invalid(path, format!("optimiser: {error}")))?;
        collect.history.extend(history);
    }
    model.visit(&mut collect);
    // A run without a step has no history.
    if header.step > 0 && (collect.missing > 0 || !collect.history.is_empty()) {
        return Err(invalid(
            path,
            format!(
                "expected the optimiser's history of every parameter, got {} without one and {} of others",
                collect.missing,
                collect.history.len()
            ),
        ));
    }
    let optimizer = Optimizer::restored(&header.config, header.step, collect.moments);
    Ok((model, optimizer))
}

/// Collects the moments of every parameter.
struct Collect {
    history: History,
    moments: HashMap<ParamId, Moments<Tensor<Cpu, 1>>>,
    /// Number of parameters without a history.
    missing: usize,
}

impl ModuleVisitor<Training> for Collect {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<Training, D>>) {
        let Some(record) = self.history.remove(&param.id) else {
            self.missing += 1;
            return;
        };
        let state = record.into_state::<D>().momentum;
        let len = param.val().shape().num_elements();
        let [first, second] = [state.moment_1, state.moment_2].map(|m| m.reshape([len]));
        self.moments.insert(param.id, Moments { first, second });
    }
}

fn invalid(path: &Path, reason: impl Display) -> Error {
    Error::Checkpoint {
        path: path.to_owned(),
        reason: format!("{reason:#}"),
    }
}
