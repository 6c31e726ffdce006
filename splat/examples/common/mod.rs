//! Parts that the examples which write pictures share.

pub(crate) mod files;
pub(crate) mod pictures;
pub(crate) mod terminal;
