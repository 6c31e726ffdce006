//! Scaling of the time with the work: views, Gaussians and pixels are doubled four times.

use benches::measure::{self, Work};
use benches::{Bench, Recipe, Stage, Workload, gmae};
use serde::Serialize;
use splat::{Backend, Cpu, RenderError};

use crate::sampling::{Series, interleaved, ms};
use crate::table::{Tables, count, markdown, number};

/// Views at factor 1.
const VIEWS: usize = 8;
/// Factors on the size.
const FACTORS: [usize; 5] = [1, 2, 4, 8, 16];
/// Allowed relative error of a prescribed number of pairs.
const PAIRS_OFF: f64 = 0.005;
/// Most steps of the search for a prescribed number of pairs.
const STEPS: usize = 8;

/// The row of one size.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) axis: &'static str,
    pub(crate) factor: usize,
    views: usize,
    per_view: usize,
    width: usize,
    height: usize,
    pairs: u64,
    evaluated_lanes: u64,
    hits: usize,
    both_ms: f64,
    ns_per_pair: f64,
    /// Deviation of the time per pair from that at factor 1.
    pub(crate) deviation_percent: f64,
    /// The times of every round, ms.
    samples: Series,
}

/// Measures all sizes along all axes.
pub(crate) fn measure(rounds: usize) -> Result<Vec<Row>, RenderError> {
    let mut rows = axis("views", rounds, |factor| Ok(gmae(VIEWS * factor)))?;
    rows.extend(axis("Gaussians, same pairs", rounds, crowded)?);
    rows.extend(axis("image area", rounds, |factor| Ok(enlarged(factor)))?);
    Ok(rows)
}

/// Returns a recipe of `factor` times as many Gaussians, whose scales are so small that the number
/// of useful pairs is unchanged.
fn crowded(factor: usize) -> Result<Recipe, RenderError> {
    let base = gmae(VIEWS);
    if factor == 1 {
        return Ok(base);
    }
    let target = work(&base.draw()?)?.useful as f64;
    let mut recipe = Recipe {
        per_view: base.per_view * factor,
        spread: 1.0 / (factor as f64).sqrt(),
        ..base
    };
    for _ in 0..STEPS {
        let ratio = target / work(&recipe.draw()?)?.useful as f64;
        if (ratio - 1.0).abs() < PAIRS_OFF {
            break;
        }
        recipe.spread *= ratio.sqrt();
    }
    Ok(recipe)
}

/// Returns a recipe of the same Gaussians with `factor` times as many pixels.
fn enlarged(factor: usize) -> Recipe {
    let base = gmae(VIEWS);
    let side = |pixels: usize| (pixels as f64 * (factor as f64).sqrt()).round() as usize;
    Recipe {
        width: side(base.width),
        height: side(base.height),
        ..base
    }
}

/// Returns the work of the compositor for a workload.
fn work(workload: &Workload) -> Result<Work, RenderError> {
    let (backend, scene, config) = (Cpu::<f32>::new(), workload.scene(), &workload.config);
    let splats = backend.project(&scene.gaussians, scene.views, config)?;
    let splats = splats.as_slices();
    let hits = backend.bin(&splats, scene.views.width, scene.views.height)?;
    let sorted = backend.sort(&splats, hits)?;
    measure::count(&splats, &sorted, config)
}

fn axis(
    axis: &'static str,
    rounds: usize,
    recipe: impl Fn(usize) -> Result<Recipe, RenderError>,
) -> Result<Vec<Row>, RenderError> {
    let mut items = Vec::with_capacity(FACTORS.len());
    for factor in FACTORS {
        let recipe = recipe(factor)?;
        let workload = recipe.draw()?;
        let work = work(&workload)?;
        items.push((factor, recipe, work, Bench::new(workload)?));
    }
    let samples = interleaved(&items, rounds, |(_, _, _, bench)| {
        Ok([ms(bench.time(Stage::Render)?) + ms(bench.time(Stage::RenderVjp)?)])
    })?;
    let per_pair = |at: usize| 1e6 * samples[at].median(0) / items[at].2.useful as f64;
    let row = |at: usize| {
        let (factor, recipe, work, bench) = &items[at];
        Row {
            axis,
            factor: *factor,
            views: recipe.views,
            per_view: recipe.per_view,
            width: recipe.width,
            height: recipe.height,
            pairs: work.useful,
            evaluated_lanes: work.evaluated,
            hits: bench.saved.sorted.hits(),
            both_ms: samples[at].median(0),
            ns_per_pair: per_pair(at),
            deviation_percent: 100.0 * (per_pair(at) / per_pair(0) - 1.0),
            samples: samples[at].series(0),
        }
    };
    Ok((0..items.len()).map(row).collect())
}

/// Returns the rows as a table.
pub(crate) fn text(rows: &[Row]) -> Tables {
    let cells = rows.iter().map(|row| {
        vec![
            format!("{} x {}", row.axis, row.factor),
            format!("{} x {}", row.views, row.per_view),
            format!("{} x {}", row.width, row.height),
            count(row.pairs),
            count(row.evaluated_lanes),
            count(row.hits as u64),
            number(row.both_ms, 1),
            number(row.ns_per_pair, 2),
            format!("{:+.0} %", row.deviation_percent),
        ]
    });
    vec![(
        "Scaling from gmae(8), forward and backward",
        markdown(
            &[
                "factor",
                "views x Gaussians",
                "image",
                "pairs",
                "evaluated lanes",
                "hits",
                "ms",
                "ns per pair",
                "off x 1",
            ],
            &cells.collect::<Vec<_>>(),
        ),
    )]
}
