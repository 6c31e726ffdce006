//! The check of the files that name `CubeCL`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Expr, ExprLit, Lit, Meta};

use super::fault::Fault;
use super::rules::{CubeHomes, Rules, fits};
use super::sources::Sources;
use super::tokens::{line_of, parts};

/// Returns a fault for each name of `CubeCL` that the rules do not allow.
pub fn check(sources: &Sources, rules: &Rules) -> Vec<Fault> {
    let homes = &rules.cube;
    let mut faults = Vec::new();
    for file in sources.files() {
        if !fits(homes.within, file) || fits(homes.open, file) {
            continue;
        }
        let gates = fits(homes.gated, file);
        let mut mentions = Vec::new();
        let tokens = sources.tokens(file).unwrap_or_default();
        collect(tokens, false, homes, &mut mentions);
        for Mention { name, line, gated } in mentions {
            if gates && gated {
                continue;
            }
            let what = if gates {
                "is not behind a feature of the device"
            } else {
                "may not be named in this file"
            };
            let message = format!("`{name}` {what}: {}", homes.reason);
            faults.push(Fault::new(file, Some(line), message));
        }
    }
    faults
}

struct Mention {
    name: String,
    line: usize,
    gated: bool,
}

/// Finds the names of `CubeCL`'s crates in `tokens`. `gated` states that all tokens are behind a
/// feature.
fn collect(tokens: TokenStream, gated: bool, homes: &CubeHomes, found: &mut Vec<Mention>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    // Whether the whole group is behind a feature, and whether the current item is.
    let (mut all, mut item) = (gated, false);
    // A comma within angle brackets or after `where` does not end an item.
    let (mut angles, mut in_where) = (0, false);
    let sign = |at: Option<usize>, wanted: char| matches!(at.and_then(|i| tokens.get(i)), Some(TokenTree::Punct(sign)) if sign.as_char() == wanted);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(name) => {
                in_where |= name == "where";
                let text = name.to_string();
                if text == "cubecl" || text.starts_with("cubecl_") {
                    found.push(Mention {
                        name: text,
                        line: line_of(name.span()),
                        gated: all || item,
                    });
                }
            }
            TokenTree::Group(group) => {
                let hash = sign(at.checked_sub(1), '#');
                let inner = sign(at.checked_sub(1), '!') && sign(at.checked_sub(2), '#');
                let mut own = all || item;
                if group.delimiter() == Delimiter::Bracket && (hash || inner) {
                    match gate(group.stream(), homes.features) {
                        Some(Gate::Item) if inner => all = true,
                        Some(Gate::Item) => item = true,
                        Some(Gate::Attribute) => own = true,
                        None => {}
                    }
                }
                collect(group.stream(), own, homes, found);
                if group.delimiter() == Delimiter::Brace {
                    (item, in_where, angles) = (false, false, 0);
                }
            }
            TokenTree::Punct(punct) => match punct.as_char() {
                '<' => angles += 1,
                '>' if !sign(at.checked_sub(1), '-') && !sign(at.checked_sub(1), '=') => {
                    angles -= 1;
                }
                ',' if angles <= 0 && !in_where => item = false,
                ';' => (item, in_where, angles) = (false, false, 0),
                _ => {}
            },
            TokenTree::Literal(_) => {}
        }
    }
}

enum Gate {
    /// `cfg(..)` gates the item after the attribute.
    Item,
    /// `cfg_attr(.., ..)` gates the attribute itself.
    Attribute,
}

/// Returns the part of the source that an attribute puts behind one of `features`.
fn gate(attribute: TokenStream, features: &[&str]) -> Option<Gate> {
    let Ok(Meta::List(list)) = syn::parse2::<Meta>(attribute) else {
        return None;
    };
    let parts = parts(&list);
    let gated = implies(parts.first()?, features);
    match list.path.get_ident()?.to_string().as_str() {
        "cfg" if gated => Some(Gate::Item),
        "cfg_attr" if gated => Some(Gate::Attribute),
        _ => None,
    }
}

/// Returns whether the condition implies one of `features`.
fn implies(condition: &Meta, features: &[&str]) -> bool {
    match condition {
        Meta::NameValue(pair) => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => pair.path.is_ident("feature") && features.contains(&text.value().as_str()),
            _ => false,
        },
        Meta::List(list) if list.path.is_ident("all") => {
            parts(list).iter().any(|part| implies(part, features))
        }
        Meta::List(list) if list.path.is_ident("any") => {
            let parts = parts(list);
            !parts.is_empty() && parts.iter().all(|part| implies(part, features))
        }
        _ => false,
    }
}
