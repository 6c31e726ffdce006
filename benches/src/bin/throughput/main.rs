//! Measures the throughput of `splat` on this machine, and compares it with a roofline: a loop that
//! executes only the compositor's arithmetic.
//!
//! ```text
//! cargo run --release -p benches --bin throughput -- --threads 2
//! cargo run --release -p benches --bin throughput -- \
//!     --stages --workload gmae --workload scene.safetensors
//! cargo run --release -p benches --no-default-features --features wgpu --bin throughput -- \
//!     --backend wgpu --workload gmae
//! target/release/throughput --compare PROGRAM --workload scene
//! target/release/throughput --workload scene --stage composite --seconds 20
//! ```
//!
//! The workloads are the seeded scenes of this crate, and the garden scene if its file is
//! available. Without an option that asks for something else the program prints a table of
//! throughput and a table of memory. The exit code is 2 if the arguments or a file cannot be used.

mod arguments;
mod bits;
mod compare;
#[cfg(any(feature = "wgpu", feature = "cuda"))]
mod device;
mod machine;
mod memory;
mod plot;
mod rows;
mod sampling;
mod scaling;
mod stages;
mod table;

use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use arguments::{Arguments, BackendName};
use benches::{
    Bench, Stage, Workload, batch256, batch1024, garden, garden_path, garden_view, gmae,
    gmae_heavy, image_fit, scene,
};
use clap::Parser;
use machine::Machine;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use splat::RenderError;

/// The default workloads.
const SCENES: [&str; 6] = [
    "gmae",
    "gmae_heavy",
    "image_fit",
    "scene",
    "batch256",
    "garden",
];

/// The results on the CPU.
#[derive(Serialize)]
struct Report {
    machine: Machine,
    threads: usize,
    instructions: &'static str,
    /// Whether the caches were emptied before every timed run.
    cold: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    throughput: Option<Vec<rows::Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scaling: Option<Vec<scaling::Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<Vec<stages::Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bits: Option<Vec<bits::Row>>,
}

/// The results on a device.
#[cfg(any(feature = "wgpu", feature = "cuda"))]
#[derive(Serialize)]
struct DeviceReport {
    device: String,
    throughput: Vec<device::Row>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            table::note(&format!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), String> {
    if arguments.rounds == 0 {
        return Err("--rounds: expected at least 1".to_owned());
    }
    if let Some(folder) = &arguments.export {
        return export(folder, workloads(arguments)?);
    }
    if arguments.backend != BackendName::Cpu {
        if arguments.scaling || arguments.stages {
            return Err(
                "--backend: --scaling and --stages are measured on the cpu only".to_owned(),
            );
        }
        return on_device(arguments);
    }
    if let Some(other) = &arguments.compare {
        return compare(arguments, other);
    }
    let all = pool(arguments.threads)?;
    if let Some(stage) = arguments.stage {
        return repeat(arguments, stage, &all);
    }
    if let Some(path) = &arguments.plot {
        plot::check_name(path)?;
    }
    let report = report(arguments, &all)?;
    print(&if arguments.json {
        serde_json::to_string_pretty(&report).map_err(|error| error.to_string())? + "\n"
    } else {
        text(&report)
    })?;
    if let Some(path) = &arguments.plot {
        plot::write(
            path,
            &plot::Panels {
                title: &report.machine.line(),
                stages: report.stages.as_deref().unwrap_or_default(),
                throughput: report.throughput.as_deref().unwrap_or_default(),
                scaling: report.scaling.as_deref().unwrap_or_default(),
            },
        )?;
    }
    Ok(())
}

/// Measures on the CPU what the arguments ask for.
fn report(arguments: &Arguments, all: &ThreadPool) -> Result<Report, String> {
    let (rounds, every) = (arguments.rounds, arguments.plot.is_some());
    let others = arguments.scaling || arguments.stages || arguments.bits;
    let (throughput, wants_stages) = (every || !others, every || arguments.stages);
    // All workloads are read before anything is timed, so that a bad file is reported at once.
    let benches = if throughput || wants_stages || arguments.bits {
        ready(arguments, all)?
    } else {
        Vec::new()
    };
    let machine = Machine::here();
    let throughput = throughput.then(|| all.install(|| rows::measure(&benches, rounds)));
    let one = pool(1)?;
    let stages = wants_stages.then(|| stages::measure(&benches, rounds, [&one, all]));
    let bits = arguments
        .bits
        .then(|| all.install(|| bits::measure(&benches)));
    drop(benches);
    let scaling = every || arguments.scaling;
    let scaling = scaling.then(|| all.install(|| scaling::measure(rounds)));
    let refused = |error: RenderError| error.to_string();
    Ok(Report {
        threads: all.current_num_threads(),
        instructions: machine.instructions,
        machine,
        cold: arguments.cold,
        throughput: throughput.transpose().map_err(refused)?,
        scaling: scaling.transpose().map_err(refused)?,
        stages: stages.transpose().map_err(refused)?,
        bits: bits.transpose().map_err(refused)?,
    })
}

/// Compares this program with another build of it.
fn compare(arguments: &Arguments, other: &Path) -> Result<(), String> {
    let rows = compare::measure(&compare::Runs {
        other,
        pairs: arguments.pairs as usize,
        rounds: arguments.rounds,
        threads: arguments.threads,
        workloads: &arguments.workload,
        sorted: arguments.sorted,
    })?;
    if arguments.json {
        let json = serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?;
        return print(&(json + "\n"));
    }
    let tables = compare::text(&rows);
    let texts = tables
        .iter()
        .map(|(title, table)| format!("{title}\n\n{table}"));
    print(&texts.collect::<Vec<_>>().join("\n"))
}

/// Repeats one stage of each workload for the given time, or the given number of times.
fn repeat(arguments: &Arguments, stage: Stage, pool: &ThreadPool) -> Result<(), String> {
    for bench in ready(arguments, pool)? {
        let start = Instant::now();
        let mut times = Vec::new();
        let goes_on = |done: usize| match arguments.times {
            Some(times) => done < times,
            None => start.elapsed().as_secs_f64() < arguments.seconds,
        };
        while goes_on(times.len()) {
            let time = pool.install(|| bench.time(stage));
            times.push(sampling::ms(time.map_err(|error| error.to_string())?));
        }
        let (name, stage) = (&bench.workload.name, stage.name());
        let (count, ms) = (times.len(), sampling::median(times));
        let ms = table::number(ms, 3);
        print(&format!("{name}: {stage}: {count} times, median {ms} ms\n"))?;
    }
    Ok(())
}

/// Returns a pool of `threads` threads; 0 stands for the number of cores.
fn pool(threads: usize) -> Result<ThreadPool, String> {
    ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| format!("--threads: {error}"))
}

/// Writes each workload to a file with the workload's name.
fn export(folder: &Path, workloads: Vec<Workload>) -> Result<(), String> {
    let failed = |error| format!("--export {}: {error}", folder.display());
    std::fs::create_dir_all(folder).map_err(failed)?;
    for workload in workloads {
        let path = folder.join(format!("{}.safetensors", workload.name));
        workload.save(&path).map_err(|error| error.to_string())?;
        print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}

/// Measures on a device of the runtime that `--backend` names.
fn on_device(arguments: &Arguments) -> Result<(), String> {
    match arguments.backend {
        #[cfg(feature = "wgpu")]
        BackendName::Wgpu => on_runtime::<cubecl_wgpu::WgpuRuntime>(arguments),
        #[cfg(feature = "cuda")]
        BackendName::Cuda => on_runtime::<cubecl_cuda::CudaRuntime>(arguments),
        other => Err(format!(
            "--backend {0}: this program was built without the feature {0}",
            format!("{other:?}").to_lowercase()
        )),
    }
}

#[cfg(any(feature = "wgpu", feature = "cuda"))]
fn on_runtime<R: cubecl::Runtime>(arguments: &Arguments) -> Result<(), String> {
    let refused = |error: RenderError| error.to_string();
    let gpu = splat::Gpu::<R>::new(&R::Device::default()).map_err(refused)?;
    let gpu = gpu.with_regime(arguments.regime.into());
    let workloads = workloads(arguments)?;
    let throughput = device::measure(&gpu, workloads, arguments.rounds).map_err(refused)?;
    if arguments.json {
        let device = format!("{gpu:?}");
        let report = DeviceReport { device, throughput };
        let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
        return print(&(json + "\n"));
    }
    let mut out = format!("{gpu:?}\n");
    for (title, table) in device::text(&throughput) {
        out.extend(["\n", title, "\n\n", &table]);
    }
    print(&out)
}

/// Returns the workloads of the command line, each with the results of one render.
fn ready(arguments: &Arguments, pool: &ThreadPool) -> Result<Vec<Bench>, String> {
    let workloads = workloads(arguments)?.into_iter();
    let benches = workloads.map(|workload| {
        let name = workload.name.clone();
        let bench = pool.install(|| Bench::new(workload));
        let bench = bench.map_err(|error| format!("{name}: {error}"))?;
        Ok(if arguments.cold {
            bench.with_cold_caches()
        } else {
            bench
        })
    });
    benches.collect()
}

/// Returns the workloads of the command line, or the default ones, sorted if that is wanted.
fn workloads(arguments: &Arguments) -> Result<Vec<Workload>, String> {
    let names = &arguments.workload;
    let names: Vec<&str> = if names.is_empty() {
        SCENES.to_vec()
    } else {
        names.iter().map(String::as_str).collect()
    };
    let mut workloads = Vec::with_capacity(names.len());
    for name in names {
        workloads.extend(workload(name)?);
    }
    if arguments.sorted {
        let sorted = workloads.into_iter().map(Workload::sorted);
        let sorted: Result<_, RenderError> = sorted.collect();
        return sorted.map_err(|error| format!("--sorted: {error}"));
    }
    Ok(workloads)
}

/// Returns the scene or the file called `name`, or `None` if the garden's file does not exist.
fn workload(name: &str) -> Result<Option<Workload>, String> {
    let recipe = match name {
        "gmae" => gmae(8),
        "gmae_heavy" => gmae_heavy(8),
        "image_fit" => image_fit(),
        "scene" => scene(),
        "batch256" => batch256(),
        "batch1024" => batch1024(),
        "garden" | "garden_648" | "garden_1296" => {
            let path = garden_path();
            let found = match name {
                "garden" => garden(&path),
                "garden_648" => garden_view(&path, 1, name),
                _ => garden_view(&path, 2, name),
            };
            let found = found.map_err(|error| error.to_string())?;
            if found.is_none() {
                table::note(&format!(
                    "{name}: left out, there is no file {}",
                    path.display()
                ));
            }
            return Ok(found);
        }
        file => {
            let loaded = Workload::load(Path::new(file));
            return loaded.map(Some).map_err(|error| error.to_string());
        }
    };
    recipe.draw().map(Some).map_err(|error| error.to_string())
}

fn text(report: &Report) -> String {
    let tables = [
        report.throughput.as_deref().map(rows::text),
        report.stages.as_deref().map(stages::text),
        report.scaling.as_deref().map(scaling::text),
        report.bits.as_deref().map(bits::text),
    ];
    let caches = if report.cold { ", cold caches" } else { "" };
    let threads = match report.threads {
        1 => "One thread".to_owned(),
        threads => format!("{threads} threads"),
    };
    let mut out = format!("{threads}{caches}, {}\n", report.machine.line());
    for (title, table) in tables.into_iter().flatten().flatten() {
        out.extend(["\n", title, "\n\n", &table]);
    }
    out
}

/// Writes to standard output. A closed pipe is not an error.
fn print(text: &str) -> Result<(), String> {
    let mut stream = io::stdout().lock();
    match stream
        .write_all(text.as_bytes())
        .and_then(|()| stream.flush())
    {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output: cannot be written to: {error}"))
        }
        _ => Ok(()),
    }
}
