//! The mask: which patches are visible to the encoder.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::error::Error;

/// A split of an image's patches, both lists ascending.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mask {
    /// Patches the encoder gets, n of N.
    pub visible: Vec<usize>,
    /// Patches it does not get, N - n.
    pub masked: Vec<usize>,
}

impl Mask {
    /// Gives every one of `patches` patches a uniform random number and keeps the `visible` lowest.
    pub fn random(patches: usize, visible: usize, rng: &mut ChaCha8Rng) -> Self {
        let noise: Vec<f32> = (0..patches).map(|_| rng.random()).collect();
        let mut order: Vec<usize> = (0..patches).collect();
        order.sort_by(|&a, &b| noise[a].total_cmp(&noise[b]));
        let mut masked = order.split_off(visible.min(patches));
        order.sort_unstable();
        masked.sort_unstable();
        Self {
            visible: order,
            masked,
        }
    }

    /// Checks that the mask splits `patches` patches.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless every patch is in exactly one of the lists, once.
    pub(crate) fn check(&self, patches: usize) -> Result<(), Error> {
        let mut named = vec![false; patches];
        let listed = self.visible.iter().chain(&self.masked);
        let mut first_time = listed.map(|&patch| {
            let slot = named.get_mut(patch);
            slot.is_some_and(|named| !std::mem::replace(named, true))
        });
        let (visible, masked) = (self.visible.len(), self.masked.len());
        if first_time.all(|first| first) && visible + masked == patches {
            return Ok(());
        }
        Err(Error::Argument {
            argument: "mask",
            expected: format!("every patch in 0..{patches} once, visible or masked"),
            got: format!("{visible} visible and {masked} masked patches that are no such split"),
        })
    }

    /// Shows every patch.
    pub fn none(patches: usize) -> Self {
        Self {
            visible: (0..patches).collect(),
            masked: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn mask(seed: u64) -> Mask {
        Mask::random(196, 49, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn keeps_exactly_n_and_loses_none() {
        for seed in 0..20 {
            let mask = mask(seed);
            assert_eq!(mask.visible.len(), 49);
            let mut all = [mask.visible, mask.masked].concat();
            all.sort_unstable();
            assert_eq!(all, (0..196).collect::<Vec<_>>());
        }
    }

    #[test]
    fn is_a_function_of_the_seed() {
        assert_eq!(mask(7), mask(7));
        assert_ne!(mask(7), mask(8));
    }

    #[test]
    fn every_patch_is_visible_equally_often() {
        let mut count = [0_usize; 196];
        for seed in 0..2000 {
            mask(seed)
                .visible
                .iter()
                .for_each(|&patch| count[patch] += 1);
        }
        // Expected 500, standard deviation sqrt(2000 / 4 * 3 / 4) = 19.4; six of them either way.
        assert!(count.iter().all(|&c| (384..=616).contains(&c)), "{count:?}");
    }
}
