//! The text of the cells of a table, the marks of the best, and the remarks, as plain text.

use super::data::{Better, Cell, Quantity, RowKind, Table};

/// The text of a cell that is empty.
const EMPTY: &str = "-";
/// The mark of a baseline that is better than every run.
pub(super) const AHEAD: &str = "\u{2020}";
/// Largest number of decimals that are shown.
const MAX_DECIMALS: usize = 12;

/// The text of a cell.
pub(super) struct Shown {
    /// The mean, or words.
    pub text: String,
    /// Standard deviation and number of runs. Can be empty.
    pub more: String,
}

/// The mark of a cell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mark {
    /// The best run of the column.
    Best,
    /// A baseline that is better than every run.
    Ahead,
    /// Neither.
    Plain,
}

/// The best numbers of a column, as values of [`rank`].
pub(super) struct Marks {
    /// The best run, if several runs have a number.
    best: Option<f64>,
    /// The best run, also if it is the only one.
    leader: Option<f64>,
}

/// Returns the best numbers of every column.
pub(super) fn marks(table: &Table) -> Vec<Marks> {
    let columns = table.columns.iter().enumerate();
    let marks = columns.map(|(index, column)| {
        let runs = table.rows.iter().filter(|row| row.kind == RowKind::Run);
        let values: Vec<f64> = runs
            .filter_map(|row| rank(row.cells.get(index)?, column))
            .collect();
        let leader = values.iter().copied().reduce(f64::max);
        Marks {
            best: leader.filter(|_| values.len() > 1),
            leader,
        }
    });
    marks.collect()
}

/// Returns the mark of a cell in a row of a kind.
pub(super) fn mark(cell: &Cell, column: &Quantity, kind: RowKind, marks: &Marks) -> Mark {
    let Some(value) = rank(cell, column) else {
        return Mark::Plain;
    };
    match kind {
        RowKind::Run if marks.best == Some(value) => Mark::Best,
        RowKind::Baseline if marks.leader.is_some_and(|leader| value > leader) => Mark::Ahead,
        _ => Mark::Plain,
    }
}

/// Returns a number that is larger for better cells. It is `None` for cells without a finite number
/// and for columns without a direction. Cells with the same shown number have the same rank.
fn rank(cell: &Cell, column: &Quantity) -> Option<f64> {
    let Cell::Number { mean, .. } = cell else {
        return None;
    };
    // Adding zero makes -0 equal to 0.
    let shown: f64 = number(*mean, column).parse().ok()?;
    let rank = match column.better {
        Better::Higher => shown,
        Better::Lower => 0.0 - shown,
        Better::Neither => return None,
    };
    rank.is_finite().then_some(rank)
}

/// Returns the text of a cell.
pub(super) fn shown(cell: &Cell, column: &Quantity) -> Shown {
    let (text, more) = match cell {
        Cell::Empty => (EMPTY.to_owned(), Vec::new()),
        Cell::Text(text) => (text.clone(), Vec::new()),
        Cell::Number {
            mean,
            spread,
            count,
            planned,
        } => {
            let (mean, spread) = if mean.is_finite() {
                let spread = spread.filter(|spread| spread.is_finite());
                (number(*mean, column), spread)
            } else {
                ("not finite".to_owned(), None)
            };
            let spread = spread.map(|spread| format!("\u{b1} {}", number(spread, column)));
            let count = (count != planned).then(|| format!("(n = {count})"));
            (mean, [spread, count].into_iter().flatten().collect())
        }
    };
    Shown {
        text,
        more: more.join(" "),
    }
}

/// Formats a number with the decimals of its column. The result is not negative zero.
fn number(value: f64, column: &Quantity) -> String {
    let decimals = column.decimals.min(MAX_DECIMALS);
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if !digits.contains(|c: char| ('1'..='9').contains(&c)) => digits.to_owned(),
        _ => text,
    }
}

/// Returns the arrow of the better direction, or nothing.
pub(super) fn arrow(column: &Quantity) -> &'static str {
    match column.better {
        Better::Higher => "\u{2191}",
        Better::Lower => "\u{2193}",
        Better::Neither => "",
    }
}

/// Returns the meaning of the signs in the tables.
pub(super) fn legend(tables: &[Table]) -> String {
    let rows = tables.iter().flat_map(|table| &table.rows);
    let cells: Vec<&Cell> = rows.flat_map(|row| &row.cells).collect();
    let mut words = vec!["\u{2191}: higher is better. \u{2193}: lower is better."];
    let has = |condition: fn(&Cell) -> bool| cells.iter().any(|cell| condition(cell));
    if has(|cell| matches!(cell, Cell::Number { spread, .. } if spread.is_some())) {
        words.push("The number after \u{b1} is the sample standard deviation over seeds.");
    }
    if has(|cell| matches!(cell, Cell::Number { count, planned, .. } if count != planned)) {
        words.push("Where runs are missing, n is the number of runs.");
    }
    words.join(" ")
}

/// Returns the paragraphs below a table: the meaning of its marks, the settings of all rows, and
/// its note.
pub(super) fn remarks(table: &Table, marks: &[Marks]) -> Vec<String> {
    let has = |wanted: Mark| {
        table.rows.iter().any(|row| {
            let mut cells = row.cells.iter().zip(&table.columns).zip(marks);
            cells.any(|((cell, column), marks)| mark(cell, column, row.kind, marks) == wanted)
        })
    };
    let mut words = Vec::new();
    if has(Mark::Best) {
        words.push("Bold: the best run of a column.".to_owned());
    }
    if has(Mark::Ahead) {
        words.push(format!("{AHEAD}: a baseline better than every run."));
    }
    let settings = table.settings.iter();
    let settings: Vec<String> = settings
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if !settings.is_empty() {
        words.push(format!("All rows: {}.", settings.join(", ")));
    }
    let paragraphs = [words.join(" "), table.note.clone()];
    let paragraphs = paragraphs.into_iter().filter(|text| !text.is_empty());
    paragraphs.collect()
}
