//! The tests of `splat` that compare devices with the host.
//!
//! The package is the programs in `tests/`. It keeps what only they need (a second Vulkan device,
//! NVIDIA's compiler, a runtime that records launches) out of the manifest of `splat`.
