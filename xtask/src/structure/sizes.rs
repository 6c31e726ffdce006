//! The sizes of files and functions.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::fault::Fault;
use super::rules::Rules;
use super::sources::Sources;
use super::tokens::line_of;

/// A function in a file, those in the bodies of macros included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of `fn`.
    pub line: usize,
    /// From `fn` to its closing brace.
    pub lines: usize,
    /// Whether it stands under `#[cube]`: a kernel or a device function.
    pub cube: bool,
}

/// Files and functions above their limits, and exceptions that are not needed.
pub fn check(sources: &Sources, rules: &Rules) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut needed = vec![false; rules.long_kernels.len()];
    for file in sources.files() {
        let lines = sources.lines(file);
        if lines > rules.file_lines {
            let message = format!("{lines} lines: a file has at most {}", rules.file_lines);
            faults.push(Fault::new(file, None, message));
        }
        for function in functions(sources, file) {
            let mut limit = if function.cube {
                rules.kernel_lines
            } else {
                rules.host_lines
            };
            let exception = rules.long_kernels.iter().position(|entry| {
                function.cube && entry.file == file && entry.function == function.name
            });
            if let Some(i) = exception
                && function.lines > limit
            {
                needed[i] = true;
                limit = rules.long_kernels[i].lines;
            }
            if function.lines > limit {
                let kind = if function.cube {
                    "a function under #[cube]"
                } else {
                    "a function of the host"
                };
                let message = format!(
                    "`{}` has {} lines: {kind} has at most {limit} here",
                    function.name, function.lines
                );
                faults.push(Fault::new(file, Some(function.line), message));
            }
        }
    }
    for (entry, needed) in rules.long_kernels.iter().zip(needed) {
        if !needed {
            let message = format!(
                "`{}` is on the list of long kernels, but is gone or within the limit: remove the entry",
                entry.function
            );
            faults.push(Fault::new(entry.file, None, message));
        }
    }
    faults
}

/// Every function of `file` that has a body. None where it is not Rust, which [`super::modules`]
/// reports.
pub fn functions(sources: &Sources, file: &str) -> Vec<Function> {
    let mut found = Vec::new();
    collect(sources.tokens(file).unwrap_or_default(), &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<Function>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    // Whether an attribute of the item that is being read is `#[cube]`.
    let mut cube = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "fn" => {
                let Some(name) = name_after(&tokens, at) else {
                    continue;
                };
                let body = tokens[at..].iter().find_map(|token| match token {
                    TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                        Some(Some(group))
                    }
                    TokenTree::Punct(sign) if sign.as_char() == ';' => Some(None),
                    _ => None,
                });
                if let Some(Some(body)) = body {
                    let line = line_of(word.span());
                    found.push(Function {
                        name,
                        line,
                        lines: line_of(body.span_close()) + 1 - line,
                        cube,
                    });
                }
            }
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Bracket && is_attribute(&tokens, at) {
                    cube |= is_cube(group.stream());
                } else {
                    collect(group.stream(), found);
                }
                cube &= group.delimiter() != Delimiter::Brace;
            }
            TokenTree::Punct(sign) if sign.as_char() == ';' => cube = false,
            _ => {}
        }
    }
}

/// The name after the `fn` at `at`, which may be a macro's variable. None for the type of a
/// function.
fn name_after(tokens: &[TokenTree], at: usize) -> Option<String> {
    match (tokens.get(at + 1)?, tokens.get(at + 2)) {
        (TokenTree::Ident(name), _) => Some(name.to_string()),
        (TokenTree::Punct(sign), Some(TokenTree::Ident(name))) if sign.as_char() == '$' => {
            Some(format!("${name}"))
        }
        _ => None,
    }
}

fn is_attribute(tokens: &[TokenTree], at: usize) -> bool {
    let before = at.checked_sub(1).map(|i| &tokens[i]);
    matches!(before, Some(TokenTree::Punct(sign)) if sign.as_char() == '#')
}

/// Whether an attribute is `cube`, `cube(..)` or a path that ends so. `cfg_attr(.., cube)` marks a
/// formula, which is a function of the host as well.
fn is_cube(attribute: TokenStream) -> bool {
    let path = attribute
        .into_iter()
        .take_while(|token| !matches!(token, TokenTree::Group(_)));
    let last = path.last();
    matches!(last, Some(TokenTree::Ident(name)) if name == "cube")
}
