//! The program: its command line, and one file for each command.

mod cli;
mod demo;
mod encode;
mod pretrain;
mod reconstruct;
mod weights;

pub use cli::main;
