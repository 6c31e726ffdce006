//! The encoder: a Vision Transformer over the visible patches and a CLS token.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::nn::{LayerNorm, Linear};
use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use super::block::{Block, Drops};
use super::init::Initializer;
use super::patches::Visible;
use super::position::position_table;
use crate::config::Config;
use crate::ops::{self, Operations};

/// Vision Transformer encoder of the visible patches.
#[derive(Debug, Module)]
pub struct Encoder<B: Backend> {
    embed: Linear<B>,
    cls: Param<Tensor<B, 2>>,
    positions: Tensor<B, 2>,
    blocks: Vec<Block<B>>,
    norm: LayerNorm<B>,
}

impl<B: Operations> Encoder<B> {
    /// Creates the encoder of `config` with initial weights.
    pub fn new(init: &mut Initializer<B>, config: &Config) -> Self {
        let width = config.encoder_width;
        let block = |_| Block::new(init, width, config.encoder_heads, config.mlp_ratio);
        let blocks = (0..config.encoder_depth).map(block).collect();
        Self {
            blocks,
            embed: init.linear(config.patch_len(), width),
            cls: init.normal([1, width], 0.02),
            positions: table(config, width, init.device()),
            norm: init.layer_norm(width),
        }
    }

    /// The device of the weights.
    pub(super) fn device(&self) -> B::Device {
        self.positions.device()
    }

    /// The position table `[1 + N, D]`, with the row of the CLS token first.
    pub(super) fn positions(&self) -> &Tensor<B, 2> {
        &self.positions
    }

    /// Returns the encoder with another position table, if one is given.
    pub(super) fn with_positions(self, positions: Option<Tensor<B, 2>>) -> Self {
        Self {
            positions: positions.unwrap_or(self.positions),
            ..self
        }
    }

    /// Computes the tokens `[B (1 + n), D]`. The CLS token of each image comes first. The visible
    /// patches follow in the order of `input`.
    pub fn forward(&self, input: &Visible<B>) -> Tensor<B, 2> {
        ops::layer_norm(&self.norm, self.through_blocks(input, None, |_| {}))
    }

    /// Computes the tokens after the last block without the last `LayerNorm`, `[B (1 + n), D]`,
    /// with factors on the branches of each block if they are given. `seen` is called with the
    /// tokens after each block.
    pub(super) fn through_blocks(
        &self,
        input: &Visible<B>,
        drops: Option<&[Drops<B>]>,
        mut seen: impl FnMut(&Tensor<B, 2>),
    ) -> Tensor<B, 2> {
        let mut tokens = self.tokens(input);
        for (i, block) in self.blocks.iter().enumerate() {
            let drops = drops.and_then(|drops| drops.get(i));
            tokens = block.forward_dropped(tokens, input.images, drops);
            seen(&tokens);
        }
        tokens
    }

    /// Returns the factor on the learning rate of every parameter: `decay` to the power of the
    /// number of layers above it. The layers are the patch embedding with the CLS token, each
    /// block, and the head of the model that the encoder belongs to (as in `BEiT`,
    /// arXiv 2106.08254).
    pub(super) fn rates(&self, decay: f64) -> HashMap<ParamId, f64> {
        let depth = self.blocks.len();
        let mut rates = HashMap::new();
        let mut visit = |layers_above: usize, module: &dyn Fn(&mut Ids)| {
            let mut ids = Ids(Vec::new());
            module(&mut ids);
            let factor = decay.powi(i32::try_from(layers_above).unwrap_or(i32::MAX));
            rates.extend(ids.0.into_iter().map(|id| (id, factor)));
        };
        // The embedding first: the blocks inside the encoder replace their entries below.
        visit(depth + 1, &|ids| self.visit(ids));
        for (i, block) in self.blocks.iter().enumerate() {
            visit(depth - i, &|ids| block.visit(ids));
        }
        rates
    }

    /// Computes the mean of the patch tokens after each block, `[B, D]` each. The tokens of the
    /// last block pass through the last `LayerNorm` first.
    pub(super) fn layers(&self, input: &Visible<B>) -> Vec<Tensor<B, 2>> {
        let mut layers = Vec::with_capacity(self.blocks.len());
        let last = self.through_blocks(input, None, |tokens| {
            layers.push(mean_of_patches(tokens.clone(), input.images));
        });
        let last = ops::layer_norm(&self.norm, last);
        layers.pop();
        layers.push(mean_of_patches(last, input.images));
        layers
    }

    /// Embeds the patches, adds their position codes, and inserts the CLS token before the patches
    /// of each image.
    fn tokens(&self, input: &Visible<B>) -> Tensor<B, 2> {
        let embedded = ops::linear(&self.embed, input.patches.clone());
        let placed = embedded + self.positions.clone().select(0, input.rows.clone());
        let [rows, width] = placed.dims();
        let visible = rows / input.images;
        // The CLS row of the fixed table is zero. Imported tables can have another.
        let cls = (self.cls.val() + self.positions.clone().narrow(0, 0, 1))
            .reshape([1, 1, width])
            .expand([input.images, 1, width]);
        Tensor::cat(vec![cls, placed.reshape([input.images, visible, width])], 1)
            .reshape([input.images * (1 + visible), width])
    }
}

/// Collects the ids of parameters.
struct Ids(Vec<ParamId>);

impl<B: Backend> ModuleVisitor<B> for Ids {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.0.push(param.id);
    }
}

/// Returns the patch tokens of each image, without the CLS token: `[B (1 + n), D]` -> `[B, n, D]`.
pub(super) fn patch_tokens<B: Backend>(tokens: Tensor<B, 2>, images: usize) -> Tensor<B, 3> {
    let [rows, width] = tokens.dims();
    let count = rows / images;
    tokens
        .reshape([images, count, width])
        .narrow(1, 1, count - 1)
}

/// Computes the mean of the patch tokens of each image, without the CLS token:
/// `[B (1 + n), D]` -> `[B, D]`.
pub(super) fn mean_of_patches<B: Backend>(tokens: Tensor<B, 2>, images: usize) -> Tensor<B, 2> {
    let width = tokens.dims()[1];
    patch_tokens(tokens, images)
        .mean_dim(1)
        .reshape([images, width])
}

/// The position table of `config` as a tensor `[1 + N, width]`.
pub(super) fn table<B: Backend>(config: &Config, width: usize, device: &B::Device) -> Tensor<B, 2> {
    let values = position_table(config.grid(), width);
    Tensor::from_data(
        TensorData::new(values, [1 + config.patches(), width]),
        device,
    )
}
