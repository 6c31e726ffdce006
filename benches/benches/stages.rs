//! Time of every stage and of the whole, forward and backward: `cargo bench -p benches`.

#![expect(
    missing_docs,
    reason = "criterion's macros make public items without docs"
)]

use benches::{Workload, gmae, image_fit, scene};
use criterion::{Criterion, criterion_group, criterion_main};
use splat::{Backend, Cpu, Image, Wanted, render, render_vjp};

fn bench(criterion: &mut Criterion, workload: &Workload) {
    let (backend, scene, config) = (Cpu::<f32>::new(), workload.scene(), &workload.config);
    let (width, height) = (workload.views.width, workload.views.height);
    let mut group = criterion.benchmark_group(workload.name);
    group.sample_size(10);
    let (image, saved) = render(&backend, &scene, config).expect("a valid workload");
    let v_image = Image {
        features: image.features.iter().map(|x| x - 0.5).collect(),
        ..Image::default()
    };
    let (splats, v_image) = (saved.splats.as_slices(), v_image.as_slices());
    let (v_splats, _) = backend
        .composite_vjp(
            &splats,
            &saved.sorted,
            scene.backgrounds,
            &saved.composited,
            &v_image,
            Wanted::ALL,
        )
        .expect("a valid workload");
    group.bench_function("project", |b| {
        b.iter(|| backend.project(&scene.gaussians, scene.views, config));
    });
    group.bench_function("bin", |b| b.iter(|| backend.bin(&splats, width, height)));
    group.bench_function("bin and sort", |b| {
        b.iter(|| {
            backend
                .bin(&splats, width, height)
                .and_then(|hits| backend.sort(&splats, hits))
        });
    });
    group.bench_function("composite", |b| {
        b.iter(|| backend.composite(&splats, &saved.sorted, scene.backgrounds, config));
    });
    group.bench_function("composite_vjp", |b| {
        b.iter(|| {
            backend.composite_vjp(
                &splats,
                &saved.sorted,
                scene.backgrounds,
                &saved.composited,
                &v_image,
                Wanted::ALL,
            )
        });
    });
    group.bench_function("project_vjp", |b| {
        let v_splats = v_splats.as_slices();
        b.iter(|| {
            backend.project_vjp(
                &scene.gaussians,
                scene.views,
                config,
                &splats,
                &v_splats,
                Wanted::ALL,
            )
        });
    });
    group.bench_function("render", |b| b.iter(|| render(&backend, &scene, config)));
    group.bench_function("render_vjp", |b| {
        b.iter(|| render_vjp(&backend, &scene, &saved, &v_image, Wanted::ALL));
    });
    group.finish();
}

fn stages(criterion: &mut Criterion) {
    for workload in [gmae(8), image_fit(), scene()] {
        bench(criterion, &workload);
    }
}

criterion_group!(all, stages);
criterion_main!(all);
