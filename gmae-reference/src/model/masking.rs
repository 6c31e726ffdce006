//! The mask: the split of an image's patches into visible and masked patches.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::error::Error;

/// A split of an image's patches. Both lists are in ascending order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mask {
    /// Patches that the encoder receives, n of N.
    pub visible: Vec<usize>,
    /// Patches hidden from the encoder, N - n of N.
    pub masked: Vec<usize>,
}

impl Mask {
    /// Draws a uniform random number for each of `patches` patches. The `visible` patches with the
    /// lowest numbers are visible.
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

    /// Checks that the mask splits the patches `0..patches`.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] unless the two lists together contain every patch exactly once.
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
            got: format!("{visible} visible and {masked} masked patches that do not split them"),
        })
    }

    /// Creates a mask in which all `patches` patches are visible.
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
        // Mean 500, standard deviation sqrt(2000 / 4 * 3 / 4) = 19.4; bounds at six deviations.
        assert!(count.iter().all(|&c| (384..=616).contains(&c)), "{count:?}");
    }
}
