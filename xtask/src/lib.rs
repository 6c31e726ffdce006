//! The checks of the workspace that run as tests and as commands.

pub mod api;
pub mod documents;
pub mod features;
pub mod lean;
pub mod package;
pub mod pages;
pub mod process;
pub mod structure;
