//! Layout of the table of views, one row per view. The projection's vjp appends lists that its
//! kernels read (see `backward.rs`).
//!
//! The host writes the rows and kernels read them. Both use the word offsets defined here.

use cubecl::prelude::*;

use crate::error::{RenderError, checked_product, try_filled};
use crate::formulas::single::Real;
use crate::math::{Mat3, Vec3};
use crate::project::CameraParams;
use crate::views::Views;

/// Index of the view's first splat.
const FIRST_SPLAT: u32 = 0;
/// Index of the view's first Gaussian.
const FIRST_GAUSSIAN: u32 = 1;
/// Number of the view's Gaussians.
const COUNT: u32 = 2;
/// Rows of the camera's rotation.
const ROTATION: [u32; 3] = [3, 6, 9];
const TRANSLATION: u32 = 12;
const FX: u32 = 15;
const FY: u32 = 16;
const CX: u32 = 17;
const CY: u32 = 18;
const NEAR: u32 = 19;
const FAR: u32 = 20;
const TAN_X_MIN: u32 = 21;
const TAN_X_MAX: u32 = 22;
const TAN_Y_MIN: u32 = 23;
const TAN_Y_MAX: u32 = 24;
/// Both flags are integers, 0 or 1.
const PERSPECTIVE_CENTRE: u32 = 25;
const PERSPECTIVE_FOOTPRINT: u32 = 26;
const LEFT: u32 = 27;
const TOP: u32 = 28;

/// Words per view.
const VIEW: u32 = 29;

/// Words per grain: its view, and its first splat within the view.
const GRAIN: u32 = 2;

/// Returns the rows of `views`. The splats of view `b` begin at `offsets[b]`.
pub(crate) fn view_table(views: &Views, offsets: &[usize]) -> Result<Vec<u32>, RenderError> {
    let words = checked_product("table of views", &[views.len(), VIEW as usize])?;
    let mut table = try_filled("table of views", words, 0u32)?;
    let rows = table.chunks_exact_mut(VIEW as usize);
    for (view, row) in rows.enumerate() {
        let range = &views.ranges[view];
        row[FIRST_SPLAT as usize] = offsets[view] as u32;
        row[FIRST_GAUSSIAN as usize] = range.start as u32;
        row[COUNT as usize] = range.len() as u32;
        set_camera(row, &views.cameras[view].params(views.width, views.height));
    }
    Ok(table)
}

/// Writes the camera of one row.
fn set_camera(row: &mut [u32], camera: &CameraParams<f32>) {
    let rotation = camera.rotation;
    for (at, v) in [
        (ROTATION[0], rotation.r0),
        (ROTATION[1], rotation.r1),
        (ROTATION[2], rotation.r2),
        (TRANSLATION, camera.translation),
    ] {
        let words = [v.x, v.y, v.z].map(f32::to_bits);
        row[at as usize..][..words.len()].copy_from_slice(&words);
    }
    for (at, x) in [
        (FX, camera.fx),
        (FY, camera.fy),
        (CX, camera.cx),
        (CY, camera.cy),
        (NEAR, camera.near),
        (FAR, camera.far),
        (TAN_X_MIN, camera.tan_x_min),
        (TAN_X_MAX, camera.tan_x_max),
        (TAN_Y_MIN, camera.tan_y_min),
        (TAN_Y_MAX, camera.tan_y_max),
        (LEFT, camera.left),
        (TOP, camera.top),
    ] {
        row[at as usize] = x.to_bits();
    }
    row[PERSPECTIVE_CENTRE as usize] = u32::from(camera.perspective_centre);
    row[PERSPECTIVE_FOOTPRINT as usize] = u32::from(camera.perspective_footprint);
}

/// Appends a grain of view `view`. Its first splat is splat `first` of the view.
pub(crate) fn push_grain(table: &mut Vec<u32>, view: usize, first: usize) {
    table.extend([view as u32, first as u32]);
}

/// A run of consecutive splats of one view.
#[derive(CubeType, Clone, Copy)]
pub(crate) struct Grain {
    pub(crate) view: u32,
    /// Index of the first splat, counted within the view.
    pub(crate) first: u32,
}

/// Reads grain `i`. The grains begin at word `grains`.
#[cube]
pub(crate) fn grain_of(views: &Array<u32>, grains: u32, i: u32) -> Grain {
    let at = grains + GRAIN * i;
    Grain {
        view: views[at as usize],
        first: views[(at + 1) as usize],
    }
}

#[cube]
fn number(views: &Array<u32>, at: u32) -> f32 {
    f32::reinterpret(views[at as usize])
}

#[cube]
fn vec3_of_words(views: &Array<u32>, at: u32) -> Vec3<f32> {
    Vec3::<Real> {
        x: number(views, at),
        y: number(views, at + 1),
        z: number(views, at + 2),
    }
}

/// Returns the index of a view's first splat.
#[cube]
pub(crate) fn first_splat(views: &Array<u32>, view: u32) -> u32 {
    views[(view * VIEW + FIRST_SPLAT) as usize]
}

/// Returns the index of a view's first Gaussian.
#[cube]
pub(crate) fn first_gaussian(views: &Array<u32>, view: u32) -> u32 {
    views[(view * VIEW + FIRST_GAUSSIAN) as usize]
}

/// Returns the number of a view's Gaussians.
#[cube]
pub(crate) fn count_of(views: &Array<u32>, view: u32) -> u32 {
    views[(view * VIEW + COUNT) as usize]
}

/// Reads the camera of a view.
#[cube]
pub(crate) fn camera_of(views: &Array<u32>, view: u32) -> CameraParams<f32> {
    let at = view * VIEW;
    CameraParams::<Real> {
        rotation: Mat3::<Real> {
            r0: vec3_of_words(views, at + comptime!(ROTATION[0])),
            r1: vec3_of_words(views, at + comptime!(ROTATION[1])),
            r2: vec3_of_words(views, at + comptime!(ROTATION[2])),
        },
        translation: vec3_of_words(views, at + TRANSLATION),
        fx: number(views, at + FX),
        fy: number(views, at + FY),
        cx: number(views, at + CX),
        cy: number(views, at + CY),
        near: number(views, at + NEAR),
        far: number(views, at + FAR),
        tan_x_min: number(views, at + TAN_X_MIN),
        tan_x_max: number(views, at + TAN_X_MAX),
        tan_y_min: number(views, at + TAN_Y_MIN),
        tan_y_max: number(views, at + TAN_Y_MAX),
        left: number(views, at + LEFT),
        top: number(views, at + TOP),
        perspective_centre: views[(at + PERSPECTIVE_CENTRE) as usize] != 0,
        perspective_footprint: views[(at + PERSPECTIVE_FOOTPRINT) as usize] != 0,
    }
}

/// Returns the view that contains splat `m`: the last view whose first splat is `m` or a splat
/// before it.
#[cube]
pub(crate) fn view_of(views: &Array<u32>, count: u32, m: u32) -> u32 {
    let mut low = 0u32;
    let mut high = count;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if first_splat(views, middle) <= m {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every word of a row is written, and no two fields share a word. The values of the camera are
    /// distinct, so each of them must occur in the row exactly once.
    #[test]
    fn the_fields_of_a_camera_partition_its_row() {
        let vec3 = |x: f32| Vec3 {
            x,
            y: x + 1.0,
            z: x + 2.0,
        };
        let camera = CameraParams {
            rotation: Mat3 {
                r0: vec3(1.0),
                r1: vec3(4.0),
                r2: vec3(7.0),
            },
            translation: vec3(10.0),
            fx: 13.0,
            fy: 14.0,
            cx: 15.0,
            cy: 16.0,
            near: 17.0,
            far: 18.0,
            tan_x_min: 19.0,
            tan_x_max: 20.0,
            tan_y_min: 21.0,
            tan_y_max: 22.0,
            left: 26.0,
            top: 27.0,
            perspective_centre: true,
            perspective_footprint: true,
        };
        let unwritten = f32::NAN.to_bits();
        let mut row = [unwritten; VIEW as usize];
        set_camera(&mut row, &camera);
        row[FIRST_SPLAT as usize] = 23.0f32.to_bits();
        row[FIRST_GAUSSIAN as usize] = 24.0f32.to_bits();
        row[COUNT as usize] = 25.0f32.to_bits();
        let flags = row.iter().filter(|&&word| word == 1).count();
        let mut numbers: Vec<f32> = row.iter().map(|&word| f32::from_bits(word)).collect();
        numbers.sort_by(f32::total_cmp);
        let expected: Vec<f32> = (1..=27).map(|x| x as f32).collect();
        assert_eq!((flags, &numbers[2..]), (2, &expected[..]));
    }
}
