//! Code shared by the examples that fit a picture.

use splat::Splats;

use crate::common::terminal;
use crate::common::visible::Visible;

/// Reads the opacity of the command line.
pub(crate) fn opacity(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(opacity) if opacity > 0.0 && opacity < 1.0 => Ok(opacity),
        _ => Err("expected a number in (0, 1)".to_owned()),
    }
}

/// Returns the logit of an opacity.
pub(crate) fn logit(opacity: f32) -> f32 {
    (opacity / (1.0 - opacity)).ln()
}

/// Writes a warning to standard error if none of the splats is visible. They have no gradient then,
/// so that the fit changes nothing.
pub(crate) fn warn_if_all_culled(splats: &Splats<Vec<f32>>) {
    let mut visible = Visible::default();
    visible.add(splats);
    if let Err(error) = visible.check() {
        terminal::note(format_args!("warning: {error}"));
    }
}
