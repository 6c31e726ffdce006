//! More elements than one task, and products on more than one thread.

use gmae_reference::ops::cpu::adam::{AdamStep, adam, add_scaled, scale, sum_squares};
use gmae_reference::ops::cpu::linear::linear;

use crate::values;

/// Runs on a pool of this many threads.
fn on_threads<T: Send>(threads: usize, run: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.expect("a pool").install(run)
}

/// Values of more than one task, and a product of more than one thread: the same bits on any number
/// of threads, and the values of a plain loop.
#[test]
fn threads_change_no_bit() {
    const COUNT: usize = 40_001;
    const SIDE: usize = 200;
    let [x, g] = [60, 61].map(|seed| values(seed, COUNT));
    let [left, right] = [62, 63].map(|seed| values(seed, SIDE * SIDE));
    let step = AdamStep {
        rate: 1e-2,
        beta1: 0.9,
        beta2: 0.95,
        epsilon: 1e-8,
        decay: 0.05,
        time: 1,
    };
    let run = || {
        let mut sum = x.clone();
        add_scaled(&mut sum, &g, 0.5);
        let mut half = x.clone();
        scale(&mut half, 0.5);
        let (mut m1, mut m2) = (vec![0.0; COUNT], vec![0.0; COUNT]);
        let after = adam(&x, &g, &mut m1, &mut m2, &step);
        let product = linear(&left, &right, None, [SIDE, SIDE]);
        let narrow: Vec<f32> = x.iter().map(|x| *x as f32).collect();
        (sum, half, after, sum_squares(&narrow), product)
    };
    let one = on_threads(1, run);
    assert_eq!(one, on_threads(4, run));
    let (sum, half, after, squares, product) = one;
    for k in [0, 1, 16_384, 32_768, COUNT - 1] {
        assert_eq!(sum[k], x[k] + 0.5 * g[k]);
        assert_eq!(half[k], 0.5 * x[k]);
        // The first step has the length of the rate, in the direction of the gradient.
        let expected = (1.0 - 1e-2 * 0.05) * x[k] - 1e-2 * g[k].signum();
        assert!((after[k] - expected).abs() < 1e-6, "{k}");
    }
    let expected: f64 = x.iter().map(|x| x * x).sum();
    assert!((squares - expected).abs() < 1e-5 * expected, "{squares}");
    for (i, j) in [(0, 0), (7, 150), (SIDE - 1, SIDE - 1)] {
        let terms = (0..SIDE).map(|k| left[i * SIDE + k] * right[k * SIDE + j]);
        assert!((product[i * SIDE + j] - terms.sum::<f64>()).abs() < 1e-10);
    }
}
