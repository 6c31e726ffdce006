//! The tests of the renderer have one harness, `splat::check`.

use super::tree::Tree;

const FILE: &str = "splat/tests/gradients.rs";

#[test]
fn the_kit_may_be_used() {
    let text = "use splat::check::{compare, crowd};
        #[test]
        fn gradients_match_differences() {
            let mean = 1.0 / (2.0 * count);
            let half = 1.0 / (4.0 * step);
            compare(crowd(1), 2.0 * step / 12.0);
        }
        fn compared() {}";
    let tree = Tree::right().with(FILE, text);
    assert_eq!(tree.faults(), Vec::<String>::new());
}

#[test]
fn a_function_of_the_kit_is_not_written_again() {
    let tree = Tree::right().with(FILE, "fn a() { let compare = |x: u8| x; }");
    tree.assert_fault(&["splat/tests/gradients.rs:1: ", "`let compare` has a name"]);
    for name in ["crowd", "difference", "boundary_band", "compare", "weight"] {
        let text = format!("#[test] fn a() {{ }} mod b {{ fn {name}(x: u8) {{ }} }}");
        let words = format!("`fn {name}` has a name of `splat::check`");
        let tree = Tree::right().with(FILE, &text);
        tree.assert_fault(&["splat/tests/gradients.rs:1: ", &words]);
    }
}

#[test]
fn difference_quotients_and_random_numbers_are_found() {
    for quotient in [
        "(f(x + STEP) - f(x - STEP)) / (2.0 * STEP)",
        "(8.0 * a - b) / (12.0 * step)",
        "d / (2.0 * eps)",
        "d / (step * 2.0)",
        "d / (2.0_f64 * self.h)",
    ] {
        let text = format!("fn slope() -> f64 {{ {quotient} }}");
        let tree = Tree::right().with(FILE, &text);
        tree.assert_fault(&["splat/tests/gradients.rs:1: a difference quotient"]);
    }
    for krate in ["rand", "rand_chacha"] {
        let text = format!("use {krate}::Rng;");
        let words = format!("the crate `{krate}`");
        let tree = Tree::right().with(FILE, &text);
        tree.assert_fault(&["splat/tests/gradients.rs:1: ", &words]);
    }
}

#[test]
fn integers_to_be_sorted_may_be_random() {
    let file = "splat-device-tests/tests/gpu_sort.rs";
    let tree = Tree::right().with(file, "use rand::Rng;");
    assert_eq!(tree.faults(), Vec::<String>::new());
}
