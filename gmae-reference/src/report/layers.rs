//! The page of the layers of some images: a slider over the layers, each layer by itself, and label
//! maps.

use super::error::ReportError;
use super::html::{command, document, figure, notes, section};
use super::picture::{escape, img};
use super::words::count;
use crate::data::Image;

/// The complete content of the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct LayersData {
    /// The heading of the page.
    pub title: String,
    /// The exact command line that repeats the page.
    pub command: String,
    /// Remarks, one paragraph each.
    pub notes: Vec<String>,
    /// The images.
    pub pictures: Vec<LayeredPicture>,
}

/// One image and its layers. All pictures have the same size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LayeredPicture {
    /// The name of the image.
    pub name: String,
    /// The original.
    pub original: Image,
    /// The renders of the nearest layers, from none to all.
    pub prefixes: Vec<Image>,
    /// The render of each layer by itself, nearest first. There may be fewer than prefixes.
    pub alone: Vec<Image>,
    /// The label maps.
    pub labels: Vec<LabelPicture>,
}

/// A label map as a picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LabelPicture {
    /// What the map shows, such as `8 layers`.
    pub caption: String,
    /// The map.
    pub image: Image,
}

/// Shows one prefix of each image, that of its slider. Without scripts the last prefix is shown.
const SCRIPT: &str = "\
<script>
for (const scrub of document.querySelectorAll('.scrub')) {
  const slider = scrub.querySelector('input');
  const text = scrub.querySelector('output');
  const pictures = scrub.querySelectorAll('.stack img');
  const show = () => {
    pictures.forEach((picture, i) => { picture.hidden = i !== Number(slider.value); });
    text.textContent = slider.value + ' of ' + slider.max + ' layers';
  };
  slider.addEventListener('input', show);
  slider.disabled = false;
  show();
}
</script>
";

/// Returns the whole page as HTML.
pub(super) fn page(data: &LayersData) -> Result<String, ReportError> {
    let mut body = format!(
        "<h1>{}</h1>\n<p class=\"lead\">The Gaussians of each image, sorted by depth and cut into \
         layers of equal count. This file needs no network.</p>\n{}",
        escape(&data.title),
        notes(&data.notes)
    );
    for picture in &data.pictures {
        body.push_str(&layered(picture)?);
    }
    body.push_str(SCRIPT);
    let repeat = "This command repeats the page.";
    body.push_str(&section("Repeat the page", repeat, &command(&data.command)));
    Ok(document(&data.title, &body))
}

fn layered(picture: &LayeredPicture) -> Result<String, ReportError> {
    let name = &picture.name;
    let last = picture.prefixes.len().saturating_sub(1);
    let mut stack = String::new();
    for (i, prefix) in picture.prefixes.iter().enumerate() {
        let tag = img(prefix, &format!("{name}: {i} of {last} layers"))?;
        let tag = match i {
            i if i == last => tag,
            _ => tag.replacen("<img ", "<img hidden ", 1),
        };
        stack.push_str(&tag);
    }
    let scrub = format!(
        "<figure class=\"scrub\"><div class=\"stack\">{stack}</div>\n<figcaption><input \
         type=\"range\" min=\"0\" max=\"{last}\" value=\"{last}\" aria-label=\"number of \
         layers\" disabled> <output>{last} of {last} layers</output></figcaption></figure>\n"
    );
    let original = img(&picture.original, &format!("{name}: original"))?;
    let mut html = format!(
        "<h2>{}</h2>\n<div class=\"panel grid halves\">\n{}{scrub}</div>\n",
        escape(name),
        figure(&original, "the original"),
    );
    let mut alone = String::new();
    for (i, layer) in (1..).zip(&picture.alone) {
        let tag = img(layer, &format!("{name}: layer {i} alone"))?;
        alone.push_str(&figure(&tag, &format!("layer {}", count(i))));
    }
    if !alone.is_empty() {
        html.push_str("<h3>Each layer by itself, nearest first</h3>\n");
        html.push_str(&grid("four", &alone));
    }
    let mut labels = String::new();
    for map in &picture.labels {
        let tag = img(&map.image, &format!("{name}: labels, {}", map.caption))?;
        labels.push_str(&figure(&tag, &map.caption));
    }
    if !labels.is_empty() {
        html.push_str(
            "<h3>The layer of every pixel: near layers are bright, far layers dark, none grey</h3>\n",
        );
        html.push_str(&grid("layers", &labels));
    }
    Ok(html)
}

/// Returns a panel of small figures. `columns` is the class that determines their number.
fn grid(columns: &str, figures: &str) -> String {
    format!("<div class=\"panel grid {columns}\">\n{figures}</div>\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(number: u8) -> Image {
        Image::filled(4, 2, [f32::from(number) / 255.0, 0.5, 0.25])
    }

    fn example() -> LayersData {
        LayersData {
            title: "Layers of <images>".to_owned(),
            command: "program layers".to_owned(),
            notes: vec!["a & b".to_owned()],
            pictures: vec![LayeredPicture {
                name: "a.png".to_owned(),
                original: picture(1),
                prefixes: vec![picture(2), picture(3), picture(4)],
                alone: vec![picture(5), picture(6)],
                labels: vec![LabelPicture {
                    caption: "2 layers".to_owned(),
                    image: picture(7),
                }],
            }],
        }
    }

    #[test]
    fn the_page_has_every_picture_and_shows_the_last_prefix() {
        let html = page(&example()).expect("pictures");
        assert_eq!(html.matches("<img ").count(), 7);
        assert_eq!(html.matches("<img hidden ").count(), 2);
        assert!(html.contains("[hidden] { display: none !important; }"));
        assert!(html.contains("max=\"2\" value=\"2\""));
        assert!(html.contains("Layers of &lt;images&gt;") && html.contains("a &amp; b"));
        assert!(!html.contains("src=\"http"), "needs a network");
    }

    #[test]
    fn a_picture_of_a_wrong_size_is_refused() {
        let mut data = example();
        data.pictures[0].alone[0].pixels.pop();
        let error = page(&data).expect_err("a wrong size").to_string();
        assert!(error.contains("layer 1 alone"), "{error}");
    }
}
