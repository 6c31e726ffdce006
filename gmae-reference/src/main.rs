//! The `gmae-reference` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    gmae_reference::commands::main()
}
