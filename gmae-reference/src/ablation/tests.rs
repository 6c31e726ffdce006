use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::sweep::Outcome;
use super::*;
use crate::config::{LossKind, Method};
use crate::error::Error;

const EXAMPLE: &str = r#"
title = "Tiny <table> & co"
config = "nano"
seeds = [0, 1]
images = 100
measures = ["masked_mse", "ridge"]
[settings]
epochs = 2
[[group]]
name = "loss"
paper = "all | is <worse>"
[[group.row]]
name = "all"
settings = { loss = "all" }
paper = { linear = 57.4 }
[[group.row]]
name = "masked"
paper = { linear = 61.0, "fine-tune" = "83,2 \"x\"" }
[[group]]
name = "Gaussians k"
[[group.row]]
name = "64"
[[group.row]]
name = "256"
settings = { gaussians = 256, decoder_depth = 1, epochs = 3 }
"#;

fn table(text: &str) -> Table {
    Table::parse(Path::new("example.toml"), text).expect("a table")
}

fn sweep_of(text: &str, output: &Path, others: &[PathBuf]) -> Result<Sweep, Error> {
    Sweep::open(table(text), output, others, "data", "gmae ablate <t>")
}

/// Returns values that depend on the configuration, and counts the calls.
#[derive(Default)]
struct Fake {
    /// The row, the seed and the working folder of each call.
    calls: Vec<(String, u64, PathBuf)>,
    /// The number of the call that is interrupted, or fails.
    interrupted: Option<usize>,
    failing: Option<usize>,
}

impl Runner for Fake {
    fn run(&mut self, job: &Job, folder: &Path) -> Result<Option<Measures>, Error> {
        assert_eq!((job.config.seed, job.images), (job.seed, Some(100)));
        self.calls
            .push((job.row.clone(), job.seed, folder.to_owned()));
        if self.interrupted == Some(self.calls.len()) {
            std::fs::write(folder.join("half"), "state").expect("writing");
            return Ok(None);
        }
        if self.failing == Some(self.calls.len()) {
            return Err(Error::Render("a failure".to_owned()));
        }
        let seed = job.seed as f64;
        let (mse, step) = match (job.config.loss, job.config.gaussians) {
            (LossKind::All, _) => (0.05, 0.002),
            (_, 64) => (0.03, 0.002),
            _ => (0.02, 0.004),
        };
        let known = [
            ("masked_mse", mse + step * seed),
            ("ridge", 40.0 + job.config.gaussians as f64 / 64.0 + seed),
            ("third", f64::INFINITY),
        ];
        let asked = known
            .into_iter()
            .filter(|(name, _)| job.measures.iter().any(|asked| asked == name));
        Ok(Some(Measures {
            values: asked
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            seconds: 2.5,
        }))
    }
}

/// Runs the sweep and returns its outcome and the names in the output folder.
fn run(sweep: &mut Sweep, runner: &mut Fake) -> Result<Outcome, Error> {
    let mut numbers = Vec::new();
    let outcome = sweep.run(runner, &mut |planned, outcome| {
        assert!(!planned.done && !outcome.interrupted);
        numbers.push(outcome.done);
    });
    let first = numbers.first().copied().unwrap_or_default();
    let counted: Vec<usize> = (first..).take(numbers.len()).collect();
    assert_eq!(numbers, counted, "one more is done before each job");
    outcome
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).expect(name)
}

#[test]
fn shared_jobs_run_once_and_finished_jobs_never_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    assert_eq!(dir.path().read_dir().expect("the folder").count(), 0);
    // Four rows with two seeds; "masked" and "64" are the same configuration.
    assert_eq!((sweep.plan().len(), sweep.outcome().done), (6, 0));
    let mut fake = Fake::default();
    let complete = Outcome {
        done: 6,
        total: 6,
        interrupted: false,
    };
    assert_eq!(run(&mut sweep, &mut fake).expect("a run"), complete);
    let calls: Vec<(&str, u64)> = fake.calls.iter().map(|call| (&*call.0, call.1)).collect();
    let rows = ["loss: all", "loss: masked", "Gaussians k: 256"];
    let expected: Vec<(&str, u64)> = [0, 1]
        .into_iter()
        .flat_map(|seed| rows.map(|row| (row, seed)))
        .collect();
    assert_eq!(calls, expected);
    let mut folders: Vec<&PathBuf> = fake.calls.iter().map(|call| &call.2).collect();
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), 6, "one folder for each job");
    let before = read(dir.path(), "report.html");

    let mut again = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    assert!(again.plan().iter().all(|planned| planned.done));
    let mut fake = Fake::default();
    assert_eq!(run(&mut again, &mut fake).expect("a run"), complete);
    assert_eq!(fake.calls.len(), 0);
    assert_eq!(read(dir.path(), "report.html"), before);
}

#[test]
fn an_interrupted_sweep_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut first = Fake {
        interrupted: Some(3),
        ..Fake::default()
    };
    let mut sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    let outcome = run(&mut sweep, &mut first).expect("a run");
    let half = Outcome {
        done: 2,
        total: 6,
        interrupted: true,
    };
    assert_eq!((outcome, first.calls.len()), (half, 3));
    let text = read(dir.path(), "table.md");
    assert!(text.contains("\n2 of 6 runs are done.\n"), "{text}");
    assert!(text.contains("| 0.05000 (n = 1) | **41.00 (n = 1)** | 64 x 2"));
    assert!(text.contains("| 256 | - | - | 3 | 64 x 1, 2 heads |"));
    let csv = read(dir.path(), "table.csv");
    assert!(csv.contains("\nloss,all,masked MSE,,0.05,,1\n"), "{csv}");
    assert!(csv.contains("\nGaussians k,256,epochs,,3,,\n") && !csv.contains("256,ridge"));

    let mut second = Fake::default();
    let mut sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    let done: Vec<bool> = sweep.plan().iter().map(|planned| planned.done).collect();
    assert_eq!(done, [true, true, false, false, false, false]);
    assert_eq!(run(&mut sweep, &mut second).expect("a run").done, 6);
    assert_eq!(second.calls.len(), 4);
    assert_eq!(second.calls[0], first.calls[2], "the same job and folder");
    assert_eq!(read(&second.calls[0].2, "half"), "state");
}

#[test]
fn a_failing_job_ends_the_sweep_and_keeps_the_results() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut failing = Fake {
        failing: Some(2),
        ..Fake::default()
    };
    let mut sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    let error = run(&mut sweep, &mut failing).expect_err("a failure");
    assert_eq!(error.to_string(), "rendering: a failure");
    assert_eq!(sweep.outcome().done, 1);
    assert!(read(dir.path(), "table.md").contains("1 of 6 runs are done."));
    let sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    assert_eq!(sweep.outcome().done, 1);
}

#[test]
fn damaged_results_and_foreign_tables_are_refused_by_name() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    run(&mut sweep, &mut Fake::default()).expect("a run");
    let results = dir.path().join("results");
    let path = results.read_dir().expect("results").next();
    let path = path.expect("a result").expect("an entry").path();
    let text = std::fs::read_to_string(&path).expect("a result");
    std::fs::write(&path, text.replace("2.5", "2.6")).expect("writing");
    let error = sweep_of(EXAMPLE, dir.path(), &[]).expect_err("damaged");
    let name = path.file_name().expect("a name").to_string_lossy();
    assert!(error.to_string().contains(&*name), "{error}");
    assert!(error.to_string().contains("checksum"), "{error}");

    let other = tempfile::tempdir().expect("a folder");
    std::fs::write(other.path().join("table.md"), "mine").expect("writing");
    let mut sweep = sweep_of(EXAMPLE, other.path(), &[]).expect("a sweep");
    let error = run(&mut sweep, &mut Fake::default()).expect_err("another table");
    assert!(error.to_string().contains("with table.md"), "{error}");
    assert_eq!(read(other.path(), "table.md"), "mine");
}

#[test]
fn results_of_other_folders_are_read_and_not_changed() {
    let first = tempfile::tempdir().expect("a folder");
    let mut sweep = sweep_of(EXAMPLE, first.path(), &[]).expect("a sweep");
    run(&mut sweep, &mut Fake::default()).expect("a run");
    let second = tempfile::tempdir().expect("a folder");
    let others = [first.path().join("results")];
    let mut fake = Fake::default();
    let mut sweep = sweep_of(EXAMPLE, second.path(), &others).expect("a sweep");
    assert_eq!(run(&mut sweep, &mut fake).expect("a run").done, 6);
    assert_eq!(fake.calls.len(), 0);
    for name in ["table.md", "table.csv", "report.html"] {
        assert_eq!(read(second.path(), name), read(first.path(), name));
    }
    let others = [first.path().join("nothing")];
    let error = sweep_of(EXAMPLE, second.path(), &others).expect_err("no folder");
    assert!(error.to_string().contains("nothing"), "{error}");
}

#[test]
fn a_new_measure_runs_the_jobs_again_and_keeps_the_old_measures() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    run(&mut sweep, &mut Fake::default()).expect("a run");
    let list = "[\"masked_mse\", \"ridge\"]";
    let more = EXAMPLE.replace(list, "[\"third\", \"absent\", \"seconds\"]");
    let mut sweep = sweep_of(&more, dir.path(), &[]).expect("a sweep");
    let asked = &sweep.plan()[0].job.measures;
    assert_eq!(asked[..], ["third", "absent", "masked_mse", "ridge"]);
    let mut fake = Fake::default();
    run(&mut sweep, &mut fake).expect("a run");
    assert_eq!(fake.calls.len(), 6);
    let text = read(dir.path(), "table.md");
    let row = "| all | not finite | - | 2 ± 0 |";
    let head = "| | third ↑ | absent ↑ | time (s) | decoder |";
    assert!(text.contains(head) && text.contains(row), "{text}");
    let sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    assert_eq!(sweep.outcome().done, 6, "the old measures are still there");
}

/// Two values that differ by d have the sample standard deviation d / sqrt(2): 0.00141 for 0.002,
/// 0.00283 for 0.004 and 0.71 for 1.
#[test]
fn the_tables_have_this_text() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    run(&mut sweep, &mut Fake::default()).expect("a run");
    let markdown = r#"# Tiny \<table\> \& co

Preset nano, seeds 0, 1.

Settings of all rows: epochs 2.

↑: higher is better. ↓: lower is better. The number after ± is the sample standard deviation over
seeds.

## loss

| | masked MSE ↓ | ridge probe (%) ↑ | decoder | paper: fine-tune | paper: linear |
|---|---:|---:|---:|---:|---:|
| all | 0.05100 ± 0.00141 | **41.50 ± 0.71** | 64 x 2, 2 heads | - | 57.4 |
| masked | **0.03100 ± 0.00141** | **41.50 ± 0.71** | 64 x 2, 2 heads | 83,2 "x" | 61.0 |

Bold: the best run of a column. All rows: method GMAE, images 100, epochs 2.

Paper: all \| is \<worse\>

## Gaussians k

| | masked MSE ↓ | ridge probe (%) ↑ | epochs | decoder |
|---|---:|---:|---:|---:|
| 64 | 0.03100 ± 0.00141 | 41.50 ± 0.71 | 2 | 64 x 2, 2 heads |
| 256 | **0.02200 ± 0.00283** | **44.50 ± 0.71** | 3 | 64 x 1, 2 heads |

Bold: the best run of a column. All rows: method GMAE, images 100.
"#;
    assert_eq!(read(dir.path(), "table.md"), markdown);
    let html = read(dir.path(), "report.html");
    let table = r#"<h3>loss</h3>
<div class="scroll"><table class="results numbers">
<thead><tr><th></th><th>masked MSE ↓</th><th>ridge probe ↑ <small>%</small></th><th>decoder</th><th>paper: fine‑tune</th><th>paper: linear</th></tr></thead>
<tbody>
<tr><th scope="row">all</th><td>0.05100 <small>± 0.00141</small></td><td><b>41.50 <small>± 0.71</small></b></td><td>64 x 2, 2 heads</td><td>-</td><td>57.4</td></tr>
<tr><th scope="row">masked</th><td><b>0.03100 <small>± 0.00141</small></b></td><td><b>41.50 <small>± 0.71</small></b></td><td>64 x 2, 2 heads</td><td>83,2 &quot;x&quot;</td><td>61.0</td></tr>
</tbody>
</table></div>
<p class="below">Bold: the best run of a column. All rows: method GMAE, images 100, epochs 2.</p>
<p class="below">Paper: all | is &lt;worse&gt;</p>
</div>
"#;
    let html = html.replace('\u{a0}', " ");
    assert!(html.contains(table), "{html}");
    assert!(html.contains("<h1>Tiny &lt;table&gt; &amp; co</h1>"));
    assert!(html.contains("<p class=\"note\">Preset nano, seeds 0, 1.</p>"));
    assert!(
        html.contains("<pre><span>gmae</span> <span>ablate</span> <span>&lt;t&gt;</span></pre>")
            && !html.contains("No runs.")
    );
    assert_eq!(html.matches("<svg").count(), 2, "a plot for each measure");
    for word in ["<script", "http", "url(", "@import"] {
        assert!(!html.contains(word), "{word}");
    }
}

#[test]
fn renders_that_are_not_colours_are_pointed_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let text = EXAMPLE.replace("\"all\" }", "\"masked-norm-target\" }");
    let mut sweep = sweep_of(&text, dir.path(), &[]).expect("a sweep");
    run(&mut sweep, &mut Fake::default()).expect("a run");
    let table = read(dir.path(), "table.md");
    assert_eq!(table.matches("standardised patches").count(), 1, "{table}");
}

#[test]
fn the_csv_file_has_all_digits_and_correct_quotes() {
    let dir = tempfile::tempdir().expect("a folder");
    let mut sweep = sweep_of(EXAMPLE, dir.path(), &[]).expect("a sweep");
    run(&mut sweep, &mut Fake::default()).expect("a run");
    let text = read(dir.path(), "table.csv");
    let lines: Vec<&str> = text.lines().collect();
    // In the first group, three settings and three cells for each row, and three numbers of the
    // paper. In the second, two settings and four cells for each row.
    assert_eq!(lines.len(), 1 + 2 * (3 + 3) + 3 + 2 * (2 + 4));
    assert!(text.contains("\nloss,masked,paper: fine-tune,,\"83,2 \"\"x\"\"\",,\n"));
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    let records: Vec<BTreeMap<String, String>> = reader
        .deserialize()
        .map(|record| record.expect("a record"))
        .collect();
    let record = |table: &str, row: &str, column: &str| {
        let mut found = records.iter().filter(|record| {
            [&record["table"], &record["row"], &record["column"]] == [table, row, column]
        });
        let record = found.next().expect(column);
        assert!(found.next().is_none(), "{column}");
        record
    };
    for (column, value) in [
        ("method", "GMAE"),
        ("images", "100"),
        ("epochs", "2"),
        ("decoder", "64 x 2, 2 heads"),
        ("paper: fine-tune", "83,2 \"x\""),
        ("paper: linear", "61.0"),
    ] {
        let record = record("loss", "masked", column);
        assert_eq!(
            [&record["mean"], &record["deviation"], &record["n"]],
            [value, "", ""]
        );
    }
    let ridge = record("Gaussians k", "256", "ridge probe");
    assert_eq!(
        [&ridge["unit"], &ridge["mean"], &ridge["n"]],
        ["%", "44.5", "2"]
    );
    let spread: f64 = ridge["deviation"].parse().expect("a number");
    let difference = spread - std::f64::consts::FRAC_1_SQRT_2;
    assert!(difference.abs() < 1e-15, "{spread}");
}

/// The tables of the paper at nano scale.
#[test]
fn the_tables_of_the_paper_parse() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ablations/nano.toml");
    let table = Table::read(&path).expect("a table");
    let rows: Vec<usize> = table.groups.iter().map(|group| group.rows.len()).collect();
    assert_eq!(rows, [4, 3, 3, 4, 3, 3, 5]);
    let configs = |group: usize| table.groups[group].rows.iter().map(|row| row.config);
    for config in configs(0) {
        let rule = 16.0 / (config.gaussians as f64).sqrt();
        let difference = (config.gaussian_scale - rule).abs();
        assert!(difference < 1e-15, "k = {}", config.gaussians);
    }
    let depth: Vec<[bool; 2]> = configs(5)
        .map(|config| [config.freeze_z, config.random_depth_order])
        .collect();
    assert_eq!(depth, [[false, false], [true, false], [false, true]]);
    let [gmae, mae] = [Method::Gmae, Method::Mae];
    let decoders = configs(6).map(|config| (config.method, config.decoder_depth));
    let expected = [(gmae, 1), (gmae, 2), (gmae, 4), (mae, 2), (mae, 4)];
    assert_eq!(decoders.collect::<Vec<_>>(), expected);
    let seeds = table.seeds.len();
    let sweep = Sweep::open(table, Path::new("nowhere"), &[], "data", "").expect("a sweep");
    // Of the 25 rows, seven are the preset.
    assert_eq!(sweep.plan().len(), (25 - 7 + 1) * seeds);
}
