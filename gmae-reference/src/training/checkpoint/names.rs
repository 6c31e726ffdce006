//! The names and the layout of parameters in a checkpoint file.
//!
//! They are those of the public ViT and MAE checkpoints and of the library timm: `cls_token`,
//! `blocks.0.attn.qkv.weight`, and for the decoder `decoder_blocks.0.attn.qkv.weight`. PyTorch
//! keeps the weight of a linear layer as `[out, in]`, where Burn has `[in, out]`. It stacks query,
//! key and value in one matrix `[3 D, D]`, and its patch embedding is a convolution `[D, 3, P, P]`.

/// The name of the encoder's position table, `[1, 1 + N, D]`.
pub(super) const ENCODER_POSITIONS: &str = "pos_embed";
/// The name of the decoder's position table, `[1, 1 + N, d]`.
pub(super) const DECODER_POSITIONS: &str = "decoder_pos_embed";

/// Where the elements of a parameter are in the tensor of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Layout {
    /// A run of elements in the same order that begins at element `first`.
    Run { first: usize },
    /// The transpose of a matrix, whose first row is row `row` of the file's matrix.
    Transpose { row: usize },
    /// A linear map of patches, whose inputs are pixels with three channels each, as the filters of
    /// a convolution with one plane per channel.
    Filters,
}

/// The location of one parameter in a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Location {
    /// The name of the tensor in the file.
    pub(super) name: String,
    /// The shape of the tensor in the file.
    pub(super) shape: Vec<usize>,
    /// The shape of the parameter in the model.
    parameter: Vec<usize>,
    layout: Layout,
}

impl Location {
    /// Returns the location of the parameter with this path and shape in the model. The result is
    /// `None` for a path that is not in the table of names.
    pub(super) fn of(path: &str, parameter: &[usize]) -> Option<Self> {
        let (stem, leaf) = path.rsplit_once('.').unwrap_or(("", path));
        let whole = |name: String| match (leaf, parameter) {
            ("weight", &[input, output]) => {
                (name, vec![output, input], Layout::Transpose { row: 0 })
            }
            _ => (name, parameter.to_vec(), Layout::Run { first: 0 }),
        };
        let (name, shape, layout) = match (path, parameter) {
            ("encoder.cls", &[1, width]) => token("cls_token", width),
            ("decoder.mask_token", &[1, width]) => token("mask_token", width),
            ("decoder.queries", _) => whole("queries".to_owned()),
            ("encoder.embed.weight", &[input, output]) => {
                let side = (input / 3).isqrt();
                let shape = vec![output, 3, side, side];
                ("patch_embed.proj.weight".to_owned(), shape, Layout::Filters)
            }
            ("encoder.embed.bias", _) => whole("patch_embed.proj.bias".to_owned()),
            _ => {
                let (prefix, inner) = blocks(stem)?;
                let leaf = match leaf {
                    "gamma" => "weight",
                    "beta" => "bias",
                    other => other,
                };
                match part_of_qkv(inner) {
                    None => whole(format!("{prefix}{}.{leaf}", public(inner)?)),
                    Some(part) => stacked(format!("{prefix}attn.qkv.{leaf}"), part, parameter)?,
                }
            }
        };
        Some(Self {
            name,
            shape,
            parameter: parameter.to_vec(),
            layout,
        })
    }

    /// Returns the location of a position table `[rows, width]`, in the file `[1, rows, width]`.
    pub(super) fn table(name: &str, rows: usize, width: usize) -> Self {
        Self {
            name: name.to_owned(),
            shape: vec![1, rows, width],
            parameter: vec![rows, width],
            layout: Layout::Run { first: 0 },
        }
    }

    /// Copies the elements of the parameter out of the tensor of a file.
    pub(super) fn read(&self, file: &[f32]) -> Vec<f32> {
        let count = self.parameter.iter().product();
        let mut values = vec![0.0; count];
        self.visit(|parameter, at| values[parameter] = file[at]);
        values
    }

    /// Copies the elements of the parameter into the tensor of a file. Returns whether there are as
    /// many values as the parameter has elements.
    pub(super) fn write(&self, values: &[f32], file: &mut [f32]) -> bool {
        let fits = values.len() == self.parameter.iter().product::<usize>();
        if fits {
            self.visit(|parameter, at| file[at] = values[parameter]);
        }
        fits
    }

    /// Calls `visit` with the index of each element in the parameter and in the tensor of the file.
    fn visit(&self, mut visit: impl FnMut(usize, usize)) {
        let count: usize = self.parameter.iter().product();
        let columns = self.parameter.last().copied().unwrap_or(1).max(1);
        let rows = count / columns;
        match self.layout {
            Layout::Run { first } => (0..count).for_each(|i| visit(i, first + i)),
            Layout::Transpose { row } => {
                for column in 0..columns {
                    let start = (row + column) * rows;
                    (0..rows).for_each(|i| visit(i * columns + column, start + i));
                }
            }
            Layout::Filters => {
                let pixels = rows / 3;
                for column in 0..columns {
                    for i in 0..rows {
                        let at = (column * 3 + i % 3) * pixels + i / 3;
                        visit(i * columns + column, at);
                    }
                }
            }
        }
    }
}

/// A token `[1, D]`, in the file `[1, 1, D]`.
fn token(name: &str, width: usize) -> (String, Vec<usize>, Layout) {
    (name.to_owned(), vec![1, 1, width], Layout::Run { first: 0 })
}

/// One of the three equal parts of a stacked matrix or vector.
fn stacked(name: String, part: usize, parameter: &[usize]) -> Option<(String, Vec<usize>, Layout)> {
    match *parameter {
        [input, output] => {
            let row = part * output;
            Some((name, vec![3 * output, input], Layout::Transpose { row }))
        }
        [width] => {
            let first = part * width;
            Some((name, vec![3 * width], Layout::Run { first }))
        }
        _ => None,
    }
}

/// Splits the path of a layer into the prefix of its name in the file and the rest of the path:
/// `encoder.blocks.3.mlp.expand` becomes `blocks.3.` and `mlp.expand`.
fn blocks(stem: &str) -> Option<(String, &str)> {
    for (path, name) in [
        ("encoder.blocks.", "blocks."),
        ("decoder.blocks.", "decoder_blocks."),
    ] {
        if let Some(rest) = stem.strip_prefix(path) {
            let (number, inner) = rest.split_once('.')?;
            return Some((format!("{name}{number}."), inner));
        }
    }
    Some((String::new(), stem))
}

/// The position of a layer in the stack of query, key and value.
fn part_of_qkv(layer: &str) -> Option<usize> {
    match layer {
        "attention.query" => Some(0),
        "attention.key" => Some(1),
        "attention.value" => Some(2),
        _ => None,
    }
}

/// The name of a layer in a file.
fn public(layer: &str) -> Option<&'static str> {
    Some(match layer {
        "attention_norm" => "norm1",
        "attention.output" => "attn.proj",
        "mlp_norm" => "norm2",
        "mlp.expand" => "mlp.fc1",
        "mlp.contract" => "mlp.fc2",
        "encoder.norm" => "norm",
        "decoder.embed" => "decoder_embed",
        "pooled_norm" => "fc_norm",
        "classes" => "head",
        "token_norm" => "box_norm",
        "boxes" => "box_head",
        "head.norm" => "decoder_norm",
        "head.linear" => "decoder_pred",
        _ => return None,
    })
}

/// Returns whether the tensor of this name belongs to the encoder.
pub(super) fn is_of_encoder(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    // The last four occur only in encoders of other kinds.
    [
        "cls_token",
        ENCODER_POSITIONS,
        "patch_embed",
        "blocks",
        "norm",
        "norm_pre",
        "reg_token",
        "dist_token",
        "rope",
    ]
    .contains(&stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_is_transposed_into_its_part_of_the_stack() {
        let location =
            Location::of("encoder.blocks.7.attention.key.weight", &[2, 2]).expect("a location");
        assert_eq!(location.name, "blocks.7.attn.qkv.weight");
        assert_eq!(location.shape, [6, 2]);
        let mut file = vec![0.0; 12];
        assert!(location.write(&[1.0, 2.0, 3.0, 4.0], &mut file));
        assert_eq!(file[4..8], [1.0, 3.0, 2.0, 4.0]);
        assert!(file[..4].iter().chain(&file[8..]).all(|&v| v == 0.0));
        assert_eq!(location.read(&file), [1.0, 2.0, 3.0, 4.0]);
        let bias = Location::of("decoder.blocks.0.attention.value.bias", &[2]).expect("a location");
        assert_eq!(bias.name, "decoder_blocks.0.attn.qkv.bias");
        assert_eq!(bias.read(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]), [4.0, 5.0]);
    }

    /// The input of the linear map is pixel by pixel, the filters are plane by plane.
    #[test]
    fn the_patch_embedding_is_a_convolution() {
        let location = Location::of("encoder.embed.weight", &[12, 2]).expect("a location");
        assert_eq!(location.shape, [2, 3, 2, 2]);
        // Element (channel c, pixel p) of filter o has the value 100 o + 10 c + p.
        let value = |o: usize, c: usize, p: usize| (100 * o + 10 * c + p) as f32;
        let mut file = Vec::new();
        for o in 0..2 {
            for c in 0..3 {
                file.extend((0..4).map(|p| value(o, c, p)));
            }
        }
        let parameter = location.read(&file);
        for p in 0..4 {
            for c in 0..3 {
                for o in 0..2 {
                    assert_eq!(parameter[(3 * p + c) * 2 + o], value(o, c, p));
                }
            }
        }
    }

    #[test]
    fn unknown_paths_have_no_location() {
        assert_eq!(Location::of("encoder.blocks.0.attention.gate", &[2]), None);
        assert_eq!(Location::of("weight", &[2]), None);
        assert!(is_of_encoder("norm.weight") && is_of_encoder("blocks.0.norm1.bias"));
        assert!(!is_of_encoder("decoder_norm.weight") && !is_of_encoder("queries"));
    }
}
