//! Pictures inside the page: PNG as data URLs, Gaussians as SVG ellipses.

use std::fmt::Write as _;
use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::ImageFormat;

use super::data::Ellipse;
use super::error::ReportError;
use crate::data::Image;

/// Returns an `<img>` with the pixels as a data URL. `name` becomes the alternative text.
pub(super) fn img(image: &Image, name: &str) -> Result<String, ReportError> {
    let fail = |reason: String| ReportError::Picture {
        name: name.to_owned(),
        reason,
    };
    let Image {
        width,
        height,
        pixels,
    } = image;
    let wanted = width.checked_mul(*height).and_then(|n| n.checked_mul(3));
    if wanted.is_none_or(|n| n == 0 || n != pixels.len()) {
        return Err(fail(format!(
            "expected {width} x {height} x 3 values and at least one pixel, got {} values",
            pixels.len()
        )));
    }
    let mut png = Cursor::new(Vec::new());
    image
        .to_rgb8()
        .write_to(&mut png, ImageFormat::Png)
        .map_err(|error| fail(error.to_string()))?;
    let data = STANDARD.encode(png.into_inner());
    let name = escape(name);
    Ok(format!(
        r#"<img src="data:image/png;base64,{data}" width="{width}" height="{height}" alt="{name}">"#
    ))
}

/// Returns an `<svg>` of `width` x `height` user units with the one-sigma outline of every
/// Gaussian. The nearest Gaussian is on top.
///
/// Ellipses with values that are not finite, or without any extent, are left out.
pub(super) fn ellipses(width: usize, height: usize, ellipses: &[Ellipse], name: &str) -> String {
    let mut svg = format!(
        r#"<svg class="gaussians" viewBox="0 0 {width} {height}" role="img" aria-label="{}">"#,
        escape(name)
    );
    for ellipse in ellipses.iter().rev() {
        if let Some([major, minor, degrees]) = axes(ellipse) {
            let Ellipse { x, y, opacity, .. } = ellipse;
            let colour = hex(ellipse.colour);
            let opacity = opacity.clamp(0.0, 1.0);
            let (line, fill) = (0.35 + 0.65 * opacity, 0.3 * opacity);
            // Writing to a String cannot fail.
            let _ = write!(
                svg,
                r#"<ellipse cx="{x:.2}" cy="{y:.2}" rx="{major:.2}" ry="{minor:.2}" transform="rotate({degrees:.1} {x:.2} {y:.2})" stroke="{colour}" fill="{colour}" stroke-opacity="{line:.2}" fill-opacity="{fill:.2}"/>"#
            );
        }
    }
    svg.push_str("</svg>");
    svg
}

/// Returns the standard deviations along the long and the short axis, and the angle of the long
/// axis in degrees from x to y. These values follow from the eigenvalues and the first eigenvector
/// of the covariance. The result is `None` for an ellipse that cannot be drawn.
fn axes(ellipse: &Ellipse) -> Option<[f32; 3]> {
    let Ellipse {
        x, y, xx, xy, yy, ..
    } = *ellipse;
    let mean = 0.5 * (xx + yy);
    let half = 0.5 * (xx - yy);
    let spread = half.hypot(xy);
    let major = (mean + spread).max(0.0).sqrt();
    let minor = (mean - spread).max(0.0).sqrt();
    let degrees = (0.5 * xy.atan2(half)).to_degrees();
    let usable = [x, y, major, minor, degrees, ellipse.opacity]
        .iter()
        .all(|v| v.is_finite());
    (usable && major > 0.0).then_some([major, minor, degrees])
}

fn hex(colour: [f32; 3]) -> String {
    let [r, g, b] = colour.map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8);
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Returns `text` with the five special characters of HTML escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_those_of_the_covariance() {
        let near = |got: Option<[f32; 3]>, want: [f32; 3]| {
            let got = got.expect("a drawable ellipse");
            assert!(
                got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-3),
                "{got:?} against {want:?}"
            );
        };
        let covariance = |xx, xy, yy| {
            axes(&Ellipse {
                xx,
                xy,
                yy,
                ..Ellipse::default()
            })
        };
        near(covariance(9.0, 0.0, 4.0), [3.0, 2.0, 0.0]);
        near(covariance(4.0, 0.0, 9.0), [3.0, 2.0, 90.0]);
        // 9 and 4 along axes turned by 30 degrees.
        let (s, c) = 30_f32.to_radians().sin_cos();
        near(
            covariance(
                9.0 * c * c + 4.0 * s * s,
                5.0 * s * c,
                9.0 * s * s + 4.0 * c * c,
            ),
            [3.0, 2.0, 30.0],
        );
        assert_eq!(covariance(f32::NAN, 0.0, 1.0), None);
        assert_eq!(covariance(0.0, 0.0, 0.0), None);
    }

    #[test]
    fn the_nearest_ellipse_is_drawn_last() {
        let at = |x, colour| Ellipse {
            x,
            xx: 1.0,
            yy: 1.0,
            colour,
            opacity: 1.0,
            ..Ellipse::default()
        };
        let svg = ellipses(
            8,
            4,
            &[at(1.0, [1.0, 0.0, 0.0]), at(2.0, [0.0, 0.0, 1.0])],
            "a <b>",
        );
        assert!(svg.contains(r#"viewBox="0 0 8 4""#) && svg.contains("a &lt;b&gt;"));
        assert!(svg.find("#0000ff") < svg.find("#ff0000"));
        assert_eq!(svg.matches("<ellipse").count(), 2);
    }
}
