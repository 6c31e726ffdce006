//! Only certain files may name `CubeCL`, and some of them only behind a feature.

use super::tree::Tree;

#[test]
fn the_homes_may_name_it() {
    let tree = Tree::right()
        .with("splat/src/composite/gpu/mod.rs", "use cubecl::prelude::*;")
        .with("splat/src/backends/mod.rs", "pub mod gpu; pub mod copies;")
        .with(
            "splat/src/backends/gpu.rs",
            "use cubecl_runtime::client::Client;",
        )
        .with("splat/src/backends/copies.rs", "use cubecl::bytes::Bytes;")
        .with("splat/src/measure/mod.rs", "pub mod gpu_roofline;")
        .with(
            "splat/src/measure/gpu_roofline.rs",
            "use cubecl::prelude::*;",
        );
    assert_eq!(tree.faults(), Vec::<String>::new());
}

#[test]
fn other_files_may_not_even_behind_a_feature() {
    for file in [
        "host/simd.rs",
        "composite/cpu/mod.rs",
        "render.rs",
        "backends/cpu.rs",
        "sort/mod.rs",
    ] {
        let file = format!("splat/src/{file}");
        Tree::right()
            .with(&file, "#[cfg(feature = \"gpu\")]\nuse cubecl::prelude::*;")
            .assert_fault(&[
                &file,
                ":4: `cubecl` may not be named in this file: CubeCL is named by",
            ]);
    }
}

/// Code that a formula or a struct may contain.
const BEHIND: [&str; 12] = [
    "#[cfg(feature = \"gpu\")] use cubecl::prelude::*;",
    "#[cfg(feature = \"gpu\")] use cubecl::{prelude::*, cube};",
    "#[cfg_attr(feature = \"gpu\", derive(cubecl::CubeType))] pub struct A;",
    "#[cfg_attr(feature = \"gpu\", cubecl::cube)] fn a() {}",
    "#[cfg(feature = \"gpu\")] pub trait A: cubecl::A {} #[cfg(feature = \"gpu\")] impl<T: cubecl::A> A for T {}",
    "#[cfg(all(unix, feature = \"gpu\"))] use cubecl::prelude::*;",
    "#[cfg(any(feature = \"wgpu\", feature = \"cuda\"))] use cubecl::prelude::*;",
    "#[cfg(feature = \"gpu\")] impl<A, B> C for D where A: cubecl::A, B: cubecl::B { fn f(c: cubecl::C) {} }",
    "#[cfg(feature = \"gpu\")] fn a<A: X<B, C>, D: cubecl::D>(a: A, d: cubecl::D) -> cubecl::D { d }",
    "#[cfg(feature = \"gpu\")] mod inner { use cubecl::prelude::*; fn a() {} use cubecl::cube; }",
    "fn a() { #[cfg(feature = \"gpu\")] let a = cubecl::a(); }",
    "#[cfg(feature = \"cuda\")] pub use cubecl_cuda::CudaDevice;",
];

#[test]
fn a_feature_lets_formulas_and_structs_name_it() {
    for text in BEHIND {
        let faults = Tree::right().with("splat/src/math/vec3.rs", text).faults();
        assert!(faults.is_empty(), "{text}: {faults:#?}");
    }
}

/// Code that a formula or a struct may not contain, although some of it has a feature nearby.
const OPEN: [&str; 12] = [
    "use cubecl::prelude::*;",
    "#[derive(cubecl::CubeType)] pub struct A;",
    "#[cubecl::cube] fn a() {}",
    "#[cfg(not(feature = \"gpu\"))] use cubecl::prelude::*;",
    "#[cfg_attr(not(feature = \"gpu\"), derive(cubecl::CubeType))] pub struct A;",
    "#[cfg(feature = \"gpu\")] use a::b; use cubecl::prelude::*;",
    "#[cfg(feature = \"gpu\")] fn a() {} fn b(_: cubecl::B) {}",
    "#[cfg_attr(feature = \"gpu\", cube)] fn a() { cubecl::b(); }",
    "#[cfg(any(unix, feature = \"gpu\"))] use cubecl::prelude::*;",
    "#[cfg(feature = \"other\")] use cubecl::prelude::*;",
    "pub struct A { #[cfg(feature = \"gpu\")] a: u32, b: cubecl::B }",
    "macro_rules! a { () => { cubecl::b() }; }",
];

#[test]
fn a_name_in_the_open_is_found() {
    for text in OPEN {
        Tree::right()
            .with("splat/src/math/vec3.rs", text)
            .assert_fault(&[
                "splat/src/math/vec3.rs:3: `cubecl` is not behind a feature of the device",
            ]);
    }
}

#[test]
fn words_and_other_crates_are_no_names_of_it() {
    let tree = Tree::right()
        .with(
            "splat/src/render.rs",
            "/// CubeCL, `cubecl::prelude`.\n// cubecl::a\nconst A: &str = \"cubecl\";",
        )
        .with("benches/src/lib.rs", "use cubecl::prelude::*;");
    assert_eq!(tree.faults(), Vec::<String>::new());
}
