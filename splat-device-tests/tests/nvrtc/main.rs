//! Compiles every kernel of the crate to CUDA C++ and to machine code for `sm_80` and `sm_90`,
//! without a device. Reports the resources of every kernel, and fails if a kernel spills registers.
//!
//! The GPU backend runs on a runtime that records launches, so that exactly the variants that
//! renders launch are compiled. Every function with `#[cube(launch)]` in the sources must be among
//! the launched kernels.
//!
//! `cargo test -p splat-device-tests --features cuda --test nvrtc` runs the tests. With
//! `-- --ignored orders` they try other orders of the shared arrays, which takes minutes. Without
//! NVRTC (see `compiler.rs`) the compilations are reported as ignored.

mod arrays;
mod compiler;
mod recorder;
mod scenes;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arrays::{arrays_are_placed, placed};
use compiler::{Nvrtc, Resources};
use libtest_mimic::{Arguments, Failed, Trial};
use recorder::{Architecture, Kernel, launched};

/// Ampere and Hopper. Together they cover the code that `CubeCL` generates differently for
/// different architectures.
const ARCHITECTURES: [Architecture; 2] = [Architecture(80), Architecture(90)];

/// The measured resources by architecture and function. The variants of one function are in the
/// order in which their compilations end.
type Report = Arc<Mutex<BTreeMap<(u16, String), Vec<(Resources, Kernel)>>>>;

/// Adds to `found` the functions with `#[cube(launch)]` or `#[cube(launch_unchecked)]` in all
/// sources below `folder`.
fn kernels_in_sources(folder: &Path, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            kernels_in_sources(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            found.extend(kernels_in(&text));
        }
    }
    Ok(())
}

/// Returns the functions with `#[cube(launch)]` or `#[cube(launch_unchecked)]` in one source text.
fn kernels_in(text: &str) -> Vec<String> {
    let attributes = text.split("#[cube(").skip(1);
    let functions = attributes.filter_map(|rest| {
        let (arguments, rest) = rest.split_once(")]")?;
        let (_, function) = rest.split_once("fn ")?;
        let end = function.find(|c: char| !c.is_alphanumeric() && c != '_')?;
        arguments
            .contains("launch")
            .then(|| function[..end].to_owned())
    });
    functions.collect()
}

fn sources_are_searched() -> Result<(), Failed> {
    let text = "#[cube]\nfn a() {}\n#[cube(\n    launch_unchecked\n)]\n#[expect(x)]\npub(crate) fn b_2<F: Float>() {}\n#[cube(launch)]fn c() {}";
    if kernels_in(text) == ["b_2", "c"] {
        return Ok(());
    }
    Err(format!("{:?}", kernels_in(text)).into())
}

fn every_kernel_is_launched(architecture: Architecture) -> Result<(), Failed> {
    let sources = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../splat/src");
    let mut wanted = Vec::new();
    kernels_in_sources(&sources, &mut wanted).map_err(|error| error.to_string())?;
    if wanted.is_empty() {
        return Err("no kernel in the sources".into());
    }
    wanted.sort_unstable();
    let before = wanted.len();
    wanted.dedup();
    if wanted.len() < before {
        return Err("two kernels have one name: which was launched?".into());
    }
    let launched = launched(architecture);
    wanted.retain(|name| !launched.iter().any(|kernel| kernel.function == *name));
    if wanted.is_empty() {
        return Ok(());
    }
    Err(format!("no scene of scenes.rs launches {wanted:?}").into())
}

fn compiles(
    nvrtc: Option<&Nvrtc>,
    kernel: &Kernel,
    architecture: Architecture,
    report: &Report,
) -> Result<(), Failed> {
    let source = kernel.source.as_ref().map_err(Clone::clone)?;
    let nvrtc = nvrtc.ok_or("NVRTC was not found")?;
    let source = &placed(source, 0)?;
    let resources = nvrtc.compile(source, architecture.0);
    let resources = resources.map_err(|error| format!("{error}\n{source}"))?;
    let key = (architecture.0, kernel.function.clone());
    let mut report = report.lock().unwrap_or_else(PoisonError::into_inner);
    let variants = report.entry(key).or_default();
    variants.push((resources, kernel.clone()));
    drop(report);
    no_spills(resources).map_err(|error| format!("{}: {error}", kernel.variant).into())
}

/// The number of orders of the shared arrays that are tried with `-- --ignored orders`, including
/// order 0 of the other trials.
const ORDERS: usize = 8;

/// Checks that a kernel does not spill in other orders of its shared arrays.
fn no_order_spills(
    nvrtc: Option<&Nvrtc>,
    kernel: &Kernel,
    architecture: Architecture,
) -> Result<(), Failed> {
    let source = kernel.source.as_ref().map_err(Clone::clone)?;
    let nvrtc = nvrtc.ok_or("NVRTC was not found")?;
    let arrays = source.matches("// Shared array size: ").count();
    let orders = (1..=arrays).product::<usize>();
    for order in (1..ORDERS).map(|i| i * orders / ORDERS) {
        no_spills(nvrtc.compile(&placed(source, order)?, architecture.0)?)
            .map_err(|error| format!("{}, order {order}: {error}", kernel.variant))?;
    }
    Ok(())
}

fn no_spills(resources: Resources) -> Result<(), String> {
    if resources.spills == 0 {
        return Ok(());
    }
    Err(format!("{resources:?}"))
}

/// A check of the compiler itself, which runs as one trial.
type Check = fn(Option<&Nvrtc>) -> Result<(), Failed>;

/// Checks that the test detects a compilation error.
fn an_error_is_found(nvrtc: Option<&Nvrtc>) -> Result<(), Failed> {
    let nvrtc = nvrtc.ok_or("NVRTC was not found")?;
    let wrong = "extern \"C\" __global__ void f(float* x) { x[0] = y; }";
    match nvrtc.compile(wrong, 80) {
        Ok(_) => Err("compiled".into()),
        Err(error) if error.contains("identifier \"y\" is undefined") => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn spills_are_found(nvrtc: Option<&Nvrtc>) -> Result<(), Failed> {
    let nvrtc = nvrtc.ok_or("NVRTC was not found")?;
    // 300 values are live at the barrier, but a thread has at most 255 registers.
    let mut source = String::from("extern \"C\" __global__ void f(float* x) {\n");
    let _ = (0..300).try_for_each(|i| writeln!(source, "float a{i} = x[threadIdx.x + {i}];"));
    source += "__syncthreads();\n";
    let _ = (0..300).try_for_each(|i| writeln!(source, "x[threadIdx.x * {i}] = a{i};"));
    source += "}";
    let resources = nvrtc.compile(&source, 80)?;
    match no_spills(resources) {
        Ok(()) => Err(format!("no spills in {resources:?}").into()),
        Err(_) => Ok(()),
    }
}

fn print(report: &Report) {
    let report = report.lock().unwrap_or_else(PoisonError::into_inner);
    if report.is_empty() {
        return;
    }
    println!(
        "| architecture | kernel | variants | units | registers | spills, bytes | stack, bytes | shared, bytes |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for ((architecture, function), variants) in report.iter() {
        let range = |of: &dyn Fn(&(Resources, Kernel)) -> usize| {
            let least = variants.iter().map(of).min().unwrap_or(0);
            let most = variants.iter().map(of).max().unwrap_or(0);
            if least == most {
                least.to_string()
            } else {
                format!("{least}-{most}")
            }
        };
        println!(
            "| sm_{architecture} | {function} | {} | {} | {} | {} | {} | {} |",
            variants.len(),
            range(&|(_, kernel)| kernel.units as usize),
            range(&|(resources, _)| resources.registers as usize),
            range(&|(resources, _)| resources.spills as usize),
            range(&|(resources, _)| resources.stack as usize),
            range(&|(_, kernel)| kernel.shared),
        );
    }
}

fn main() {
    let arguments = Arguments::from_args();
    let minutes = arguments.ignored || arguments.include_ignored;
    let nvrtc = Nvrtc::find().map(Arc::new);
    let report = Report::default();
    let mut trials = vec![
        Trial::test("sources_are_searched", sources_are_searched),
        Trial::test("arrays_are_placed", arrays_are_placed),
    ];
    let checks: [(&str, Check); 2] = [
        ("an_error_is_found", an_error_is_found),
        ("spills_are_found", spills_are_found),
    ];
    for (name, check) in checks {
        let found = nvrtc.clone();
        let trial = Trial::test(name, move || check(found.as_deref()));
        trials.push(trial.with_ignored_flag(nvrtc.is_none()));
    }
    for architecture in ARCHITECTURES {
        let launches = scenes::launch_everything(architecture);
        let read_back = scenes::hardly_anything_is_read_back(architecture);
        let number = architecture.0;
        let name = format!("sm_{number}::hardly_anything_is_read_back");
        trials.push(Trial::test(name, move || read_back.map_err(Failed::from)));
        let name = format!("sm_{number}::every_render_is_launched");
        trials.push(Trial::test(name, move || launches.map_err(Failed::from)));
        let name = format!("sm_{number}::every_kernel_is_launched");
        trials.push(Trial::test(name, move || {
            every_kernel_is_launched(architecture)
        }));
        for (i, kernel) in launched(architecture).into_iter().enumerate() {
            let name = format!("sm_{number}::compiles::{}::{i}", kernel.function);
            let shared = kernel.shared;
            let (found, same) = (nvrtc.clone(), kernel.clone());
            let orders = move || no_order_spills(found.as_deref(), &same, architecture);
            let orders_name = format!("sm_{number}::orders::{}::{i}", kernel.function);
            let (found, report) = (nvrtc.clone(), report.clone());
            let run = move || compiles(found.as_deref(), &kernel, architecture, &report);
            trials.push(Trial::test(name, run).with_ignored_flag(nvrtc.is_none()));
            if minutes && shared > 0 {
                trials.push(Trial::test(orders_name, orders).with_ignored_flag(true));
            }
        }
    }
    match &nvrtc {
        Some(nvrtc) => println!("NVRTC: {}", nvrtc.path.display()),
        None => println!(
            "NVRTC: not found; {} may say where it is",
            compiler::VARIABLE
        ),
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    print(&report);
    conclusion.exit();
}
