//! Tests that run the program.

mod bad_input;
mod cli;
#[cfg(unix)]
mod kills;
#[cfg(unix)]
mod lost_data;
mod nothing_masked;
mod odd_folders;
mod output_folder;
mod place;
mod weights;
