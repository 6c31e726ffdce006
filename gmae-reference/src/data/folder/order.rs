//! The order in which archives are read.

use rand::Rng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// Number of archives that are read at the same time.
const OPEN: usize = 64;

/// Returns every index below the sum of `sizes` once. `sizes` are the numbers of images in the
/// archives, whose images have consecutive indices.
///
/// The images of one archive come in ascending order, because a disk or a network drive reads an
/// archive fastest in sequence. The archives come in random order, and up to 64 of them are mixed:
/// each image is the next one of an open archive, with a probability proportional to the number of
/// images that remain in that archive.
pub(super) fn mixed(sizes: &[usize], rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut start = 0;
    let mut waiting = Vec::new();
    for &size in sizes {
        if size > 0 {
            waiting.push(start..start + size);
        }
        start += size;
    }
    waiting.shuffle(rng);
    let mut order = Vec::with_capacity(start);
    let mut open = Vec::new();
    let mut remaining = 0;
    loop {
        while open.len() < OPEN {
            let Some(archive) = waiting.pop() else { break };
            remaining += archive.len();
            open.push(archive);
        }
        if remaining == 0 {
            return order;
        }
        let mut drawn = rng.random_range(0..remaining as u64) as usize;
        let mut at = 0;
        while drawn >= open[at].len() {
            drawn -= open[at].len();
            at += 1;
        }
        order.extend(open[at].next());
        remaining -= 1;
        if open[at].is_empty() {
            open.swap_remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn order(sizes: &[usize], seed: u64) -> Vec<usize> {
        mixed(sizes, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn the_order_is_a_permutation_and_depends_on_the_generator_only() {
        let sizes: Vec<usize> = (0..200).map(|i| (i * 7) % 23).collect();
        let drawn = order(&sizes, 1);
        assert_eq!(drawn, order(&sizes, 1));
        assert_ne!(drawn, order(&sizes, 2));
        let mut sorted = drawn;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..sizes.iter().sum()).collect::<Vec<_>>());
        assert!(order(&[], 1).is_empty());
        assert!(order(&[0, 0], 1).is_empty());
    }

    #[test]
    fn each_archive_is_read_in_sequence() {
        let sizes = [30; 100];
        let drawn = order(&sizes, 3);
        for archive in 0..100 {
            let own: Vec<usize> = drawn
                .iter()
                .copied()
                .filter(|i| i / 30 == archive)
                .collect();
            assert!(own.is_sorted(), "archive {archive}: {own:?}");
        }
    }

    #[test]
    fn at_most_64_archives_are_open_and_they_are_mixed() {
        let sizes = [30; 100];
        let drawn = order(&sizes, 4);
        let mut seen = [0; 100];
        for &index in &drawn {
            seen[index / 30] += 1;
            let open = seen.iter().filter(|&&n| n > 0 && n < 30).count();
            assert!(open <= 64, "{open} archives are open");
        }
        // Two images in a row rarely come from the same archive.
        let same = drawn.windows(2).filter(|w| w[0] / 30 == w[1] / 30).count();
        assert!(same < 200, "{same} of 3000");
        let different = (0..10).map(|seed| order(&sizes, seed)[0] / 30);
        let different: std::collections::BTreeSet<_> = different.collect();
        assert!(different.len() > 5, "{different:?}");
    }
}
