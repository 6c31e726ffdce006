//! A small tree of files that satisfies every rule. The tests change it to break a rule.

use std::collections::BTreeMap;

use xtask::structure::check;
use xtask::structure::rules::Rules;
use xtask::structure::sources::Sources;
use xtask::structure::tables::RULES;

/// The files of the tree. Each file defines `Here`.
const FILES: [(&str, &str); 57] = [
    ("lib.rs", ROOT),
    ("error.rs", ""),
    ("number.rs", ""),
    ("config.rs", "use crate::number::Here as Number;"),
    ("math/mod.rs", "pub mod vec3;"),
    ("math/vec3.rs", "use crate::number::Here as Number;"),
    ("gaussians.rs", "use crate::error::Here as Error;"),
    ("splats.rs", ""),
    ("image.rs", ""),
    ("camera.rs", "use crate::math::vec3::Here as Vec3;"),
    ("gradients.rs", "use crate::gaussians::Here as Gaussians;"),
    ("backend.rs", "use crate::splats::Here as Splats;"),
    ("render.rs", "use crate::backend::Here as Backend;"),
    ("oracle/mod.rs", "use crate::render::Here as Render;"),
    ("check/mod.rs", "use crate::oracle::Here as Oracle;"),
    ("io/mod.rs", "use crate::activation::Here as Order;"),
    ("density/mod.rs", "use crate::gaussians::Here as Gaussians;"),
    ("loss/mod.rs", "use crate::image::Here as Image;"),
    ("pack/mod.rs", "pub mod gpu; pub mod pixel;"),
    ("pack/pixel.rs", "use crate::image::Here as Image;"),
    ("pack/gpu/mod.rs", "use crate::pack::pixel::Here as Pixel;"),
    (
        "wgpu_interop/mod.rs",
        "use crate::pack::gpu::Here as Packed;",
    ),
    ("formulas/mod.rs", COMPILED),
    ("guide/mod.rs", ""),
    ("activation.rs", "use crate::scalar::Here as Scalar;"),
    (
        "scalar/mod.rs",
        "pub mod rounding; use crate::formulas::single::composite::Here as Formula;",
    ),
    (
        "scalar/rounding.rs",
        "use crate::formulas::double::project::Here as Formula;",
    ),
    ("host/mod.rs", "pub mod simd;"),
    ("host/simd.rs", "use crate::scalar::Here as Scalar;"),
    ("device/mod.rs", "pub mod launch;"),
    ("device/launch.rs", "use cubecl::prelude::*;"),
    (
        "project/mod.rs",
        "pub mod cpu; pub mod gpu; pub mod views_of_tasks;",
    ),
    (
        "project/formula.rs",
        "use super::Real; use crate::project::Here as Splat;",
    ),
    ("project/views_of_tasks.rs", ""),
    (
        "project/cpu/mod.rs",
        "pub mod forward; pub use forward::Here as Forward;",
    ),
    (
        "project/cpu/forward.rs",
        "use crate::binning::bounds::Here as Bounds;",
    ),
    ("project/gpu/mod.rs", "use cubecl::prelude::*;"),
    (
        "binning/mod.rs",
        "pub mod bounds; pub mod cpu; pub mod gpu; pub mod grid;",
    ),
    ("binning/formula.rs", "use super::Real;"),
    ("binning/bounds.rs", "use super::grid::Here as Grid;"),
    ("binning/grid.rs", ""),
    ("binning/cpu/mod.rs", "use crate::host::simd::Here as Simd;"),
    ("binning/gpu/mod.rs", ""),
    ("sort/mod.rs", "pub mod cpu; pub mod gpu;"),
    ("sort/cpu/mod.rs", "use crate::binning::cpu::Here as Hits;"),
    (
        "sort/gpu/mod.rs",
        "use crate::device::launch::Here as Launch;",
    ),
    ("composite/mod.rs", "pub mod cpu; pub mod gpu;"),
    ("composite/formula.rs", "use super::Real;"),
    (
        "composite/cpu/mod.rs",
        "use crate::sort::cpu::Here as Lists;",
    ),
    (
        "composite/gpu/mod.rs",
        "use crate::sort::gpu::Here as Lists;",
    ),
    ("harmonics/mod.rs", "pub mod cpu;"),
    ("harmonics/formula.rs", "use super::Real;"),
    ("harmonics/cpu/mod.rs", "pub mod basis;"),
    (
        "harmonics/cpu/basis.rs",
        "use crate::host::simd::Here as Simd;",
    ),
    ("backends/mod.rs", "pub mod cpu;"),
    (
        "backends/cpu.rs",
        "use crate::composite::cpu::Here as Composite;",
    ),
    ("measure/mod.rs", "use crate::backends::cpu::Here as Cpu;"),
];

const ROOT: &str = r"
    pub mod activation; pub mod check; pub mod density; pub mod io; pub mod loss; pub mod pack; pub mod wgpu_interop; pub mod backend; pub mod backends; pub mod binning; pub mod camera;
    pub mod composite; pub mod config; pub mod device; pub mod error; pub mod gaussians;
    pub mod gradients; pub mod guide; pub mod host; pub mod image; pub mod math; pub mod measure; pub mod number;
    pub mod oracle; pub mod project; pub mod render; pub mod scalar; pub mod formulas; pub mod harmonics;
    pub mod sort;
    pub mod splats;
    pub use backends::cpu::Here as Cpu;
    pub use gaussians::Here as Gaussians;
    pub use project::cpu;
";

const COMPILED: &str = r#"
    pub use crate::project::Here as Splat;
    #[path = ".."]
    pub mod single {
        pub type Real = f32;
        #[path = "binning/formula.rs"] pub mod binning;
        #[path = "composite/formula.rs"] pub mod composite;
        #[path = "harmonics/formula.rs"] pub mod harmonics;
        #[path = "project/formula.rs"] pub mod project;
    }
    #[path = ".."]
    pub mod double {
        pub type Real = f64;
        #[path = "project/formula.rs"] pub mod project;
    }
"#;

/// The rules of the workspace without its long kernels, which do not exist in the trees of the
/// tests.
pub const TREE_RULES: Rules = Rules {
    long_kernels: &[],
    ..RULES
};

/// A tree of files: path and text of each.
pub struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Returns a tree without faults.
    pub fn right() -> Self {
        let files = FILES.iter().map(|(path, text)| {
            let text = format!("{text}\npub struct Here;\n");
            (format!("splat/src/{path}"), text)
        });
        Self(files.collect())
    }

    /// Adds lines to a file. If the file does not exist, it is created.
    pub fn with(mut self, path: &str, text: &str) -> Self {
        let file = self.0.entry(path.to_owned()).or_default();
        file.push_str(text);
        file.push('\n');
        self
    }

    pub fn sources(&self) -> Sources {
        Sources::of(self.0.clone())
    }

    /// Returns the faults of the tree as text.
    pub fn faults(&self) -> Vec<String> {
        let faults = check(&self.sources(), &TREE_RULES);
        faults.iter().map(ToString::to_string).collect()
    }

    /// Asserts that there is exactly one fault, and that its text contains all `parts`.
    pub fn assert_fault(&self, parts: &[&str]) {
        let faults = self.faults();
        let fits = |fault: &String| parts.iter().all(|part| fault.contains(part));
        assert!(
            faults.len() == 1 && faults.iter().all(fits),
            "expected one fault with {parts:?}, got {faults:#?}"
        );
    }
}

#[test]
fn the_right_tree_has_no_fault() {
    assert_eq!(Tree::right().faults(), Vec::<String>::new());
}

#[test]
fn a_file_that_no_root_reaches_is_a_fault() {
    let tree = Tree::right().with(
        "splat/src/sort/forgotten.rs",
        "use crate::backends::cpu::Here;",
    );
    assert_eq!(
        tree.faults()[0],
        "splat/src/sort/forgotten.rs: no crate root leads to this file, so that no rule is checked in it"
    );
}

#[test]
fn a_module_without_a_file_is_a_fault() {
    Tree::right()
        .with("splat/src/sort/mod.rs", "mod lost;")
        .assert_fault(&["splat/src/sort/mod.rs:3: `mod lost;` has no file in splat/src/sort"]);
}

#[test]
fn a_file_that_is_not_rust_is_a_fault() {
    let tree = Tree::right().with("splat/src/camera.rs", "pub struct");
    let faults = tree.faults();
    assert!(
        faults
            .iter()
            .any(|fault| fault.starts_with("splat/src/camera.rs:") && fault.contains("not Rust")),
        "{faults:#?}"
    );
}

#[test]
fn a_file_without_a_row_is_a_fault() {
    Tree::right()
        .with("splat/src/lib.rs", "mod helpers;")
        .with("splat/src/helpers.rs", "")
        .assert_fault(&["splat/src/helpers.rs: no row of the import rules is about this file"]);
}
