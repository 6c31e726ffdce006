//! The modules of a crate: the file of each module, and the names that the module defines.

use std::collections::{BTreeSet, HashMap};

use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, UseTree};

use super::fault::Fault;
use super::sources::Sources;
use super::tokens::{line_of, parts};

/// The index of a module in [`Crate::modules`].
pub type ModuleId = usize;

/// The meaning of a name in a module.
#[derive(Debug, Clone)]
pub enum Definition {
    /// A module of the crate.
    Module(ModuleId),
    /// Any other item, defined in the file of the module.
    Item,
    /// An item that a `use` imports by this path.
    Alias(Vec<String>),
}

/// A module of a crate.
pub struct Module {
    /// The file that holds the module's items.
    pub file: String,
    /// The parent module.
    pub parent: Option<ModuleId>,
    /// Whether the module is compiled for tests only.
    pub test: bool,
    /// The definitions of each name. One name may be both a module and a function.
    pub names: HashMap<String, Vec<Definition>>,
    /// The paths of glob imports (`use path::*`).
    pub globs: Vec<Vec<String>>,
    /// The module's items, except for modules.
    pub items: Vec<Item>,
}

/// The modules of a crate.
#[derive(Default)]
pub struct Crate {
    /// The modules. The root has index 0.
    pub modules: Vec<Module>,
    /// A fault for each file that is missing or not Rust.
    pub faults: Vec<Fault>,
}

/// The folders of the files of a module's children.
struct Folders {
    /// The folder for `mod name;`
    children: String,
    /// The folder for `#[path = ".."] mod name;`
    paths: String,
}

impl Crate {
    /// Loads the crate whose root is the file `root`.
    pub fn load(sources: &Sources, root: &str) -> Self {
        let mut krate = Self::default();
        let folders = Folders {
            children: folder_of(root),
            paths: folder_of(root),
        };
        krate.load_file(sources, root, None, false, &folders);
        krate
    }

    /// Returns the files of the crate, sorted and without duplicates.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let files: BTreeSet<&str> = self.modules.iter().map(|m| m.file.as_str()).collect();
        files.into_iter()
    }

    fn load_file(
        &mut self,
        sources: &Sources,
        file: &str,
        parent: Option<ModuleId>,
        test: bool,
        folders: &Folders,
    ) -> ModuleId {
        let parsed = sources.tokens(file).and_then(syn::parse2::<syn::File>);
        let parsed = parsed.unwrap_or_else(|error| {
            let line = error.span().start().line;
            let message = format!("not Rust: {error}");
            self.faults.push(Fault::new(file, Some(line), message));
            syn::File {
                shebang: None,
                attrs: Vec::new(),
                items: Vec::new(),
            }
        });
        self.load_items(sources, file, parent, test, folders, parsed.items)
    }

    fn load_items(
        &mut self,
        sources: &Sources,
        file: &str,
        parent: Option<ModuleId>,
        test: bool,
        folders: &Folders,
        items: Vec<Item>,
    ) -> ModuleId {
        let id = self.modules.len();
        self.modules.push(Module {
            file: file.to_owned(),
            parent,
            test,
            names: HashMap::new(),
            globs: Vec::new(),
            items: Vec::new(),
        });
        let mut kept = Vec::new();
        for item in items {
            if let Item::Mod(module) = item {
                let name = module.ident.to_string();
                let test = test || is_test(&module.attrs);
                let child = self.load_child(sources, id, test, folders, module);
                if let Some(child) = child {
                    self.define(id, &name, Definition::Module(child));
                }
            } else {
                self.define_item(id, &item);
                kept.push(item);
            }
        }
        self.modules[id].items = kept;
        id
    }

    fn load_child(
        &mut self,
        sources: &Sources,
        id: ModuleId,
        test: bool,
        folders: &Folders,
        module: syn::ItemMod,
    ) -> Option<ModuleId> {
        let name = module.ident.to_string();
        let path = path_attribute(&module.attrs);
        let file = self.modules[id].file.clone();
        let Some((_, items)) = module.content else {
            let (candidates, folder) = if let Some(path) = path {
                let path = join(&folders.paths, &path);
                let folder = folder_of(&path);
                (vec![(path, folder)], folders.paths.clone())
            } else {
                let below = join(&folders.children, &name);
                let files = [format!("{below}.rs"), format!("{below}/mod.rs")];
                let files = files.map(|file| (file, below.clone()));
                (files.to_vec(), folders.children.clone())
            };
            let found = candidates.into_iter().find(|(path, _)| sources.has(path));
            let Some((path, children)) = found else {
                let line = line_of(module.ident.span());
                let message = format!("`mod {name};` has no file in {folder}");
                self.faults.push(Fault::new(&file, Some(line), message));
                return None;
            };
            let folders = Folders {
                children,
                paths: folder_of(&path),
            };
            return Some(self.load_file(sources, &path, Some(id), test, &folders));
        };
        // Rust looks for the children of an inline module in the folder of the module's name, or in
        // the folder of its `#[path]`.
        let below = match path {
            Some(path) => join(&folders.paths, &path),
            None => join(&folders.children, &name),
        };
        let folders = Folders {
            children: below.clone(),
            paths: below,
        };
        Some(self.load_items(sources, &file, Some(id), test, &folders, items))
    }

    fn define(&mut self, id: ModuleId, name: &str, definition: Definition) {
        let names = &mut self.modules[id].names;
        names.entry(name.to_owned()).or_default().push(definition);
    }

    fn define_item(&mut self, id: ModuleId, item: &Item) {
        let name = match item {
            Item::Const(item) => &item.ident,
            Item::Enum(item) => &item.ident,
            Item::Fn(item) => &item.sig.ident,
            Item::Static(item) => &item.ident,
            Item::Struct(item) => &item.ident,
            Item::Trait(item) => &item.ident,
            Item::TraitAlias(item) => &item.ident,
            Item::Type(item) => &item.ident,
            Item::Union(item) => &item.ident,
            Item::Macro(item) => match &item.ident {
                Some(name) => name,
                None => return,
            },
            Item::Use(item) => {
                if item.leading_colon.is_none() && !is_test(&item.attrs) {
                    self.define_use(id, &item.tree);
                }
                return;
            }
            _ => return,
        };
        self.define(id, &name.to_string(), Definition::Item);
    }

    /// Adds the names of a `use` to the module. The `use` may also stand in a function's body.
    pub fn define_use(&mut self, id: ModuleId, tree: &UseTree) {
        for leaf in leaves(tree) {
            match leaf.name {
                Some(name) => self.define(id, &name, Definition::Alias(leaf.path)),
                None => self.modules[id].globs.push(leaf.path),
            }
        }
    }
}

/// One path of a `use` tree.
#[derive(Debug)]
pub struct Leaf {
    /// The whole path, without the `*` of a glob.
    pub path: Vec<String>,
    /// The imported name; `None` for a glob.
    pub name: Option<String>,
    /// The line of the last name of the path.
    pub line: usize,
}

/// Returns the paths of a `use` tree, one for each element of its groups.
pub fn leaves(tree: &UseTree) -> Vec<Leaf> {
    fn walk(tree: &UseTree, before: &[String], out: &mut Vec<Leaf>) {
        let with = |name: &syn::Ident| {
            let mut path = before.to_vec();
            // `use a::{self}` is the same as `use a`.
            if before.is_empty() || name != "self" {
                path.push(name.to_string());
            }
            path
        };
        match tree {
            UseTree::Path(tree) => walk(&tree.tree, &with(&tree.ident), out),
            UseTree::Name(tree) => {
                let path = with(&tree.ident);
                let name = path.last().cloned();
                let line = line_of(tree.ident.span());
                out.push(Leaf { path, name, line });
            }
            UseTree::Rename(tree) => out.push(Leaf {
                path: with(&tree.ident),
                name: Some(tree.rename.to_string()),
                line: line_of(tree.ident.span()),
            }),
            UseTree::Glob(tree) => out.push(Leaf {
                path: before.to_vec(),
                name: None,
                line: line_of(tree.span()),
            }),
            UseTree::Group(tree) => {
                for tree in &tree.items {
                    walk(tree, before, out);
                }
            }
        }
    }
    let mut out = Vec::new();
    walk(tree, &[], &mut out);
    out
}

/// Returns whether an item with these attributes is compiled for tests only. The attribute is
/// `#[test]`, `#[cfg(test)]`, or `#[cfg(all(..))]` with `test` in it.
pub fn is_test(attributes: &[Attribute]) -> bool {
    fn implies_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => parts(list).iter().any(implies_test),
            _ => false,
        }
    }
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => parts(list).iter().any(implies_test),
        meta => implies_test(meta),
    })
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| {
        let Meta::NameValue(pair) = &attribute.meta else {
            return None;
        };
        match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) if pair.path.is_ident("path") => Some(text.value()),
            _ => None,
        }
    })
}

fn folder_of(path: &str) -> String {
    path.rsplit_once('/')
        .map_or(String::new(), |(folder, _)| folder.to_owned())
}

/// Returns `folder/path` with `.` and `..` resolved.
fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
