//! The program: its command line, and one file for each command.

mod ablate;
mod arguments;
mod boundaries;
mod boxes;
mod cli;
mod comparison;
mod demo;
mod drawn;
mod edges;
mod encode;
mod evaluate;
mod finetune;
mod layers;
mod models;
mod objects;
mod pretrain;
mod probe;
mod published;
mod reading;
mod reconstruct;
mod reconstructions;
mod scenes;
mod tuning;
mod weights;

pub use cli::main;
