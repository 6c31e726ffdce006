//! The photographs, their cameras, and the place of the scene.

#[path = "../../common/decoding.rs"]
mod decoding;
mod focus;
mod photo;
#[path = "../../common/cameras/mod.rs"]
pub(crate) mod posed;
#[path = "../../common/circle/vectors.rs"]
mod vectors;

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};

use flate2::Crc;
use rayon::prelude::*;
use splat::Gaussians;

use crate::common::terminal;
use focus::Focus;
pub(crate) use photo::Photo;
use posed::json::Entry;
use posed::reading::{contents, json, named};
use posed::transforms;

/// Least and greatest visible depth, relative to the distance of the scene.
const DEPTHS: [f64; 2] = [1e-2, 1e3];
/// Entries of Nerfstudio's files that change what is trained on, and that are not read.
const NOT_READ: [&str; 4] = [
    "mask_path",
    "train_filenames",
    "val_filenames",
    "test_filenames",
];

pub(crate) struct Dataset {
    pub(crate) trained: Vec<Photo>,
    pub(crate) held_out: Vec<Photo>,
    /// The points that the file names.
    pub(crate) points: Option<PathBuf>,
    /// The place of the scene. Its origin is the zero of the scene's coordinates.
    pub(crate) focus: Focus,
    /// White if a picture was composited over white, or else black.
    pub(crate) background: [f32; 3],
    /// Checksum of the means of the Gaussians from which the run starts.
    start: u32,
}

impl Dataset {
    /// Reads the pictures and cameras of a folder, and holds every `hold_out`-th picture out.
    ///
    /// # Errors
    /// One line that names the file, the entry and the field.
    pub(crate) fn read(folder: &Path, hold_out: usize, most_px: u32) -> Result<Self, String> {
        let [whole, training, test] =
            ["", "_train", "_test"].map(|part| folder.join(format!("transforms{part}.json")));
        let main = if whole.is_file() || !training.is_file() {
            &whole
        } else {
            &training
        };
        let (mut trained, points) = photographs(main, most_px)?;
        let mut held_out = Vec::new();
        if main == &training && test.is_file() {
            held_out = photographs(&test, most_px)?.0;
        } else if hold_out > 0 {
            let all = trained.into_iter().enumerate();
            let (held, others) = all.partition::<Vec<_>, _>(|(i, _)| i.is_multiple_of(hold_out));
            [held_out, trained] =
                [held, others].map(|part| part.into_iter().map(|(_, photo)| photo).collect());
        }
        if trained.is_empty() {
            let (folder, got) = (folder.display(), held_out.len());
            return Err(format!(
                "{folder}: expected a picture that is not held out (--hold-out), got {got} that are"
            ));
        }
        let photos = || trained.iter().chain(&held_out);
        let white = photos().any(Photo::is_on_white);
        let focus = Focus::of(photos().map(|photo| &photo.view.camera));
        let focus = focus.map_err(|error| named(main, &error))?;
        for photo in trained.iter_mut().chain(&mut held_out) {
            photo.view.camera = photo.view.camera.recentred(focus.origin);
        }
        let mut data = Self {
            trained,
            held_out,
            points,
            background: if white { [1.0; 3] } else { [0.0; 3] },
            focus,
            start: 0,
        };
        data.show(data.focus.distance);
        Ok(data)
    }

    /// Makes the Gaussians from which the run starts visible, and remembers them for the checksum.
    pub(crate) fn start_from(&mut self, gaussians: &Gaussians<Vec<f32>>) {
        let mut sum = Crc::new();
        for mean in &gaussians.means {
            sum.update(&mean.to_le_bytes());
        }
        self.start = sum.sum();
        if let Some(depth) = self.depth_of(&gaussians.means) {
            self.focus.know(depth);
            self.show(depth);
        }
    }

    /// Widens the visible depths of all cameras, so that a scene at this distance is seen.
    fn show(&mut self, distance: f64) {
        for photo in self.trained.iter_mut().chain(&mut self.held_out) {
            let camera = photo.view.camera;
            let [near, far] = DEPTHS.map(|depth| depth * distance);
            let range = (camera.near.min(near), camera.far.max(far));
            photo.view.camera = camera.with_depth_range(range.0, range.1);
        }
    }

    /// Returns the median depth of points `[N, 3]` in front of the cameras that are trained on, or `None`
    /// if no point is in front of one.
    fn depth_of(&self, points: &[f32]) -> Option<f64> {
        /// Number of points that are looked at.
        const MOST: usize = 1000;
        let (points, _) = points.as_chunks::<3>();
        let some = || points.iter().step_by(points.len().div_ceil(MOST).max(1));
        let depth = |photo: &Photo, point: &[f32; 3]| {
            let [x, y, z, shift] = photo.view.camera.camera_from_world[2];
            let [a, b, c] = point.map(f64::from);
            x * a + y * b + z * c + shift
        };
        let photos = self.trained.iter();
        let depths = photos.flat_map(|photo| some().map(move |point| depth(photo, point)));
        let mut depths: Vec<f64> = depths.filter(|depth| *depth > 0.0).collect();
        depths.sort_by(f64::total_cmp);
        depths.get(depths.len() / 2).copied()
    }

    /// Returns a checksum of the start, the names, the pictures and the cameras, by which a checkpoint knows its data.
    pub(crate) fn checksum(&self) -> u32 {
        let mut sum = Crc::new();
        sum.update(&self.start.to_le_bytes());
        for part in [&self.trained, &self.held_out] {
            sum.update(&part.len().to_le_bytes());
            for photo in part {
                sum.update(photo.name.as_bytes());
                sum.update(photo.picture.as_raw());
                let camera = &photo.view.camera;
                let intrinsics = [camera.fx, camera.fy, camera.cx, camera.cy];
                let numbers = camera.camera_from_world.as_flattened().iter();
                for number in numbers.chain(&intrinsics) {
                    sum.update(&number.to_le_bytes());
                }
            }
        }
        sum.sum()
    }
}

impl Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trained, held_out) = (self.trained.len(), self.held_out.len());
        write!(f, "pictures to train on: {trained}, held out: {held_out}")
    }
}

/// Reads the pictures and cameras of a file, and the name of its points.
fn photographs(path: &Path, most_px: u32) -> Result<(Vec<Photo>, Option<PathBuf>), String> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let fail = |error: String| named(path, &error);
    let value = json(&contents(path)?).map_err(fail)?;
    let root = Entry::root(&value);
    let frames = transforms::frames(&root).map_err(fail)?;
    if frames.is_empty() {
        return Err(fail("frames: expected at least one, got none".to_owned()));
    }
    for key in NOT_READ {
        if frames
            .iter()
            .chain([&root])
            .any(|entry| entry.get(key).is_some())
        {
            terminal::note(format_args!("note: {}: {key} is not read", path.display()));
        }
    }
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
