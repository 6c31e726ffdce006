//! A small generated reference file, whose values a test can change.
//!
//! Its expected values come from the `f64` render of this crate, so they check the program `verify`
//! and not the renderer.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::json;
use splat::{Gradients, Image};

use crate::inputs::{
    CHANNELS, HEIGHT, IMAGES, Inputs, SCENE_OF_IMAGE, SCENES, WIDTH, params, pose,
};

/// A tensor in memory.
#[derive(Clone)]
struct Tensor {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// A reference file in memory.
#[derive(Clone)]
pub(crate) struct ReferenceFile {
    tensors: HashMap<String, Tensor>,
    pub(crate) metadata: HashMap<String, String>,
}

impl ReferenceFile {
    /// Returns a valid file with `count` Gaussians per scene.
    pub(crate) fn new(count: usize) -> Self {
        let inputs = Inputs::new(count);
        let mut file = Self {
            tensors: HashMap::new(),
            metadata: metadata(),
        };
        file.add_inputs(&inputs);
        let (image, full, image_only) = inputs.render();
        file.add_outputs(&image);
        file.add_gradients("grad", &full, count);
        file.add_gradients("grad_image_only", &image_only, count);
        file
    }

    /// Returns the bytes of the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let views = self.tensors.iter().map(|(name, tensor)| {
            let view = TensorView::new(tensor.dtype, tensor.shape.clone(), &tensor.bytes);
            (name.clone(), view.expect("the tensor is consistent"))
        });
        serialize(views, Some(self.metadata.clone())).expect("serialises")
    }

    /// Writes the file.
    pub(crate) fn write(&self, path: &Path) {
        std::fs::write(path, self.bytes()).expect("the temporary folder is writable");
    }

    /// Removes a tensor.
    pub(crate) fn remove(&mut self, name: &str) {
        self.tensors.remove(name).expect("the tensor was there");
    }

    /// Changes the shape of a tensor, with the same number of elements.
    pub(crate) fn reshape(&mut self, name: &str, shape: &[usize]) {
        self.tensors
            .get_mut(name)
            .expect("the tensor is there")
            .shape = shape.to_vec();
    }

    /// Replaces a tensor.
    pub(crate) fn put_f64(&mut self, name: &str, shape: &[usize], values: &[f64]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.put(name, Dtype::F64, shape, bytes);
    }

    /// Replaces a tensor.
    pub(crate) fn put_f32(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.put(name, Dtype::F32, shape, bytes);
    }

    /// Replaces a tensor.
    pub(crate) fn put_i64(&mut self, name: &str, shape: &[usize], values: &[i64]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.put(name, Dtype::I64, shape, bytes);
    }

    /// Adds `change` to one element of a tensor of floats.
    pub(crate) fn shift(&mut self, name: &str, at: usize, change: f64) {
        let tensor = self.tensors.get_mut(name).expect("the tensor is there");
        if tensor.dtype == Dtype::F64 {
            let slot = tensor.bytes[8 * at..]
                .first_chunk_mut::<8>()
                .expect("the element is there");
            *slot = (f64::from_le_bytes(*slot) + change).to_le_bytes();
        } else {
            let slot = tensor.bytes[4 * at..]
                .first_chunk_mut::<4>()
                .expect("the element is there");
            *slot = (f32::from_le_bytes(*slot) + change as f32).to_le_bytes();
        }
    }

    /// Sets one tolerance of `tol_f32` or `tol_f64`.
    pub(crate) fn set_tolerance(&mut self, table: &str, key: &str, value: f64) {
        let text = self.metadata.get_mut(table).expect("the table is there");
        let mut tolerances: serde_json::Value = serde_json::from_str(text).expect("it is JSON");
        tolerances[key] = json!(value);
        *text = tolerances.to_string();
    }

    fn put(&mut self, name: &str, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        let tensor = Tensor {
            dtype,
            shape: shape.to_vec(),
            bytes,
        };
        self.tensors.insert(name.to_owned(), tensor);
    }

    fn add_inputs(&mut self, inputs: &Inputs) {
        let n = inputs.count;
        self.put_f32("means", &[SCENES, n, 3], &inputs.means);
        self.put_f32("scales", &[SCENES, n, 3], &inputs.scales);
        self.put_f32("quats", &[SCENES, n, 4], &inputs.quaternions);
        self.put_f32("opacities", &[SCENES, n], &inputs.opacities);
        self.put_f32("features", &[SCENES, n, CHANNELS], &inputs.features);
        self.put_f32("background", &[IMAGES, CHANNELS], &inputs.backgrounds);
        let viewmats: Vec<f32> = (0..IMAGES).flat_map(|image| pose(image).concat()).collect();
        self.put_f32("viewmat", &[IMAGES, 4, 4], &viewmats);
        self.put_f32(
            "intrinsics",
            &[IMAGES, 4],
            &[18.0, 17.0, 10.0, 7.5].repeat(IMAGES),
        );
        self.put_i64(
            "scene_of_image",
            &[IMAGES],
            &SCENE_OF_IMAGE.map(|scene| scene as i64),
        );
        self.put_f64("params", &[12], &params());
        let plane = [IMAGES, HEIGHT, WIDTH];
        self.put_f32(
            "ct_image",
            &[IMAGES, HEIGHT, WIDTH, CHANNELS],
            &inputs.ct_image,
        );
        self.put_f32("ct_alpha", &plane, &inputs.ct_alpha);
        self.put_f32("ct_depth", &plane, &inputs.ct_depth);
    }

    fn add_outputs(&mut self, image: &Image<Vec<f64>>) {
        let plane = [IMAGES, HEIGHT, WIDTH];
        let transmittance = image.transmittance.as_ref().expect("it was asked for");
        let alpha: Vec<f64> = transmittance.iter().map(|t| 1.0 - t).collect();
        self.put_f64(
            "out_image",
            &[IMAGES, HEIGHT, WIDTH, CHANNELS],
            &image.features,
        );
        self.put_f64("out_alpha", &plane, &alpha);
        self.put_f64(
            "out_depth",
            &plane,
            image.depth.as_ref().expect("it was asked for"),
        );
    }

    fn add_gradients(&mut self, prefix: &str, v: &Gradients<Vec<f64>>, n: usize) {
        let name = |of: &str| format!("{prefix}.{of}");
        self.put_f64(&name("means"), &[SCENES, n, 3], &v.gaussians.means);
        self.put_f64(&name("scales"), &[SCENES, n, 3], &v.gaussians.scales);
        self.put_f64(&name("quats"), &[SCENES, n, 4], &v.gaussians.quaternions);
        self.put_f64(&name("opacities"), &[SCENES, n], &v.gaussians.opacities);
        self.put_f64(
            &name("features"),
            &[SCENES, n, CHANNELS],
            &v.gaussians.features,
        );
        self.put_f64(&name("background"), &[IMAGES, CHANNELS], &v.backgrounds);
        let poses = v.camera_from_world.chunks_exact(12);
        let viewmats: Vec<f64> = poses.flat_map(|pose| [pose, &[0.0; 4]].concat()).collect();
        self.put_f64(&name("viewmat"), &[IMAGES, 4, 4], &viewmats);
    }
}

fn metadata() -> HashMap<String, String> {
    let table = |image: f64, gradient: f64, row: f64| {
        let mut table = json!({ "image": image, "alpha": image, "depth": gradient });
        for of in ["means", "scales", "quats", "opacities", "features"] {
            table[format!("grad.{of}")] = json!(gradient);
            table[format!("row.{of}")] = json!(row);
        }
        table["grad.background"] = json!(gradient);
        table["grad.viewmat"] = json!(gradient);
        table.to_string()
    };
    HashMap::from([
        ("tol_f32".to_owned(), table(2e-5, 1e-4, 5e-4)),
        ("tol_f64".to_owned(), table(1e-11, 1e-11, 1e-11)),
    ])
}
