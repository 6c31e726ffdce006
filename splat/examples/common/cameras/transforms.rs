//! Cameras of `transforms.json`, as `NeRF`, Blender, instant-ngp and Nerfstudio write it. Intrinsics
//! are those of the frame, or of the file where a frame has none.

use splat::io::StoredView;

use super::intrinsics::Intrinsics;
use super::json::Entry;

/// Coefficients of lens distortion.
const DISTORTION: [&str; 8] = ["k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2"];
/// Camera models that are a pinhole if every coefficient of the distortion is zero.
const MODELS: [&str; 6] = [
    "OPENCV",
    "PERSPECTIVE",
    "PINHOLE",
    "SIMPLE_PINHOLE",
    "SIMPLE_RADIAL",
    "RADIAL",
];

/// Returns the entries of the frames of a file, in its order. Each is a [`Frame`] of the file.
pub(crate) fn frames<'a>(root: &Entry<'a>) -> Result<Vec<Entry<'a>>, String> {
    root.need("frames")?.items()
}

/// A frame of a file.
pub(crate) struct Frame<'a> {
    frame: &'a Entry<'a>,
    root: &'a Entry<'a>,
}

impl<'a> Frame<'a> {
    /// Returns one of the [`frames`] of the file `root`.
    pub(crate) fn new(frame: &'a Entry<'a>, root: &'a Entry<'a>) -> Self {
        Self { frame, root }
    }

    /// The value of the frame, or else of the file.
    fn get(&self, key: &str) -> Option<Entry<'a>> {
        self.frame.get(key).or_else(|| self.root.get(key))
    }

    /// Returns the camera in coordinates of the world, and the size of its picture: `wanted` px if
    /// that is stated, or else that of the file.
    ///
    /// # Errors
    /// One line that names the entry and the field.
    pub(crate) fn view(&self, wanted: Option<[usize; 2]>) -> Result<StoredView, String> {
        self.check_lens()?;
        let view = self.intrinsics(wanted)?.view(wanted);
        let mut view = view.map_err(|error| self.frame.fail(error))?;
        let pose = self.frame.need("transform_matrix")?;
        let camera = view.camera.with_opengl_pose(pose.matrix()?);
        view.camera = camera.map_err(|error| pose.fail(error))?;
        Ok(view)
    }

    /// Checks that the camera is a pinhole.
    fn check_lens(&self) -> Result<(), String> {
        for key in DISTORTION {
            if let Some(entry) = self.get(key)
                && entry.number()? != 0.0
            {
                return Err(entry.wrong("0, a camera without lens distortion"));
            }
        }
        if let Some(entry) = self.get("distortion_params") {
            for entry in entry.items()? {
                if entry.number()? != 0.0 {
                    return Err(entry.wrong("0, a camera without lens distortion"));
                }
            }
        }
        if let Some(entry) = self.get("camera_model")
            && !MODELS.contains(&entry.text()?)
        {
            return Err(entry.wrong("the model of a pinhole camera"));
        }
        match self.get("is_fisheye") {
            Some(entry) if entry.truth()? => Err(entry.wrong("false, a pinhole camera")),
            _ => Ok(()),
        }
    }

    fn intrinsics(&self, wanted: Option<[usize; 2]>) -> Result<Intrinsics, String> {
        let size = match (self.get("w"), self.get("h")) {
            (Some(w), Some(h)) => [w.side()?, h.side()?],
            (None, None) => wanted.ok_or_else(|| {
                let place = self.frame.place_of("w");
                format!("{place}: expected the size of the picture, w and h or --size, got none")
            })?,
            (None, Some(_)) => return Err(self.absent("w")),
            (Some(_), None) => return Err(self.absent("h")),
        };
        let Some(focal_x) = self.focal("fl_x", "camera_angle_x", size[0])? else {
            let place = self.frame.place_of("fl_x");
            return Err(format!(
                "{place}: expected fl_x or camera_angle_x, got none"
            ));
        };
        let focal_y = self.focal("fl_y", "camera_angle_y", size[1])?;
        let centre = |key: &str, side: usize| match self.get(key) {
            Some(entry) => entry.number(),
            None => Ok(0.5 * side as f64),
        };
        Ok(Intrinsics {
            size,
            // Pixels are squares unless the file says otherwise.
            focal: [focal_x, focal_y.unwrap_or(focal_x)],
            centre: [centre("cx", size[0])?, centre("cy", size[1])?],
        })
    }

    /// The focal length of one axis, px, which is stated itself or by the field of view in radians.
    fn focal(&self, key: &str, angle_key: &str, side: usize) -> Result<Option<f64>, String> {
        if let Some(entry) = self.get(key) {
            return entry.positive().map(Some);
        }
        let Some(entry) = self.get(angle_key) else {
            return Ok(None);
        };
        let focal = 0.5 * side as f64 / (0.5 * entry.number()?).tan();
        if entry.number()? < std::f64::consts::PI && focal > 0.0 && focal.is_finite() {
            return Ok(Some(focal));
        }
        Err(entry.wrong("an angle between 0 and pi, in radians"))
    }

    fn absent(&self, key: &str) -> String {
        let place = self.frame.place_of(key);
        format!("{place}: expected a value, got none")
    }
}
