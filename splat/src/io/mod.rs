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
//! | format | read | written | numbers |
//! |---|---|---|---|
//! | PLY (.ply) | yes | [`StoredScene::write_ply`] | those of the file |
//! | compressed PLY (.ply, `SuperSplat`) | yes | no | 8 to 11 bits |
//! | SPZ (.spz), versions 1 to 4 | yes | version 3, [`StoredScene::write_spz`] | 8 to 24 bits |
//! | `.splat` | yes | no | 8 and 32 bits, constant colours |
//! | `NumPy` archive (.npz) | yes | no | those of the file |
//!
//! [`write()`] writes a file by its path. A `.splat` file has no first bytes by which it could be
//! recognised: [`read`] takes the format from the extension, and [`parse_as`] from the caller.
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
//! # Compressed PLY
//!
//! The files that `SuperSplat` and splat-transform export as `.compressed.ply`. The elements are
//! `chunk`, with the bounds of 256 vertices each, `vertex`, with the properties `packed_position`,
//! `packed_rotation`, `packed_scale` and `packed_color`, and `sh`, with harmonics of degree 1 to 4 in
//! bytes. A chunk without bounds of the colours, as older programs write it, has colours from 0 to 1.
//! The element `sh` can be absent.
//!
//! # SPZ
//!
//! The format of Niantic, versions 1 to 3 (gzip) and 4 (Zstandard), degree 0 to 4. Checksums are
//! verified. Versions 1 to 3 always have them. Bytes behind the data are an error. Several gzip
//! members count as one.
//!
//! The axes of a file are right, up and back, unless an extension states others
//! (`SPZ_ADOBE_coordinate_system`). They are converted to right, down and forward, which 3DGS uses:
//! the scene equals the one of the PLY file from which it was made. Axes that are exchanged are an
//! error. Other extensions are passed over. For degree 4 the sign of the last coefficient is that of
//! the basis function, `x^4 - 6 x^2 y^2 + y^4`. Niantic's library changes it with the sign of y.
//!
//! # `.splat`
//!
//! 32 bytes for each Gaussian: mean and standard deviations in 32 bits, world units, then red, green,
//! blue, opacity and the quaternion as w, x, y, z in bytes. A byte b of a quaternion is (b - 128) /
//! 128, as in the viewer for which the format was made (antimatter15/splat). A length that is no
//! multiple of 32 is an error. An empty file is a scene without Gaussians.
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
//! times the size of the file, 160 bytes for each Gaussian, and 1000 for each camera. [`read`] takes
//! a binary PLY file without lists in blocks of 4 MiB, so that it needs little more memory than the
//! scene.
//!
//! Archives that unpack to more than four times their size plus 2 MiB are refused. An SPZ file is
//! refused if it unpacks to more than 16 times its size plus 12 MiB, of which a scene has up to five
//! times the size.

mod atomic;
mod cloud;
mod error;
mod format;
mod neighbours;
mod npz;
mod numbers;
mod ply;
mod scene;
mod splat_file;
mod spz;
mod storable;

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

pub use error::FileError;
pub use format::Format;
pub use scene::{Colours, SceneFile, StoredScene, StoredView};

/// Reads the scene of a file.
///
/// # Errors
/// [`FileError::InFile`], with the reason: the file cannot be read, has none of the formats of this
/// module, is damaged, or has no scene. A named pipe is not opened.
pub fn read(path: impl AsRef<Path>) -> Result<SceneFile, FileError> {
    let path = path.as_ref();
    read_path(path).map_err(|error| error.in_file(path))
}

fn read_path(path: &Path) -> Result<SceneFile, FileError> {
    let unreadable = FileError::Unreadable;
    refuse_pipe(path)?;
    let mut file = File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    let mut beginning = Read::by_ref(&mut file).take(format::MAGIC as u64);
    beginning.read_to_end(&mut bytes).map_err(unreadable)?;
    // A file of another format is not read to its end, which may not exist.
    let format = match Format::of_name(path) {
        Some(Format::Splat) => Format::of_beginning_of_splat(&bytes),
        _ => Format::of_beginning(&bytes).ok_or_else(|| format::unknown(&bytes))?,
    };
    let metadata = file.metadata().map_err(unreadable)?;
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if format == Format::Ply && metadata.is_file() {
        if let Some(scene) = ply::read(&mut file, length)? {
            return Ok(scene);
        }
        file = File::open(path).map_err(unreadable)?;
        bytes.clear();
    }
    let full = |_| FileError::Unreadable(ErrorKind::OutOfMemory.into());
    let rest = length.saturating_sub(bytes.len());
    bytes.try_reserve_exact(rest).map_err(full)?;
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    parse_as(&bytes, format)
}

/// Refuses a named pipe, because opening one waits for a writer, which may not exist.
fn refuse_pipe(path: &Path) -> Result<(), FileError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = std::fs::metadata(path).map_err(FileError::Unreadable)?;
        if kind.file_type().is_fifo() {
            let expected = "a file; the bytes of a pipe can be given to `parse`";
            return Err(FileError::content("file", expected, "a pipe"));
        }
    }
    // Other systems have no pipes among their files.
    let _ = path;
    Ok(())
}

/// Reads the scene of a file's bytes, which show their format. The bytes of a `.splat` file do not:
/// see [`parse_as`].
///
/// # Errors
/// [`FileError::Content`] if the bytes have none of the formats of this module, are damaged, or
/// have no scene.
pub fn parse(bytes: &[u8]) -> Result<SceneFile, FileError> {
    let format = Format::of_beginning(bytes).ok_or_else(|| format::unknown(bytes))?;
    parse_as(bytes, format)
}

/// Reads the scene of bytes of a known format.
///
/// # Errors
/// [`FileError::Content`] if the bytes do not have this format, are damaged, or have no scene.
pub fn parse_as(bytes: &[u8], format: Format) -> Result<SceneFile, FileError> {
    match format {
        Format::Ply => ply::parse(bytes),
        Format::Npz => npz::parse(bytes),
        Format::Splat => splat_file::parse(bytes).map(SceneFile::of),
        Format::Spz => spz::parse(bytes),
    }
}

/// Writes a scene to a file, as PLY or SPZ. At any time the file is the old one or the complete new
/// one.
///
/// # Errors
/// [`FileError::InFile`], with the reason: the format is none of these two, it cannot hold the scene
/// (see [`StoredScene::write_ply`] and [`StoredScene::write_spz`]), or the file cannot be written.
pub fn write(path: impl AsRef<Path>, scene: &StoredScene, format: Format) -> Result<(), FileError> {
    let path = path.as_ref();
    let written = match format {
        Format::Ply => atomic::write(path, |to| ply::write(scene, to)),
        Format::Spz => atomic::write(path, |to| spz::write(scene, to)),
        Format::Npz | Format::Splat => Err(FileError::scene(
            "format",
            "PLY or SPZ",
            format!("{format:?}"),
        )),
    };
    written.map_err(|error| error.in_file(path))
}

impl StoredScene {
    /// Writes the scene as a binary PLY file with the properties of 3DGS, in their order and without
    /// normals.
    ///
    /// [`read`] gives back the same bits, with three exceptions. Constant colours become harmonics of
    /// degree 0, which render the same colours within 1e-6. With an `origin` the coordinates are
    /// stored as `f64`, and `read` can choose another origin. Standard deviations and opacities are
    /// stored as logarithms and logits: those that were read from numbers of 32 bits are the same
    /// again, and others differ by at most `(2 + |a|) 2^-24` of their value, where a is the logarithm
    /// or the logit. That is 1e-6 for a standard deviation or an opacity of 1e-6, and holds for standard
    /// deviations up to 3.4e38.
    ///
    /// A standard deviation of 0, and opacities of 0 and 1, are stored as infinite numbers.
    ///
    /// # Errors
    /// [`FileError::Scene`] if the buffers do not belong to the same number of Gaussians, if a number
    /// is not finite, if a standard deviation or a constant colour is negative, or if an opacity is
    /// not from 0 to 1. [`FileError::Unwritable`] if `to` fails.
    pub fn write_ply(&self, mut to: impl Write) -> Result<(), FileError> {
        ply::write(self, &mut to)
    }

    /// Writes the scene as an SPZ file of version 3. Axes become right, up and back.
    ///
    /// Numbers are rounded. Those outside the range of the format become its least or greatest
    /// number.
    ///
    /// | numbers | range | greatest error within the range |
    /// |---|---|---|
    /// | means | below 2^23; others are an error | 2^-(b + 1) for the greatest b up to 24 with which all means are below 2^(23 - b) |
    /// | standard deviations | e^-10 to e^5.9375 | 3.2 %, half a step of the logarithm of 1/16 |
    /// | quaternions | divided by their length | 0.0007 for three components, 0.0021 for the greatest one |
    /// | opacities | 0 to 1 | 1/510 |
    /// | coefficients of degree 0 | -10/3 to 10/3 | 0.0131, which is 0.0037 of full brightness |
    /// | other coefficients | -1 to 127/128 | 1/256 |
    ///
    /// # Errors
    /// As [`write_ply`](Self::write_ply). Also [`FileError::Scene`] if the degree is 4, if the origin
    /// is not zero, if a mean is too large, or if a quaternion is zero.
    pub fn write_spz(&self, mut to: impl Write) -> Result<(), FileError> {
        spz::write(self, &mut to)
    }
}
