//! Images: a procedural set that needs no files, and folders of JPEG and PNG files.
//!
//! A picture of a [`Dataset`] is a function of the set's options, the index, and the random
//! generator that the caller passes. Threads share a cache of decoded files, which changes no
//! picture. Results are bitwise the same for every order of requests and every number of threads.

mod dataset;
mod decode;
pub(crate) mod error;
mod folder;
mod image;
mod shapes;
mod transform;

pub use self::image::Image;
pub use dataset::Dataset;
pub(crate) use decode::decode;
pub use error::DataError;
pub use folder::{Folder, FolderOptions, Sample, Skipped};
pub use shapes::{Scene, Shape, ShapeKind, Shapes};
pub use transform::Transform;
