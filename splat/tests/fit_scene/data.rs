//! A small data set that `view_scene` writes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use splat::io::{Colours, Format, StoredScene};
use tempfile::TempDir;

use crate::{run, text};

/// Number of Gaussians of the scene.
const COUNT: usize = 160;

/// A folder with a data set, and room for the output of programs.
pub(crate) struct Data {
    folder: TempDir,
}

impl Data {
    /// Renders 16 pictures of a ball of coloured Gaussians.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let scene = folder.path().join("scene.ply");
        splat::io::write(&scene, &ball(), Format::Ply).expect("a file");
        let data = Self { folder };
        let output = run(
            "view_scene",
            &[
                text(&scene),
                "--views",
                "16",
                "--size",
                "48x36",
                "--transforms",
                "--points",
                "40",
                "--out",
                text(&data.pictures()),
            ],
        );
        assert!(output.status.success(), "{output:?}");
        data
    }

    /// The folder of the pictures.
    pub(crate) fn pictures(&self) -> PathBuf {
        self.path("pictures")
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Changes the file of the cameras.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Value)) {
        let path = self.pictures().join("transforms.json");
        let mut value = json(&path);
        change(&mut value);
        fs::write(path, value.to_string()).expect("a file");
    }

    /// Runs `fit_scene` and asserts that it succeeds. Returns its standard output.
    #[track_caller]
    pub(crate) fn fit(&self, out: &str, more: &[&str]) -> String {
        let (pictures, out) = (self.pictures(), self.path(out));
        let output = run(
            "fit_scene",
            &[&[text(&pictures), "--out", text(&out)], more].concat(),
        );
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("a file")).expect("JSON")
}

/// Returns Gaussians on a ball of radius 1. Their colours follow their places.
fn ball() -> StoredScene {
    let (mut means, mut colours) = (Vec::new(), Vec::new());
    for i in 0..COUNT {
        // A spiral from pole to pole, whose turns are a golden angle apart.
        let z = 1.0 - (2 * i + 1) as f32 / COUNT as f32;
        let (sin, cos) = (2.399_963_2 * i as f32).sin_cos();
        let r = (1.0 - z * z).sqrt();
        let mean = [r * cos, z, r * sin];
        means.extend(mean);
        colours.extend(mean.map(|x| 0.5 + 0.4 * x));
    }
    StoredScene::new(
        means,
        vec![0.12; 3 * COUNT],
        [1.0, 0.0, 0.0, 0.0].repeat(COUNT),
        vec![0.95; COUNT],
        Colours::Constant(colours),
    )
    .expect("lengths fit")
}
