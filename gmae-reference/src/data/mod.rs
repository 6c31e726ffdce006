//! Images: a procedural set that needs no files, folders of image files or of tar archives, and
//! images with an annotated object.
//!
//! A picture of a [`Dataset`] is a function of the set's options, its files, the index, and the
//! random generator that the caller passes. Results are bitwise the same for every order of
//! requests and every number of threads.

mod annotated;
mod boxed;
mod dataset;
mod decode;
pub(crate) mod error;
mod fault;
mod folder;
mod image;
mod jpeg;
mod picture;
mod pixel_mask;
mod rectangle;
mod resize;
mod shapes;
mod transform;
mod window;

pub use self::image::Image;
pub use annotated::{Annotated, AnnotatedImage, AnnotatedOptions, Layout, Truth};
pub use boxed::BoxedImages;
pub use dataset::{Dataset, Sample};
pub(crate) use decode::{KINDS, decode};
pub use error::DataError;
pub(crate) use fault::guarded;
pub use folder::{Folder, FolderOptions, Skipped};
pub use pixel_mask::PixelMask;
pub use rectangle::Rectangle;
pub use shapes::{Scene, SceneTruth, Shape, ShapeKind, Shapes};
pub use transform::Transform;
pub use window::Window;
