//! Tests of `is_sound`, which culls Gaussians before the test of their boxes.

use splat::Camera;
use splat::formulas::double::project::{footprint, is_sound, splat as splat_of};
use splat::formulas::{
    CameraParams, Footprint, GaussianShape, ProjectConstants, Quaternion, Splat, Vec3,
};

const ALPHA_MIN: f64 = 0.25;

/// The arguments of `is_sound`.
#[derive(Clone, Copy)]
struct Seen {
    shape: GaussianShape<f64>,
    footprint: Footprint<f64>,
    splat: Splat<f64>,
    camera: CameraParams<f64>,
}

impl Seen {
    /// Returns the arguments for a valid Gaussian two units in front of the camera.
    fn new() -> Self {
        let shape = GaussianShape {
            mean: Vec3 {
                x: 0.1,
                y: -0.2,
                z: 2.0,
            },
            scale: Vec3 {
                x: 0.2,
                y: 0.3,
                z: 0.1,
            },
            quaternion: Quaternion {
                w: 1.0,
                x: 0.5,
                y: -0.5,
                z: 0.25,
            },
            opacity: 0.5,
        };
        let camera = Camera::pinhole(32.0, 36.0, 16.0, 12.0).with_depth_range(1.0, 4.0);
        let camera = camera.params(32, 24);
        let constants = ProjectConstants {
            blur: 0.3,
            compensation_floor: 2.5e-5,
            antialias: false,
        };
        let footprint = footprint(shape, camera, constants);
        Self {
            shape,
            footprint,
            splat: splat_of(shape, footprint, camera, constants),
            camera,
        }
    }

    fn passes(&self) -> bool {
        is_sound(
            self.shape,
            self.footprint,
            self.splat,
            self.camera,
            ALPHA_MIN,
        )
    }
}

/// The name of a value that `is_sound` checks, and access to the value.
type Number = (&'static str, fn(&mut Seen) -> &mut f64);

const NUMBERS: [Number; 9] = [
    ("quaternion", |seen| &mut seen.shape.quaternion.x),
    ("z", |seen| &mut seen.footprint.centre.z),
    ("det", |seen| &mut seen.footprint.det),
    ("conic.xx", |seen| &mut seen.splat.conic.xx),
    ("conic.xy", |seen| &mut seen.splat.conic.xy),
    ("conic.yy", |seen| &mut seen.splat.conic.yy),
    ("mean.x", |seen| &mut seen.splat.mean.x),
    ("mean.y", |seen| &mut seen.splat.mean.y),
    ("opacity", |seen| &mut seen.splat.opacity),
];

#[test]
fn what_is_not_finite_is_culled() {
    assert!(Seen::new().passes());
    for (name, number) in NUMBERS {
        for hostile in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut seen = Seen::new();
            // Only the test for finite values bounds the depth.
            (seen.camera.near, seen.camera.far) = (f64::NEG_INFINITY, f64::INFINITY);
            *number(&mut seen) = hostile;
            assert!(!seen.passes(), "{name} {hostile}");
        }
    }
}

#[test]
fn products_of_the_vjp_are_finite() {
    let mut seen = Seen::new();
    (seen.splat.conic.xx, seen.splat.conic.yy) = (1e200, 1e200);
    assert!(!seen.passes(), "the determinant of the conic");
    let mut seen = Seen::new();
    seen.shape.quaternion.x = 1e200;
    assert!(!seen.passes(), "the squared length of the quaternion");
}

#[test]
fn bounds_are_inclusive_and_nothing_beyond_them_passes() {
    let at = |number: fn(&mut Seen) -> &mut f64, x: f64| {
        let mut seen = Seen::new();
        *number(&mut seen) = x;
        seen.passes()
    };
    let z = NUMBERS[1].1;
    let opacity = NUMBERS[8].1;
    let det = NUMBERS[2].1;
    assert!(at(z, 1.0) && at(z, 4.0) && at(opacity, ALPHA_MIN));
    assert!(!at(z, 1.0f64.next_down()) && !at(z, 4.0f64.next_up()));
    assert!(!at(opacity, ALPHA_MIN.next_down()));
    assert!(!at(det, 0.0) && !at(det, -1.0));
    let mut none = Seen::new();
    none.shape.quaternion = Quaternion::default();
    assert!(!none.passes(), "a quaternion of length zero");
}
