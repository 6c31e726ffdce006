//! The check that the tests have one harness: scenes, difference quotients, boundary bands and
//! comparisons of gradients come from `splat::check` alone.

use proc_macro2::{TokenStream, TokenTree};

use super::fault::Fault;
use super::rules::{Harness, Rules, fits};
use super::sources::Sources;
use super::tokens::line_of;

/// Returns a fault for each sign of a second harness in the tests.
///
/// The signs are a function with a name of the kit, a crate of random numbers, and a division by
/// `2 h` or `12 h`, as in central differences of second and fourth order. They are what a second
/// harness usually has; a harness in other words passes.
pub fn check(sources: &Sources, rules: &Rules) -> Vec<Fault> {
    let harness = &rules.harness;
    let mut faults = Vec::new();
    for file in sources.files() {
        if !fits(harness.within, file) {
            continue;
        }
        let mut signs = Vec::new();
        collect(
            sources.tokens(file).unwrap_or_default(),
            harness,
            &mut signs,
        );
        for (line, what) in signs {
            let random = what.starts_with("the crate");
            if random && fits(harness.may_draw, file) {
                continue;
            }
            let message = format!("{what}: {}", harness.reason);
            faults.push(Fault::new(file, Some(line), message));
        }
    }
    faults
}

/// Finds the signs of a second harness in `tokens`, with their lines.
fn collect(tokens: TokenStream, harness: &Harness, found: &mut Vec<(usize, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        let next = tokens.get(at + 1);
        match (token, next) {
            (TokenTree::Ident(keyword), Some(TokenTree::Ident(name)))
                if keyword == "fn" || keyword == "let" && is_closure(&tokens[at + 2..]) =>
            {
                let text = name.to_string();
                if harness.names.contains(&text.as_str()) {
                    let line = line_of(name.span());
                    found.push((
                        line,
                        format!("`{keyword} {text}` has a name of `splat::check`"),
                    ));
                }
            }
            (TokenTree::Ident(name), _) if name == "rand" || name == "rand_chacha" => {
                found.push((line_of(name.span()), format!("the crate `{name}`")));
            }
            (TokenTree::Punct(sign), Some(TokenTree::Group(group)))
                if sign.as_char() == '/' && divides_by_a_step(group.stream()) =>
            {
                let line = line_of(sign.span());
                found.push((line, "a difference quotient".to_owned()));
            }
            _ => {}
        }
        if let TokenTree::Group(group) = token {
            collect(group.stream(), harness, found);
        }
    }
}

/// Returns whether the tokens after a name in `let` begin a closure.
fn is_closure(rest: &[TokenTree]) -> bool {
    let sign = |at: usize| match rest.get(at) {
        Some(TokenTree::Punct(sign)) => sign.as_char(),
        _ => ' ',
    };
    sign(0) == '=' && sign(1) == '|'
}

/// Returns whether a divisor has a factor 2 or 12 and a named step.
fn divides_by_a_step(divisor: TokenStream) -> bool {
    let (mut factor, mut step) = (false, false);
    for token in divisor {
        match token {
            TokenTree::Literal(number) => {
                let number = number.to_string();
                let digits = number.trim_end_matches("_f64").trim_end_matches("f64");
                factor |= ["2.0", "12.0", "2.", "12."].contains(&digits);
            }
            TokenTree::Ident(name) => {
                let name = name.to_string().to_lowercase();
                step |= ["step", "h", "eps", "epsilon", "delta"].contains(&name.as_str());
            }
            _ => {}
        }
    }
    factor && step
}
