//! Buffers cut into the parts that belong to one task.

/// Cuts the first `n` elements off `rest`.
#[expect(clippy::mut_mut, reason = "the slice itself is replaced")]
pub(crate) fn cut<'a, T>(rest: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let (head, tail) = std::mem::take(rest).split_at_mut(n);
    *rest = tail;
    head
}
