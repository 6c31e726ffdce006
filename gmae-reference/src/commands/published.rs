//! Published numbers, which the tables show beside the measured ones. They are for ViT-B, and the
//! accuracies for ImageNet-1k at 224 px, so that no measured number is compared with them.

use crate::report::comparison::{Cell, Row, RowKind};

/// Top-1 accuracies after fine-tuning, in per cent, as arXiv 2501.03229 lists them.
const FINE_TUNING: [(&str, f64); 5] = [
    ("DINO", 82.8),
    ("BEiT", 83.2),
    ("MAE, 1600 epochs", 83.6),
    ("MAE, 400 epochs", 83.0),
    ("GMAE, 400 epochs", 83.2),
];

/// Top-1 accuracy of a linear probe of GMAE after 400 epochs, in per cent (arXiv 2501.03229).
const LINEAR: f64 = 61.9;

/// AP of boxes on COCO with `ViTDet`, in per cent, as arXiv 2501.03229 lists them.
const DETECTION: [(&str, f64); 4] = [
    ("supervised", 47.6),
    ("MAE, 1600 epochs", 51.8),
    ("MAE, 400 epochs", 50.6),
    ("GMAE", 50.2),
];

/// ODS, OIS and AP on the test images of BSDS500, as arXiv 2501.03229 lists them.
const BOUNDARIES: [(&str, [Option<f64>; 3]); 4] = [
    ("Sobel", [Some(0.539), None, None]),
    ("Canny", [Some(0.600), Some(0.640), Some(0.580)]),
    (
        "Felzenszwalb-Huttenlocher",
        [Some(0.610), Some(0.640), Some(0.560)],
    ),
    ("GMAE", [Some(0.515), Some(0.524), Some(0.248)]),
];

/// The rows of the boundary benchmark. The first three of `columns` cells are ODS, OIS and AP.
pub(super) fn boundaries(columns: usize) -> Vec<Row> {
    let row = |(name, scores): (&str, [Option<f64>; 3])| {
        let cells = scores.map(|score| score.map_or(Cell::Empty, Cell::single));
        let mut cells = cells.to_vec();
        cells.resize(columns, Cell::Empty);
        Row {
            name: name.to_owned(),
            kind: RowKind::Published,
            cells,
        }
    };
    BOUNDARIES.into_iter().map(row).collect()
}

/// The rows of fine-tuning. The first of `columns` cells is the accuracy.
pub(super) fn fine_tuning(columns: usize) -> Vec<Row> {
    let row = |(name, top1): (&str, f64)| imagenet(name, columns, 0, top1);
    FINE_TUNING.into_iter().map(row).collect()
}

/// The rows of detection on COCO. The AP is the cell at `index` of `columns`.
pub(super) fn detection(columns: usize, index: usize) -> Vec<Row> {
    let row = |(name, ap): (&str, f64)| {
        let name = format!("COCO, ViTDet, ViT-B: {name}");
        row(name, columns, index, ap)
    };
    DETECTION.into_iter().map(row).collect()
}

/// The row of the linear probe, whose accuracy is the cell at `index` of `columns`.
pub(super) fn linear(columns: usize, index: usize) -> Row {
    imagenet("GMAE, 400 epochs", columns, index, LINEAR)
}

fn imagenet(name: &str, columns: usize, index: usize, top1: f64) -> Row {
    row(format!("ImageNet-1k, ViT-B: {name}"), columns, index, top1)
}

fn row(name: String, columns: usize, index: usize, value: f64) -> Row {
    let mut cells = vec![Cell::Empty; columns];
    if let Some(cell) = cells.get_mut(index) {
        *cell = Cell::single(value);
    }
    Row {
        name,
        kind: RowKind::Published,
        cells,
    }
}
