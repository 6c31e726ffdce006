//! Stochastic depth (arXiv 1603.09382): branches that are dropped for single images.

use burn::tensor::backend::Backend;
use rand::Rng;

use super::sampling::{Piece, Stream, stream};
use crate::config::Config;
use crate::model::Drops;

/// Draws the factors on the branches of every block for each image of `piece`.
pub(super) fn drops<B: Backend>(
    config: &Config,
    drop_path: f64,
    piece: &Piece,
    device: &B::Device,
) -> Vec<Drops<B>> {
    let depth = config.encoder_depth;
    let mut factors = vec![Vec::with_capacity(piece.positions.len()); depth];
    for &position in &piece.positions {
        let mut rng = stream(config.seed, Stream::Branches, position);
        for (i, block) in factors.iter_mut().enumerate() {
            let probability = drop_path * i as f64 / (depth - 1).max(1) as f64;
            let mut factor = || {
                let dropped = rng.random::<f64>() < probability;
                if dropped {
                    0.0
                } else {
                    (1.0 / (1.0 - probability)) as f32
                }
            };
            block.push([factor(), factor()]);
        }
    }
    let blocks = factors.iter();
    blocks.map(|factors| Drops::of(factors, device)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Cpu, Device};
    use crate::config::Preset;

    #[test]
    fn branches_are_dropped_with_the_stated_probability() {
        let config = Config {
            encoder_depth: 3,
            ..Preset::Nano.config()
        };
        let piece = Piece {
            positions: (0..4000).collect(),
            ..Piece::default()
        };
        let drops = drops::<Cpu>(&config, 0.4, &piece, &Device::default());
        assert_eq!(drops.len(), 3);
        for (i, block) in drops.into_iter().enumerate() {
            let probability = 0.2 * i as f64;
            for branch in [block.attention, block.mlp] {
                let values: Vec<f32> = branch.into_data().into_vec().expect("f32");
                let dropped = values.iter().filter(|&&v| v == 0.0).count() as f64 / 4000.0;
                // Four standard deviations of 4000 draws are 0.031.
                assert!((dropped - probability).abs() < 0.031, "{i}: {dropped}");
                let kept = (1.0 / (1.0 - probability)) as f32;
                assert!(values.iter().all(|&v| v == 0.0 || v == kept));
            }
        }
    }
}
