//! The counts of culled Gaussians equal those of `splat`.

use splat::{Cpu, RenderConfig};
use splat_autodiff::{Renderer, render, render_forward};

use crate::scene::{Diff, Number, Plain, ragged, track};

fn counts_are_splats<T: Number>() {
    let mut host = ragged::<T>(12);
    // One Gaussian that both views see has no depth, and one is transparent.
    host.gaussians.means[3 * 5 + 2] = T::from_f64(f64::NAN);
    host.gaussians.opacities[1] = T::ZERO;
    let config = RenderConfig::default();
    let (_, saved) =
        splat::render(&Cpu::<T>::new(), &host.scene(), &config).expect("a valid scene");
    let expected = saved.splats.culled();
    assert!(expected[0] >= 2 && expected[1] == 0 && expected[2] >= 1);
    assert!(expected[0] < 8, "nothing to tell culled from visible");

    let forward = render_forward(
        &host.tensors::<Plain>(),
        &host.views,
        host.background(),
        &config,
    );
    let forward = forward.expect("a valid scene").culled;
    assert_eq!(forward.as_ref(), Some(&expected));
    let gaussians = track(host.tensors::<Diff>());
    let recorded = render(&gaussians, &host.views, host.background(), &config);
    assert_eq!(
        recorded.expect("a valid scene").culled.as_ref(),
        Some(&expected)
    );
    // The choice for devices changes nothing on the CPU.
    for count in [false, true] {
        let renderer = Renderer::new().with_culled_on_device(count);
        let kept = renderer.render(&gaussians, &host.views, host.background(), &config);
        assert_eq!(
            kept.expect("a valid scene").culled.as_ref(),
            Some(&expected)
        );
    }
}

#[test]
fn counts_are_splats_in_single() {
    counts_are_splats::<f32>();
}

#[test]
fn counts_are_splats_in_double() {
    counts_are_splats::<f64>();
}
