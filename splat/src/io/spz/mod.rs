//! SPZ files: 16 to 92 bytes for each Gaussian, compressed by gzip (versions 1 to 3) or Zstandard
//! (version 4). See <https://github.com/nianticlabs/spz>.

mod codec;
mod frame;
mod header;
mod streams;
mod write;

use super::error::FileError;
use super::scene::{CHANNELS, Colours, SceneFile, StoredScene};
use frame::Frame;
use streams::Streams;

pub(crate) use write::write;

/// The bytes that a file may unpack to beyond [`MOST_RATIO`] times its size: a few kilobytes can
/// unpack to gigabytes. The scene of so many bytes takes less than 64 MB.
const MOST_BYTES: usize = 12 << 20;
/// A scene of trained Gaussians unpacks to two to five times the size of its file.
const MOST_RATIO: usize = 16;

/// Reads the scene of a file.
pub(crate) fn parse(file: &[u8]) -> Result<SceneFile, FileError> {
    let most = file
        .len()
        .saturating_mul(MOST_RATIO)
        .saturating_add(MOST_BYTES);
    let (header, mut streams) = Streams::open(file, most)?;
    let (means, quaternions) = (header.means(), header.quaternions());
    // In the order of the file.
    let means = codec::means(
        &streams.take("positions", means.bytes(header.count))?,
        means,
    );
    let opacities = codec::opacities(&streams.take("alphas", header.count)?);
    let base = streams.take("colors", CHANNELS * header.count)?;
    let scales = codec::scales(&streams.take("scales", 3 * header.count)?);
    let packed = streams.take("rotations", quaternions.bytes(header.count))?;
    let quaternions = codec::quaternions(&packed, quaternions);
    drop(packed);
    let rest = CHANNELS * (header.coefficients() - 1) * header.count;
    let rest = streams.take("spherical harmonics", rest)?;
    let coefficients = codec::coefficients(&base, &rest, header.coefficients());
    drop((base, rest));
    let frame = Frame::of_extensions(&streams.finish()?)?;
    let mut scene = StoredScene {
        means,
        origin: [0.0; 3],
        scales,
        quaternions,
        opacities,
        colours: Colours::Harmonics {
            degree: header.degree,
            coefficients,
        },
    };
    frame.convert(&mut scene);
    Ok(SceneFile {
        antialiased: header.antialiased,
        ..SceneFile::of(scene)
    })
}
