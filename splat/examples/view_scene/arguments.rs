//! The command line.

use std::path::PathBuf;

use clap::Parser;
use splat::formulas::MAX_SIDE_PX;

use crate::backends::Kind;

/// Renders a point cloud (.npz, .ply) or a trained scene (.ply, .spz, .splat) to PNG files.
#[derive(Parser)]
pub(crate) struct Arguments {
    /// Scene to render: Gaussians or points (.ply), Gaussians (.spz, .splat), or points with colours
    /// and cameras (.npz). For a scene without cameras, eight are placed on a circle around it.
    pub(crate) scene: PathBuf,
    /// Cameras in the coordinates of the scene, in place of those of the scene's file. One of:
    /// transforms.json (Blender, Nerfstudio); cameras.json of 3DGS; a COLMAP folder with
    /// cameras.txt and images.txt, or with cameras.bin and images.bin, in the folder itself, in
    /// sparse/0 or in sparse. Only pinhole cameras without lens distortion.
    #[arg(long)]
    pub(crate) cameras: Option<PathBuf>,
    /// Place this many cameras on a circle around the scene, 1 to 10000, in place of those of the
    /// scene's file. If cameras of the file look at one place, the circle has their mean distance and
    /// height. Otherwise it is one from which the scene is seen. Up is that of the cameras, or else -y.
    #[arg(long, value_name = "N", conflicts_with = "cameras")]
    #[arg(allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) views: Option<u32>,
    /// Also write the pictures as a data set: transforms.json, in the form of Nerfstudio, with the
    /// cameras in the coordinates of the scene, and points.ply, a sample of its points. The pictures
    /// are those of the cameras that the file states.
    #[arg(long)]
    pub(crate) transforms: bool,
    /// Greatest number of points in points.ply. They are drawn from the means of the Gaussians.
    #[arg(
        long,
        default_value_t = 200_000,
        value_name = "N",
        requires = "transforms"
    )]
    #[arg(allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) points: u32,
    /// Width and height of the pictures, px, such as 800x600. Without it, the pictures have the sizes
    /// of the file of cameras, or 800x600. A size for cameras of a file must have the ratio of their
    /// pictures. The focal length is scaled.
    #[arg(long, value_name = "WxH", value_parser = size)]
    pub(crate) size: Option<[usize; 2]>,
    /// Backend that renders. A build has the backends wgpu and cuda with the feature of that name.
    #[arg(long, value_enum, default_value_t = Kind::Cpu)]
    pub(crate) backend: Kind,
    /// Greatest degree of the spherical harmonics, 0 to 4. Degree 0 is a constant colour.
    #[arg(
        long,
        default_value_t = 4,
        value_name = "N",
        allow_negative_numbers = true
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=4))]
    pub(crate) sh: u32,
    /// Folder for the pictures, one PNG file per camera. It is created if it does not exist.
    /// Existing pictures of the same names are replaced.
    #[arg(long = "output", alias = "out", default_value = "out")]
    pub(crate) out: PathBuf,
}

/// Reads a size such as 800x600.
fn size(text: &str) -> Result<[usize; 2], String> {
    let side = |text: &str| {
        let side = text.parse().ok();
        side.filter(|side| (1..=MAX_SIDE_PX).contains(side))
    };
    let sides = text.split_once('x');
    let sides = sides.and_then(|(width, height)| Some([side(width)?, side(height)?]));
    sides.ok_or_else(|| format!("expected WxH with sides of 1 to {MAX_SIDE_PX} px"))
}
