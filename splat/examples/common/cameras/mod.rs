//! Cameras of `transforms.json`, and the parts that readers of other files of cameras need too.

pub(crate) mod intrinsics;
pub(crate) mod json;
pub(crate) mod reading;
pub(crate) mod transforms;
