//! The warning of renders that show nothing.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::terminal;

/// Warns on standard error if a view shows none of its Gaussians. `culled` has the number of culled
/// Gaussians of each view, and `ranges` the Gaussians of each view.
///
/// A process warns once: a run can render such images in every step.
pub(super) fn warn_if_all(culled: &[usize], ranges: &[Range<usize>]) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if let Some(warning) = warning(culled, ranges)
        && !WARNED.swap(true, Ordering::Relaxed)
    {
        terminal::note(warning);
    }
}

/// Returns the warning of the first view that has Gaussians and shows none of them.
fn warning(culled: &[usize], ranges: &[Range<usize>]) -> Option<String> {
    let mut views = culled.iter().zip(ranges);
    let empty = |(culled, range): &(&usize, &Range<usize>)| **culled > 0 && **culled == range.len();
    let (count, _) = views.find(empty)?;
    Some(format!(
        "warning: an image shows none of its {count} Gaussians, because all are culled: its render is \
         the background, and it trains nothing; further images of this kind are not reported"
    ))
}

#[cfg(test)]
mod tests {
    use super::warning;

    #[test]
    fn only_a_view_without_a_visible_gaussian_is_reported() {
        let ranges = [0..4, 4..4, 4..7];
        assert_eq!(warning(&[3, 0, 2], &ranges), None);
        assert_eq!(warning(&[], &[]), None);
        let said = warning(&[3, 0, 3], &ranges).expect("a view that shows nothing");
        assert!(said.contains("none of its 3 Gaussians"), "{said}");
        let said = warning(&[4, 0, 3], &ranges).expect("views that show nothing");
        assert!(said.contains("none of its 4 Gaussians"), "{said}");
    }
}
