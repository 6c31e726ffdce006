//! Tables on procedural scenes: depth order and boundaries, whose truth is exact.

use super::comparison::{column, row};
use super::models::Model;
use super::objects::score;
use crate::backend::Trains;
use crate::bsds::{Point, Scores, Thresholds};
use crate::data::Shapes;
use crate::error::Error;
use crate::readings::labels::Rule;
use crate::readings::truth::{SceneScores, scene_scores};
use crate::report::comparison::{Better, Cell, Table};
use crate::terminal::Bar;

/// Scores every model on the first `count` scenes of `shapes`. The result is `None` after an
/// interruption.
///
/// # Errors
///
/// The errors of [`scene_scores`].
pub(super) fn table<B: Trains>(
    models: &[Model],
    shapes: &Shapes,
    count: usize,
    rule: Rule,
    device: &B::Device,
) -> Result<Option<Table>, Error> {
    let mut rows = Vec::new();
    for model in models {
        let mut bar = Bar::new(format!("procedural scenes: {}", model.name));
        let watch = |done, total| bar.show(done, total);
        let network = model.on::<B>(device)?;
        let found = scene_scores(&model.config(), &network, shapes, count, rule, watch)?;
        let Some(found) = found else {
            return Ok(None);
        };
        rows.push(row(&model.name, model.kind, cells(&found)?));
    }
    Ok(Some(Table {
        caption: format!("Depth order and boundaries, {count} procedural scenes"),
        columns: vec![
            column("depth order", "%", Better::Higher, 2),
            column("95 %", "", Better::Neither, 0),
            column("of shapes alone", "%", Better::Higher, 2),
            column("95 %", "", Better::Neither, 0),
            column("boundaries: ODS", "", Better::Higher, 4),
            column("OIS", "", Better::Higher, 4),
            column("AP", "", Better::Higher, 4),
            column("F of an image", "%", Better::Higher, 2),
            column("95 %", "", Better::Neither, 0),
        ],
        rows,
        settings: Vec::new(),
        note: "Depth order is the mean over scenes of Somers' D of 64 layers with respect to the \
               true order: of all pairs of pixels at different depths, the share in the true order \
               less the share in the reversed order. F of an image has the best threshold of each image. The intervals are bootstraps over \
               scenes."
            .to_owned(),
    }))
}

fn cells(found: &SceneScores) -> Result<Vec<Cell>, Error> {
    let scores = Scores::new(Thresholds::default(), &found.boundaries);
    let images: Vec<f64> = scores.images.iter().map(Point::f).collect();
    let mut cells = Vec::new();
    for scores in [&found.order, &found.order_of_shapes] {
        // A model can give all pixels of every scene the same layer.
        if scores.is_empty() {
            cells.extend([Cell::Empty, Cell::Empty]);
        } else {
            cells.extend(score(scores)?);
        }
    }
    cells.extend([scores.ods.f(), scores.ois.f(), scores.ap].map(Cell::single));
    cells.extend(score(&images)?);
    Ok(cells)
}
