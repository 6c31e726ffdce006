//! The report of a run: the error of every picture, beside the pictures.

mod evaluation;

use std::fmt::{self, Display, Write};
use std::path::Path;

use plotters::prelude::*;

use crate::checkpoint;
use crate::common::{files, pictures, terminal};
use crate::dataset::Dataset;
use crate::plan::Plan;
use crate::state::{End, Passed, State};
use evaluation::{Evaluated, evaluate};

/// Name of the report in the output folder.
pub(crate) const NAME: &str = "report.html";
/// Folder of the pictures, in the output folder.
const PICTURES: &str = "pictures";
/// Width and height of the plot, px.
const PLOT_SIZE: (u32, u32) = (760, 300);
const BLUE_INK: RGBColor = RGBColor(0x1b, 0x4f, 0x8f);

pub(crate) struct Report<'a> {
    plan: &'a Plan,
    data: &'a Dataset,
    state: &'a State,
    evaluated: Vec<Evaluated>,
}

impl<'a> Report<'a> {
    /// Renders all pictures. A warning says if none shows a Gaussian.
    pub(crate) fn new(data: &'a Dataset, plan: &'a Plan, state: &'a State) -> Result<Self, String> {
        let (evaluated, visible) = evaluate(data, state)?;
        if let Err(error) = visible.check() {
            terminal::note(format_args!("warning: {error}"));
        }
        Ok(Self {
            plan,
            data,
            state,
            evaluated,
        })
    }

    /// Writes `report.html` and its pictures into a folder.
    pub(crate) fn write(&self, out: &Path) -> Result<(), String> {
        let (folder, path) = (out.join(PICTURES), out.join(NAME));
        // An old report must not show new pictures.
        checkpoint::remove(&path)?;
        files::writable_folder(&folder)?;
        for (i, evaluated) in self.evaluated.iter().enumerate() {
            pictures::write_png(&folder.join(file_name(i)), &evaluated.pictures)?;
        }
        let failed = |error: &dyn Display| format!("{}: {error}", path.display());
        let plot = plot(&self.state.history).map_err(|error| failed(&error))?;
        let html = self.html(&plot).map_err(|error| failed(&error))?;
        files::write(&path, html.as_bytes())
    }

    /// Returns the mean ratio and similarity of the pictures that are held out, or of the others.
    fn mean(&self, held_out: bool) -> Option<(f64, f64, usize)> {
        let of_part = |evaluated: &&Evaluated| evaluated.held_out == held_out;
        let losses = self.evaluated.iter().filter(of_part).map(|e| e.loss);
        let count = losses.clone().count();
        let mean = |sum: f64| sum / count as f64;
        let psnr = mean(losses.clone().map(|loss| loss.psnr).sum());
        let ssim = mean(losses.map(|loss| loss.ssim).sum());
        (count > 0).then_some((psnr, ssim, count))
    }

    fn html(&self, plot: &str) -> Result<String, fmt::Error> {
        let mut html = String::new();
        let plan = self.plan;
        writeln!(
            html,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <title>A scene from photographs</title>\n<style>\n\
             body {{ font-family: sans-serif; max-width: 1000px; margin: 2em auto; padding: 0 1em; }}\n\
             table {{ border-collapse: collapse; }}\n\
             td, th {{ padding: 0.2em 0.8em; text-align: right; border-bottom: 1px solid #ddd; }}\n\
             td:first-child, th:first-child {{ text-align: left; }}\n\
             img {{ width: 100%; image-rendering: pixelated; }}\n\
             </style>\n</head>\n<body>\n<h1>A scene from photographs</h1>"
        )?;
        if self.state.end(plan) == End::Interrupted {
            writeln!(
                html,
                "<p><strong>Interrupted after {} of {} iterations.</strong></p>",
                self.state.iteration, plan.iterations
            )?;
        }
        writeln!(
            html,
            "<p>{}. Gaussians: {}, with harmonics of degree {}. Iterations: {}. Strategy: {}, seed: {}.</p>",
            self.data,
            self.state.gaussians.count,
            plan.degree,
            self.state.iteration,
            plan.strategy,
            plan.seed
        )?;
        writeln!(
            html,
            "<table>\n<tr><th>picture</th><th>PSNR, dB</th><th>SSIM</th></tr>"
        )?;
        for (held_out, name) in [(true, "mean, held out"), (false, "mean, trained on")] {
            if let Some((psnr, ssim, count)) = self.mean(held_out) {
                writeln!(
                    html,
                    "<tr><th>{name} ({count})</th><th>{psnr:.2}</th><th>{ssim:.4}</th></tr>"
                )?;
            }
        }
        for evaluated in &self.evaluated {
            let (name, loss) = (escaped(&evaluated.name), evaluated.loss);
            let part = part(evaluated.held_out);
            writeln!(
                html,
                "<tr><td>{name}, {part}</td><td>{:.2}</td><td>{:.4}</td></tr>",
                loss.psnr, loss.ssim
            )?;
        }
        writeln!(
            html,
            "</table>\n<h2>Training</h2>\n{plot}\n<h2>Pictures</h2>"
        )?;
        writeln!(
            html,
            "<p>From left to right: the photograph, the rendered picture, and four times the absolute \
             error.</p>"
        )?;
        for (i, evaluated) in self.evaluated.iter().enumerate() {
            let (name, psnr) = (escaped(&evaluated.name), evaluated.loss.psnr);
            writeln!(
                html,
                "<h3>{name}, {}: {psnr:.2} dB</h3>\n<img src=\"{PICTURES}/{}\" alt=\"photograph, \
                 rendered picture and error of {name}\">",
                part(evaluated.held_out),
                file_name(i)
            )?;
        }
        writeln!(html, "</body>\n</html>")?;
        Ok(html)
    }
}

impl Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, iterations) = (self.state.gaussians.count, self.state.iteration);
        for (held_out, name) in [(true, "held out"), (false, "trained on")] {
            if let Some((psnr, _, _)) = self.mean(held_out) {
                write!(f, "{name}: {psnr:.2} dB, ")?;
            }
        }
        write!(f, "Gaussians: {count}, iterations: {iterations}")
    }
}

fn part(held_out: bool) -> &'static str {
    if held_out { "held out" } else { "trained on" }
}

fn file_name(i: usize) -> String {
    format!("picture_{i:03}.png")
}

/// Returns text for an element or an attribute of HTML.
fn escaped(text: &str) -> String {
    let mut html = String::new();
    for letter in text.chars() {
        match letter {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            letter => html.push(letter),
        }
    }
    html
}

/// Draws the mean ratio of the pictures during the run, as an SVG element.
fn plot(history: &[Passed]) -> Result<String, Box<dyn std::error::Error>> {
    let last = history.last().map_or(1, |passed| passed.iterations);
    let finite = || {
        history
            .iter()
            .map(|passed| passed.psnr)
            .filter(|psnr| psnr.is_finite())
    };
    let least = finite().fold(f64::INFINITY, f64::min);
    let most = finite().fold(f64::NEG_INFINITY, f64::max);
    let range = if least < most { least..most } else { 0.0..1.0 };
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, PLOT_SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(50)
            .build_cartesian_2d(0..last, range)?;
        let mut mesh = chart.configure_mesh();
        mesh.x_desc("iterations");
        mesh.y_desc("PSNR of the pictures trained on, dB");
        mesh.draw()?;
        let points = history
            .iter()
            .map(|passed| (passed.iterations, passed.psnr));
        chart.draw_series(LineSeries::new(points, &BLUE_INK))?;
        root.present()?;
    }
    Ok(svg)
}
