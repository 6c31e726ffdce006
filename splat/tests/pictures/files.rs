//! Generated inputs for the examples.

use std::fmt::Write;

use image::RgbImage;

/// Returns a smooth picture with one edge.
pub(crate) fn photo() -> RgbImage {
    RgbImage::from_fn(48, 40, |x, y| {
        let side = if x + y < 44 { 60 } else { 180 };
        image::Rgb([side, (4 * x) as u8, (5 * y) as u8])
    })
}

/// Returns a scene of `count` orange Gaussians on a ball, in the file format of 3DGS. It has `rest`
/// coefficients `f_rest_*`, all zero.
pub(crate) fn scene(count: usize, rest: usize) -> Vec<u8> {
    let mut names: Vec<String> = ["x", "y", "z", "f_dc_0", "f_dc_1", "f_dc_2"]
        .map(String::from)
        .into();
    names.extend((0..rest).map(|i| format!("f_rest_{i}")));
    names.push("opacity".to_owned());
    names.extend((0..3).map(|i| format!("scale_{i}")));
    names.extend((0..4).map(|i| format!("rot_{i}")));
    let mut header = format!("ply\nformat binary_little_endian 1.0\nelement vertex {count}\n");
    for name in names {
        writeln!(header, "property float {name}").expect("a string takes everything");
    }
    header.push_str("end_header\n");
    let mut file = header.into_bytes();
    for i in 0..count {
        file.extend(vertex(i, rest));
    }
    file
}

/// Returns Gaussian `i` of the scene, on a spiral around the ball.
fn vertex(i: usize, rest: usize) -> Vec<u8> {
    let (turn, height) = (2.4 * i as f32, ((i * 7) % 101) as f32 / 50.5 - 1.0);
    let radius = (1.0 - height * height).max(0.0).sqrt();
    let mut values = vec![radius * turn.cos(), height, radius * turn.sin()];
    // 0.5 + 0.282 dc: red 1, green 0.5, blue 0.
    values.extend([1.772, 0.0, -1.772]);
    values.extend(std::iter::repeat_n(0.0, rest));
    // Opacity 0.98, standard deviation 0.2.
    values.extend([4.0, -1.6, -1.6, -1.6, 1.0, 0.0, 0.0, 0.0]);
    values.iter().flat_map(|x: &f32| x.to_le_bytes()).collect()
}

/// Returns a red, a green and a blue Gaussian, in the file format of 3DGS, as text. Their standard
/// deviation is 0.05. All lengths are multiplied by `unit`.
pub(crate) fn ball_scene(centres: [[f64; 3]; 3], unit: f64) -> Vec<u8> {
    let mut file = "ply\nformat ascii 1.0\nelement vertex 3\n".to_owned();
    for name in ["x", "y", "z"] {
        writeln!(file, "property double {name}").expect("a string takes everything");
    }
    let names = "f_dc_0 f_dc_1 f_dc_2 opacity scale_0 scale_1 scale_2 rot_0 rot_1 rot_2 rot_3";
    for name in names.split(' ') {
        writeln!(file, "property float {name}").expect("a string takes everything");
    }
    file.push_str("end_header\n");
    for (channel, centre) in centres.into_iter().enumerate() {
        let [x, y, z] = centre.map(|x| x * unit);
        let mut dc = [-1.772_453_9; 3];
        dc[channel] = 1.772_453_9;
        let ([r, g, b], log) = (dc, (0.05 * unit).ln());
        writeln!(file, "{x} {y} {z} {r} {g} {b} 4 {log} {log} {log} 1 0 0 0")
            .expect("a string takes everything");
    }
    file.into_bytes()
}
