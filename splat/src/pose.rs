//! Cameras from what other programs and people state: a field of view, a point to look at, poses in
//! the conventions of OpenGL and COLMAP.
//!
//! The axes of a camera of this crate are x right, y down, z forward.

use crate::camera::Camera;
use crate::error::RenderError;
use crate::formulas::double::quat::{normalise, rotation};
use crate::formulas::double::vec3::{add3, cross, dot, scaled, unit};
use crate::math::{Quaternion, Vec3};

/// The greatest deviation of a product of two columns of a rotation from 0 or 1. Files have at
/// least four digits.
const ROTATION_ERROR: f64 = 1e-3;

/// The least sine of the angle between the direction of view and `up`.
const LEAST_SINE: f64 = 1e-9;

impl Camera {
    /// Returns a pinhole camera at the origin of the world that looks along `+z`, with a horizontal
    /// field of view of `fov_x` radians in an image of `width` x `height` px. Its pixels are
    /// squares, and its principal point is the centre of the image.
    ///
    /// `fov_x` is the `camera_angle_x` of `NeRF`'s `transforms.json`. The vertical field of view
    /// `fov_y` of OpenGL is that of `fov_x = 2 atan(width / height tan(fov_y / 2))`.
    ///
    /// ```
    /// let camera = splat::Camera::from_fov(800, 600, 90f64.to_radians())?;
    /// assert!((camera.fx - 400.0).abs() < 1e-9 && camera.fy == camera.fx);
    /// assert_eq!((camera.cx, camera.cy), (400.0, 300.0));
    /// # Ok::<(), splat::RenderError>(())
    /// ```
    ///
    /// # Errors
    /// [`RenderError::Config`] if `fov_x` is not between 0 and pi, or if `width` is zero.
    pub fn from_fov(width: usize, height: usize, fov_x: f64) -> Result<Self, RenderError> {
        if !(fov_x > 0.0 && fov_x < std::f64::consts::PI) {
            let expected = "an angle between 0 and pi, in radians";
            return Err(RenderError::config("fov_x", expected, fov_x));
        }
        let (cx, cy) = (0.5 * width as f64, 0.5 * height as f64);
        let focal = cx / (0.5 * fov_x).tan();
        if !(focal > 0.0 && focal.is_finite()) {
            let got = format!("{fov_x} and {width} px");
            let expected = "an angle and a width with a finite focal length";
            return Err(RenderError::config("fov_x", expected, got));
        }
        Ok(Self::pinhole(focal, focal, cx, cy))
    }

    /// Returns the camera at `eye`, looking at `target`, world units. The direction `up` of the
    /// world points upwards in the picture.
    ///
    /// ```
    /// let camera = splat::Camera::from_fov(640, 480, 1.0)?;
    /// // In scenes of computer vision, y points down: up is -y.
    /// let camera = camera.look_at([0.0, 0.0, -5.0], [0.0, 0.0, 0.0], [0.0, -1.0, 0.0])?;
    /// assert_eq!(camera.camera_from_world[2], [0.0, 0.0, 1.0, 5.0]);
    /// # Ok::<(), splat::RenderError>(())
    /// ```
    ///
    /// # Errors
    /// [`RenderError::Config`] if a number is not finite, if `eye` and `target` are the same point,
    /// or if `up` is zero or parallel to the direction of view.
    pub fn look_at(
        self,
        eye: [f64; 3],
        target: [f64; 3],
        up: [f64; 3],
    ) -> Result<Self, RenderError> {
        for (argument, vector) in [("eye", eye), ("target", target), ("up", up)] {
            check_finite(argument, &vector)?;
        }
        let away = std::array::from_fn(|i| target[i] - eye[i]);
        let forward = direction(away).ok_or_else(|| {
            let got = format!("{target:?}");
            RenderError::config(
                "target",
                "another point than eye, at a finite distance",
                got,
            )
        })?;
        let across = direction(up).map(|up| cross(forward, up));
        let across = across.filter(|&across| dot(across, across).sqrt() > LEAST_SINE);
        let right = across.map(unit).ok_or_else(|| {
            let expected = "a direction that is not parallel to that from eye to target";
            RenderError::config("up", expected, format!("{up:?}"))
        })?;
        Ok(self.at(eye, [right, cross(forward, right), forward]))
    }

    /// Returns the camera in coordinates relative to `centre`, world units: the pose `[R | t]`
    /// becomes `[R | R centre + t]`. The camera sees the same if `centre` is subtracted from all
    /// means.
    ///
    /// ```
    /// use splat::{Camera, Gaussians, encoding::Encoding};
    ///
    /// // UTM coordinates, whose `f32` values are 0.5 m apart.
    /// let gaussians = Gaussians {
    ///     means: &[453_210.25, 5_411_872.5, 112.0, 453_211.0, 5_411_872.125, 112.5][..],
    ///     scales: &[0.1; 6],
    ///     quaternions: &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
    ///     opacities: &[0.5; 2],
    ///     features: &[1.0; 6],
    ///     count: 2,
    ///     channels: 3,
    ///     encoding: Encoding::PLAIN,
    /// };
    /// let (near, centre) = gaussians.recentred()?;
    /// assert_eq!(near.means, [-0.375, 0.1875, -0.25, 0.375, -0.1875, 0.25]);
    /// let camera = Camera::from_fov(640, 480, 1.0)?.look_at(
    ///     [453_210.0, 5_411_860.0, 112.0],
    ///     centre,
    ///     [0.0, 0.0, 1.0],
    /// )?;
    /// let camera = camera.recentred(centre);
    /// assert!(camera.camera_from_world[2][3] < 13.0);
    /// # Ok::<(), splat::RenderError>(())
    /// ```
    #[must_use]
    pub fn recentred(self, centre: [f64; 3]) -> Self {
        let [a, b, c] = centre;
        let moved = |[x, y, z, shift]: [f64; 4]| [x, y, z, x * a + y * b + z * c + shift];
        self.with_pose(self.camera_from_world.map(moved))
    }

    /// Returns the camera after a rigid motion of the camera's coordinates: a turn by the length of
    /// `motion[3..]`, radians, about its direction, and then a shift by `motion[..3]`, world units.
    /// The pose `T` becomes `[exp(turn) | shift] T`, which stays a rotation and a translation.
    ///
    /// An optimizer of poses descends along [`tangent_gradient`](Self::tangent_gradient):
    ///
    /// ```
    /// # let camera = splat::Camera::from_fov(640, 480, 1.0)?;
    /// # let v_pose = [[0.1; 4]; 3];
    /// let step = camera.tangent_gradient(&v_pose).map(|v| -0.01 * v);
    /// let camera = camera.moved(step);
    /// # Ok::<(), splat::RenderError>(())
    /// ```
    #[must_use]
    pub fn moved(self, motion: [f64; 6]) -> Self {
        let [dx, dy, dz, a, b, c] = motion;
        let angle = (a * a + b * b + c * c).sqrt();
        // sin(angle / 2) / angle, whose limit at zero is 1/2.
        let half_sine = if angle > 0.0 {
            (0.5 * angle).sin() / angle
        } else {
            0.5
        };
        let turn = rotation(Quaternion {
            w: (0.5 * angle).cos(),
            x: half_sine * a,
            y: half_sine * b,
            z: half_sine * c,
        });
        let old = self.camera_from_world;
        let row = |axis: Vec3<f64>, shift: f64| {
            let entry = |k: usize| axis.x * old[0][k] + axis.y * old[1][k] + axis.z * old[2][k];
            [entry(0), entry(1), entry(2), entry(3) + shift]
        };
        self.with_pose([row(turn.r0, dx), row(turn.r1, dy), row(turn.r2, dz)])
    }

    /// Returns the gradient with respect to the six numbers of [`moved`](Self::moved), at no
    /// motion, from `v_pose`, the gradient with respect to `camera_from_world` at this camera. It
    /// has the shift first, then the turn.
    ///
    /// With the columns `p` of `[R | t]` and those `v` of its gradient, it is `v` of `t` and the
    /// sum of `p x v` (MATH eq. 22).
    #[must_use]
    pub fn tangent_gradient(&self, v_pose: &[[f64; 4]; 3]) -> [f64; 6] {
        let column = |rows: &[[f64; 4]; 3], k: usize| vector(rows.map(|row| row[k]));
        let shift = column(v_pose, 3);
        let turns = (0..4).map(|k| cross(column(&self.camera_from_world, k), column(v_pose, k)));
        let turn = turns.fold(Vec3::default(), add3);
        [shift.x, shift.y, shift.z, turn.x, turn.y, turn.z]
    }

    /// Returns the camera at `eye` with its axes in the world.
    fn at(self, eye: [f64; 3], axes: [Vec3<f64>; 3]) -> Self {
        let row = |axis| with_shift(axis, -dot(axis, vector(eye)));
        self.with_pose(axes.map(row))
    }

    /// Returns the camera at a pose in the convention of OpenGL, Blender and the `transform_matrix`
    /// of `NeRF`'s `transforms.json`: rows of the motion from camera to world, with the camera's
    /// axes x right, y up, z backward. It is the inverse of OpenGL's view matrix, as
    /// `[row][column]`.
    ///
    /// The products of the three axes may deviate by 1e-3 from those of a rotation. The axes are
    /// then made orthonormal: backward keeps its direction, and right its plane.
    ///
    /// # Errors
    /// [`RenderError::Config`] if a number is not finite, if the last row is not 0, 0, 0, 1, or if
    /// the other columns are no rotation.
    pub fn with_opengl_pose(self, world_from_camera: [[f64; 4]; 4]) -> Result<Self, RenderError> {
        let [x, y, z, last] = world_from_camera;
        if last != [0.0, 0.0, 0.0, 1.0] {
            let (expected, got) = ("a last row of 0, 0, 0, 1", format!("{last:?}"));
            return Err(RenderError::config("world_from_camera", expected, got));
        }
        let column = |k: usize| [x[k], y[k], z[k]];
        let columns = [0, 1, 2, 3].map(column);
        check_finite("world_from_camera", columns.as_flattened())?;
        let [right, up, backward, eye] = columns;
        let axes = [right, up, backward].map(vector);
        check_rotation("world_from_camera", axes)?;
        let [_, up, backward] = axes;
        let forward = scaled(-1.0, unit(backward));
        let right = unit(cross(forward, up));
        Ok(self.at(eye, [right, cross(forward, right), forward]))
    }

    /// Returns the camera at a pose in the convention of COLMAP's `images.txt`: the motion from
    /// world to camera as a quaternion w, x, y, z of any length, and a translation. The camera's
    /// axes are those of this crate.
    ///
    /// # Errors
    /// [`RenderError::Config`] if a number is not finite or the quaternion is zero.
    pub fn with_colmap_pose(
        self,
        quaternion: [f64; 4],
        translation: [f64; 3],
    ) -> Result<Self, RenderError> {
        let greatest = quaternion.iter().fold(0.0_f64, |most, q| most.max(q.abs()));
        check_finite("quaternion", &quaternion)?;
        if greatest == 0.0 {
            let got = format!("{quaternion:?}");
            return Err(RenderError::config(
                "quaternion",
                "numbers that are not all zero",
                got,
            ));
        }
        check_finite("translation", &translation)?;
        // Divided by the greatest first, so that squares neither overflow nor vanish.
        let [w, x, y, z] = quaternion.map(|q| q / greatest);
        let rotation = rotation(normalise(Quaternion { w, x, y, z }));
        let [tx, ty, tz] = translation;
        Ok(self.with_pose([
            with_shift(rotation.r0, tx),
            with_shift(rotation.r1, ty),
            with_shift(rotation.r2, tz),
        ]))
    }
}

fn check_finite(argument: &'static str, numbers: &[f64]) -> Result<(), RenderError> {
    if numbers.iter().all(|x| x.is_finite()) {
        return Ok(());
    }
    let got = format!("{numbers:?}");
    Err(RenderError::config(argument, "finite numbers", got))
}

/// Checks that three axes are orthonormal and right-handed.
fn check_rotation(argument: &'static str, axes: [Vec3<f64>; 3]) -> Result<(), RenderError> {
    for (i, &a) in axes.iter().enumerate() {
        for (j, &b) in axes.iter().enumerate().skip(i) {
            let expected = f64::from(u8::from(i == j));
            if (dot(a, b) - expected).abs() > ROTATION_ERROR {
                let expected = "a rotation: orthogonal columns of length 1";
                let got = format!("columns {i} and {j} with the product {}", dot(a, b));
                return Err(RenderError::config(argument, expected, got));
            }
        }
    }
    let [x, y, z] = axes;
    if dot(cross(x, y), z) < 0.0 {
        return Err(RenderError::config(argument, "a rotation", "a reflection"));
    }
    Ok(())
}

fn vector([x, y, z]: [f64; 3]) -> Vec3<f64> {
    Vec3 { x, y, z }
}

fn with_shift(axis: Vec3<f64>, shift: f64) -> [f64; 4] {
    [axis.x, axis.y, axis.z, shift]
}

/// Returns the direction of a vector, or `None` if the vector is zero or overflows. Its components
/// are divided by the greatest first, so that squares neither overflow nor vanish.
fn direction(a: [f64; 3]) -> Option<Vec3<f64>> {
    let greatest = a.iter().fold(0.0_f64, |greatest, x| greatest.max(x.abs()));
    (greatest > 0.0 && greatest.is_finite()).then(|| unit(vector(a.map(|x| x / greatest))))
}
