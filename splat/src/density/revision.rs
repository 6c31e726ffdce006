//! The map from the rows of a new list of Gaussians to those of the old one.

use super::rows::check_count;
use crate::error::{RenderError, checked_product, try_reserved};
use crate::gaussians::Gaussians;
use crate::number::Number;

/// How an operation changed a list of Gaussians, for whatever has one row per Gaussian, such as the
/// moments of an optimiser.
///
/// Each Gaussian of the new list was made from one Gaussian of the old list, its source. Sources
/// ascend. If several Gaussians have the same source, at most the first is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision {
    /// The number of Gaussians of the old list.
    previous: usize,
    /// For each Gaussian of the new list, its source.
    sources: Vec<u32>,
    /// For each Gaussian of the new list, whether it is its source, unchanged.
    kept: Vec<bool>,
    /// The number of different sources.
    used: usize,
}

impl Revision {
    /// Creates the revision that makes `copies[i]` Gaussians from Gaussian `i`. `keeps` returns
    /// whether the first of them has the numbers of its source.
    pub(super) fn new(copies: &[u32], keeps: impl Fn(usize) -> bool) -> Result<Self, RenderError> {
        let total = copies.iter().map(|&n| u64::from(n)).sum();
        check_count(total)?;
        let mut sources = try_reserved("sources of Gaussians [N]", total as usize)?;
        let mut kept = try_reserved("kept Gaussians [N]", total as usize)?;
        let mut used = 0;
        for (i, &n) in copies.iter().enumerate() {
            for copy in 0..n {
                sources.push(i as u32);
                kept.push(copy == 0 && keeps(i));
            }
            used += usize::from(n > 0);
        }
        Ok(Self {
            previous: copies.len(),
            sources,
            kept,
            used,
        })
    }

    /// Returns the new list of Gaussians. Each has the numbers of its source.
    pub(super) fn apply<T: Number>(
        &self,
        gaussians: &Gaussians<Vec<T>>,
    ) -> Result<Gaussians<Vec<T>>, RenderError> {
        let mut revised = gaussians.try_map(|rows| self.rows(rows))?;
        revised.count = self.count();
        Ok(revised)
    }

    /// Returns the number N of Gaussians of the new list.
    pub fn count(&self) -> usize {
        self.sources.len()
    }

    /// Returns the number of Gaussians of the old list.
    pub fn previous_count(&self) -> usize {
        self.previous
    }

    /// Returns, for each Gaussian of the new list, the index of its source in the old list, `[N]`.
    pub fn sources(&self) -> &[u32] {
        &self.sources
    }

    /// Returns, for each Gaussian of the new list, whether it is its source with the same numbers,
    /// `[N]`. Copies are not kept.
    pub fn kept(&self) -> &[bool] {
        &self.kept
    }

    /// Returns whether Gaussian `i` of the new list is kept, and `false` if there is no such
    /// Gaussian.
    pub fn is_kept(&self, i: usize) -> bool {
        self.kept.get(i).copied().unwrap_or(false)
    }

    /// Returns the number of Gaussians of the new list beyond one per source.
    pub fn added(&self) -> usize {
        self.count() - self.used
    }

    /// Returns the number of Gaussians of the old list that are no source.
    pub fn removed(&self) -> usize {
        self.previous - self.used
    }

    /// Returns the number of Gaussians of the new list that are not kept.
    pub fn changed(&self) -> usize {
        self.kept.iter().filter(|kept| !**kept).count()
    }

    /// Returns rows `[N, K]` of the new list, each a copy of its source's row, from rows `[N, K]` of
    /// the old list.
    ///
    /// # Errors
    /// - [`RenderError::Shape`] if the number of elements is no multiple of the previous count.
    /// - [`RenderError::Capacity`] if the number of elements overflows or an allocation fails.
    pub fn rows<T: Copy>(&self, rows: &[T]) -> Result<Vec<T>, RenderError> {
        let previous = self.previous;
        if rows.len().checked_rem(previous).unwrap_or(rows.len()) != 0 {
            let expected = format!("a multiple of {previous} elements, [N, K]");
            return Err(RenderError::shape("rows", expected, rows.len()));
        }
        let width = rows.len() / previous.max(1);
        let what = "revised rows [N, K]";
        let mut revised = try_reserved(what, checked_product(what, &[self.count(), width])?)?;
        for &source in &self.sources {
            revised.extend_from_slice(&rows[source as usize * width..][..width]);
        }
        Ok(revised)
    }

    /// Returns [`rows`](Self::rows) with zeros for Gaussians that are not kept. Moments of an
    /// optimiser belong to the history of one Gaussian, which a new or changed Gaussian has not.
    ///
    /// # Errors
    /// The errors of [`rows`](Self::rows).
    pub fn moments<T: Number>(&self, rows: &[T]) -> Result<Vec<T>, RenderError> {
        let mut moments = self.rows(rows)?;
        let width = moments.len() / self.count().max(1);
        for (i, _) in self.kept.iter().enumerate().filter(|(_, kept)| !**kept) {
            moments[i * width..][..width].fill(T::ZERO);
        }
        Ok(moments)
    }
}
