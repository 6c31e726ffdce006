//! Progress of a long computation, and the request to stop it.

/// Counts finished parts and reports them to a callback.
pub(super) struct Watch<'a> {
    progress: &'a mut (dyn FnMut(usize, usize) -> bool + 'a),
    done: usize,
    total: usize,
}

impl<'a> Watch<'a> {
    /// Starts a computation of `total` parts.
    pub(super) fn new(
        total: usize,
        progress: &'a mut (dyn FnMut(usize, usize) -> bool + 'a),
    ) -> Self {
        Self {
            progress,
            done: 0,
            total,
        }
    }

    /// Reports a finished part. Returns `None` if the computation has to stop.
    pub(super) fn part(&mut self) -> Option<()> {
        self.done += 1;
        (self.progress)(self.done, self.total).then_some(())
    }
}
