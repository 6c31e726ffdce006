//! The program's commands, one file each, and its command line.

pub mod cli;
pub mod demo;
pub mod pretrain;
pub mod reconstruct;
