//! Cutting buffers into the parts of tasks.

/// Cuts the first `n` elements off `rest` and returns them.
#[expect(clippy::mut_mut, reason = "the slice itself is replaced")]
pub(crate) fn cut<'a, T>(rest: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let (head, tail) = std::mem::take(rest).split_at_mut(n);
    *rest = tail;
    head
}
