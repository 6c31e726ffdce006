//! The content of the report of a comparison, as plain data.

use crate::data::Image;
use crate::report::data::{DensityData, SizeDepthData};
use crate::report::precision_recall::PrecisionRecall;

/// The complete content of the report of a comparison. Every list can be empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ComparisonData {
    /// The heading of the page, such as `GMAE and MAE on CIFAR-10`.
    pub title: String,
    /// The exact command line that repeats the comparison.
    pub command: String,
    /// Remarks, such as missing runs, one paragraph each.
    pub notes: Vec<String>,
    /// The runs. Their order gives the colours of the loss plot.
    pub runs: Vec<RunData>,
    /// Results.
    pub tables: Vec<Table>,
    /// Precision against recall, one curve for each method.
    pub curves: Vec<PrecisionRecall>,
    /// Results against one setting.
    pub sweeps: Vec<Sweep>,
    /// Held-out pictures with the reconstruction of every run.
    pub reconstructions: Vec<ComparedPicture>,
    /// The best, the median and the worst images of the runs.
    pub cases: Vec<CaseGroup>,
    /// Density of the Gaussians against image detail, one entry for each run that has Gaussians.
    pub density: Vec<DensityData>,
    /// Size of the Gaussians against depth, one entry for each run that has Gaussians.
    pub size_depth: Vec<SizeDepthData>,
}

/// One run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RunData {
    /// Unique name, such as `GMAE, seed 0`.
    pub name: String,
    /// The method, such as `GMAE`.
    pub method: String,
    /// Name and value of every setting. Settings that not all runs have count as different.
    pub configuration: Vec<(String, String)>,
    /// Training loss as points `(step, loss)`. Points that are not finite are not drawn.
    pub train: Vec<(f64, f64)>,
}

/// A table of results.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    /// The heading.
    pub caption: String,
    /// The columns, without the column of the names.
    pub columns: Vec<Quantity>,
    /// The rows, in the order of the page within each [`RowKind`].
    pub rows: Vec<Row>,
    /// Name and value of settings that all rows have, such as `epochs` and `5`. Can be empty.
    pub settings: Vec<(String, String)>,
    /// A remark below the table. Can be empty.
    pub note: String,
}

/// A measured quantity: a column of a table, or the vertical axis of a plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Quantity {
    /// Name, such as `linear probe`.
    pub label: String,
    /// Unit, such as `%`. Can be empty.
    pub unit: String,
    /// Which values are better.
    pub better: Better,
    /// Number of decimals that are shown. Values that are equal in these count as equally good.
    pub decimals: usize,
}

/// Which values of a quantity are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Better {
    /// Larger values.
    Higher,
    /// Smaller values.
    Lower,
    /// Neither. No value of the column is marked.
    #[default]
    Neither,
}

/// A row of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    /// Name, such as `GMAE, three seeds` or `raw pixels`.
    pub name: String,
    /// The group of the row. Each group is a separate part of the table.
    pub kind: RowKind,
    /// One cell for each column.
    pub cells: Vec<Cell>,
}

/// The origin of the numbers in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// Runs that are compared. The best of them is marked in every column.
    #[default]
    Run,
    /// Trivial or other reference methods measured on the same data, such as raw pixels, a random
    /// encoder, the mean colour or a bilinear fill.
    Baseline,
    /// Numbers from papers, not measured on the same data. No other number is compared with them.
    Published,
}

/// One cell of a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Cell {
    /// Not measured.
    #[default]
    Empty,
    /// A number.
    Number {
        /// Mean over seeds, or the value of the only run.
        mean: f64,
        /// Sample standard deviation over seeds (divisor n - 1); `None` for one run.
        spread: Option<f64>,
        /// Number of runs that have the number.
        count: usize,
        /// Number of runs that are planned. `count` is shown if it differs.
        planned: usize,
    },
    /// Words, or a number in a format of its own.
    Text(String),
}

impl Cell {
    /// Returns the number of one run, or of a baseline.
    pub(crate) fn single(value: f64) -> Self {
        Self::Number {
            mean: value,
            spread: None,
            count: 1,
            planned: 1,
        }
    }
}

/// Results against one setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sweep {
    /// The heading, such as `number of Gaussians k`.
    pub name: String,
    /// Name of the horizontal axis, such as `k`.
    pub x_label: String,
    /// The quantities. Each has a plot of its own.
    pub measures: Vec<Measure>,
}

/// A quantity against a setting.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measure {
    /// The quantity.
    pub quantity: Quantity,
    /// The results, in any order. Points that are not finite are not drawn.
    pub points: Vec<SweepPoint>,
}

/// The result for one value of a setting.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct SweepPoint {
    /// Value of the setting.
    pub x: f64,
    /// Mean over seeds, or the value of the only run.
    pub mean: f64,
    /// Sample standard deviation over seeds: half the length of the error bar. `None` for one run.
    pub spread: Option<f64>,
}

/// One held-out picture and its reconstructions, all of the same size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ComparedPicture {
    /// The original.
    pub original: Image,
    /// The original with its masked patches in grey.
    pub masked: Image,
    /// One reconstruction for each run, in the order of the runs. `None` if a run has none.
    pub reconstructions: Vec<Option<Reconstruction>>,
}

/// Images that stand for the results of one run.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct CaseGroup {
    /// The heading, such as `Masks of Weizmann horses: GMAE`.
    pub title: String,
    /// The images.
    pub cases: Vec<Case>,
}

/// One image with pictures of its truth and its prediction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Case {
    /// Words about the image, such as `the best of 82: 71.2 %`.
    pub caption: String,
    /// The pictures, each with a caption.
    pub pictures: Vec<(String, Image)>,
}

/// A reconstruction by one run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reconstruction {
    /// The whole picture as the run paints it, or with its visible patches pasted in.
    pub image: Image,
    /// Mean squared error on the masked patches, for colours in `[0, 1]`; `None` if unknown.
    pub loss: Option<f64>,
}
