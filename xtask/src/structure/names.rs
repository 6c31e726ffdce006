//! Resolves a path to the file that defines its target.

use super::modules::{Crate, Definition, ModuleId};

/// The target of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A module.
    Module(ModuleId),
    /// An item of a module. An item that a macro defines counts as an item of the module in which
    /// the path looks for it.
    Item(ModuleId),
}

impl Target {
    /// Returns the module itself, or the module of the item.
    pub fn module(self) -> ModuleId {
        match self {
            Self::Module(id) | Self::Item(id) => id,
        }
    }
}

/// A path that is being resolved, and the module in which it is written.
type Step = (ModuleId, Vec<String>);

impl Crate {
    /// Returns the targets of `path`, written in the module `from`. The result is empty for paths
    /// of other crates, local variables, and names of the language.
    ///
    /// A `use` is resolved to the file of the definition, through any number of re-exports.
    pub fn resolve(&self, from: ModuleId, path: &[String]) -> Vec<Target> {
        self.follow(from, path, &mut Vec::new())
    }

    fn follow(&self, from: ModuleId, path: &[String], taken: &mut Vec<Step>) -> Vec<Target> {
        let step = (from, path.to_vec());
        if taken.contains(&step) {
            return Vec::new();
        }
        taken.push(step);
        let Some((first, rest)) = path.split_first() else {
            return Vec::new();
        };
        let start = match first.as_str() {
            "crate" => vec![Target::Module(0)],
            "self" => vec![Target::Module(from)],
            "super" => match self.modules[from].parent {
                Some(parent) => vec![Target::Module(parent)],
                None => Vec::new(),
            },
            name => self.look_up(from, name, taken),
        };
        let found = start
            .into_iter()
            .flat_map(|target| self.walk(target, rest, taken))
            .collect();
        taken.pop();
        found
    }

    /// Resolves the names that come after `target`.
    fn walk(&self, target: Target, rest: &[String], taken: &mut Vec<Step>) -> Vec<Target> {
        let (Target::Module(id), Some((name, rest))) = (target, rest.split_first()) else {
            return vec![target];
        };
        if name == "super" {
            return match self.modules[id].parent {
                Some(parent) => self.walk(Target::Module(parent), rest, taken),
                None => Vec::new(),
            };
        }
        let mut found = self.look_up(id, name, taken);
        if found.is_empty() {
            // The item is defined by a macro, or re-exported here from another crate.
            return vec![Target::Item(id)];
        }
        if !rest.is_empty() && found.iter().any(|t| matches!(t, Target::Module(_))) {
            found.retain(|target| matches!(target, Target::Module(_)));
        }
        found
            .into_iter()
            .flat_map(|target| self.walk(target, rest, taken))
            .collect()
    }

    /// Returns the targets of `name` in the module `id`.
    fn look_up(&self, id: ModuleId, name: &str, taken: &mut Vec<Step>) -> Vec<Target> {
        let module = &self.modules[id];
        let mut found = Vec::new();
        for definition in module.names.get(name).into_iter().flatten() {
            match definition {
                Definition::Module(child) => found.push(Target::Module(*child)),
                Definition::Item => found.push(Target::Item(id)),
                Definition::Alias(path) => found.extend(self.follow(id, path, taken)),
            }
        }
        if found.is_empty() {
            for glob in &module.globs {
                // The globs are resolved independently, because two globs may lead through one
                // module.
                let mut taken = taken.clone();
                for target in self.follow(id, glob, &mut taken) {
                    if let Target::Module(other) = target
                        && other != id
                        && !taken.contains(&(other, vec![format!("*{name}")]))
                    {
                        taken.push((other, vec![format!("*{name}")]));
                        found.extend(self.look_up(other, name, &mut taken));
                    }
                }
            }
        }
        found
    }
}
