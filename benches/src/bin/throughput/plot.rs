//! A picture of the results: the share of each stage, the share of the roofline, and the scaling.

use std::error::Error;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::{rows, scaling, stages};

/// Width and height of the picture, px.
const SIZE: (u32, u32) = (960, 1120);

/// One colour for each stage, axis or bar. They differ in brightness too.
const COLOURS: [RGBColor; 6] = [
    RGBColor(0x1b, 0x4f, 0x8f),
    RGBColor(0xe0, 0x8e, 0x1a),
    RGBColor(0x3f, 0x9b, 0x7a),
    RGBColor(0xb4, 0x3b, 0x5e),
    RGBColor(0x7c, 0xb8, 0xe0),
    RGBColor(0x6b, 0x5b, 0x95),
];
const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);

/// What is drawn.
pub(crate) struct Panels<'a> {
    /// The machine and the program.
    pub(crate) title: &'a str,
    pub(crate) stages: &'a [stages::Row],
    pub(crate) throughput: &'a [rows::Row],
    pub(crate) scaling: &'a [scaling::Row],
}

/// Whether a file of this name can be drawn. The reason why not is an error.
pub(crate) fn check_name(path: &Path) -> Result<(), String> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        let path = path.display();
        return Err(format!(
            "--plot {path}: expected a name in a folder that exists"
        ));
    }
    let end = path.extension().and_then(|end| end.to_str());
    match end.map(str::to_lowercase).as_deref() {
        Some("svg") => Ok(()),
        Some("png") if cfg!(feature = "gmae") => Ok(()),
        Some("png") => Err(format!(
            "--plot {}: this program was built without the feature gmae, which draws PNG files; \
             expected a name that ends with .svg",
            path.display()
        )),
        _ => Err(format!(
            "--plot {}: expected a name that ends with .svg or .png",
            path.display()
        )),
    }
}

/// Draws the panels into a file.
pub(crate) fn write(path: &Path, panels: &Panels<'_>) -> Result<(), String> {
    let failed = |error: &dyn Error| format!("--plot {}: {error}", path.display());
    let is_png = path
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("png"));
    let bytes = if is_png { png(panels) } else { svg(panels) };
    let bytes = bytes.map_err(|error| failed(&*error))?;
    std::fs::write(path, bytes).map_err(|error| failed(&error))
}

fn svg(panels: &Panels<'_>) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut text = String::new();
    let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    draw(&root, panels)?;
    drop(root);
    Ok(text.into_bytes())
}

#[cfg(feature = "gmae")]
fn png(panels: &Panels<'_>) -> Result<Vec<u8>, Box<dyn Error>> {
    use gmae_reference::Raster;
    use image::{ImageFormat, RgbImage};

    let mut picture = RgbImage::new(SIZE.0, SIZE.1);
    let root = Raster::new(&mut picture).into_drawing_area();
    draw(&root, panels)?;
    drop(root);
    let mut png = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png)?;
    Ok(png.into_inner())
}

#[cfg(not(feature = "gmae"))]
fn png(_: &Panels<'_>) -> Result<Vec<u8>, Box<dyn Error>> {
    Err("PNG files need the feature gmae".into())
}

fn draw<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    panels: &Panels<'_>,
) -> Result<(), Box<dyn Error>>
where
    B::ErrorType: 'static,
{
    root.fill(&WHITE)?;
    for (line, y) in panels.title.split("; ").zip([8, 26]) {
        root.draw(&Text::new(line, (20, y), words(13)))?;
    }
    let (_, below) = root.split_vertically(48);
    let parts = below.split_evenly((3, 1));
    draw_stages(&parts[0], panels.stages)?;
    draw_roofline(&parts[1], panels.throughput)?;
    draw_scaling(&parts[2], panels.scaling)?;
    root.present()?;
    Ok(())
}

fn words(size: i32) -> TextStyle<'static> {
    ("sans-serif", size).into_font().color(&INK)
}

/// Draws one bar for each workload: the shares of its stages on one thread.
fn draw_stages<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    rows: &[stages::Row],
) -> Result<(), Box<dyn Error>>
where
    B::ErrorType: 'static,
{
    root.draw(&Text::new(
        "Share of each stage, one thread",
        (20, 4),
        words(17),
    ))?;
    let mut names: Vec<&str> = Vec::new();
    for row in rows
        .iter()
        .filter(|row| row.share.is_some() && row.stage != "all")
    {
        if !names.contains(&row.stage) {
            names.push(row.stage);
        }
    }
    for (k, (name, colour)) in names.iter().zip(COLOURS.into_iter().cycle()).enumerate() {
        let at = (40 + 150 * k as i32, 30);
        root.draw(&Rectangle::new(
            [at, (at.0 + 12, at.1 + 12)],
            colour.filled(),
        ))?;
        root.draw(&Text::new(*name, (at.0 + 18, at.1), words(14)))?;
    }
    let wholes: Vec<&stages::Row> = rows.iter().filter(|row| row.stage == "all").collect();
    let chart = Bars::new(root, wholes.len());
    for (k, whole) in wholes.iter().enumerate() {
        let mut left = 0.0;
        let of_workload = rows.iter().filter(|row| row.workload == whole.workload);
        for row in of_workload {
            let Some(at) = names.iter().position(|&name| name == row.stage) else {
                continue;
            };
            let right = left + row.share.unwrap_or(0.0);
            chart.bar(root, k, (left, right), COLOURS[at % COLOURS.len()].filled())?;
            left = right;
        }
        let label = format!("{}: {:.1} ms", whole.workload, whole.one_thread_ms);
        chart.label(root, k, label)?;
    }
    Ok(())
}

/// Draws one bar for each workload: the speed of *composite* as a share of the arithmetic alone.
fn draw_roofline<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    rows: &[rows::Row],
) -> Result<(), Box<dyn Error>>
where
    B::ErrorType: 'static,
{
    let title = "Speed of composite beside the arithmetic alone (the whole width), all threads";
    root.draw(&Text::new(title, (20, 4), words(17)))?;
    let chart = Bars::new(root, rows.len());
    for (k, row) in rows.iter().enumerate() {
        let (own, most) = (row.composite_glanes_per_core, row.roofline_glanes_per_core);
        chart.bar(root, k, (0.0, 1.0), INK.mix(0.25).stroke_width(1))?;
        let share = row.composite_over_roofline;
        chart.bar(root, k, (0.0, share), COLOURS[0].filled())?;
        let label = format!(
            "{}: {own:.2} of {most:.2} G lanes/s per core, {:.0} %",
            row.workload,
            100.0 * share
        );
        chart.label(root, k, label)?;
    }
    Ok(())
}

/// Horizontal bars below a title, each with a label above it.
struct Bars {
    left: i32,
    width: i32,
    top: i32,
    step: i32,
}

impl Bars {
    fn new<B: DrawingBackend>(root: &DrawingArea<B, Shift>, count: usize) -> Self {
        let (width, height) = root.dim_in_pixel();
        let (left, top) = (40, 56);
        Self {
            left,
            width: width as i32 - 2 * left,
            top,
            step: (height as i32 - top - 10) / count.max(1) as i32,
        }
    }

    /// Draws bar `k` over a part of the width, from 0 to 1.
    fn bar<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        k: usize,
        (from, to): (f64, f64),
        style: ShapeStyle,
    ) -> Result<(), Box<dyn Error>>
    where
        B::ErrorType: 'static,
    {
        let x = |share: f64| self.left + (share.clamp(0.0, 1.0) * f64::from(self.width)) as i32;
        let y = self.top + k as i32 * self.step;
        let corners = [(x(from), y + 18), (x(to), y + (self.step - 4).max(20))];
        root.draw(&Rectangle::new(corners, style))?;
        Ok(())
    }

    fn label<B: DrawingBackend>(
        &self,
        root: &DrawingArea<B, Shift>,
        k: usize,
        text: String,
    ) -> Result<(), Box<dyn Error>>
    where
        B::ErrorType: 'static,
    {
        let at = (self.left, self.top + k as i32 * self.step);
        root.draw(&Text::new(text, at, words(14)))?;
        Ok(())
    }
}

/// Draws one line for each axis: the change of the time per pair against the factor.
fn draw_scaling<B: DrawingBackend>(
    root: &DrawingArea<B, Shift>,
    rows: &[scaling::Row],
) -> Result<(), Box<dyn Error>>
where
    B::ErrorType: 'static,
{
    let deviations = rows.iter().map(|row| row.deviation_percent);
    let (low, high) = deviations.fold((0.0_f64, 0.0_f64), |(low, high), x| {
        (low.min(x), high.max(x))
    });
    let most = rows.iter().map(|row| row.factor).max().unwrap_or(1) as f64;
    let title = "Change of the time per pair with the size, all threads";
    let mut chart = ChartBuilder::on(root)
        .caption(title, words(17))
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(70)
        .build_cartesian_2d(0.0..most.log2().max(1.0) * 1.35, low - 10.0..high + 20.0)?;
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(INK.mix(0.15))
        .label_style(words(14))
        .x_labels(6)
        .x_label_formatter(&|x| format!("{:.0}", x.exp2()))
        .y_label_formatter(&|y| format!("{y:+.0} %"))
        .x_desc("factor")
        .draw()?;
    let mut axes: Vec<&str> = Vec::new();
    for row in rows {
        if !axes.contains(&row.axis) {
            axes.push(row.axis);
        }
    }
    for (axis, colour) in axes.into_iter().zip(COLOURS) {
        let of_axis = rows.iter().filter(|row| row.axis == axis);
        let points: Vec<(f64, f64)> = of_axis
            .map(|row| ((row.factor as f64).log2(), row.deviation_percent))
            .collect();
        let end = points.last().copied();
        chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        let name = end.map(|(x, y)| Text::new(axis, (x + 0.05, y), words(14).color(&colour)));
        chart.draw_series(name)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_names_are_refused() {
        assert!(check_name(Path::new("a.svg")).is_ok());
        assert_eq!(
            check_name(Path::new("a.PNG")).is_ok(),
            cfg!(feature = "gmae")
        );
        assert!(check_name(Path::new("no such folder/a.svg")).is_err());
        for name in ["a.jpg", "svg", "a"] {
            let error = check_name(Path::new(name)).unwrap_err();
            assert!(error.contains(name) && error.contains(".svg"), "{error}");
        }
    }

    #[test]
    fn nothing_measured_is_an_empty_picture() -> Result<(), Box<dyn Error>> {
        let panels = Panels {
            title: "machine; program",
            stages: &[],
            throughput: &[],
            scaling: &[],
        };
        let text = String::from_utf8(svg(&panels)?)?;
        assert!(text.starts_with("<svg") && text.contains("machine") && text.contains("program"));
        Ok(())
    }
}
