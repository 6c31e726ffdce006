//! Runs the jobs of a table that have no result yet, and rewrites the tables after each.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::comparison::{Results, comparison};
use super::error::AblationError;
use super::job::{Identity, Job};
use super::measures::SECONDS;
use super::store::{Finished, RESULTS, Store};
use super::table::{Group, Row, Table};
use crate::config::Config;
use crate::error::Error;
use crate::files::{self, Lock};
use crate::report;

/// Runs jobs.
pub(crate) trait Runner {
    /// Runs a job and returns its measures, or `None` if the run was interrupted. `folder` exists
    /// and belongs to this job alone. After an interruption, the same job gets the same folder with
    /// its files, so that the run can resume.
    ///
    /// The values are in the units of the table. A measure of `job.measures` that does not apply to
    /// the configuration is left out.
    ///
    /// # Errors
    ///
    /// Any error of the run. A runner refuses names in `job.measures` that it does not know.
    fn run(&mut self, job: &Job, folder: &Path) -> Result<Option<Measures>, Error>;
}

/// The measures of a finished job.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measures {
    /// The values, by name.
    pub(crate) values: BTreeMap<String, f64>,
    /// The time of the training steps, in seconds, or that of the measures if nothing is trained.
    /// NaN for a row that diverges.
    pub(crate) seconds: f64,
}

/// A job of the sweep and its state.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// The job.
    pub(crate) job: Job,
    /// Whether the job has a result with every measure of the table.
    pub(crate) done: bool,
    /// The folder in which the job runs. It may be missing.
    pub(crate) folder: PathBuf,
    identity: Identity,
    result: Option<Finished>,
}

/// The state of a sweep.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Outcome {
    /// Number of jobs with a result.
    pub(crate) done: usize,
    /// Number of jobs.
    pub(crate) total: usize,
    /// Whether a job was interrupted.
    pub(crate) interrupted: bool,
}

/// The jobs of a table, with the results in an output folder and in other folders.
#[derive(Debug)]
pub(crate) struct Sweep {
    table: Table,
    output: PathBuf,
    /// The command line that repeats the sweep.
    command: String,
    store: Store,
    jobs: Vec<Planned>,
    /// The index of the job of each group, row and seed.
    indices: Vec<Vec<Vec<usize>>>,
}

impl Sweep {
    /// Lists the jobs of `table` and reads their results. No file is written. The order of the jobs
    /// is that of the rows, first with the first seed, then with the next. Rows with the same
    /// settings share their jobs.
    ///
    /// `others` are folders of result files of other sweeps; they are only read. `data` is the
    /// data and the protocol of the measures. `command` is the command line, for the report.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if one of `others` has no results. [`Error::File`] if a result cannot
    /// be read. [`AblationError::Result`] if it is damaged or belongs to another job.
    pub(crate) fn open(
        table: Table,
        output: &Path,
        others: &[PathBuf],
        data: &str,
        command: &str,
    ) -> Result<Self, Error> {
        let store = Store::new(output, others)?;
        let mut jobs: Vec<Planned> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let rows = |group: &Group| vec![Vec::new(); group.rows.len()];
        let mut indices: Vec<Vec<Vec<usize>>> = table.groups.iter().map(rows).collect();
        for &seed in &table.seeds {
            for (group, indices) in table.groups.iter().zip(&mut indices) {
                for (row, indices) in group.rows.iter().zip(indices) {
                    let job = job_of(&table, &group.name, row, seed);
                    let identity = Identity::of(&job, data).map_err(|reason| {
                        Error::Ablation(AblationError::Table {
                            path: table.path.clone(),
                            reason,
                        })
                    })?;
                    let index = *known.entry(identity.hash.clone()).or_insert(jobs.len());
                    if index == jobs.len() {
                        jobs.push(Planned {
                            job,
                            done: false,
                            folder: store.work_folder(&identity),
                            identity,
                            result: None,
                        });
                    }
                    indices.push(index);
                }
            }
        }
        let output = output.to_owned();
        let mut sweep = Self {
            table,
            output,
            command: command.to_owned(),
            store,
            jobs,
            indices,
        };
        sweep.find_results()?;
        Ok(sweep)
    }

    /// The jobs with their state, in the order in which they run.
    pub(crate) fn plan(&self) -> &[Planned] {
        &self.jobs
    }

    /// Number of jobs with a result, and number of all jobs.
    pub(crate) fn outcome(&self) -> Outcome {
        Outcome {
            done: self.jobs.iter().filter(|planned| planned.done).count(),
            total: self.jobs.len(),
            interrupted: false,
        }
    }

    /// Runs every job without a result. The tables are written at the start and after each job.
    /// `started` is called before each job.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the output folder contains tables but no results, or another process
    /// writes to it. [`Error::File`] if a result, or [`Error::Report`] if a table cannot be
    /// written. The errors of [`Sweep::open`] and of the runner. Finished results are kept.
    pub(crate) fn run(
        &mut self,
        runner: &mut dyn Runner,
        started: &mut dyn FnMut(&Planned, Outcome),
    ) -> Result<Outcome, Error> {
        if !self.output.join(RESULTS).is_dir() {
            let remedy = "or one that already holds a sweep";
            files::expect_free(&self.output, &report::COMPARISON_FILES, remedy)?;
        }
        files::create_folder(&self.output.join(RESULTS))?;
        let _lock = Lock::take(&self.output)?;
        // Another process can have finished jobs before this one took the lock.
        self.find_results()?;
        self.write_tables()?;
        for index in 0..self.jobs.len() {
            let outcome = self.outcome();
            let planned = &mut self.jobs[index];
            if planned.done {
                continue;
            }
            started(planned, outcome);
            files::create_folder(&planned.folder)?;
            let Some(measures) = runner.run(&planned.job, &planned.folder)? else {
                return Ok(Outcome {
                    interrupted: true,
                    ..outcome
                });
            };
            let result = Finished {
                asked: planned.job.measures.clone(),
                values: measures.values,
                seconds: measures.seconds,
            };
            self.store.save(&planned.identity, &result)?;
            planned.result = Some(result);
            planned.done = true;
            self.write_tables()?;
        }
        Ok(self.outcome())
    }

    /// Reads the results of all jobs. A job whose result lacks a measure runs again, and is asked
    /// for the measures of the old result too, because the new result replaces it.
    fn find_results(&mut self) -> Result<(), Error> {
        let wanted = wanted(&self.table);
        for planned in &mut self.jobs {
            planned.result = self.store.find(&planned.identity, &wanted)?;
            planned.done = planned
                .result
                .as_ref()
                .is_some_and(|result| result.covers(&wanted));
            let asked = planned.result.iter().flat_map(|result| &result.asked);
            let more = asked.filter(|name| !wanted.contains(name));
            planned.job.measures = wanted.iter().chain(more).cloned().collect();
        }
        Ok(())
    }

    fn write_tables(&self) -> Result<(), Error> {
        let results = |indices: &Vec<usize>| {
            let results = indices
                .iter()
                .map(|&index| self.jobs[index].result.as_ref());
            results.collect()
        };
        let results: Results = self
            .indices
            .iter()
            .map(|rows| rows.iter().map(results).collect())
            .collect();
        let outcome = self.outcome();
        let progress = [outcome.done, outcome.total];
        let data = comparison(&self.table, &results, progress, &self.command);
        report::write_comparison_files(&self.output, &data)?;
        Ok(())
    }
}

/// The measures that a runner is asked for.
fn wanted(table: &Table) -> Vec<String> {
    let names = table.measures.iter().filter(|name| *name != SECONDS);
    names.cloned().collect()
}

fn job_of(table: &Table, group: &str, row: &Row, seed: u64) -> Job {
    // A row without random numbers has one job for all seeds.
    let first = table.seeds.first().copied().unwrap_or(seed);
    let seed = if row.subject.has_seed() { seed } else { first };
    Job {
        row: format!("{group}: {}", row.name),
        seed,
        images: table.images,
        subject: row.subject,
        config: Config { seed, ..row.config },
        finetuning: Config {
            seed,
            ..row.finetuning
        },
        mask_ratio: table.base.mask_ratio,
        measures: wanted(table),
    }
}
