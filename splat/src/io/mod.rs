//! Scenes from files (feature `io`).
//!
//! [`read`] takes the path of a file. [`parse`] takes its bytes. Both recognise the format by the
//! first bytes. A scene is read completely and correctly, or the result is a [`FileError`] that
//! names the place in the file. No file causes a panic.
//!
//! ```no_run
//! use splat::{Cpu, RenderConfig, Scene, Views, render};
//!
//! let file = splat::io::read("garden.npz")?;
//! for view in &file.views {
//!     let views = Views::single(view.width, view.height, view.camera, file.scene.len());
//!     let scene = Scene {
//!         gaussians: file.scene.gaussians(),
//!         views: &views,
//!         backgrounds: &[0.0; 3],
//!     };
//!     let (image, _) = render(&Cpu::<f32>::new(), &scene, &RenderConfig::default())?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # PLY
//!
//! ASCII, little-endian and big-endian files, with any properties in any order and any number type.
//! The element `vertex` is read. Other elements and properties, lists among them, are passed over,
//! but must be complete. A property can have the prefix `scalar_`, which `CloudCompare` writes.
//!
//! | properties of a vertex | meaning |
//! |---|---|
//! | `x y z` | mean, world units; required |
//! | `scale_0 scale_1 scale_2` | logarithms of the standard deviations, world units; without `scale_2` the Gaussian is flat (2DGS) |
//! | `rot_0` to `rot_3` | quaternion as w, x, y, z |
//! | `opacity` | logit of the opacity |
//! | `f_dc_0` to `f_dc_2`, `f_rest_0` and so on | spherical harmonics; 0, 9, 24, 45 or 72 properties `f_rest_*`, ordered by channel |
//! | `filter_3D` | standard deviation of the smoothing filter of Mip-Splatting, world units, which widens the Gaussians and lowers the opacities |
//! | `red green blue` | colour, where the harmonics are absent: bytes of 0 to 255, integers of 16 bits, or floats of 0 to 1; also `diffuse_red` and so on, and `r g b` |
//!
//! A vertex without scales, rotation and harmonics is a point. [Points](StoredScene::from_points)
//! become round Gaussians. Points without a colour are white. A set of properties of which some are
//! missing is an error.
//!
//! Numbers that are not finite are accepted: the renderer culls such Gaussians and counts them.
//! Numbers beyond the range of `f32` become infinite.
//!
//! # `NumPy` archives (.npz)
//!
//! Points with cameras. The arrays are `means3d` and `colors` `[N, 3]`, the poses `viewmats`
//! `[V, 4, 4]` (camera from world), the intrinsics `Ks` `[V, 3, 3]`, and the sizes of the images
//! `width` and `height`, px. The arrays have any number type and either order. Their checksums are
//! verified.
//!
//! # Memory
//!
//! What is allocated depends on what a file has, not on what its header promises: at most four
//! times the size of the file, 160 bytes for each Gaussian, and 1000 for each camera. Archives that
//! unpack to more than four times their size plus 2 MiB are refused.

mod cloud;
mod error;
mod neighbours;
mod npz;
mod numbers;
mod ply;
mod scene;

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

pub use error::FileError;
pub use scene::{Colours, SceneFile, StoredScene, StoredView};

/// The number of bytes by which a format is recognised.
const MAGIC: usize = 3;

/// A file format.
enum Format {
    Ply,
    Npz,
}

/// Reads the scene of a file.
///
/// # Errors
/// [`FileError::InFile`], with the reason: the file cannot be read, has none of the formats of this
/// module, is damaged, or has no scene.
pub fn read(path: impl AsRef<Path>) -> Result<SceneFile, FileError> {
    let path = path.as_ref();
    contents(path)
        .and_then(|bytes| parse(&bytes))
        .map_err(|error| FileError::InFile {
            path: path.to_owned(),
            error: Box::new(error),
        })
}

/// Reads a file. A file of another format is not read to its end, which may not exist.
fn contents(path: &Path) -> Result<Vec<u8>, FileError> {
    let unreadable = FileError::Unreadable;
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut beginning = file.by_ref().take(MAGIC as u64);
    beginning.read_to_end(&mut bytes).map_err(unreadable)?;
    format(&bytes)?;
    let rest = file.metadata().map_err(unreadable)?.len();
    let rest = usize::try_from(rest)
        .unwrap_or(usize::MAX)
        .saturating_sub(bytes.len());
    let full = |_| FileError::Unreadable(ErrorKind::OutOfMemory.into());
    bytes.try_reserve_exact(rest).map_err(full)?;
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    Ok(bytes)
}

/// Reads the scene of a file's bytes.
///
/// # Errors
/// [`FileError::Content`] if the bytes have none of the formats of this module, are damaged, or
/// have no scene.
pub fn parse(bytes: &[u8]) -> Result<SceneFile, FileError> {
    match format(bytes)? {
        Format::Ply => Ok(SceneFile {
            scene: ply::parse(bytes)?,
            views: Vec::new(),
        }),
        Format::Npz => npz::parse(bytes),
    }
}

/// Returns the format of a file by its beginning.
fn format(bytes: &[u8]) -> Result<Format, FileError> {
    if bytes.starts_with(b"ply") {
        return Ok(Format::Ply);
    }
    if bytes.starts_with(b"PK") {
        return Ok(Format::Npz);
    }
    let first = &bytes[..bytes.len().min(MAGIC)];
    let got = if first.is_empty() {
        "an empty file".to_owned()
    } else {
        format!("\"{}\"", first.escape_ascii())
    };
    Err(FileError::content(
        "first bytes",
        "\"ply\" of a PLY file (.ply) or \"PK\" of a NumPy archive (.npz)",
        got,
    ))
}
