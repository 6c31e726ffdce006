//! Errors of data sets.

use std::path::PathBuf;

/// The reason why data could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The path does not exist.
    #[error("data folder {path:?}: expected a folder of images, but there is nothing at that path")]
    Missing {
        /// The requested path.
        path: PathBuf,
    },
    /// The path exists but is not a folder.
    #[error("data folder {path:?}: expected a folder of images, but this is a file")]
    NotAFolder {
        /// The requested path.
        path: PathBuf,
    },
    /// The folder contains neither an image nor an archive with an image.
    #[error(
        "data folder {path:?}: expected at least one image ({kinds}), in files or in .tar archives, \
         but found none{found}"
    )]
    NoImages {
        /// The folder.
        path: PathBuf,
        /// The kinds of image files that are read, for the message.
        kinds: String,
        /// The content that was found instead, for the message. Can be empty.
        found: String,
    },
    /// The folder contains both image files and archives.
    #[error(
        "data folder {path:?}: expected either images or .tar archives of images, but found both \
         (image files: {images}, archives: {archives}); separate them into two folders"
    )]
    Mixed {
        /// The folder.
        path: PathBuf,
        /// Number of image files.
        images: usize,
        /// Number of `.tar` files.
        archives: usize,
    },
    /// Every image in the folder is unusable.
    #[error(
        "data folder {path:?}: expected readable images, but all {count} are unusable; the first is {first:?}: {reason}"
    )]
    AllBad {
        /// The folder.
        path: PathBuf,
        /// Number of images that were tried.
        count: usize,
        /// The first unusable image.
        first: PathBuf,
        /// The fault of the first unusable image, in words.
        reason: String,
    },
    /// The data were there when the folder was opened and cannot be read any more.
    #[error(
        "data folder {path:?}: expected the images that were listed at the start, but they can no \
         longer be read (unmounted or removed?): {reason}"
    )]
    Vanished {
        /// The folder.
        path: PathBuf,
        /// The observation, in words.
        reason: String,
    },
    /// A folder could not be listed.
    #[error("data folder {path:?}: cannot be listed: {reason}")]
    List {
        /// The folder or file at which listing stopped.
        path: PathBuf,
        /// The error of the operating system.
        reason: String,
    },
    /// The folder has fewer images than asked for.
    #[error("number of images: expected 1 to {found}, the images of {path:?}, got {images}")]
    Images {
        /// The folder.
        path: PathBuf,
        /// Number of images in the folder.
        found: usize,
        /// The requested number.
        images: usize,
    },
    /// An image of an evaluation is unusable.
    #[error(
        "image {path:?}: expected a usable image, because every image is evaluated, but: {reason}"
    )]
    Unusable {
        /// The image.
        path: PathBuf,
        /// The fault, in words.
        reason: String,
    },
    /// Annotations of images cannot be used: a mask, a box, a list or their folder.
    #[error("{what} {path:?}: expected {expected}, got {got}")]
    Annotation {
        /// The kind of the file or folder.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The expected content, in words.
        expected: String,
        /// The content received, in words.
        got: String,
    },
    /// The index is out of range.
    #[error("image index: expected less than {len}, got {index}")]
    Index {
        /// The requested index.
        index: usize,
        /// The number of images.
        len: usize,
    },
    /// An option is out of range.
    #[error("{argument}: expected {expected}, got {got}")]
    Option {
        /// The name of the option.
        argument: &'static str,
        /// The expected value, in words.
        expected: &'static str,
        /// The value received.
        got: String,
    },
}
