//! tmp
#[path = "render/scene.rs"]
#[allow(dead_code, unused)]
mod scene;
use scene::*;
use splat::{Camera, Cpu, Image, RenderConfig, Views, Wanted, render_vjp};
use splat_autodiff::{GaussianTensors, render, render_forward};
use std::time::Instant;
#[test]
fn measure() {
    let mut r = Random(5);
    let (b, n, c) = (8, 256, 3);
    let side = 96;
    let mut g = scene::gaussians::<f32>(&mut r, b * n, c);
    g.scales.iter_mut().for_each(|s| *s *= 0.3);
    let host = Host {
        gaussians: g,
        backgrounds: vec![1.0; b * c],
        views: Views::dense(side, side, Camera::pinhole(60.0, 60.0, 48.0, 48.0), b, n),
    };
    let cfg = RenderConfig::default();
    let be = Cpu::<f32>::new();
    let med = |f: &mut dyn FnMut()| {
        let mut t: Vec<f64> = (0..15)
            .map(|_| {
                let s = Instant::now();
                f();
                s.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        t.sort_by(f64::total_cmp);
        t[7]
    };
    let (im, saved) = splat::render(&be, &host.scene(), &cfg).unwrap();
    let v = vec![1.0f32; im.features.len()];
    let vi = Image {
        features: &v[..],
        ..Default::default()
    };
    println!(
        "splat fwd {:.2} ms",
        med(&mut || {
            splat::render(&be, &host.scene(), &cfg).unwrap();
        })
    );
    println!(
        "splat vjp all {:.2} ms",
        med(&mut || {
            render_vjp(&be, &host.scene(), &saved, &vi, Wanted::ALL).unwrap();
        })
    );
    let w = Wanted {
        geometry: false,
        features: true,
        backgrounds: false,
        cameras: false,
    };
    println!(
        "splat vjp features {:.2} ms",
        med(&mut || {
            render_vjp(&be, &host.scene(), &saved, &vi, w).unwrap();
        })
    );
    let p = host.tensors::<Plain>();
    println!(
        "burn fwd {:.2} ms",
        med(&mut || {
            render_forward(&p, &host.views, host.background(), &cfg).unwrap();
        })
    );
    let t = track(host.tensors::<Diff>());
    println!(
        "burn diff fwd {:.2} ms",
        med(&mut || {
            render(&t, &host.views, host.background(), &cfg).unwrap();
        })
    );
    let mut bw = |t: &GaussianTensors<Diff>| {
        let mut v: Vec<f64> = (0..15)
            .map(|_| {
                let i = render(t, &host.views, host.background(), &cfg)
                    .unwrap()
                    .features;
                let s = Instant::now();
                let _ = i.sum().backward();
                s.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        v.sort_by(f64::total_cmp);
        v[7]
    };
    println!("burn bwd geometry+features {:.2} ms", bw(&t));
    let raw = host.tensors::<Diff>();
    let f = GaussianTensors {
        features: raw.features.clone().require_grad(),
        ..raw
    };
    println!("burn bwd features {:.2} ms", bw(&f));
}
