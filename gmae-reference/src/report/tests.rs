use super::*;
use crate::data::Image;
use std::collections::HashSet;
use std::fs;

/// Returns a picture that is different for every `number`.
fn picture(number: u8) -> Image {
    Image::filled(6, 4, [f32::from(number) / 255.0, 0.25, 0.75])
}

fn ellipse(x: f32) -> Ellipse {
    Ellipse {
        x,
        y: 2.0,
        xx: 2.0,
        xy: 0.5,
        yy: 1.0,
        colour: [0.2, 0.4, 0.6],
        opacity: 0.5,
    }
}

fn example() -> ReportData {
    ReportData {
        title: "A <title> & more".to_owned(),
        command: r#"program train --name "x > y" --out 'z'"#.to_owned(),
        numbers: Numbers {
            start_loss: Some(0.25),
            end_loss: Some(0.0125),
            baseline_loss: Some(0.05),
            images_per_second: 321.0,
            seconds: 61.5,
            steps: 1500,
            parameters: 912_345,
            gaussians: 64,
        },
        configuration: vec![(
            "data.path".to_owned(),
            "<script>alert(1)</script>".to_owned(),
        )],
        notes: vec!["skipped 1 of 9 images: a&b.jpg".to_owned()],
        loss: LossCurve {
            train: (0..50)
                .map(|i| (f64::from(i), 0.25 / f64::from(i + 1)))
                .collect(),
            held_out: vec![(0.0, 0.25), (49.0, 0.0125)],
        },
        rows: vec![ReconstructionRow {
            masked: picture(1),
            reconstruction: picture(2),
            pasted: picture(3),
            original: picture(4),
            loss: Some(0.0123),
        }],
        gaussians: vec![GaussianPicture {
            original: picture(5),
            render: picture(6),
            ellipses: vec![ellipse(1.0), ellipse(2.0)],
        }],
        depths: vec![DepthPicture {
            original: picture(7),
            layers: vec![
                DepthLayer {
                    prefix: picture(8),
                    ellipses: vec![ellipse(3.0)],
                },
                DepthLayer {
                    prefix: picture(9),
                    ellipses: vec![ellipse(4.0)],
                },
            ],
        }],
        density: Some(DensityData {
            cells: vec![(0.1, 1.0), (0.2, 2.0), (0.3, 3.0)],
            pictures: vec![DensityPicture {
                original: picture(10),
                detail: picture(11),
                density: picture(12),
            }],
            ..DensityData::default()
        }),
        size_depth: Some(SizeDepthData {
            points: [7.0, 8.0, 9.0]
                .map(|depth| SizeDepth {
                    depth,
                    size: 10.0 - depth,
                    opacity: 0.5,
                })
                .to_vec(),
            ..SizeDepthData::default()
        }),
    }
}

fn written(data: &ReportData) -> String {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = write(dir.path(), data).expect("a report");
    assert_eq!(path, dir.path().join("report.html"));
    fs::read_to_string(path).expect("the report")
}

/// Returns the red value of every picture inlined in the page.
fn inlined(html: &str) -> HashSet<u8> {
    use base64::Engine as _;
    html.split("data:image/png;base64,")
        .skip(1)
        .map(|rest| {
            let data = rest.split('"').next().expect("the address");
            let png = base64::engine::general_purpose::STANDARD
                .decode(data)
                .expect("base64");
            let image = image::load_from_memory(&png)
                .expect("a picture")
                .into_rgb8();
            assert_eq!(image.dimensions(), (6, 4));
            image.get_pixel(0, 0)[0]
        })
        .collect()
}

#[test]
fn every_picture_and_ellipse_is_inside() {
    let html = written(&example());
    assert_eq!(inlined(&html), (1..=12).collect());
    assert_eq!(html.matches("<ellipse").count(), 4);
    assert!(html.contains("training step") && html.contains("training batches"));
    assert!(html.contains("<b>1.00</b> (3 cells)") && html.contains("<b>-1.00</b> (3 Gaussians)"));
}

#[test]
fn numbers_settings_and_notes_are_shown() {
    let html = written(&example());
    for text in [
        "0.2500",
        "0.0125",
        "0.0500",
        ">0.05<",
        "321",
        "61.5 s",
        "1\u{202f}500",
        "912\u{202f}345",
        "data.path",
    ] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn nothing_points_outside() {
    let html = written(&example());
    for address in [
        "http:", "https:", "//www", "url(", "@import", "<link", "<script", "<iframe", "href=",
    ] {
        assert!(!html.contains(address), "{address}");
    }
    let sources: Vec<&str> = html.split("src=").skip(1).collect();
    assert!(!sources.is_empty());
    assert!(
        sources
            .iter()
            .all(|source| source.starts_with("\"data:image/png;base64,"))
    );
}

#[test]
fn text_is_escaped() {
    let html = written(&example());
    assert!(html.contains("A &lt;title&gt; &amp; more"));
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    let command = "<span>--name</span> <span>&quot;x</span> <span>&gt;</span> <span>y&quot;</span> \
                   <span>--out</span> <span>&#39;z&#39;</span>";
    assert!(html.contains(command));
    assert!(html.contains("a&amp;b.jpg"));
}

#[test]
fn a_report_replaces_the_last_one_and_leaves_nothing_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let nested = dir.path().join("runs/first");
    let mut data = example();
    write(&nested, &data).unwrap();
    data.title = "second".to_owned();
    let path = write(&nested, &data).unwrap();
    assert!(
        fs::read_to_string(path)
            .unwrap()
            .contains("<h1>second</h1>")
    );
    let names: Vec<_> = fs::read_dir(&nested)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["report.html"]);
}

#[test]
fn a_failed_report_keeps_the_last_one() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), &example()).unwrap();
    let before = fs::read(dir.path().join("report.html")).unwrap();
    let mut broken = example();
    broken.rows[0].pasted.pixels.pop();
    let error = write(dir.path(), &broken).unwrap_err();
    assert!(matches!(error, ReportError::Picture { .. }));
    assert!(
        error.to_string().contains("picture 1: pasted in"),
        "{error}"
    );
    assert!(
        error
            .to_string()
            .contains("6 x 4 x 3 values and at least one pixel, got 71"),
        "{error}"
    );
    assert_eq!(fs::read(dir.path().join("report.html")).unwrap(), before);
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    fs::write(&file, b"in the way").unwrap();
    for path in [file.clone(), file.join("below")] {
        let error = write(&path, &example()).unwrap_err();
        assert!(matches!(error, ReportError::Write { .. }));
        assert!(error.to_string().contains("a-file"), "{error}");
    }
    // A folder has the name of the report. The report is written to a temporary file but cannot be
    // renamed, and the temporary file must be removed.
    fs::create_dir_all(dir.path().join("report.html/in-the-way")).unwrap();
    assert!(matches!(
        write(dir.path(), &example()),
        Err(ReportError::Write { .. })
    ));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn an_empty_report_is_still_a_page() {
    let html = written(&ReportData::default());
    assert!(html.contains("The losses are not complete"));
    assert!(!html.contains("NaN") && !html.contains("inf"));
    assert!(!html.contains("Reconstructions") && !html.contains("<img"));
    assert!(!html.contains("Density") && !html.contains("Size of Gaussians"));
}
