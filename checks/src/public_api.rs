//! The public items of a library, one line each, read from its sources; items of every `cfg(feature)` included.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use syn::{Item, ItemImpl, PathArguments, Type, Visibility};

use crate::module_tree::{ModuleTree, attributes, defined_name, is_hidden};
use crate::name_resolution::{Names, Target};
use crate::paths::{Import, imports};
use crate::signature::{is_public, item_lines, member_lines, text, trait_line};

/// The lines of a library's public items, sorted by their paths.
pub fn public_api(tree: &ModuleTree) -> Vec<String> {
    let mut api = PublicApi { tree, names: Names::new(tree), paths: BTreeMap::new(), lines: BTreeSet::new() };
    let modules = api.public_modules();
    modules.iter().for_each(|(module, path)| api.add_items(*module, path));
    let mut waiting: VecDeque<(usize, String)> =
        modules.iter().map(|(module, path)| (*module, path.clone())).collect();
    let mut seen = BTreeSet::new();
    while let Some((module, path)) = waiting.pop_front() {
        if seen.insert((module, path.clone())) {
            waiting.extend(api.add_re_exports(module, &path, &modules));
        }
    }
    api.describe();
    api.lines.into_iter().map(|(.., line)| line).collect()
}

struct PublicApi<'a> {
    tree: &'a ModuleTree,
    names: Names<'a>,
    /// The path under which a public item is listed, by its module and name.
    paths: BTreeMap<(usize, String), String>,
    /// Lines, each after the path and the rank by which it is sorted.
    lines: BTreeSet<(String, usize, String)>,
}

impl PublicApi<'_> {
    /// The modules that `pub mod` makes public, from the root down, with their paths.
    fn public_modules(&self) -> BTreeMap<usize, String> {
        let mut found = BTreeMap::new();
        for (index, module) in self.tree.modules.iter().enumerate() {
            let path = match module.parent {
                None => Some(module.name.clone()),
                Some(parent) if module.is_public => {
                    found.get(&parent).map(|parent: &String| format!("{parent}::{}", module.name))
                }
                Some(_) => None,
            };
            found.extend(path.map(|path| (index, path)));
        }
        found
    }

    /// Gives the items that a public module defines their paths.
    fn add_items(&mut self, module: usize, path: &str) {
        self.add_line(path, format!("pub mod {path}"));
        for item in &self.tree.modules[module].items {
            if is_public(item)
                && !is_hidden(attributes(item))
                && let Some(name) = defined_name(item)
            {
                self.paths.entry((module, name.clone())).or_insert_with(|| format!("{path}::{name}"));
            }
        }
    }

    /// Lists what the `pub use` lines of a module name; returns the modules that become public by them.
    fn add_re_exports(
        &mut self,
        module: usize,
        path: &str,
        public: &BTreeMap<usize, String>,
    ) -> Vec<(usize, String)> {
        let mut opened = Vec::new();
        for item in &self.tree.modules[module].items {
            let Item::Use(item) = item else { continue };
            if !matches!(item.vis, Visibility::Public(_)) || is_hidden(&item.attrs) {
                continue;
            }
            for Import { path: imported, name } in imports(item) {
                let exported = format!("{path}::{}", name.as_deref().unwrap_or("*"));
                for target in self.names.resolve(module, &imported) {
                    match target {
                        Target::Module(it) if !public.contains_key(&it) => {
                            // The names of a glob appear in the module itself.
                            let path = if name.is_some() { exported.clone() } else { path.to_owned() };
                            self.add_items(it, &path);
                            opened.push((it, path));
                        }
                        Target::Module(it) => self.add_re_export(&exported, &public[&it]),
                        Target::External(it) => self.add_re_export(&exported, &it.join("::")),
                        Target::Item(definer, item) => {
                            self.add_item_re_export(exported.clone(), definer, item)
                        }
                    }
                }
            }
        }
        opened
    }

    /// The first path of an item that is not public where it is defined is its own; further ones refer to that.
    fn add_item_re_export(&mut self, exported: String, definer: usize, item: String) {
        match self.paths.get(&(definer, item.clone())).cloned() {
            Some(own) => self.add_re_export(&exported, &own),
            None => drop(self.paths.insert((definer, item), exported)),
        }
    }

    fn add_re_export(&mut self, exported: &str, own: &str) {
        if exported != own {
            self.add_line(exported, format!("pub use {exported} = {own}"));
        }
    }

    /// Adds the lines of all items that have a path, and those of their `impl`s.
    fn describe(&mut self) {
        for ((module, name), path) in self.paths.clone() {
            let items = self.tree.modules[module].items.iter();
            let mut own =
                items.filter(|it| defined_name(it).as_ref() == Some(&name) && is_public(it)).peekable();
            if own.peek().is_none() {
                self.describe_macros(module, &path);
            }
            own.for_each(|item| self.add_lines(&path, item_lines(&path, item)));
        }
        for (index, module) in self.tree.modules.iter().enumerate() {
            for item in &module.items {
                if let Item::Impl(item) = item {
                    self.describe_impl(index, item);
                }
            }
        }
    }

    /// An item that the module does not define is made by a macro of it; the macro's input stands for its definition.
    fn describe_macros(&mut self, module: usize, path: &str) {
        for item in &self.tree.modules[module].items {
            if let Item::Macro(item) = item
                && item.ident.is_none()
            {
                let input = without_documentation(&text(&item.mac.tokens));
                self.add_line(path, format!("pub {path} by {}! {{ {input} }}", text(&item.mac.path)));
            }
        }
    }

    fn describe_impl(&mut self, module: usize, item: &ItemImpl) {
        let Type::Path(of) = &*item.self_ty else { return };
        let segments: Vec<String> = of.path.segments.iter().map(|it| it.ident.to_string()).collect();
        for target in self.names.resolve(module, &segments) {
            let Target::Item(definer, name) = target else { continue };
            let Some(path) = self.paths.get(&(definer, name)).cloned() else { continue };
            let lines = match &item.trait_ {
                Some((implemented, _)) => {
                    let arguments = of.path.segments.last().map(|it| match &it.arguments {
                        PathArguments::None => String::new(),
                        arguments => text(arguments),
                    });
                    vec![trait_line(&path, &item.generics, implemented, &arguments.unwrap_or_default())]
                }
                None => member_lines(&path, &item.items),
            };
            self.add_lines(&path, lines);
        }
    }

    fn add_lines(&mut self, path: &str, lines: Vec<String>) {
        lines.into_iter().for_each(|line| self.add_line(path, line));
    }

    fn add_line(&mut self, path: &str, line: String) {
        self.lines.insert((path.to_owned(), rank(path, &line), line));
    }
}

/// Lines of a path: first the item's own, then those of its members, then implemented traits.
fn rank(path: &str, line: &str) -> usize {
    match line {
        line if line.starts_with("impl") => 2,
        line if line.contains(&format!(" {path}::")) => 1,
        _ => 0,
    }
}

/// Text of tokens without `#[doc = "…"]`.
fn without_documentation(tokens: &str) -> String {
    let mut parts = tokens.split("# [doc =");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once("\"]").map_or(part, |(_, rest)| rest).trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Sources;

    fn api(code: &str) -> Vec<String> {
        let sources = Sources::from([("lib.rs".to_owned(), code.to_owned())]);
        public_api(&ModuleTree::read("c", "lib.rs", &sources).unwrap())
    }

    #[test]
    fn items_of_public_modules_are_listed_and_those_of_private_ones_not() {
        let code = "pub mod a { pub fn f() {} fn g() {} pub(crate) fn h() {} } mod b { pub fn i() {} }";
        assert_eq!(api(code), ["pub mod c", "pub mod c::a", "pub fn c::a::f()"]);
    }

    #[test]
    fn an_item_of_a_private_module_is_listed_under_its_re_export() {
        let code = "mod a { pub struct S; mod deep { impl super::S { pub fn new(x: f32) -> Self { S } fn own() {} } } } \
                    pub use a::S as T;";
        assert_eq!(api(code), ["pub mod c", "pub struct c::T", "pub fn c::T::new(x: f32) -> Self"]);
    }

    #[test]
    fn further_paths_and_external_items_are_re_exports() {
        let code = "pub mod a { pub struct S; } pub use a::S; pub use std::fs::File; mod b { pub fn f() {} } pub use b as d;";
        let expected = [
            "pub mod c",
            "pub use c::File = std::fs::File",
            "pub use c::S = c::a::S",
            "pub mod c::a",
            "pub struct c::a::S",
            "pub mod c::d",
            "pub fn c::d::f()",
        ];
        assert_eq!(api(code), expected);
    }

    #[test]
    fn globs_are_expanded() {
        let code = "mod a { pub fn f() {} mod b { pub fn g() {} } pub use b::g; } pub use a::*;";
        assert_eq!(api(code), ["pub mod c", "pub fn c::f()", "pub fn c::g()"]);
    }

    #[test]
    fn implemented_traits_are_listed_however_they_are_written() {
        let derived = api("#[derive(Clone)] pub struct S<T>(T);");
        let written = api("pub struct S<T>(T); impl<T> std::clone::Clone for S<T> {}");
        assert_eq!(derived, ["pub mod c", "pub struct c::S<T>(_)", "impl<T> Clone for c::S<T>"]);
        assert_eq!(derived, written);
    }

    #[test]
    fn features_do_not_matter_and_hidden_and_test_items_are_left_out() {
        let code = "#[cfg(feature = \"x\")] pub fn f() {} #[doc(hidden)] pub fn g() {} #[cfg(test)] pub fn h() {} \
                    #[doc(hidden)] pub mod m { pub fn n() {} }";
        assert_eq!(api(code), ["pub mod c", "pub fn c::f()"]);
    }

    #[test]
    fn an_item_that_a_macro_makes_is_listed_with_the_macro_s_input() {
        let code = "mod a { make! { /// One.\n One => u8, /// Two.\n Two => u16 } } pub use a::Made;";
        assert_eq!(api(code), ["pub mod c", "pub c::Made by make! { One => u8, Two => u16 }"]);
    }

    #[test]
    fn a_changed_signature_changes_a_line() {
        assert_ne!(api("pub fn f(x: f32) {}"), api("pub fn f(x: f64) {}"));
    }
}
