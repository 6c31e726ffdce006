//! Times every stage, the forward pass and the backward pass on the CPU: `cargo bench -p benches`.

#![expect(
    missing_docs,
    reason = "the macros of criterion define public items without docs"
)]

use std::time::Duration;

use benches::{
    Bench, Recipe, Stage, Workload, batch256, garden, garden_path, gmae, gmae_heavy, image_fit,
    scene,
};
use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};

fn bench(criterion: &mut Criterion, workload: Workload) {
    let mut group = criterion.benchmark_group(workload.name.clone());
    // A render may take a second, so the samples are few, and all have equally many iterations.
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    let bench = Bench::new(workload).expect("a valid workload");
    let time = |stage| bench.time(stage).expect("a valid workload");
    for stage in Stage::SINGLE
        .into_iter()
        .chain([Stage::Render, Stage::RenderVjp])
    {
        group.bench_function(stage.name(), |b| {
            b.iter_custom(|times| (0..times).map(|_| time(stage)).sum::<Duration>());
        });
    }
    group.finish();
}

fn drawn(criterion: &mut Criterion, recipe: &Recipe) {
    bench(criterion, recipe.draw().expect("a batch that fits"));
}

fn stages(criterion: &mut Criterion) {
    for recipe in [gmae(8), gmae_heavy(8), image_fit(), scene(), batch256()] {
        drawn(criterion, &recipe);
    }
    let path = garden_path();
    match garden(&path) {
        Ok(Some(workload)) => bench(criterion, workload),
        Ok(None) => println!("garden: left out, there is no file {}", path.display()),
        Err(error) => println!("garden: left out, {error}"),
    }
}

criterion_group!(all, stages);
criterion_main!(all);
