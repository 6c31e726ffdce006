//! The photographs, their cameras, and the place of the scene.

#[path = "../../common/decoding.rs"]
mod decoding;
mod focus;
mod photo;
#[path = "../../common/cameras/mod.rs"]
mod posed;

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::common::terminal;
pub(crate) use photo::Photo;
use posed::json::Entry;
use posed::reading::{contents, json, named};
use posed::transforms;

/// Least and greatest visible depth, relative to the distance of the scene.
const DEPTHS: [f64; 2] = [1e-2, 1e3];

pub(crate) struct Dataset {
    pub(crate) trained: Vec<Photo>,
    pub(crate) held_out: Vec<Photo>,
    /// The points that the file names.
    pub(crate) points: Option<PathBuf>,
    /// The world coordinates of the zero of the scene's coordinates: the mean of the cameras' centres.
    pub(crate) origin: [f64; 3],
    /// 1.1 times the distance of the farthest camera from the origin (3DGS), world units, or the distance
    /// of the scene if that is greater.
    pub(crate) extent: f64,
    /// The median distance of the cameras from the point nearest to their axes, world units.
    pub(crate) distance: f64,
    /// White if a picture was composited over white, or else black.
    pub(crate) background: [f32; 3],
}

impl Dataset {
    /// Reads the pictures and cameras of a folder, and holds every `hold_out`-th picture out.
    ///
    /// # Errors
    /// One line that names the file, the entry and the field.
    pub(crate) fn read(folder: &Path, hold_out: usize, most_px: u32) -> Result<Self, String> {
        let [whole, training, test] =
            ["", "_train", "_test"].map(|part| folder.join(format!("transforms{part}.json")));
        let (mut trained, points) = if whole.is_file() || !training.is_file() {
            photographs(&whole, most_px)?
        } else {
            photographs(&training, most_px)?
        };
        let mut held_out = Vec::new();
        if !whole.is_file() && test.is_file() {
            held_out = photographs(&test, most_px)?.0;
        } else if hold_out > 0 {
            let all = trained.into_iter().enumerate();
            let (held, others) = all.partition::<Vec<_>, _>(|(i, _)| i.is_multiple_of(hold_out));
            [held_out, trained] =
                [held, others].map(|part| part.into_iter().map(|(_, p)| p).collect());
        }
        if trained.is_empty() {
            return Err(format!(
                "{}: expected a picture that is not held out (--hold-out), got {} that are",
                folder.display(),
                held_out.len()
            ));
        }
        let photos = || trained.iter().chain(&held_out);
        let white = photos().any(Photo::is_on_white);
        let place = focus::Place::of(photos().map(|photo| &photo.view.camera));
        let moved = |mut photo: Photo| {
            let camera = photo.view.camera.recentred(place.origin);
            let [near, far] = DEPTHS.map(|depth| depth * place.distance);
            let range = (camera.near.min(near), camera.far.max(far));
            photo.view.camera = camera.with_depth_range(range.0, range.1);
            photo
        };
        Ok(Self {
            points,
            origin: place.origin,
            extent: place.extent,
            distance: place.distance,
            background: if white { [1.0; 3] } else { [0.0; 3] },
            trained: trained.into_iter().map(moved).collect(),
            held_out: held_out.into_iter().map(moved).collect(),
        })
    }
}

impl Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trained, held_out) = (self.trained.len(), self.held_out.len());
        write!(f, "pictures: {trained} to train on, {held_out} held out")
    }
}

/// Reads the pictures and cameras of a file, and the name of its points.
fn photographs(path: &Path, most_px: u32) -> Result<(Vec<Photo>, Option<PathBuf>), String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let fail = |error: String| named(path, &error);
    let value = json(&contents(path)?).map_err(fail)?;
    let root = Entry::root(&value);
    let frames = transforms::frames(&root).map_err(fail)?;
    let read = |frame: &Entry<'_>| Photo::read(folder, frame, &root, most_px);
    let photos: Result<Vec<_>, String> = frames.par_iter().map(read).collect();
    let photos = photos.map_err(fail)?;
    for photo in &photos {
        for change in &photo.changes {
            terminal::note(format_args!("note: {}: {change}", photo.name));
        }
    }
    let points = root.get("ply_file_path").map(|entry| entry.text());
    let points = points.transpose().map_err(fail)?;
    Ok((photos, points.map(|points| folder.join(points))))
}
