//! Column layout of a block of Gaussians or splats: one array per component. The projection's loops
//! over these arrays become vector code.

use crate::gaussians::Gaussians;
use crate::host::columns::{BLOCK, Column, add, read, set, set_vec3, vec3, write};
use crate::math::{Quaternion, Sym2, Vec2, exp};
use crate::number::Number;
use crate::project::{GaussianShape, Splat};
use crate::splats::Splats;

/// The geometry of a block of Gaussians, with one column per component of [`GaussianShape`].
#[derive(Debug, Clone)]
pub(crate) struct ShapeColumns<T> {
    mean: [Column<T>; 3],
    scale: [Column<T>; 3],
    quaternion: [Column<T>; 4],
    opacity: [Column<T>; 1],
}

impl<T: Number> ShapeColumns<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zeros = [T::ZERO; BLOCK];
        Self {
            mean: [zeros; 3],
            scale: [zeros; 3],
            quaternion: [zeros; 4],
            opacity: [zeros; 1],
        }
    }

    /// Reads the Gaussians `first .. first + count` and activates raw parameters.
    #[inline(always)]
    pub(crate) fn read(&mut self, gaussians: &Gaussians<&[T]>, first: usize, count: usize) {
        let end = first + count;
        read(&gaussians.means[3 * first..3 * end], &mut self.mean);
        read(&gaussians.scales[3 * first..3 * end], &mut self.scale);
        read(
            &gaussians.quaternions[4 * first..4 * end],
            &mut self.quaternion,
        );
        read(&gaussians.opacities[first..end], &mut self.opacity);
        if gaussians.encoding.raw {
            self.activate(count);
        }
    }

    /// Replaces logarithms of scales and logits of opacities by scales and opacities (MATH eq. 20).
    /// The numbers are those of [`activation`](crate::activation), to the bit.
    #[inline(always)]
    fn activate(&mut self, count: usize) {
        for column in &mut self.scale {
            for x in &mut column[..count] {
                *x = T::from_f64(exp::exponential(x.to_f64()));
            }
        }
        for x in &mut self.opacity[0][..count] {
            *x = T::from_f64(exp::sigmoid(x.to_f64()));
        }
    }

    /// Adds the columns to the Gaussians `first .. first + count`.
    #[inline(always)]
    pub(crate) fn add_to(&self, gaussians: &mut Gaussians<&mut [T]>, first: usize, count: usize) {
        let end = first + count;
        add(&mut gaussians.means[3 * first..3 * end], &self.mean);
        add(&mut gaussians.scales[3 * first..3 * end], &self.scale);
        add(
            &mut gaussians.quaternions[4 * first..4 * end],
            &self.quaternion,
        );
        add(&mut gaussians.opacities[first..end], &self.opacity);
    }

    #[inline(always)]
    pub(crate) fn get(&self, k: usize) -> GaussianShape<T> {
        GaussianShape {
            mean: vec3(&self.mean, k),
            scale: vec3(&self.scale, k),
            quaternion: Quaternion {
                w: self.quaternion[0][k],
                x: self.quaternion[1][k],
                y: self.quaternion[2][k],
                z: self.quaternion[3][k],
            },
            opacity: self.opacity[0][k],
        }
    }

    /// Writes `shape` to index `k`, or zeros if `counts` is false.
    #[inline(always)]
    pub(crate) fn set(&mut self, k: usize, counts: bool, shape: GaussianShape<T>) {
        set_vec3(&mut self.mean, k, counts, shape.mean);
        set_vec3(&mut self.scale, k, counts, shape.scale);
        let q = shape.quaternion;
        set(&mut self.quaternion, k, counts, [q.w, q.x, q.y, q.z]);
        set(&mut self.opacity, k, counts, [shape.opacity]);
    }
}

/// A block of splats, with one column per component of [`Splat`].
#[derive(Debug, Clone)]
pub(crate) struct SplatColumns<T> {
    mean: [Column<T>; 2],
    conic: [Column<T>; 3],
    opacity: [Column<T>; 1],
    depth: [Column<T>; 1],
}

impl<T: Number> SplatColumns<T> {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        let zeros = [T::ZERO; BLOCK];
        Self {
            mean: [zeros; 2],
            conic: [zeros; 3],
            opacity: [zeros; 1],
            depth: [zeros; 1],
        }
    }

    /// Reads the splats `first .. first + count`.
    #[inline(always)]
    pub(crate) fn read(&mut self, splats: &Splats<&[T]>, first: usize, count: usize) {
        let end = first + count;
        read(&splats.means[2 * first..2 * end], &mut self.mean);
        read(&splats.conics[3 * first..3 * end], &mut self.conic);
        read(&splats.opacities[first..end], &mut self.opacity);
        read(&splats.depths[first..end], &mut self.depth);
    }

    /// Writes the columns to the splats `first .. first + count`.
    #[inline(always)]
    pub(crate) fn write(&self, splats: &mut Splats<&mut [T]>, first: usize, count: usize) {
        let end = first + count;
        write(&mut splats.means[2 * first..2 * end], &self.mean);
        write(&mut splats.conics[3 * first..3 * end], &self.conic);
        write(&mut splats.opacities[first..end], &self.opacity);
        write(&mut splats.depths[first..end], &self.depth);
    }

    #[inline(always)]
    pub(crate) fn get(&self, k: usize) -> Splat<T> {
        Splat {
            mean: Vec2 {
                x: self.mean[0][k],
                y: self.mean[1][k],
            },
            conic: Sym2 {
                xx: self.conic[0][k],
                xy: self.conic[1][k],
                yy: self.conic[2][k],
            },
            opacity: self.opacity[0][k],
            depth: self.depth[0][k],
        }
    }

    /// Writes `splat` to index `k`, or zeros if `counts` is false.
    #[inline(always)]
    pub(crate) fn set(&mut self, k: usize, counts: bool, splat: Splat<T>) {
        let (mean, conic) = (splat.mean, splat.conic);
        set(&mut self.mean, k, counts, [mean.x, mean.y]);
        set(&mut self.conic, k, counts, [conic.xx, conic.xy, conic.yy]);
        set(&mut self.opacity, k, counts, [splat.opacity]);
        set(&mut self.depth, k, counts, [splat.depth]);
    }
}
