//! Checkpoints: the whole state of a run in one file.
//!
//! The file starts with the eight bytes `GMAEREF1`. The length of a JSON header follows as a
//! little-endian `u64`, then the header itself. Three `MessagePack` sections follow the header: the
//! model, the optimiser's history of decayed parameters, and its history of undecayed parameters.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use burn::module::{AutodiffModule, Module};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder, RecorderError};
use serde::{Deserialize, Serialize};

use super::optimizer::Optimizer;
use crate::backend::Training;
use crate::config::Config;
use crate::error::Error;
use crate::files::write_atomically;
use crate::model::Gmae;
use crate::ops::Operations;

const MAGIC: &[u8; 8] = b"GMAEREF1";

/// The header of a checkpoint.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Header {
    /// The settings of the run.
    pub config: Config,
    /// Number of steps taken. Together with the settings, it determines the data order, crops and
    /// masks of later steps.
    pub step: usize,
    /// Number of images in the data set. The data order depends on it.
    pub images: usize,
    /// Length of the three sections in bytes.
    sections: [usize; 3],
    /// CRC-32 of the three sections.
    checksum: u32,
}

/// A checkpoint in memory.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    /// The header.
    pub header: Header,
    model: Vec<u8>,
    optimizer: [Vec<u8>; 2],
}

impl Checkpoint {
    /// Copies the state of a run into a checkpoint. `images` is the number of images in the data
    /// set.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the recorder cannot encode the model or the optimiser.
    pub fn new<B: Operations>(
        config: Config,
        step: usize,
        images: usize,
        model: &Gmae<Training<B>>,
        optimizer: &Optimizer<B>,
    ) -> Result<Self, Error> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
        let record = model.valid().into_record();
        let failed = |error: RecorderError| invalid(Path::new("in memory"), error);
        let model = Recorder::<B>::record(&recorder, record, ()).map_err(failed)?;
        let optimizer = optimizer.save().map_err(failed)?;
        let sections = [model.len(), optimizer[0].len(), optimizer[1].len()];
        let checksum = checksum([&model, &optimizer[0], &optimizer[1]]);
        let header = Header {
            config,
            step,
            images,
            sections,
            checksum,
        };
        Ok(Self {
            header,
            model,
            optimizer,
        })
    }

    /// Writes the checkpoint to `path`. At any time `path` holds either the old checkpoint or all
    /// of the new one.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be written, for example because the disk is full.
    pub fn save(&self, path: &Path) -> Result<(), Error> {
        write_atomically(path, |file| self.write(file))
            .map_err(Error::file("writing checkpoint", path))
    }

    fn write(&self, file: &mut dyn Write) -> std::io::Result<()> {
        let header = serde_json::to_vec(&self.header)?;
        file.write_all(MAGIC)?;
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(&header)?;
        file.write_all(&self.model)?;
        self.optimizer
            .iter()
            .try_for_each(|history| file.write_all(history))
    }

    /// Reads a checkpoint from `path`.
    ///
    /// # Errors
    ///
    /// [`Error::File`] if the file cannot be read. [`Error::Checkpoint`] if it is not a checkpoint
    /// or is damaged. [`Error::Setting`] if its settings are invalid.
    pub fn load(path: &Path) -> Result<Self, Error> {
        let bytes = std::fs::read(path).map_err(Error::file("reading checkpoint", path))?;
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| {
            invalid(
                path,
                "expected a checkpoint of this program, got another file",
            )
        })?;
        let (length, rest) = rest
            .split_first_chunk::<8>()
            .ok_or_else(|| truncated(path))?;
        let (header, rest) = usize::try_from(u64::from_le_bytes(*length))
            .ok()
            .and_then(|length| rest.split_at_checked(length))
            .ok_or_else(|| truncated(path))?;
        let header: Header = serde_json::from_slice(header)
            .map_err(|error| invalid(path, format!("header: {error}")))?;
        header.config.validate()?;
        let [model, decayed, undecayed] =
            split(rest, header.sections).ok_or_else(|| truncated(path))?;
        if checksum([model, decayed, undecayed]) != header.checksum {
            return Err(invalid(
                path,
                "its checksum does not match: the file is damaged",
            ));
        }
        Ok(Self {
            header,
            model: model.to_vec(),
            optimizer: [decayed.to_vec(), undecayed.to_vec()],
        })
    }

    /// Checks that the checkpoint belongs to a run of `config`. `path` is the file that the error
    /// names.
    ///
    /// # Errors
    ///
    /// [`Error::OtherConfig`] with the first setting that differs.
    pub fn expect(&self, config: &Config, path: &Path) -> Result<(), Error> {
        match self.header.config.first_difference(config) {
            None => Ok(()),
            Some((name, found, expected)) => Err(Error::OtherConfig {
                path: path.to_owned(),
                name,
                found,
                expected,
            }),
        }
    }

    /// Decodes the model for `device`, on any backend. `path` is the file that an error names.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if the section of the model cannot be decoded.
    pub fn model<B: Operations>(&self, path: &Path, device: &B::Device) -> Result<Gmae<B>, Error> {
        let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::new();
        let record = Recorder::<B>::load(&recorder, self.model.clone(), device)
            .map_err(|error| invalid(path, format!("model: {error}")))?;
        Ok(Gmae::new(&self.header.config, device).load_record(record))
    }

    /// Decodes the optimiser with its histories. `path` is the file that an error names.
    ///
    /// # Errors
    ///
    /// [`Error::Checkpoint`] if a section of the optimiser cannot be decoded.
    pub fn optimizer<B: Operations>(
        &self,
        path: &Path,
        device: &B::Device,
    ) -> Result<Optimizer<B>, Error> {
        Optimizer::new(&self.header.config)
            .load(self.optimizer.clone(), device)
            .map_err(|error| invalid(path, format!("optimiser: {error}")))
    }
}

fn split(bytes: &[u8], [model, decayed, undecayed]: [usize; 3]) -> Option<[&[u8]; 3]> {
    let (model, rest) = bytes.split_at_checked(model)?;
    let (decayed, rest) = rest.split_at_checked(decayed)?;
    (rest.len() == undecayed).then_some([model, decayed, rest])
}

fn checksum(sections: [&[u8]; 3]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for section in sections {
        hasher.update(section);
    }
    hasher.finalize()
}

fn truncated(path: &Path) -> Error {
    invalid(path, "the file is damaged: it is too short or too long")
}

fn invalid(path: &Path, reason: impl Display) -> Error {
    Error::Checkpoint {
        path: path.to_owned(),
        reason: format!("{reason:#}"),
    }
}
