//! The page: one function per section, in the order of the page.

use super::curve;
use super::data::{DepthPicture, GaussianPicture, Numbers, ReconstructionRow, ReportData};
use super::distribution::{density_section, size_depth_section};
use super::error::ReportError;
use super::html::{command, document, figure, legend, notes, section, table};
use super::picture::{ellipses, escape, img};
use super::words::{count, duration, loss, percent, short};

/// Caption of the picture on which the loss is measured.
const PASTED: &str = "pasted in";

/// Returns the whole page as HTML.
pub(super) fn page(data: &ReportData) -> Result<String, ReportError> {
    let sections = [
        header(data),
        curve_section(data)?,
        rows_section(&data.rows)?,
        gaussians_section(&data.gaussians)?,
        depths_section(&data.depths)?,
        density_section(data.density.as_slice())?,
        size_depth_section(data.size_depth.as_slice())?,
        settings_section(data),
    ];
    Ok(document(&data.title, &sections.concat()))
}

fn header(data: &ReportData) -> String {
    let numbers = &data.numbers;
    format!(
        "<h1>{}</h1>\n<p class=\"lead\">The model received a part of each picture and \
         painted the whole picture with {} coloured Gaussians. The other patches were hidden from it.</p>\n\
         {}<p>{}</p>\n{}",
        escape(&data.title),
        count(numbers.gaussians),
        cards(numbers),
        verdict(numbers),
        notes(&data.notes),
    )
}

fn cards(numbers: &Numbers) -> String {
    let optional = |value: Option<f64>, text: fn(f64) -> String| value.map_or_else(none, text);
    let cards = [
        (
            "card",
            optional(numbers.start_loss, loss),
            "loss at the start",
        ),
        (
            "card main",
            optional(numbers.end_loss, loss),
            "loss at the end",
        ),
        (
            "card main",
            optional(numbers.ratio(), short),
            "end divided by start",
        ),
        (
            "card",
            optional(numbers.baseline_loss, loss),
            "loss of a mean colour",
        ),
        (
            "card",
            short(numbers.images_per_second),
            "images per second",
        ),
        ("card", duration(numbers.seconds), "of training"),
        ("card", count(numbers.steps), "training steps"),
        ("card", count(numbers.parameters), "parameters"),
    ];
    let cards = cards.map(|(class, value, label)| {
        format!("<div class=\"{class}\"><b>{value}</b><span>{label}</span></div>\n")
    });
    format!("<div class=\"cards\">\n{}</div>\n", cards.concat())
}

/// Returns the text for a missing number.
fn none() -> String {
    "none".to_owned()
}

fn verdict(numbers: &Numbers) -> String {
    let change = match numbers.ratio() {
        None => {
            "The losses are not complete, so nothing is compared here: nothing is masked, or not \
                 everything was measured."
                .to_owned()
        }
        Some(ratio) if ratio < 1.0 => format!(
            "Training lowered the held-out loss by {}.",
            percent(1.0 - ratio)
        ),
        Some(_) => "Training did not lower the held-out loss.".to_owned(),
    };
    let against = match numbers.against_baseline() {
        None => "",
        Some(ratio) if ratio < 1.0 => {
            " It ends below the loss of simply painting every hidden patch in the mean colour: the model \
             has learned something about what is hidden."
        }
        Some(_) => {
            " It does not yet beat painting every hidden patch in the mean colour. Train longer: the \
             pictures are not yet informative."
        }
    };
    format!(
        "{change}{against} All losses are mean squared errors on the hidden patches of held-out pictures, with \
         colours between 0 and 1."
    )
}

fn curve_section(data: &ReportData) -> Result<String, ReportError> {
    let baseline = data.numbers.baseline_loss;
    let svg = curve::svg(&data.loss, baseline)?;
    let mut entries = vec![
        ("train", "training batches"),
        ("held-out", "held-out pictures"),
    ];
    let mut explanation = "";
    if baseline.is_some() {
        entries.push(("baseline", "mean colour"));
        explanation =
            " The dashed line is the loss of painting every hidden patch in the mean colour.";
    }
    let body = svg.map_or_else(
        || "<p>No loss was recorded.</p>\n".to_owned(),
        |svg| {
            let legend = legend(&entries);
            format!("<div class=\"panel curve\">\n{legend}{svg}</div>\n")
        },
    );
    Ok(format!(
        "<h2>Loss</h2>\n<p>Lower is better. Training batches differ from step to step, hence the jitter; the \
         held-out pictures are always the same and were never trained on.{explanation}</p>\n{body}"
    ))
}

fn rows_section(rows: &[ReconstructionRow]) -> Result<String, ReportError> {
    let mut body = String::new();
    for (i, row) in (1..).zip(rows) {
        let figures = [
            (&row.masked, "input of the model"),
            (&row.reconstruction, "output of the model"),
            (&row.pasted, PASTED),
            (&row.original, "the original"),
        ];
        body.push_str("<div class=\"panel grid four\">\n");
        for (image, caption) in figures {
            let picture = img(image, &format!("picture {i}: {caption}"))?;
            let caption = if caption == PASTED {
                match row.loss {
                    Some(value) => format!("{caption}, loss {}", loss(value)),
                    None => format!("{caption}; nothing is masked"),
                }
            } else {
                caption.to_owned()
            };
            body.push_str(&figure(&picture, &caption));
        }
        body.push_str("</div>\n");
    }
    Ok(section(
        "Reconstructions",
        "Held-out pictures. On the left the grey patches are hidden; the model never gets to see them. Next to it \
         the drawing made of all Gaussians. Then the same drawing, but only in the hidden patches, with the visible \
         ones as they were: the loss is measured on this picture. On the right the original.",
        &body,
    ))
}

fn gaussians_section(pictures: &[GaussianPicture]) -> Result<String, ReportError> {
    let mut body = String::new();
    for (i, picture) in (1..).zip(pictures) {
        let GaussianPicture {
            original,
            render,
            ellipses: shapes,
        } = picture;
        let name = format!("Gaussians of picture {i}");
        let drawn = ellipses(original.width, original.height, shapes, &name);
        body.push_str("<div class=\"panel grid three\">\n");
        body.push_str(&figure(
            &img(original, &format!("{name}: original"))?,
            "the original",
        ));
        body.push_str(&figure(
            &img(render, &format!("{name}: render"))?,
            "all Gaussians, rendered",
        ));
        body.push_str(&figure(
            &drawn,
            &format!("{} Gaussians, outlined", count(shapes.len())),
        ));
        body.push_str("</div>\n");
    }
    Ok(section(
        "The Gaussians",
        "Each outline is one Gaussian: a soft, coloured, half-transparent ellipse, drawn at one standard deviation in \
         its own colour. Faint outlines are nearly transparent. Many small Gaussians indicate \
         detail.",
        &body,
    ))
}

fn depths_section(pictures: &[DepthPicture]) -> Result<String, ReportError> {
    let mut body = String::new();
    for (i, picture) in (1..).zip(pictures) {
        let name = format!("depth of picture {i}");
        let (width, height) = (picture.original.width, picture.original.height);
        let whole = img(&picture.original, &format!("{name}: original"))?;
        body.push_str("<div class=\"panel grid layers\">\n");
        body.push_str(&figure(&whole, "the original"));
        for (n, layer) in (1..).zip(&picture.layers) {
            let name = format!("{name}: layer {n}");
            let prefix = img(&layer.prefix, &name)?;
            let drawn = ellipses(width, height, &layer.ellipses, &name);
            let caption = match n {
                1 => "nearest layer".to_owned(),
                n if n == picture.layers.len() => format!("layers 1 to {n}: everything"),
                n => format!("layers 1 to {n}"),
            };
            body.push_str(&figure(&format!("{prefix}{drawn}"), &caption));
        }
        body.push_str("</div>\n");
    }
    Ok(section(
        "Layers of depth",
        "The Gaussians of a picture, sorted by their distance from the camera and cut into groups of equal count. \
         Above: the nearest groups alone, then one more group at a time. Below: the outlines of the group that was \
         added. The training data contain no depth. The model can use depth to hide one Gaussian behind another.",
        &body,
    ))
}

fn settings_section(data: &ReportData) -> String {
    let rows: Vec<[&str; 2]> = data
        .configuration
        .iter()
        .map(|(name, value)| [name.as_str(), value.as_str()])
        .collect();
    let table = if rows.is_empty() {
        String::new()
    } else {
        format!("<div class=\"panel scroll\">{}</div>\n", table(&rows))
    };
    format!(
        "<h2>Repeat the run</h2>\n<p>This command, with these settings, repeats the run.</p>\n{}{table}",
        command(&data.command)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_follows_the_numbers() {
        let verdict_of = |start_loss, end_loss, baseline_loss| {
            verdict(&Numbers {
                start_loss,
                end_loss,
                baseline_loss,
                ..Numbers::default()
            })
        };
        let good = verdict_of(Some(0.2), Some(0.05), Some(0.06));
        assert!(good.contains("by 75.0 %") && good.contains("ends below"));
        let middling = verdict_of(Some(0.2), Some(0.1), Some(0.06));
        assert!(middling.contains("by 50.0 %") && middling.contains("not yet beat"));
        assert!(verdict_of(Some(0.2), Some(0.3), Some(0.06)).contains("did not lower"));
        for start in [Some(f64::NAN), Some(0.0), None] {
            let words = verdict_of(start, Some(0.3), Some(0.06));
            assert!(words.contains("not complete"), "{words}");
        }
        let nothing = verdict_of(None, None, None);
        assert!(nothing.contains("nothing is masked") && !nothing.contains("mean colour"));
    }
}
