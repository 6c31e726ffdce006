//! The parts of an experiment: labelled images, pre-training, training of a classifier, and the
//! measures of a trained model. Commands and ablations consist of these parts.

mod classifier;
mod continued;
mod features;
mod labelled;
mod pretraining;
mod runner;

pub(crate) use classifier::{Start, train_classifier};
pub(crate) use features::{Features, encoded, pixels};
pub(crate) use labelled::{Augmentation, LabelledFolders, LabelledImages};
pub(crate) use runner::{Experiment, check_measures, protocol};
