//! Output lines. If the reader closes the pipe, as `head` does, the command continues without an
//! error.

use std::fmt::Display;
use std::io::{ErrorKind, Write};

use crate::error::Error;

/// Writes a line to standard output. A closed pipe is not an error.
///
/// # Errors
///
/// [`Error::File`] if the line cannot be written for another reason, such as a full disk.
pub(crate) fn line(text: impl Display) -> Result<(), Error> {
    write_line(&mut std::io::stdout().lock(), text)
        .map_err(Error::file("writing", "standard output"))
}

/// Writes a line to standard error. A failure is ignored, because there is no other stream to
/// report it on.
pub(crate) fn note(text: impl Display) {
    let _ = write_line(&mut std::io::stderr().lock(), text);
}

fn write_line(stream: &mut dyn Write, text: impl Display) -> std::io::Result<()> {
    match writeln!(stream, "{text}").and_then(|()| stream.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stream whose writes fail with one kind of error.
    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_a_closed_pipe_is_forgiven() {
        let mut written = Vec::new();
        assert!(write_line(&mut written, "text").is_ok());
        assert_eq!(written, b"text\n");
        assert!(write_line(&mut Failing(ErrorKind::BrokenPipe), "text").is_ok());
        assert!(write_line(&mut Failing(ErrorKind::StorageFull), "text").is_err());
    }
}
