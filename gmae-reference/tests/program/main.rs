//! Tests that run the program.

#[cfg(unix)]
mod ablations;
mod annotated;
mod bad_input;
mod boundaries;
mod boxes;
mod cli;
mod culled;
#[cfg(unix)]
mod evaluate;
#[cfg(unix)]
mod honest;
#[cfg(unix)]
mod kills;
mod labelled;
#[cfg(unix)]
mod lost_data;
mod nothing_masked;
mod odd_folders;
mod output_folder;
mod place;
mod readings;
mod refusals;
mod weights;
