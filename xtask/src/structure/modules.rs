//! The modules of a crate: the file of each, and the names that it defines.

use std::collections::{BTreeSet, HashMap};

use syn::spanned::Spanned;
use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, UseTree};

use super::fault::Fault;
use super::sources::Sources;
use super::tokens::{line_of, parts};

/// A module's place in [`Crate::modules`].
pub type ModuleId = usize;

/// What a name of a module stands for.
#[derive(Debug, Clone)]
pub enum Definition {
    /// A module of the crate.
    Module(ModuleId),
    /// Any other item. Its file is the module's.
    Item,
    /// The path of a `use`.
    Alias(Vec<String>),
}

/// A module of a crate.
pub struct Module {
    /// The file that holds the module's items.
    pub file: String,
    /// The module around it.
    pub parent: Option<ModuleId>,
    /// Whether it is compiled for tests only.
    pub test: bool,
    /// What its names stand for. One name may be a module and a function at once.
    pub names: HashMap<String, Vec<Definition>>,
    /// The paths of its `use path::*`.
    pub globs: Vec<Vec<String>>,
    /// Its items, modules left out.
    pub items: Vec<Item>,
}

/// The modules of a crate, the root first.
#[derive(Default)]
pub struct Crate {
    /// The root is number 0.
    pub modules: Vec<Module>,
    /// Files that are missing or not Rust.
    pub faults: Vec<Fault>,
}

/// Where the files of a module's children are.
struct Folders {
    /// For `mod name;`
    children: String,
    /// For `#[path = ".."] mod name;`
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

    /// The files of the crate.
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
        // Rust looks for the children of an inline module in a folder of its name, or in that of
        // its `#[path]`.
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

    /// Makes the names of a `use` known in the module. Those of a `use` in a function's body are
    /// the module's as well.
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
    /// The name that it makes; none for a glob.
    pub name: Option<String>,
    /// The line of its last name.
    pub line: usize,
}

/// The paths of a `use` tree, groups taken apart.
pub fn leaves(tree: &UseTree) -> Vec<Leaf> {
    fn walk(tree: &UseTree, before: &[String], out: &mut Vec<Leaf>) {
        let with = |name: &syn::Ident| {
            let mut path = before.to_vec();
            // `use a::{self}` is `use a`.
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

/// Whether an item with these attributes is compiled for tests only: `#[cfg(test)]`, or `all(..)`
/// with `test` in it.
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

/// `folder/path`, without `.` and `..`.
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
