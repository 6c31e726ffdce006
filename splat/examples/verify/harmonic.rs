//! Scenes with spherical harmonics as colours. The features depend on the camera, so that every
//! image is a separate render.

use splat::sh::{self, Harmonics, HarmonicsGradient};
use splat::{Camera, CpuScalar, Gradients, Image, RenderError, Scene, Views};

use crate::computed::{Computed, Inputs, four_by_four};
use crate::dims::STORED_HARMONICS;
use crate::reference::Reference;

/// One image of a scene with harmonics.
struct Picture<'a, T> {
    inputs: &'a Inputs<'a, T>,
    image: usize,
    scene: usize,
    camera: Camera,
    harmonics: Harmonics<'a, T>,
}

/// An image, and its gradients if the file has gradients.
type Rendered<T> = (Image<Vec<T>>, Option<Gradients<Vec<T>>>);

/// Renders every image and computes the gradients.
pub(crate) fn images<T: CpuScalar>(
    inputs: &Inputs<'_, T>,
    reference: &Reference,
    degree: u32,
    coefficients: &[T],
    computed: &mut Computed,
) -> Result<(), RenderError> {
    let (n, channels) = (inputs.dims.gaussians, inputs.dims.channels);
    let per_scene = n * STORED_HARMONICS * channels;
    for (image, (&scene, &camera)) in reference
        .scene_of_image
        .iter()
        .zip(&reference.cameras)
        .enumerate()
    {
        let picture = Picture {
            inputs,
            image,
            scene,
            camera,
            harmonics: Harmonics {
                degree,
                means: &inputs.means[scene * n * 3..(scene + 1) * n * 3],
                coefficients: &coefficients[scene * per_scene..(scene + 1) * per_scene],
                stored: STORED_HARMONICS,
                channels,
            },
        };
        picture.by_transpose(computed)?;
        picture.by_general_inverse(computed)?;
    }
    Ok(())
}

impl<T: CpuScalar> Picture<'_, T> {
    /// Renders the image with the given features. Also computes the gradients with respect to every
    /// input except the harmonics.
    fn render(&self, features: &[T], features_only: bool) -> Result<Rendered<T>, RenderError> {
        let inputs = self.inputs;
        let dims = inputs.dims;
        let images = self.image..self.image + 1;
        let scene = Scene {
            gaussians: inputs.gaussians(&(self.scene..self.scene + 1), features),
            views: &Views::single(dims.width, dims.height, self.camera, dims.gaussians),
            backgrounds: inputs.backgrounds(&images),
        };
        let v_image = inputs.v_image(&images, features_only);
        let v_images: Vec<_> = v_image.into_iter().collect();
        let (image, mut gradients) = inputs.renderer.render(&scene, inputs.config, &v_images)?;
        Ok((image, gradients.pop()))
    }

    /// Adds the outputs and gradients for a camera centre computed as `-R^T t`.
    fn by_transpose(&self, computed: &mut Computed) -> Result<(), RenderError> {
        let colours = sh::features(self.harmonics, &self.camera)?;
        computed.add("out_colours", self.image, &colours);
        for (prefix, features_only) in [("grad", false), ("grad_image_only", true)] {
            let (image, gradients) = self.render(&colours, features_only)?;
            if !features_only {
                computed.add_outputs(self.image, &image);
            }
            let Some(v) = gradients else { continue };
            let by_harmonics =
                sh::features_vjp(self.harmonics, &self.camera, &v.gaussians.features)?;
            computed.add_gradients(prefix, self.scene, self.image, &v);
            if !features_only {
                computed.add_gradients("grad_detached_dirs", self.scene, self.image, &v);
            }
            self.add_harmonics(prefix, &by_harmonics, computed);
        }
        Ok(())
    }

    fn add_harmonics(&self, prefix: &str, v: &HarmonicsGradient<T>, computed: &mut Computed) {
        computed.add(&format!("{prefix}.means"), self.scene, &v.means);
        computed.add(&format!("{prefix}.sh_coeffs"), self.scene, &v.coefficients);
        let pose = four_by_four(v.camera_from_world.as_flattened());
        computed.add(&format!("{prefix}.viewmat"), self.image, &pose);
    }

    /// Adds the gradient with respect to the pose for a camera centre `c` computed from the inverse
    /// of the whole 4 x 4 matrix `V`: `(c, 1) = V^-1 e_4`. All entries of `V` are independent.
    ///
    /// The code replaces the camera by one without rotation and with translation `-c`, which has
    /// the same centre. The gradient with respect to that translation is `-v_c`. It follows that
    /// `v_V = -V^-T (v_c, 0) (c, 1)^T`. With `v_t = -R^-T v_c`, the upper rows of `v_V` are
    /// `v_t (c, 1)^T`. The last row is `-(c . v_c) (c, 1)`. In all other gradients the last row is
    /// zero.
    fn by_general_inverse(&self, computed: &mut Computed) -> Result<(), RenderError> {
        let inverse = inverse(&self.camera.camera_from_world);
        let shift = self.camera.camera_from_world.map(|row| row[3]);
        let centre: [f64; 3] = std::array::from_fn(|i| -dot(inverse[i], shift));
        let [x, y, z] = centre;
        let stand_in = self.camera.with_pose([
            [1.0, 0.0, 0.0, -x],
            [0.0, 1.0, 0.0, -y],
            [0.0, 0.0, 1.0, -z],
        ]);
        let colours = sh::features(self.harmonics, &stand_in)?;
        let (_, Some(v)) = self.render(&colours, false)? else {
            return Ok(());
        };
        let by_harmonics = sh::features_vjp(self.harmonics, &stand_in, &v.gaussians.features)?;
        let minus_v_centre = by_harmonics.camera_from_world.map(|row| row[3].to_f64());
        let turned = |i: usize| dot(inverse.map(|row| row[i]), minus_v_centre);
        let factors = [turned(0), turned(1), turned(2), dot(centre, minus_v_centre)];
        let viewmat = factors.map(|factor| [factor * x, factor * y, factor * z, factor]);
        let name = "grad_general_inverse.viewmat";
        computed.add(name, self.image, &four_by_four(&v.camera_from_world));
        computed.add(name, self.image, viewmat.as_flattened());
        Ok(())
    }
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|i| {
        let (j, k) = ((i + 1) % 3, (i + 2) % 3);
        a[j] * b[k] - a[k] * b[j]
    })
}

/// Computes the inverse of the left 3 x 3 block of a pose from its cofactors. For a singular block
/// the result is not finite.
fn inverse(pose: &[[f64; 4]; 3]) -> [[f64; 3]; 3] {
    let [a, b, c] = pose.map(|row| [row[0], row[1], row[2]]);
    let columns = [cross(b, c), cross(c, a), cross(a, b)];
    let determinant = dot(a, columns[0]);
    std::array::from_fn(|i| std::array::from_fn(|j| columns[j][i] / determinant))
}
