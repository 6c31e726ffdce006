//! Every target on the inputs of the corpus and on a few random ones.

use std::path::Path;

use fuzz_targets::{TARGETS, random_input};

/// The number of random inputs of each target. Even of the readers of archives, a few are valid.
const RANDOM: u64 = 400;

#[test]
fn no_target_panics_on_the_corpus_or_on_random_inputs() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for target in TARGETS {
        let files = std::fs::read_dir(corpus.join(target.name))
            .into_iter()
            .flatten();
        let mut inputs = 0;
        for file in files {
            let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
            (target.run)(&bytes);
            inputs += 1;
        }
        assert!(inputs > 0, "{}: the corpus is empty", target.name);
        let accepted: usize = (0..RANDOM)
            .map(|seed| (target.run)(&random_input(seed)))
            .sum();
        assert!(accepted > 0, "{}: nothing was accepted", target.name);
    }
}
