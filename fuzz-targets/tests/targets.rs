//! Every target on the inputs of the corpus and on a few random ones.

use std::path::Path;

use fuzz_targets::TARGETS;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[test]
fn no_target_panics_on_the_corpus_or_on_random_bytes() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for target in TARGETS {
        let files = std::fs::read_dir(corpus.join(target.name))
            .into_iter()
            .flatten();
        let (mut inputs, mut accepted) = (0, 0);
        for file in files {
            let bytes = std::fs::read(file.expect("an entry").path()).expect("a file");
            accepted += (target.run)(&bytes);
            inputs += 1;
        }
        assert!(inputs > 0, "{}: the corpus is empty", target.name);
        assert!(accepted > 0, "{}: nothing was accepted", target.name);
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        for len in 0..200 {
            let mut bytes = vec![0; 3 * len];
            rng.fill_bytes(&mut bytes);
            (target.run)(&bytes);
        }
    }
}
