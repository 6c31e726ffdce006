use super::example::example;
use super::*;
use crate::data::Image;
use crate::report::{DensityData, ReportError, SizeDepth, SizeDepthData, write_comparison};

fn written(data: &ComparisonData) -> String {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = write_comparison(dir.path(), "comparison.html", data).expect("a report");
    assert_eq!(path, dir.path().join("comparison.html"));
    std::fs::read_to_string(path).expect("the report")
}

/// Returns the part of the page from a heading to the next heading of the same level.
fn part<'a>(html: &'a str, heading: &str) -> &'a str {
    let start = format!("<h2>{heading}</h2>");
    let rest = html.split(&start).nth(1).expect(heading);
    rest.split("<h2>").next().expect(heading)
}

/// Writes a page to look at: `GMAE_PAGE=folder cargo test -- --ignored a_page_to_look_at`.
#[test]
#[ignore = "writes a page into the folder GMAE_PAGE, to look at in a browser"]
fn a_page_to_look_at() {
    let folder = std::env::var("GMAE_PAGE").expect("GMAE_PAGE: a folder");
    for count in [1, 4, 12] {
        let name = format!("comparison-{count}.html");
        let path = write_comparison(folder.as_ref(), &name, &example(count)).expect("a report");
        println!("{}", path.display());
    }
}

#[test]
fn nothing_points_outside_and_text_is_escaped() {
    for count in [0, 1, 4, 12] {
        let html = written(&example(count));
        for address in [
            "http", "//www", "url(", "@import", "<link", "<script", "<iframe", "href=", "NaN",
        ] {
            assert!(!html.contains(address), "{address}");
        }
        assert!(html.contains("<h1>GMAE and MAE on &lt;CIFAR-10&gt;</h1>"));
        assert!(html.contains("numbers &amp; pictures"));
        assert!(html.contains("<span>--runs</span> <span>&#39;a&#39;</span>"));
        assert!(html.contains("<span>&quot;x</span> <span>&gt;</span> <span>y&quot;</span>"));
        assert_eq!(
            html.contains("&lt;script&gt;alert(0)&lt;/script&gt;"),
            count > 0
        );
        let sources = html.matches("src=").count();
        assert_eq!(
            html.matches("src=\"data:image/png;base64,").count(),
            sources
        );
    }
}

#[test]
fn names_and_labels_are_escaped_everywhere() {
    let evil = "<b>&\"'</b>";
    let mut data = example(2);
    for run in &mut data.runs {
        run.name = evil.to_owned();
        run.method = evil.to_owned();
        run.configuration.push((evil.to_owned(), evil.to_owned()));
    }
    let table = &mut data.tables[0];
    table.caption = evil.to_owned();
    table.note = evil.to_owned();
    table.settings = vec![(evil.to_owned(), evil.to_owned())];
    table.columns[0].label = evil.to_owned();
    table.columns[0].unit = evil.to_owned();
    table.rows[0].name = evil.to_owned();
    table.rows[0].cells[0] = Cell::Text(evil.to_owned());
    let sweep = &mut data.sweeps[0];
    sweep.name = evil.to_owned();
    sweep.x_label = evil.to_owned();
    sweep.measures[0].quantity = table.columns[0].clone();
    data.density[0].name = evil.to_owned();
    data.size_depth[0].name = evil.to_owned();
    assert!(!written(&data).contains("<b>&"));
}

#[test]
fn settings_that_differ_and_the_decoder_are_shown() {
    let html = written(&example(4));
    let runs = part(&html, "The runs");
    for name in [
        "decoder_<wbr>width",
        "decoder_<wbr>depth",
        "learning_<wbr>rate",
        "gaussians",
    ] {
        assert_eq!(runs.matches(name).count(), 1, "{name}");
    }
    assert!(!runs.contains("image_") && !runs.contains(">seed<"));
    // MAE and the supervised run have no number of Gaussians.
    assert_eq!(runs.matches("<td>64</td>").count(), 4 + 2);
    assert_eq!(runs.matches("<td>\u{2013}</td>").count(), 2);
    let all = part(&html, "Repeat the comparison");
    assert!(all.contains("<details") && all.contains("image_<wbr>size"));
    // A single run differs from none.
    let html = written(&example(1));
    let runs = part(&html, "The runs");
    assert!(runs.contains("decoder_") && !runs.contains("learning_"));
}

#[test]
fn every_run_has_a_curve_a_legend_and_pictures() {
    let data = example(12);
    let html = written(&data);
    let loss = part(&html, "Training loss");
    for run in &data.runs {
        assert_eq!(loss.matches(&format!("</i>{}</span>", run.name)).count(), 1);
    }
    assert_eq!(
        loss.matches("<polyline fill=\"none\" opacity=\"1\" stroke=\"currentColor\" class")
            .count(),
        12
    );
    let pictures = part(&html, "Reconstructions");
    // Three of the twelve runs have no reconstruction.
    assert_eq!(pictures.matches("<img").count(), 3 * (2 + 9));
    assert_eq!(pictures.matches("class=\"missing\"").count(), 3 * 3);
    assert!(pictures.contains("GMAE, seed 0, error 0.0100"));
}

#[test]
fn the_best_run_is_bold() {
    let html = written(&example(4));
    let results = part(&html, "Results");
    // Both fine-tuned runs show 81.3. The error of MAE is lower, and its SSIM is not finite.
    let bold = [
        "49.1 <small>\u{b1} 0.4</small>",
        "81.3 <small>\u{b1} 0.3</small>",
        "0.0143",
        "18.45",
    ];
    for text in bold {
        assert!(results.contains(&format!("<b>{text}</b>")), "{text}");
    }
    assert!(results.contains("<b>81.3 <small>\u{b1} 0.2</small></b>"));
    assert_eq!(results.matches("<td><b>").count(), 5);
    assert!(results.contains("<td>not finite</td>") && results.contains("<td>0.510</td>"));
    // The supervised baseline is ahead. Published numbers and parameters are not compared.
    assert_eq!(results.matches("\u{2020}</td>").count(), 1);
    assert!(results.contains("84.9 <small>\u{b1} 0.2</small>\u{2020}</td>"));
    assert!(results.contains("<td>83.2</td>") && results.contains("<td>111 M</td>"));
    let [runs, baselines, published] =
        ["MAE, three", "raw pixels", "ViT-B"].map(|name| results.find(name).expect(name));
    assert!(runs < baselines && baselines < published);
    assert!(results.contains("Baselines, measured") && results.contains("not measured here"));
}

#[test]
fn lone_runs_and_negative_zeros() {
    let row = |kind, mean| Row {
        kind,
        cells: vec![Cell::single(mean)],
        ..Row::default()
    };
    let mut data = ComparisonData {
        tables: vec![Table {
            columns: vec![Quantity {
                better: Better::Lower,
                decimals: 1,
                ..Quantity::default()
            }],
            rows: vec![row(RowKind::Run, -0.01), row(RowKind::Baseline, 0.01)],
            ..Table::default()
        }],
        ..ComparisonData::default()
    };
    let html = written(&data);
    assert_eq!(html.matches("<td>0.0</td>").count(), 2, "{html}");
    assert!(!html.contains("<b>") && !html.contains("\u{2020}"));
    data.tables[0].rows.push(row(RowKind::Run, 0.04));
    assert_eq!(written(&data).matches("<b>0.0</b>").count(), 2);
}

#[test]
fn sweeps_have_dots_bars_and_the_labels_of_their_settings() {
    let html = written(&example(2));
    let sweeps = part(&html, "Results against one setting");
    assert_eq!(sweeps.matches("<svg").count(), 2);
    assert_eq!(sweeps.matches("<circle").count(), 6 + 4);
    // A bar is a line with two ends. One point of the first plot has no spread.
    assert_eq!(
        sweeps.matches("stroke-width=\"2\"").count(),
        2 + 3 * (5 + 4),
        "{sweeps}"
    );
    for label in ["16", "64", "512"] {
        assert_eq!(
            sweeps.matches(&format!("\n{label}\n")).count(),
            2,
            "{label}"
        );
    }
    assert!(sweeps.contains("k (logarithmic)") && sweeps.contains("higher is better"));
}

#[test]
fn correlations_are_printed() {
    let mut data = ComparisonData::default();
    let points = (0..3000).map(|i| SizeDepth {
        depth: 7.0 + f64::from(i) / 1500.0,
        size: 1.0 / f64::from(i + 1),
        opacity: 0.5,
    });
    data.size_depth = vec![SizeDepthData {
        points: points.collect(),
        ..SizeDepthData::default()
    }];
    data.density = vec![DensityData {
        cells: vec![(0.1, 1.0), (0.2, 3.0), (0.3, 2.0), (f64::NAN, 4.0)],
        ..DensityData::default()
    }];
    let html = written(&data);
    assert!(html.contains("<b>-1.00</b> (3\u{202f}000 Gaussians). The plot shows 2\u{202f}000"));
    assert!(html.contains("<b>0.50</b> (3 cells)."));
}

#[test]
fn odd_data_still_give_a_page() {
    let html = written(&ComparisonData::default());
    assert!(html.contains("No runs.") && !html.contains("<h2>Results"));
    let tables = ComparisonData {
        tables: example(1).tables,
        ..ComparisonData::default()
    };
    let html = written(&tables);
    assert!(html.contains("<p class=\"lead\">This file") && html.contains("<h2>Results"));
    assert!(
        html.contains("every run. All rows: epochs &lt;90&gt;.</p>\n<p class=\"below\">The probe")
    );
    let odd = [f64::NAN, f64::INFINITY, -1e300, 0.0, -1.0, 1e-310, 1e140];
    let pairs: Vec<(f64, f64)> = odd.iter().flat_map(|&x| odd.map(|y| (x, y))).collect();
    let mut data = example(3);
    data.runs[0].train = pairs.clone();
    data.runs[1].train = Vec::new();
    data.runs[2].train = vec![(3.0, f64::NAN)];
    let point = |&(x, mean): &(f64, f64)| SweepPoint {
        x,
        mean,
        spread: Some(mean),
    };
    data.sweeps[0].measures[0].points = pairs.iter().map(point).collect();
    data.sweeps[0].measures[1].points = Vec::new();
    data.density[0].cells = pairs.clone();
    let point = |&(depth, size): &(f64, f64)| SizeDepth {
        depth,
        size,
        opacity: depth,
    };
    data.size_depth[0].points = pairs.iter().map(point).collect();
    for row in &mut data.tables[0].rows {
        row.cells[0] = Cell::Number {
            mean: f64::NEG_INFINITY,
            spread: Some(f64::NAN),
            count: 1,
            planned: 2,
        };
    }
    let html = written(&data);
    assert!(html.contains("No results.") && !html.contains("NaN"));
    assert!(html.contains("<td>not finite <small>(n = 1)</small></td>"));
    data.size_depth[0].points.clear();
    data.density[0].cells = vec![(f64::NAN, 1.0)];
    let html = written(&data);
    assert!(html.contains("No Gaussians were recorded") && html.contains("No cells were recorded"));
}

#[test]
fn malformed_parts_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |data: &ComparisonData| {
        let error = write_comparison(dir.path(), "c.html", data).unwrap_err();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        error
    };
    let mut data = example(2);
    data.tables[0].rows[1].cells.pop();
    let error = refused(&data);
    assert!(matches!(error, ReportError::Entries { .. }));
    let words = "row \"GMAE, three seeds\": expected 3 entries, got 2";
    assert!(error.to_string().contains(words), "{error}");
    let mut data = example(2);
    data.reconstructions[1].reconstructions.pop();
    let words = "picture 2, reconstructions: expected 2 entries, got 1";
    assert!(refused(&data).to_string().contains(words));
    let mut data = example(2);
    data.density[0].pictures[0].detail = Image::filled(0, 3, [0.0; 3]);
    let error = refused(&data);
    assert!(matches!(error, ReportError::Picture { .. }));
    assert!(error.to_string().contains("its detail"), "{error}");
}
