//! Images: a procedural set that is always there, and folders of JPEG and PNG files.
//!
//! Everything behind [`Dataset`] is a function of its options, the index and the random generator that the
//! caller hands in. What threads share, a cache of decoded files, never shows in a picture, so neither the order
//! in which samples are asked for nor the number of threads changes a bit.

mod dataset;
mod decode;
pub(crate) mod error;
mod folder;
mod image;
mod shapes;
mod transform;

pub use dataset::Dataset;
pub(crate) use decode::decode;
pub use error::DataError;
pub use folder::{Folder, FolderOptions, Sample, Skipped};
pub use self::image::Image;
pub use shapes::{Scene, Shape, ShapeKind, Shapes};
pub use transform::Transform;
