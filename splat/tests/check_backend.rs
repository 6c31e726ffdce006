//! Every instruction set of the CPU, in `f32` and `f64`, passes the checks of a backend.

use splat::check::check_backend;
use splat::{Cpu, CpuScalar, Simd};

fn passes<T: CpuScalar>(simd: Simd) {
    if simd.is_available() {
        let report = check_backend(&Cpu::<T>::new().with_simd(simd));
        assert!(report.passed(), "{}: {report}", simd.name());
        println!("{}: {report}", simd.name());
    }
}

#[test]
fn single_precision_passes_on_every_instruction_set() {
    for simd in Simd::ALL {
        passes::<f32>(simd);
    }
}

#[test]
fn double_precision_passes_on_every_instruction_set() {
    for simd in Simd::ALL {
        passes::<f64>(simd);
    }
}
