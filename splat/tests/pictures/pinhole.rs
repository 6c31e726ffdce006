//! A camera in plain numbers, and the files that other programs would write for it.

use std::fs;
use std::path::PathBuf;

use image::RgbImage;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{run, text};

/// A camera in plain numbers.
#[derive(Clone, Copy)]
pub(crate) struct Pinhole {
    pub(crate) size: [usize; 2],
    pub(crate) focal: [f64; 2],
    pub(crate) centre: [f64; 2],
    /// Motion from world to camera.
    pub(crate) quaternion: [f64; 4],
    pub(crate) translation: [f64; 3],
}

/// A camera whose axes are all turned, and whose principal point is the centre.
pub(crate) const CAMERA: Pinhole = Pinhole {
    size: [160, 120],
    focal: [150.0, 150.0],
    centre: [80.0, 60.0],
    quaternion: [0.8, 0.3, -0.4, 0.33],
    translation: [0.1, -0.15, 2.5],
};
/// Another picture of each kind of number.
pub(crate) const SHIFTED: Pinhole = Pinhole {
    focal: [150.0, 190.0],
    centre: [70.0, 71.0],
    ..CAMERA
};

impl Pinhole {
    /// Rows of the rotation from world to camera.
    pub(crate) fn rotation(&self) -> [[f64; 3]; 3] {
        let length = self.quaternion.iter().map(|q| q * q).sum::<f64>().sqrt();
        let [w, x, y, z] = self.quaternion.map(|q| q / length);
        [
            [
                1.0 - 2.0 * (y * y + z * z),
                2.0 * (x * y - w * z),
                2.0 * (x * z + w * y),
            ],
            [
                2.0 * (x * y + w * z),
                1.0 - 2.0 * (x * x + z * z),
                2.0 * (y * z - w * x),
            ],
            [
                2.0 * (x * z - w * y),
                2.0 * (y * z + w * x),
                1.0 - 2.0 * (x * x + y * y),
            ],
        ]
    }

    /// The place of the camera in the world.
    pub(crate) fn eye(&self) -> [f64; 3] {
        let (r, t) = (self.rotation(), self.translation);
        [0, 1, 2].map(|k| -(r[0][k] * t[0] + r[1][k] * t[1] + r[2][k] * t[2]))
    }

    /// Where a point of the world is in the picture, px.
    pub(crate) fn project(&self, point: [f64; 3]) -> [f64; 2] {
        let (r, t) = (self.rotation(), self.translation);
        let [x, y, z] =
            [0, 1, 2].map(|k| r[k][0] * point[0] + r[k][1] * point[1] + r[k][2] * point[2] + t[k]);
        [
            self.focal[0] * x / z + self.centre[0],
            self.focal[1] * y / z + self.centre[1],
        ]
    }

    /// Rows from camera to world, with axes right, up, backward.
    pub(crate) fn opengl(&self) -> Vec<Vec<f64>> {
        let (r, eye) = (self.rotation(), self.eye());
        let row = |k: usize| vec![r[0][k], -r[1][k], -r[2][k], eye[k]];
        vec![row(0), row(1), row(2), vec![0.0, 0.0, 0.0, 1.0]]
    }

    pub(crate) fn transforms(&self) -> Value {
        let ([w, h], [fx, fy], [cx, cy]) = (self.size, self.focal, self.centre);
        json!({
            "w": w, "h": h, "fl_x": fx, "fl_y": fy, "cx": cx, "cy": cy,
            "k1": 0, "p2": 0.0, "camera_model": "OPENCV",
            "frames": [{"file_path": "a.png", "transform_matrix": self.opengl()}],
        })
    }

    /// Has no principal point.
    pub(crate) fn trained(&self) -> Value {
        let ([w, h], [fx, fy], r) = (self.size, self.focal, self.rotation());
        let row = |k: usize| vec![r[0][k], r[1][k], r[2][k]];
        json!([{
            "id": 0, "img_name": "a", "width": w, "height": h, "fx": fx, "fy": fy,
            "position": self.eye(), "rotation": [row(0), row(1), row(2)],
        }])
    }

    pub(crate) fn colmap_text(&self) -> [String; 2] {
        let ([w, h], [fx, fy], [cx, cy]) = (self.size, self.focal, self.centre);
        let ([qw, qx, qy, qz], [tx, ty, tz]) = (self.quaternion, self.translation);
        let cameras = format!("# cameras\n\n7 PINHOLE {w} {h} {fx} {fy} {cx} {cy}\n");
        let images = format!(
            "# images\r\n1 {qw} {qx} {qy} {qz} {tx} {ty} {tz} 7 a b.png\n\n\
             2 {qw} {qx} {qy} {qz} {tx} {ty} {tz} 7 c.png\n1.5 2.5 -1 3 4 9\n"
        );
        [cameras, images]
    }

    pub(crate) fn colmap_binary(&self) -> [Vec<u8>; 2] {
        let (mut cameras, mut images) = (Vec::new(), Vec::new());
        cameras.extend(1_u64.to_le_bytes());
        cameras.extend([7_u32, 1].map(u32::to_le_bytes).as_flattened());
        cameras.extend(
            self.size
                .map(|side| (side as u64).to_le_bytes())
                .as_flattened(),
        );
        for number in self.focal.into_iter().chain(self.centre) {
            cameras.extend(number.to_le_bytes());
        }
        images.extend(2_u64.to_le_bytes());
        for points in [0_u64, 2] {
            images.extend(1_u32.to_le_bytes());
            for number in self.quaternion.into_iter().chain(self.translation) {
                images.extend(number.to_le_bytes());
            }
            images.extend(7_u32.to_le_bytes());
            images.extend(b"a b.png\0");
            images.extend(points.to_le_bytes());
            images.extend(vec![0; points as usize * 24]);
        }
        [cameras, images]
    }
}

/// Folders with the files of cameras.
pub(crate) struct Folder(pub(crate) TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        let folder = path.parent().expect("it is in the folder");
        fs::create_dir_all(folder).expect("the folder is writable");
        fs::write(&path, bytes).expect("the folder is writable");
        path
    }

    pub(crate) fn colmap_text(&self, name: &str, [cameras, images]: [String; 2]) -> PathBuf {
        self.write(&format!("{name}/cameras.txt"), cameras);
        self.write(&format!("{name}/images.txt"), images);
        self.0.path().join(name)
    }

    pub(crate) fn colmap_binary(&self, name: &str, [cameras, images]: [Vec<u8>; 2]) -> PathBuf {
        self.write(&format!("{name}/cameras.bin"), cameras);
        self.write(&format!("{name}/images.bin"), images);
        self.0.path().join(name)
    }

    /// Renders a scene with the arguments `more`, and returns the first picture.
    pub(crate) fn view(&self, scene: &[u8], more: &[&str]) -> RgbImage {
        let (path, out) = (self.write("scene.ply", scene), self.0.path().join("out"));
        let output = run(
            "view_scene",
            &[&[text(&path), "--out", text(&out)], more].concat(),
        );
        assert!(output.status.success(), "{output:?}");
        let picture = image::open(out.join("view_00.png"));
        picture.expect("the picture is whole").into_rgb8()
    }
}
