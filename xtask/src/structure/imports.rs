//! The imports of every file: `use` items, paths in the code, and paths in the tokens of macros.

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, Visibility};

use super::modules::{Crate, ModuleId, is_test, leaves};
use super::names::Target;
use super::tokens::line_of;

/// An import: a file names an item that another file defines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The file that names the item.
    pub from: String,
    /// The file that defines it.
    pub to: String,
    /// The line of the name in `from`.
    pub line: usize,
    /// The path as written in the source.
    pub path: String,
    /// Whether the import is a re-export (`pub use`) of an item from a module below the file's own
    /// module.
    pub facade: bool,
}

/// Returns the imports between the files of `krate`, without imports of tests.
pub fn of(krate: &mut Crate) -> BTreeSet<Import> {
    make_inner_uses_known(krate);
    let mut imports = BTreeSet::new();
    for (id, module) in krate.modules.iter().enumerate() {
        if module.test {
            continue;
        }
        let mut reader = Reader {
            krate,
            id,
            imports: &mut imports,
        };
        for item in &module.items {
            reader.visit_item(item);
        }
    }
    imports
}

/// Adds the names of each `use` in a function's body to the names of the module.
fn make_inner_uses_known(krate: &mut Crate) {
    struct Inner(Vec<ItemUse>);
    impl<'a> Visit<'a> for Inner {
        fn visit_item_use(&mut self, item: &'a ItemUse) {
            self.0.push(item.clone());
        }
    }
    for id in 0..krate.modules.len() {
        let mut inner = Inner(Vec::new());
        for item in &krate.modules[id].items {
            if !matches!(item, Item::Use(_)) {
                inner.visit_item(item);
            }
        }
        for item in inner.0 {
            if item.leading_colon.is_none() {
                krate.define_use(id, &item.tree);
            }
        }
    }
}

struct Reader<'a> {
    krate: &'a Crate,
    id: ModuleId,
    imports: &'a mut BTreeSet<Import>,
}

impl Reader<'_> {
    /// Records the imports of `path`, which stands in line `line`.
    fn record(&mut self, path: &[String], line: usize, glob: bool, exported: bool) {
        let modules = &self.krate.modules;
        for target in self.krate.resolve(self.id, path) {
            // The name of a module alone is not an import. Paths through the module are.
            if matches!(target, Target::Module(_)) && !glob {
                continue;
            }
            let (from, to) = (&modules[self.id], &modules[target.module()]);
            if from.file != to.file {
                self.imports.insert(Import {
                    from: from.file.clone(),
                    to: to.file.clone(),
                    line,
                    path: path.join("::"),
                    facade: exported && self.is_below(target.module()),
                });
            }
        }
    }

    /// Returns whether the module `id` is the current module or lies inside it.
    fn is_below(&self, id: ModuleId) -> bool {
        let parent = |id: &ModuleId| self.krate.modules[*id].parent;
        std::iter::successors(Some(id), parent).any(|id| id == self.id)
    }

    fn record_use(&mut self, item: &ItemUse) {
        if item.leading_colon.is_some() {
            return;
        }
        let exported = !matches!(item.vis, Visibility::Inherited);
        for leaf in leaves(&item.tree) {
            self.record(&leaf.path, leaf.line, leaf.name.is_none(), exported);
        }
    }

    /// Records the paths in the tokens of a macro.
    fn record_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Group(group) => self.record_tokens(group.stream()),
                TokenTree::Ident(word) if word == "use" => {
                    let end = (at..tokens.len()).find(|i| is_punct(&tokens[*i], ';'));
                    let item = end.map(|end| tokens[at..=end].iter().cloned().collect());
                    if let Some(Ok(item)) = item.map(syn::parse2::<ItemUse>) {
                        self.record_use(&item);
                        at = end.unwrap_or(at);
                    }
                }
                TokenTree::Ident(_) => {
                    let (path, line, next) = path_at(&tokens, at);
                    if !is_of_something_else(&tokens, at, &path) {
                        self.record(&path, line, false, false);
                    }
                    at = next;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == sign)
}

/// Returns the path that starts at token `at`, the line of its last name, and the index of the
/// token after it.
fn path_at(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize, usize) {
    let (mut path, mut line, mut next) = (Vec::new(), 0, at);
    while let Some(TokenTree::Ident(name)) = tokens.get(next) {
        path.push(name.to_string());
        line = line_of(name.span());
        next += 1;
        let Some(TokenTree::Ident(_)) = tokens.get(next + 2) else {
            break;
        };
        if !(is_punct(&tokens[next], ':') && is_punct(&tokens[next + 1], ':')) {
            break;
        }
        next += 2;
    }
    (path, line, next)
}

/// Returns whether the path at `at` is a field or method, a variable of a macro, or the rest of a
/// longer path.
fn is_of_something_else(tokens: &[TokenTree], at: usize, path: &[String]) -> bool {
    let Some(before) = at.checked_sub(1).map(|i| &tokens[i]) else {
        return false;
    };
    let root = path[0] == "crate";
    let colons = at >= 2 && is_punct(before, ':') && is_punct(&tokens[at - 2], ':');
    is_punct(before, '.') || (is_punct(before, '$') && !root) || colons
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item(&mut self, item: &'a Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.record_use(item);
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        if path.leading_colon.is_none() {
            let names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
            let line = path.segments.last().map_or(0, |s| line_of(s.ident.span()));
            self.record(&names, line, false, false);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'a syn::Macro) {
        self.visit_path(&call.path);
        self.record_tokens(call.tokens.clone());
    }

    // `pub(in path)` and attributes import nothing.
    fn visit_visibility(&mut self, _: &'a Visibility) {}
    fn visit_attribute(&mut self, _: &'a Attribute) {}
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
