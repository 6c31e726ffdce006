//! Camera poses passed as a tensor.

use splat::Views;

use crate::data::Precision;

/// Sets `camera_from_world` of every camera to the matrix of its view in `poses`, `[V, 3, 4]`.
pub(crate) fn set_poses<T: Precision>(views: &mut Views, poses: &[T]) {
    for (camera, pose) in views.cameras.iter_mut().zip(poses.chunks_exact(12)) {
        for (to, &from) in camera
            .camera_from_world
            .as_flattened_mut()
            .iter_mut()
            .zip(pose)
        {
            *to = from.to_f64();
        }
    }
}
