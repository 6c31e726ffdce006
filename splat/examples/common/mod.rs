//! Code shared by the examples that write pictures.

pub(crate) mod files;
pub(crate) mod pictures;
pub(crate) mod terminal;
