//! From a path to the file that defines what the path names.

use super::modules::{Crate, Definition, ModuleId};

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A module.
    Module(ModuleId),
    /// An item of a module. Items that macros make count as items of the module in which they are
    /// looked for.
    Item(ModuleId),
}

impl Target {
    /// The module itself, or that of the item.
    pub fn module(self) -> ModuleId {
        match self {
            Self::Module(id) | Self::Item(id) => id,
        }
    }
}

/// A path and the module in which it stands, while it is being followed.
type Step = (ModuleId, Vec<String>);

impl Crate {
    /// What `path` leads to, written in the module `from`. Empty for paths of other crates, local
    /// variables, and names of the language.
    ///
    /// A `use` is followed to the file of the definition, through any number of re-exports.
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

    /// Follows the names that come after `target`.
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
            // Made by a macro, or of another crate and re-exported here.
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

    /// What `name` stands for in the module `id`.
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
                // Each glob is a way of its own: two of them may lead through one module.
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
