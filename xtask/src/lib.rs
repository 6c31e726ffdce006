//! The checks of the workspace that run as tests and as commands.

pub mod api;
pub mod features;
pub mod lean;
pub mod process;
pub mod structure;
