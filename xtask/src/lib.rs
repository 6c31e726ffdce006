//! The checks of the workspace that run as tests and as commands.

pub mod api;
pub mod documents;
pub mod features;
pub mod instructions;
pub mod lean;
pub mod measure;
pub mod package;
pub mod pages;
pub mod process;
pub mod structure;
