//! Conversions between a type that is only known as an associated type and the type that it is.

use std::any::Any;

/// Returns `a` as a `Z` if the types `A` and `Z` are the same.
pub(crate) fn cast<A: 'static, Z: 'static>(a: A) -> Option<Z> {
    let mut a = Some(a);
    let a: &mut dyn Any = &mut a;
    a.downcast_mut::<Option<Z>>().and_then(Option::take)
}
