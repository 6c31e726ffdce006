//! Helper functions on tokens.

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::{Meta, MetaList, Token};

/// Returns the line on which `span` starts.
pub fn line_of(span: Span) -> usize {
    span.start().line
}

/// Returns the arguments of an attribute such as `cfg(..)` or `all(..)`. If they are not a list of
/// attributes, the result is empty.
pub fn parts(list: &MetaList) -> Vec<Meta> {
    list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
        .map(|parts| parts.into_iter().collect())
        .unwrap_or_default()
}
