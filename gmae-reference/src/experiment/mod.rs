//! The parts of an experiment: labelled images, pre-training, training of a classifier or of a
//! model of boxes, and the measures of a trained model. Commands and ablations consist of these
//! parts.

mod classifier;
mod continued;
mod features;
mod labelled;
mod localizer;
mod pretraining;
mod runner;
mod tuned;

pub(crate) use classifier::train_classifier;
pub(crate) use features::{Features, encoded, pixels};
pub(crate) use labelled::{Augmentation, LabelledFolders, LabelledImages};
pub(crate) use localizer::train_localizer;
pub(crate) use runner::{Experiment, check_measures, protocol};
pub(crate) use tuned::Start;
