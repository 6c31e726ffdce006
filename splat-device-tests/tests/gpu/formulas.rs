//! The formulas as device code. One launch computes the projection and its vjp, and the results are
//! compared with the same functions on the host.

use cubecl::prelude::*;
use cubecl_wgpu::{WgpuDevice, WgpuRuntime};
use libtest_mimic::Failed;
use splat::formulas::single::{Real, binning, composite, project};
use splat::formulas::{
    CameraParams, GaussianShape, Mat3, Moments, ProjectConstants, Quaternion, Splat, Sym2, Vec2,
    Vec3,
};
use splat::{Camera, Projection};

/// Greatest difference between device and host, relative to the largest value of a row. It
/// corresponds to a few roundings of `f32` in another order.
const DEVICE_TOLERANCE: f32 = 1e-5;

/// Values per Gaussian: mean 3, scale 3, quaternion 4, opacity 1.
const GAUSSIAN: usize = 11;
/// Values of the camera: rotation 9, translation 3, fx fy cx cy, near far, tangents 4, two flags,
/// corner 2.
const CAMERA: usize = 26;
/// Values of a result: splat 7, its extents 2, the gradient with respect to the Gaussian 11 and to
/// the translation 3, sigma 1, and the vjp of sigma 2.
const OUT: usize = 26;

#[cube]
fn vec3_at(x: &Array<f32>, at: usize) -> Vec3<f32> {
    Vec3::<Real> {
        x: x[at],
        y: x[at + 1],
        z: x[at + 2],
    }
}

#[cube]
fn camera_from(x: &Array<f32>) -> CameraParams<f32> {
    CameraParams::<Real> {
        rotation: Mat3::<Real> {
            r0: vec3_at(x, 0),
            r1: vec3_at(x, 3),
            r2: vec3_at(x, 6),
        },
        translation: vec3_at(x, 9),
        fx: x[12],
        fy: x[13],
        cx: x[14],
        cy: x[15],
        near: x[16],
        far: x[17],
        tan_x_min: x[18],
        tan_x_max: x[19],
        tan_y_min: x[20],
        tan_y_max: x[21],
        perspective_centre: x[22] > 0.5,
        perspective_footprint: x[23] > 0.5,
        left: x[24],
        top: x[25],
    }
}

/// One thread per Gaussian.
#[cube(launch)]
fn project_kernel(gaussians: &Array<f32>, camera: &Array<f32>, out: &mut Array<f32>) {
    let i = ABSOLUTE_POS;
    if i * 11 < gaussians.len() {
        let at = i * 11;
        let shape = GaussianShape::<Real> {
            mean: vec3_at(gaussians, at),
            scale: vec3_at(gaussians, at + 3),
            quaternion: Quaternion::<Real> {
                w: gaussians[at + 6],
                x: gaussians[at + 7],
                y: gaussians[at + 8],
                z: gaussians[at + 9],
            },
            opacity: gaussians[at + 10],
        };
        let params = camera_from(camera);
        let constants = ProjectConstants::<Real> {
            blur: 0.3,
            compensation_floor: 2.5e-5,
            antialias: camera[26] > 0.5,
        };
        let footprint = project::footprint(shape, params, constants);
        let splat = project::splat(shape, footprint, params, constants);
        let extents = binning::extents(footprint.covariance, 3.0);
        let v_splat = Splat::<Real> {
            mean: Vec2::<Real> { x: 0.5, y: -0.25 },
            conic: Sym2::<Real> {
                xx: 0.75,
                xy: -1.0,
                yy: 0.3,
            },
            opacity: 1.5,
            depth: -0.6,
        };
        let v = project::splat_vjp(shape, params, constants, v_splat);
        let d = Vec2::<Real> { x: 0.7, y: -1.2 };
        let zero = Moments::<Real> {
            one: 0.0,
            x: 0.0,
            y: 0.0,
            xx: 0.0,
            xy: 0.0,
            yy: 0.0,
        };
        let by_sigma = composite::sigma_vjp(splat.conic, composite::add_moments(zero, d, 1.0));
        let to = i * 26;
        out[to] = splat.mean.x;
        out[to + 1] = splat.mean.y;
        out[to + 2] = splat.conic.xx;
        out[to + 3] = splat.conic.xy;
        out[to + 4] = splat.conic.yy;
        out[to + 5] = splat.opacity;
        out[to + 6] = splat.depth;
        out[to + 7] = extents.x;
        out[to + 8] = extents.y;
        out[to + 9] = v.gaussian.mean.x;
        out[to + 10] = v.gaussian.mean.y;
        out[to + 11] = v.gaussian.mean.z;
        out[to + 12] = v.gaussian.scale.x;
        out[to + 13] = v.gaussian.scale.y;
        out[to + 14] = v.gaussian.scale.z;
        out[to + 15] = v.gaussian.quaternion.w;
        out[to + 16] = v.gaussian.quaternion.x;
        out[to + 17] = v.gaussian.quaternion.y;
        out[to + 18] = v.gaussian.quaternion.z;
        out[to + 19] = v.gaussian.opacity;
        out[to + 20] = v.camera.translation.x;
        out[to + 21] = v.camera.translation.y;
        out[to + 22] = v.camera.translation.z;
        out[to + 23] = composite::sigma(splat.conic, d);
        out[to + 24] = by_sigma.mean.x;
        out[to + 25] = by_sigma.mean.y;
    }
}

/// Computes the results of [`project_kernel`] on the host, for one Gaussian.
fn on_host(g: &[f32], params: CameraParams<f32>, antialias: bool) -> [f32; OUT] {
    let shape = GaussianShape {
        mean: Vec3 {
            x: g[0],
            y: g[1],
            z: g[2],
        },
        scale: Vec3 {
            x: g[3],
            y: g[4],
            z: g[5],
        },
        quaternion: Quaternion {
            w: g[6],
            x: g[7],
            y: g[8],
            z: g[9],
        },
        opacity: g[10],
    };
    let constants = ProjectConstants {
        blur: 0.3,
        compensation_floor: 2.5e-5,
        antialias,
    };
    let footprint = project::footprint(shape, params, constants);
    let s = project::splat(shape, footprint, params, constants);
    let e = binning::extents(footprint.covariance, 3.0);
    let v_splat = Splat {
        mean: Vec2 { x: 0.5, y: -0.25 },
        conic: Sym2 {
            xx: 0.75,
            xy: -1.0,
            yy: 0.3,
        },
        opacity: 1.5,
        depth: -0.6,
    };
    let v = project::splat_vjp(shape, params, constants, v_splat);
    let (vg, t) = (v.gaussian, v.camera.translation);
    let d = Vec2 { x: 0.7, y: -1.2 };
    let by_sigma =
        composite::sigma_vjp(s.conic, composite::add_moments(Moments::default(), d, 1.0)).mean;
    let (q, sigma) = (vg.quaternion, composite::sigma(s.conic, d));
    [
        s.mean.x, s.mean.y, s.conic.xx, s.conic.xy, s.conic.yy, s.opacity, s.depth, e.x, e.y,
        vg.mean.x, vg.mean.y, vg.mean.z, vg.scale.x, vg.scale.y, vg.scale.z, q.w, q.x, q.y, q.z,
        vg.opacity, t.x, t.y, t.z, sigma, by_sigma.x, by_sigma.y,
    ]
}

fn camera_row(p: &CameraParams<f32>, antialias: bool) -> Vec<f32> {
    let rows = [p.rotation.r0, p.rotation.r1, p.rotation.r2, p.translation];
    let flag = |on: bool| f32::from(u8::from(on));
    let mut row: Vec<f32> = rows.iter().flat_map(|r| [r.x, r.y, r.z]).collect();
    row.extend([
        p.fx,
        p.fy,
        p.cx,
        p.cy,
        p.near,
        p.far,
        p.tan_x_min,
        p.tan_x_max,
        p.tan_y_min,
        p.tan_y_max,
    ]);
    row.extend([flag(p.perspective_centre), flag(p.perspective_footprint)]);
    row.extend([p.left, p.top]);
    assert_eq!(row.len(), CAMERA, "the layout of the camera");
    row.push(flag(antialias));
    row
}

/// Returns Gaussians of various shapes in front of the camera, from a quasi-random sequence.
fn gaussians(count: usize) -> Vec<f32> {
    let number = |i: usize| ((i as f32 + 1.0) * 0.618_034).fract() * 2.0 - 1.0;
    (0..count)
        .flat_map(|i| {
            let n = |k: usize| number(i * GAUSSIAN + k);
            let deviation = |k: usize| 0.05 + 0.4 * n(k).abs();
            [
                n(0),
                n(1),
                n(2),
                deviation(3),
                deviation(4),
                deviation(5),
                1.2,
                n(7),
                n(8),
                n(9),
                0.5 + 0.4 * n(10),
            ]
        })
        .collect()
}

pub fn device_formulas_equal_host_formulas(
    projection: Projection,
    antialias: bool,
) -> Result<(), Failed> {
    const COUNT: usize = 100;
    let pose = [
        [0.96, -0.28, 0.0, 0.1],
        [0.28, 0.96, 0.0, -0.05],
        [0.0, 0.0, 1.0, 4.0],
    ];
    let mut camera = Camera::new(projection, 40.0, 44.0, 20.0, 16.0).with_pose(pose);
    // The view is a part of the camera's image.
    (camera.corner, camera.whole) = ([3, 5], Some([50, 36]));
    let params = camera.params::<f32>(40, 30);
    let input = gaussians(COUNT);
    let client = WgpuRuntime::client(&WgpuDevice::default());
    let upload = |x: &[f32]| client.create_from_slice(f32::as_bytes(x));
    let row = camera_row(&params, antialias);
    let (gaussian_buffer, camera_buffer) = (upload(&input), upload(&row));
    let out = client.empty(COUNT * OUT * size_of::<f32>());
    // SAFETY: each handle holds `len` elements.
    let array = |handle: &cubecl::server::Handle, len| unsafe {
        ArrayArg::from_raw_parts(handle.clone(), len)
    };
    project_kernel::launch::<WgpuRuntime>(
        &client,
        CubeCount::Static(COUNT.div_ceil(32) as u32, 1, 1),
        CubeDim::new_1d(32),
        array(&gaussian_buffer, input.len()),
        array(&camera_buffer, row.len()),
        array(&out, COUNT * OUT),
    );
    let bytes = client.read_one(out).map_err(|error| format!("{error:?}"))?;
    for (i, device) in f32::from_bytes(&bytes).chunks_exact(OUT).enumerate() {
        let host = on_host(&input[i * GAUSSIAN..(i + 1) * GAUSSIAN], params, antialias);
        let scale = host.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        for (k, (a, b)) in device.iter().zip(&host).enumerate() {
            // `close` is false for NaN.
            let close = (a - b).abs() <= DEVICE_TOLERANCE * scale;
            if !close {
                return Err(format!("Gaussian {i}, number {k}: device {a}, host {b}").into());
            }
        }
    }
    Ok(())
}
