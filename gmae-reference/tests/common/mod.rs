//! Settings small enough for tests.

use gmae_reference::config::{Config, Preset};

/// Returns settings with four patches, one of them visible, four Gaussians, and one block each in
/// encoder and decoder.
pub(crate) fn config() -> Config {
    Config {
        image_size: 8,
        patch_size: 4,
        encoder_width: 16,
        encoder_depth: 1,
        encoder_heads: 2,
        decoder_width: 8,
        decoder_depth: 1,
        decoder_heads: 2,
        gaussians: 4,
        batch_size: 6,
        micro_batch: 2,
        epochs: 2,
        warmup_epochs: 0.5,
        ..Preset::Nano.config()
    }
}
