//! The program: its command line, and one file for each command.

mod cli;
mod demo;
mod pretrain;
mod reconstruct;

pub use cli::main;
