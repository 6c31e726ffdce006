//! The check of the sizes of files and functions.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::fault::Fault;
use super::rules::Rules;
use super::sources::Sources;
use super::tokens::line_of;

/// A function in a file, or in the body of a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Name of the function.
    pub name: String,
    /// The line of `fn`.
    pub line: usize,
    /// The number of lines from `fn` to the closing brace.
    pub lines: usize,
    /// Whether the function has the attribute `#[cube]`: a kernel or a device function.
    pub cube: bool,
}

/// Returns a fault for each file and function above its limit, and for each unnecessary exception.
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

/// Returns every function of `file` that has a body. For a file that is not Rust the result is
/// empty; [`super::modules`] reports such a file.
pub fn functions(sources: &Sources, file: &str) -> Vec<Function> {
    let mut found = Vec::new();
    collect(sources.tokens(file).unwrap_or_default(), &mut found);
    found
}

fn collect(tokens: TokenStream, found: &mut Vec<Function>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    // Whether the current item has the attribute `#[cube]`.
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

/// Returns the name after the `fn` at `at`, which may be a variable of a macro. For a function type
/// the result is `None`.
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

/// Returns whether an attribute is `cube`, `cube(..)` or a path that ends in `cube`. An attribute
/// `cfg_attr(.., cube)` does not count: it marks a formula, which is also a host function.
fn is_cube(attribute: TokenStream) -> bool {
    let path = attribute
        .into_iter()
        .take_while(|token| !matches!(token, TokenTree::Group(_)));
    let last = path.last();
    matches!(last, Some(TokenTree::Ident(name)) if name == "cube")
}
