//! Output of lines to the terminal. The program continues if the reader closes its pipe early, as
//! `head` does.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Writes a line to standard output. A closed pipe is not an error.
pub(crate) fn line(text: impl Display) -> Result<(), String> {
    write_line(&mut io::stdout().lock(), text)
        .map_err(|error| format!("standard output: cannot be written to: {error}"))
}

/// Writes a line to standard error. A failure is ignored, because no other stream is left to report
/// it.
pub(crate) fn note(text: impl Display) {
    let _ = write_line(&mut io::stderr().lock(), text);
}

fn write_line(stream: &mut dyn Write, text: impl Display) -> io::Result<()> {
    match writeln!(stream, "{text}").and_then(|()| stream.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}
