//! The program: its command line, and its commands, one file each.

mod cli;
mod demo;
mod pretrain;
mod reconstruct;

pub use cli::main;
