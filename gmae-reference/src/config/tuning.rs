//! The kinds of models that are trained from an encoder.

use super::box_finetuning::BoxFinetuning;
use super::finetuning::Finetuning;
use crate::error::Error;

/// The settings of a model that is trained from an encoder.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tuning {
    /// A classifier.
    Classes(Finetuning),
    /// A model that predicts the box of the object of an image.
    Boxes(BoxFinetuning),
}

impl From<Finetuning> for Tuning {
    fn from(settings: Finetuning) -> Self {
        Self::Classes(settings)
    }
}

impl From<BoxFinetuning> for Tuning {
    fn from(settings: BoxFinetuning) -> Self {
        Self::Boxes(settings)
    }
}

impl Tuning {
    /// The kind of a model with these settings, in words. A model without settings is a masked
    /// autoencoder.
    pub(crate) fn kind_of(settings: Option<Self>) -> &'static str {
        match settings {
            None => "a masked autoencoder",
            Some(Self::Classes(_)) => "a classifier",
            Some(Self::Boxes(_)) => "a model of boxes",
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for the first setting that is out of range.
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Classes(settings) => settings.validate(),
            Self::Boxes(settings) => settings.validate(),
        }
    }

    /// The first 16 digits of the SHA-256 of the file of weights with which the training began.
    /// `None` for initial weights.
    pub fn start(&self) -> Option<u64> {
        match self {
            Self::Classes(settings) => settings.start,
            Self::Boxes(settings) => settings.start,
        }
    }

    /// Returns the settings of a training that begins with other weights.
    #[must_use]
    pub fn starting_from(self, start: Option<u64>) -> Self {
        match self {
            Self::Classes(settings) => Self::Classes(Finetuning { start, ..settings }),
            Self::Boxes(settings) => Self::Boxes(BoxFinetuning { start, ..settings }),
        }
    }

    /// The names and values of the settings.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Classes(settings) => format!("{settings:?}"),
            Self::Boxes(settings) => format!("{settings:?}"),
        }
    }
}
