//! A made-up but plausible comparison, for tests of the page.

use super::{
    Better, Case, CaseGroup, Cell, ComparedPicture, ComparisonData, Measure, Quantity,
    Reconstruction, Row, RowKind, RunData, Sweep, SweepPoint, Table,
};
use crate::data::Image;
use crate::evaluation::{density_map, detail_map};
use crate::report::data::{DensityData, DensityPicture, SizeDepth, SizeDepthData};
use crate::report::heat_map;

/// Side of the pictures in pixels.
const SIDE: usize = 48;

/// Returns a number in `[0, 1)` that looks random.
fn noise(seed: usize) -> f64 {
    let z = (seed as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((z ^ (z >> 32)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// Returns a comparison of `count` runs.
pub(super) fn example(count: usize) -> ComparisonData {
    let pictures: Vec<Image> = (0..3).map(picture).collect();
    let names = ["GMAE", "MAE", "GMAE, random depth", "supervised"];
    let runs: Vec<RunData> = (0..count).map(|i| run(names[i % 4], i)).collect();
    ComparisonData {
        title: "GMAE and MAE on <CIFAR-10>".to_owned(),
        command: "gmae compare --runs 'a' 'b' --name \"x > y\" --output out".to_owned(),
        notes: vec!["Made-up numbers & pictures.".to_owned()],
        tables: vec![probe_table(), reconstruction_table()],
        curves: Vec::new(),
        sweeps: vec![sweep()],
        reconstructions: pictures
            .iter()
            .map(|original| compared(original, count))
            .collect(),
        cases: vec![CaseGroup {
            title: "Masks: GMAE <a>".to_owned(),
            cases: vec![Case {
                caption: "best of 8: 71.2 %".to_owned(),
                pictures: vec![("truth".to_owned(), pictures[0].clone())],
            }],
        }],
        density: vec![density(&pictures)],
        size_depth: vec![size_depth()],
        runs,
    }
}

fn run(method: &str, i: usize) -> RunData {
    let setting = |name: &str, value: String| (name.to_owned(), value);
    let mut configuration = vec![
        setting("image_size", "32".to_owned()),
        setting("decoder_width", "64".to_owned()),
        setting("decoder_depth", "2".to_owned()),
        setting("learning_rate", format!("{}e-4", 1 + i % 3)),
        setting("seed", (i / 4).to_string()),
        setting("output", format!("<script>alert({i})</script>")),
    ];
    if method.starts_with("GMAE") {
        configuration.push(setting("gaussians", "64".to_owned()));
    }
    let end = 0.012 + 0.004 * noise(i + 77);
    let train = (0..3000)
        .map(|step| {
            let mean = end + 0.16 * (-(step as f64) / (250.0 + 60.0 * i as f64)).exp();
            (step as f64, mean * (0.85 + 0.3 * noise(step * 31 + i)))
        })
        .collect();
    RunData {
        name: format!("{method}, seed {}", i / 4),
        method: method.to_owned(),
        configuration,
        train,
    }
}

fn quantity(label: &str, unit: &str, better: Better, decimals: usize) -> Quantity {
    Quantity {
        label: label.to_owned(),
        unit: unit.to_owned(),
        better,
        decimals,
    }
}

/// Returns a row of numbers. A spread of 0 stands for none, a mean of -1 for an empty cell.
fn row(name: &str, kind: RowKind, numbers: &[(f64, f64)]) -> Row {
    let cell = |&(mean, spread): &(f64, f64)| match mean {
        -1.0 => Cell::Empty,
        _ => Cell::Number {
            mean,
            spread: (spread > 0.0).then_some(spread),
            count: 3,
            planned: 3,
        },
    };
    Row {
        name: name.to_owned(),
        kind,
        cells: numbers.iter().map(cell).collect(),
    }
}

fn probe_table() -> Table {
    let mut published = row(
        "GMAE, ViT-B, ImageNet-1k",
        RowKind::Published,
        &[(61.9, 0.0), (83.2, 0.0), (-1.0, 0.0)],
    );
    published.cells[2] = Cell::Text("111 M".to_owned());
    Table {
        caption: "Classification, top-1 accuracy".to_owned(),
        columns: vec![
            quantity("linear probe", "%", Better::Higher, 1),
            quantity("fine-tuning", "%", Better::Higher, 1),
            quantity("parameters", "M", Better::Neither, 1),
        ],
        rows: vec![
            row(
                "raw pixels",
                RowKind::Baseline,
                &[(39.2, 0.0), (-1.0, 0.0), (0.0, 0.0)],
            ),
            row(
                "GMAE, three seeds",
                RowKind::Run,
                &[(47.34, 0.42), (81.3, 0.3), (6.2, 0.0)],
            ),
            row(
                "MAE, three seeds",
                RowKind::Run,
                &[(49.1, 0.38), (81.34, 0.25), (6.0, 0.0)],
            ),
            row(
                "random encoder",
                RowKind::Baseline,
                &[(36.5, 0.5), (-1.0, 0.0), (6.2, 0.0)],
            ),
            row(
                "supervised, same size",
                RowKind::Baseline,
                &[(-1.0, 0.0), (84.9, 0.2), (6.2, 0.0)],
            ),
            published,
        ],
        settings: vec![("epochs".to_owned(), "<90>".to_owned())],
        note: "The probe reads the mean of the tokens of the best block.".to_owned(),
    }
}

fn reconstruction_table() -> Table {
    Table {
        caption: "Reconstruction of masked patches".to_owned(),
        columns: vec![
            quantity("masked MSE", "", Better::Lower, 4),
            quantity("PSNR", "dB", Better::Higher, 2),
            quantity("SSIM", "", Better::Higher, 3),
        ],
        rows: vec![
            row(
                "GMAE",
                RowKind::Run,
                &[(0.0151, 0.0), (18.2, 0.0), (0.51, 0.0)],
            ),
            row(
                "MAE",
                RowKind::Run,
                &[(0.0143, 0.0), (18.45, 0.0), (f64::NAN, 0.0)],
            ),
            row(
                "mean colour",
                RowKind::Baseline,
                &[(0.0461, 0.0), (13.4, 0.0), (0.12, 0.0)],
            ),
            row(
                "bilinear fill",
                RowKind::Baseline,
                &[(0.0222, 0.0), (16.5, 0.0), (0.39, 0.0)],
            ),
        ],
        settings: Vec::new(),
        note: String::new(),
    }
}

fn sweep() -> Sweep {
    let point = |&(x, mean, spread): &(f64, f64, f64)| SweepPoint {
        x,
        mean,
        spread: (spread > 0.0).then_some(spread),
    };
    let measure = |quantity, points: &[(f64, f64, f64)]| Measure {
        quantity,
        points: points.iter().map(point).collect(),
    };
    Sweep {
        name: "Number of Gaussians k".to_owned(),
        x_label: "k".to_owned(),
        measures: vec![
            measure(
                quantity("masked MSE", "", Better::Lower, 4),
                &[
                    (16.0, 0.0231, 0.0011),
                    (512.0, 0.0121, 0.0),
                    (32.0, 0.0192, 0.0008),
                    (64.0, 0.0158, 0.0004),
                    (128.0, 0.0137, 0.0003),
                    (256.0, 0.0125, 0.0003),
                ],
            ),
            measure(
                quantity("linear probe", "%", Better::Higher, 1),
                &[
                    (16.0, 43.1, 0.6),
                    (64.0, 47.3, 0.4),
                    (256.0, 48.0, 0.3),
                    (512.0, 47.9, 0.5),
                ],
            ),
        ],
    }
}

/// Returns a smooth background with a striped disc.
fn picture(number: usize) -> Image {
    let mut image = Image::filled(SIDE, SIDE, [0.0; 3]);
    let centre = (14.0 + 8.0 * number as f64, 28.0 - 4.0 * number as f64);
    for (i, pixel) in image.pixels.chunks_mut(3).enumerate() {
        let (x, y) = ((i % SIDE) as f64, (i / SIDE) as f64);
        let inside = (x - centre.0).hypot(y - centre.1) < 11.0;
        let stripe = if inside && (x + y) % 6.0 < 3.0 {
            0.6
        } else {
            0.0
        };
        let base = if inside { 0.2 } else { 0.35 + y / 120.0 };
        let colour = [base + stripe, base + 0.5 * stripe, 0.75 - 0.5 * stripe];
        pixel.copy_from_slice(&colour.map(|c| c as f32));
    }
    image
}

/// Returns an image whose pixels differ from the original by noise of a strength.
fn rough(original: &Image, strength: f64, seed: usize) -> Image {
    let mut image = original.clone();
    for (i, value) in image.pixels.iter_mut().enumerate() {
        *value += (strength * (noise(i / 3 * 7 + seed) - 0.5)) as f32;
    }
    image
}

fn compared(original: &Image, count: usize) -> ComparedPicture {
    let mut masked = original.clone();
    for (i, pixel) in masked.pixels.chunks_mut(3).enumerate() {
        let patch = i / SIDE / 8 * 6 + i % SIDE / 8;
        if noise(patch) < 0.75 {
            pixel.fill(0.5);
        }
    }
    let reconstruction = |run: usize| {
        (run % 4 != 3).then(|| Reconstruction {
            image: rough(original, 0.1 * (run + 1) as f64, run),
            loss: Some(0.01 + 0.003 * run as f64),
        })
    };
    ComparedPicture {
        original: original.clone(),
        masked,
        reconstructions: (0..count).map(reconstruction).collect(),
    }
}

fn density(pictures: &[Image]) -> DensityData {
    let mut data = DensityData {
        name: "GMAE, seed 0".to_owned(),
        ..DensityData::default()
    };
    for (number, original) in pictures.iter().enumerate() {
        let detail = detail_map(original, 4).expect("a detail map");
        let largest = detail.values().iter().copied().fold(0.0, f64::max);
        let mut centres = Vec::new();
        for i in 0..2000 {
            let at = [0, 1].map(|c| (noise(i * 2 + c + 9000 * number) * SIDE as f64) as f32);
            let cell = at[1] as usize / 4 * detail.columns() + at[0] as usize / 4;
            if noise(i + 50_000) < 0.1 + 0.9 * detail.values()[cell] / largest {
                centres.push(at);
            }
        }
        let weights: Vec<f32> = (0..centres.len()).map(|i| noise(i) as f32).collect();
        let density = density_map(&centres, &weights, SIDE, SIDE, 4).expect("a density map");
        let cells = detail.values().iter().zip(density.values());
        data.cells.extend(cells.map(|(&x, &y)| (x, y)));
        data.pictures.push(DensityPicture {
            original: original.clone(),
            detail: heat_map(&detail),
            density: heat_map(&density),
        });
    }
    data
}

fn size_depth() -> SizeDepthData {
    let point = |i: usize| {
        let depth = 7.0 + 2.0 * noise(i);
        SizeDepth {
            depth,
            size: (9.0 - depth).exp() * (0.4 + 1.4 * noise(i + 5000)),
            opacity: noise(i + 10_000).powi(3),
        }
    };
    SizeDepthData {
        name: "GMAE, seed 0".to_owned(),
        points: (0..4096).map(point).collect(),
    }
}
