//! Small readings of tokens that several checks need.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{Meta, MetaList, Token};

/// The line on which `span` starts.
pub fn line_of(span: Span) -> usize {
    span.start().line
}

/// What stands between the brackets of `cfg(..)`, `all(..)` and the like. Empty where that is
/// something else.
pub fn parts(list: &MetaList) -> Vec<Meta> {
    list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .map(|parts| parts.into_iter().collect())
        .unwrap_or_default()
}
