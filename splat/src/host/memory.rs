//! Buffers and working memory that successive renders reuse.

use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{RenderError, try_made, try_reserved};

/// The greatest number of lent buffers of a type whose addresses are kept. Older ones are forgotten,
/// as if their holders would never return them.
const MOST_LENT: usize = 1024;

/// Unused buffers of any type of element, and unused rooms. A *room* is the working memory of one
/// task.
///
/// Buffers that come from elsewhere are not accepted. A request that no unused buffer fits frees the
/// largest of those that are too small for it, which growing requests would leave behind. Buffers that
/// have not fitted the last [`REQUESTS`] requests are freed too.
#[derive(Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<Shelves>>);

/// The number of unused rooms of a type above which one is freed for each new one.
const MOST_ROOMS: usize = 64;

/// The number of requests for which an unused buffer is kept: those of several renders.
const REQUESTS: u64 = 256;

/// The shelves by the type of element or room.
type Shelves = HashMap<TypeId, Box<dyn Shelf>>;

/// The unused things of one type.
trait Shelf: Any + Send {
    /// Returns the size of the unused buffers in bytes.
    fn bytes(&self) -> usize;
    /// Frees what is unused.
    fn clear(&mut self);
    fn as_any(&mut self) -> &mut dyn Any;
}

/// The buffers of elements of type `U`.
struct Buffers<U> {
    /// The unused buffers with unspecified contents, each with the number of the last request before
    /// its return. The one that was returned first is first.
    unused: Vec<(u64, Vec<U>)>,
    /// The addresses of the buffers in use. The one that was lent first is first.
    lent: VecDeque<usize>,
    /// The number of requests so far.
    requests: u64,
}

/// The unused rooms of type `R`.
struct Rooms<R>(Vec<Box<R>>);

impl<U: Send + 'static> Shelf for Buffers<U> {
    fn bytes(&self) -> usize {
        let buffers = self.unused.iter();
        let sizes = buffers.map(|(_, buffer)| buffer.capacity() * size_of::<U>());
        sizes.sum()
    }

    fn clear(&mut self) {
        self.unused.clear();
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl<R: Send + 'static> Shelf for Rooms<R> {
    fn bytes(&self) -> usize {
        0
    }

    fn clear(&mut self) {
        self.0.clear();
    }

    fn as_any(&mut self) -> &mut dyn Any {
        self
    }
}

impl<U> Default for Buffers<U> {
    fn default() -> Self {
        Self {
            unused: Vec::new(),
            lent: VecDeque::new(),
            requests: 0,
        }
    }
}

impl<R> Default for Rooms<R> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<U> Buffers<U> {
    /// Removes the smallest unused buffer with room for `count` elements. Buffers more than four times
    /// too large are skipped.
    fn take(&mut self, count: usize) -> Option<Vec<U>> {
        self.requests += 1;
        let oldest = self.requests.saturating_sub(REQUESTS);
        self.unused.retain(|&(returned, _)| returned >= oldest);
        let capacities = self.unused.iter().map(|(_, buffer)| buffer.capacity());
        let capacities = capacities.enumerate();
        let fits = |&(_, capacity): &(usize, usize)| capacity >= count && capacity / 4 <= count;
        let best = capacities
            .clone()
            .filter(fits)
            .min_by_key(|&(_, size)| size);
        if let Some((best, _)) = best {
            return Some(self.unused.remove(best).1);
        }
        let small = capacities.filter(|&(_, capacity)| capacity < count);
        if let Some((largest, _)) = small.max_by_key(|&(_, size)| size) {
            self.unused.remove(largest);
        }
        None
    }

    /// Notes that a buffer is in use.
    fn lend(&mut self, buffer: &Vec<U>) {
        if buffer.capacity() == 0 || size_of::<U>() == 0 {
            return;
        }
        if self.lent.len() == MOST_LENT {
            self.lent.pop_front();
        }
        self.lent.push_back(buffer.as_ptr() as usize);
    }

    /// Takes back a buffer, if it was lent.
    fn give(&mut self, buffer: Vec<U>) {
        let address = buffer.as_ptr() as usize;
        if let Some(place) = self.lent.iter().rposition(|&lent| lent == address) {
            self.lent.remove(place);
            self.unused.push((self.requests, buffer));
        }
    }
}

impl Memory {
    /// Returns the size of all unused buffers in bytes. Rooms are not counted.
    pub(crate) fn bytes(&self) -> usize {
        self.with(|shelves| shelves.values().map(|shelf| shelf.bytes()).sum())
    }

    /// Frees everything that is unused.
    pub(crate) fn clear(&self) {
        self.with(|shelves| shelves.values_mut().for_each(|shelf| shelf.clear()));
    }

    /// Takes back a buffer. Buffers from elsewhere are freed.
    pub(crate) fn give<U: Send + 'static>(&self, buffer: Vec<U>) {
        self.on(|buffers: &mut Buffers<U>| buffers.give(buffer));
    }

    /// Takes a buffer from elsewhere.
    pub(crate) fn adopt<U: Send + 'static>(&self, buffer: Vec<U>) {
        self.on(|buffers: &mut Buffers<U>| {
            buffers.lend(&buffer);
            buffers.give(buffer);
        });
    }

    /// Returns a buffer of `count` elements with unspecified contents. The caller must write all of
    /// them.
    pub(crate) fn buffer<U: Copy + Default + Send + 'static>(
        &self,
        what: &'static str,
        count: usize,
    ) -> Result<Vec<U>, RenderError> {
        self.buffer_or_new(what, count).map(|(buffer, _)| buffer)
    }

    /// Returns [`buffer`](Self::buffer), and whether it is new. All elements of a new buffer are the
    /// default.
    pub(crate) fn buffer_or_new<U: Copy + Default + Send + 'static>(
        &self,
        what: &'static str,
        count: usize,
    ) -> Result<(Vec<U>, bool), RenderError> {
        let unused = self.on(|buffers: &mut Buffers<U>| buffers.take(count));
        let is_new = unused.is_none();
        let buffer = match unused {
            Some(mut buffer) => {
                buffer.resize(count, U::default());
                buffer
            }
            None => try_made(what, count, U::default)?,
        };
        self.on(|buffers: &mut Buffers<U>| buffers.lend(&buffer));
        Ok((buffer, is_new))
    }

    /// Returns an empty list with room for `count` items. [`keep_list`](Self::keep_list) takes it
    /// back. `S` is the type of an item with all lifetimes `'static`.
    pub(crate) fn list<S: Send + 'static, X>(
        &self,
        what: &'static str,
        count: usize,
    ) -> Result<Vec<X>, RenderError> {
        let list = match self.on(|buffers: &mut Buffers<S>| buffers.take(count)) {
            Some(list) => list,
            None => try_reserved(what, count)?,
        };
        self.on(|buffers: &mut Buffers<S>| buffers.lend(&list));
        Ok(retyped(list))
    }

    /// Takes back a list from [`list`](Self::list).
    pub(crate) fn keep_list<S: Send + 'static, X>(&self, list: Vec<X>) {
        self.give::<S>(retyped(list));
    }

    /// Returns an unused room that `fits`, or a new one.
    pub(crate) fn room<R: Send + 'static>(
        &self,
        fits: impl Fn(&R) -> bool,
        make: impl FnOnce() -> Result<R, RenderError>,
    ) -> Result<Box<R>, RenderError> {
        let unused = self.on(|rooms: &mut Rooms<R>| {
            let fitting = rooms.0.iter().rposition(|room| fits(room));
            if let Some(place) = fitting {
                return Some(rooms.0.remove(place));
            }
            // Rooms of several shapes are kept, but not of many.
            if rooms.0.len() >= MOST_ROOMS {
                rooms.0.remove(0);
            }
            None
        });
        match unused {
            Some(room) => Ok(room),
            None => Ok(Box::new(make()?)),
        }
    }

    /// Takes back a room.
    pub(crate) fn keep_room<R: Send + 'static>(&self, room: Box<R>) {
        self.on(|rooms: &mut Rooms<R>| rooms.0.push(room));
    }

    /// Applies `f` to the shelf of type `S`.
    fn on<S: Shelf + Default, X>(&self, f: impl FnOnce(&mut S) -> X) -> X {
        self.with(|shelves| {
            let shelf = shelves.entry(TypeId::of::<S>());
            let shelf = shelf.or_insert_with(|| Box::<S>::default());
            match (**shelf).as_any().downcast_mut() {
                Some(shelf) => f(shelf),
                // The key is the type, so that this does not happen.
                None => f(&mut S::default()),
            }
        })
    }

    fn with<X>(&self, f: impl FnOnce(&mut Shelves) -> X) -> X {
        // A thread that panicked with the lock left the shelves in a valid state.
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Empties a list and returns it as a list of another type. If both types have one size and one
/// alignment, the standard library keeps the memory.
fn retyped<X, Y>(mut list: Vec<X>) -> Vec<Y> {
    list.clear();
    let none = list.into_iter().filter_map(|_| None);
    none.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(memory: &Memory, count: usize) -> Vec<u32> {
        memory.buffer("a buffer", count).expect("memory")
    }

    #[test]
    fn a_returned_buffer_is_lent_again() {
        let memory = Memory::default();
        let first = buffer(&memory, 100);
        let address = first.as_ptr();
        memory.give(first);
        assert_eq!(memory.bytes(), 400);
        let again = buffer(&memory, 90);
        assert_eq!((again.as_ptr(), again.len()), (address, 90));
        assert_eq!(memory.bytes(), 0);
    }

    #[test]
    fn foreign_buffers_are_not_kept() {
        let memory = Memory::default();
        memory.give(vec![1u32; 50]);
        let own = buffer(&memory, 50);
        memory.give(own.clone());
        assert_eq!(memory.bytes(), 0);
        memory.give(own);
        memory.give(vec![2u32; 50]);
        assert_eq!(memory.bytes(), 200);
    }

    #[test]
    fn lists_keep_their_memory_under_another_lifetime() {
        let memory = Memory::default();
        let mut numbers = [1, 2, 3];
        let addresses = [0, 1].map(|_| {
            let mut list: Vec<&mut u32> = memory
                .list::<&'static mut u32, _>("a list", 3)
                .expect("memory");
            assert!(list.is_empty() && list.capacity() >= 3);
            let address = list.as_ptr() as usize;
            list.extend(&mut numbers);
            memory.keep_list::<&'static mut u32, _>(list);
            address
        });
        assert_eq!(addresses[0], addresses[1]);
    }

    #[test]
    fn sizes_that_change_do_not_fill_the_memory() {
        let memory = Memory::default();
        let mut most = 0;
        for frame in 0..500usize {
            let size = |i: usize| 100 + (frame * 7919 + i * 104_729) % 10_000;
            let lent: Vec<_> = (0..5).map(|i| buffer(&memory, size(i))).collect();
            for buffer in lent {
                memory.give(buffer);
            }
            most = most.max(memory.bytes());
        }
        assert!(most <= 10 * 4 * 10_100, "{most} bytes");
    }

    #[test]
    fn growing_requests_leave_no_buffers_behind() {
        let memory = Memory::default();
        for size in 1000..4000 {
            // Results that are never returned.
            drop(buffer(&memory, 10));
            let work = buffer(&memory, size);
            memory.give(work);
            assert!(memory.bytes() <= 4 * 4064, "{} bytes", memory.bytes());
        }
    }

    #[test]
    fn a_buffer_that_nothing_fits_is_freed() {
        let memory = Memory::default();
        memory.give(buffer(&memory, 1 << 20));
        for _ in 0..=REQUESTS {
            memory.give(buffer(&memory, 10));
        }
        assert!(memory.bytes() < 1 << 10, "{} bytes", memory.bytes());
    }

    #[test]
    fn a_room_that_does_not_fit_is_replaced() {
        let memory = Memory::default();
        let room = |size: usize| {
            let made = memory.room(|room: &Vec<u8>| room.len() == size, || Ok(vec![0; size]));
            made.expect("memory")
        };
        let first = room(3);
        let address = first.as_ptr();
        memory.keep_room(first);
        let again = room(3);
        assert_eq!(again.as_ptr(), address);
        memory.keep_room(again);
        assert_eq!(room(4).len(), 4);
    }
}
