//! Which module defines the item that a path names, through imports, re-exports and globs.

use std::collections::{HashMap, HashSet};

use syn::visit::{self, Visit};
use syn::{Item, ItemUse};

use crate::module_tree::{ModuleTree, attributes, defined_name, is_for_tests};
use crate::paths::{Import, imports};

/// What a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A module of the crate.
    Module(usize),
    /// An item, with the module that defines it and its name there.
    Item(usize, String),
    /// Something outside of the crate, by the path that reaches it.
    External(Vec<String>),
}

/// The names of each module of a crate.
pub struct Names<'a> {
    tree: &'a ModuleTree,
    scopes: Vec<Scope>,
}

#[derive(Default)]
struct Scope {
    defined: HashSet<String>,
    imported: HashMap<String, Vec<Vec<String>>>,
    globs: Vec<Vec<String>>,
    /// Imports inside functions: visible in the module's own code only.
    local: HashMap<String, Vec<Vec<String>>>,
    local_globs: Vec<Vec<String>>,
}

/// Paths whose resolution is under way, with their module; one that is met again ends that branch.
type Pending = Vec<(usize, Vec<String>)>;

impl<'a> Names<'a> {
    /// Collects the names of all modules.
    pub fn new(tree: &'a ModuleTree) -> Self {
        Self { tree, scopes: tree.modules.iter().map(|module| Scope::of(&module.items)).collect() }
    }

    /// What a path in the code of `module` names; nothing if it begins with a name that the crate does not have.
    pub fn resolve(&self, module: usize, path: &[String]) -> Vec<Target> {
        self.resolve_within(module, path, &mut Pending::new())
    }

    fn resolve_within(&self, module: usize, path: &[String], pending: &mut Pending) -> Vec<Target> {
        let Some(first) = path.first() else { return vec![Target::Module(module)] };
        let parent = || self.tree.modules[module].parent;
        match first.as_str() {
            "crate" => self.member(0, &path[1..], pending),
            "self" => self.member(module, &path[1..], pending),
            "super" => parent().map_or_else(Vec::new, |it| self.after_super(it, &path[1..], pending)),
            _ => {
                let found = self.lookup(module, path, true, pending);
                let is_known = !found.is_empty() || is_pending(module, path, pending);
                if is_known { found } else { vec![Target::External(path.to_vec())] }
            }
        }
    }

    /// `super` may be followed by `super`.
    fn after_super(&self, module: usize, path: &[String], pending: &mut Pending) -> Vec<Target> {
        if path.first().is_some_and(|it| it == "super") {
            return self.resolve_within(module, path, pending);
        }
        self.member(module, path, pending)
    }

    /// A path below a module. The compiler has accepted it, so what is not found is made by a macro of that module.
    fn member(&self, module: usize, path: &[String], pending: &mut Pending) -> Vec<Target> {
        let Some(first) = path.first() else { return vec![Target::Module(module)] };
        let found = self.lookup(module, path, false, pending);
        if found.is_empty() && !is_pending(module, path, pending) {
            return vec![Target::Item(module, first.clone())];
        }
        found
    }

    /// All that a path which begins with a name of `module` names; modules are passed through.
    fn lookup(
        &self,
        module: usize,
        path: &[String],
        is_own_code: bool,
        pending: &mut Pending,
    ) -> Vec<Target> {
        let (name, rest) = (&path[0], &path[1..]);
        if is_pending(module, path, pending) {
            return Vec::new();
        }
        pending.push((module, path.to_vec()));
        let scope = &self.scopes[module];
        let mut found = Vec::new();
        if let Some(child) = self.tree.child(module, name) {
            found.extend(self.member(child, rest, pending));
        }
        if scope.defined.contains(name) {
            found.push(Target::Item(module, name.clone()));
        }
        let local = scope.local.get(name).filter(|_| is_own_code);
        for import in scope.imported.get(name).into_iter().chain(local).flatten() {
            for target in self.resolve_within(module, import, pending) {
                found.extend(self.continued(target, rest, pending));
            }
        }
        if found.is_empty() {
            found = self.lookup_in_globs(module, path, is_own_code, pending);
        }
        pending.pop();
        found.dedup();
        found
    }

    fn lookup_in_globs(
        &self,
        module: usize,
        path: &[String],
        is_own_code: bool,
        pending: &mut Pending,
    ) -> Vec<Target> {
        let scope = &self.scopes[module];
        let local: &[Vec<String>] = if is_own_code { &scope.local_globs } else { &[] };
        let mut found = Vec::new();
        for glob in scope.globs.iter().chain(local) {
            for target in self.resolve_within(module, glob, pending) {
                if let Target::Module(globbed) = target {
                    found.extend(self.lookup(globbed, path, false, pending));
                }
            }
        }
        found
    }

    fn continued(&self, target: Target, rest: &[String], pending: &mut Pending) -> Vec<Target> {
        match target {
            Target::Module(module) => self.member(module, rest, pending),
            Target::Item(..) => vec![target],
            Target::External(path) => vec![Target::External([&path, rest].concat())],
        }
    }
}

fn is_pending(module: usize, path: &[String], pending: &Pending) -> bool {
    pending.iter().any(|(at, under_way)| *at == module && under_way == path)
}

impl Scope {
    fn of(items: &[Item]) -> Self {
        let mut scope = Self::default();
        for item in items {
            scope.defined.extend(defined_name(item));
            if let Item::Use(import) = item {
                for Import { path, name } in imports(import) {
                    match name {
                        Some(name) => scope.imported.entry(name).or_default().push(path),
                        None => scope.globs.push(path),
                    }
                }
            } else if !is_for_tests(attributes(item)) {
                LocalImports(&mut scope).visit_item(item);
            }
        }
        scope
    }
}

struct LocalImports<'a>(&'a mut Scope);

impl<'ast> Visit<'ast> for LocalImports<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        for Import { path, name } in imports(import) {
            match name {
                Some(name) => self.0.local.entry(name).or_default().push(path),
                None => self.0.local_globs.push(path),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Sources;

    fn tree(modules: &str) -> ModuleTree {
        let sources = Sources::from([("lib.rs".to_owned(), modules.to_owned())]);
        ModuleTree::read("c", "lib.rs", &sources).unwrap()
    }

    fn resolve(tree: &ModuleTree, module: &str, path: &str) -> Vec<String> {
        let index = tree.modules.iter().position(|it| it.name == module).unwrap();
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        let targets = Names::new(tree).resolve(index, &path).into_iter();
        let text = |target| match target {
            Target::Module(at) => format!("mod {}", tree.modules[at].name),
            Target::Item(at, name) => format!("{}::{name}", tree.modules[at].name),
            Target::External(path) => format!("external {}", path.join("::")),
        };
        targets.map(text).collect()
    }

    #[test]
    fn items_are_found_through_re_exports_in_parents() {
        let tree = tree(
            "mod a { mod deep { pub struct S; } pub use deep::S; } pub use a::S as T; mod b { use crate::T; }",
        );
        for path in ["crate::T", "super::T", "T", "crate::a::S", "super::a::deep::S"] {
            assert_eq!(resolve(&tree, "b", path), ["deep::S"], "{path}");
        }
    }

    #[test]
    fn associated_items_and_variants_belong_to_their_type() {
        let tree = tree("mod a { pub enum E { V } } mod b { use super::a::E::V; }");
        assert_eq!(resolve(&tree, "b", "V"), ["a::E"]);
        assert_eq!(resolve(&tree, "b", "super::a::E::new"), ["a::E"]);
    }

    #[test]
    fn globs_and_imports_inside_functions_are_followed() {
        let tree =
            tree("mod a { pub fn f() {} } mod b { use crate::a::*; } mod d { fn g() { use crate::a::f; } }");
        assert_eq!(resolve(&tree, "b", "f"), ["a::f"]);
        assert_eq!(resolve(&tree, "d", "f"), ["a::f"]);
        assert_eq!(resolve(&tree, "a", "crate::d::f"), ["d::f"], "a local import is no name for others");
    }

    #[test]
    fn a_module_and_a_function_of_one_name_are_distinguished_by_what_follows() {
        let tree = tree("mod f { pub fn f() {} pub struct S; } pub use f::f; mod b {}");
        assert_eq!(resolve(&tree, "b", "crate::f"), ["mod f", "f::f"]);
        assert!(resolve(&tree, "b", "crate::f::S").contains(&"f::S".to_owned()));
    }

    #[test]
    fn what_the_crate_does_not_define_is_external() {
        let tree = tree("mod a { use std::fs; } mod b { pub use self::b; }");
        assert_eq!(resolve(&tree, "a", "fs::File"), ["external std::fs::File"]);
        assert_eq!(resolve(&tree, "a", "Vec::new"), ["external Vec::new"]);
        assert_eq!(resolve(&tree, "b", "b"), ["external b"], "an import of itself ends");
    }
}
