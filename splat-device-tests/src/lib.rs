//! Tests of `splat` that compare devices with the host.
//!
//! The package consists of the test programs in `tests/`. Their dependencies (a second Vulkan
//! device, NVIDIA's compiler, a runtime that records launches) stay out of the manifest of `splat`.

/// Compiles and runs the examples of the workspace's documents as tests. The package `splat` cannot
/// do so, because the documents are outside its folder.
#[cfg(doctest)]
mod examples_in_documents {
    #[doc = include_str!("../../README.md")]
    struct Readme;
    #[doc = include_str!("../../docs/ARCHITECTURE.md")]
    struct Architecture;
}
