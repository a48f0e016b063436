//! The modules of a crate, read from its root file by following `mod` lines; code for tests is left out.

use std::fmt::Display;

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta, Visibility};

use crate::Result;
use crate::crate_roots::normalize;
use crate::workspace::Sources;

/// The modules of one crate; the first is its root.
pub struct ModuleTree {
    /// The crate's name as code writes it.
    pub name: String,
    /// Parents stand before their children.
    pub modules: Vec<Module>,
}

/// A module: a file, or a part of one.
pub struct Module {
    /// Its name; the crate's for the root.
    pub name: String,
    /// The module that declares it.
    pub parent: Option<usize>,
    /// The file that has its items, from the root of the workspace.
    pub file: String,
    /// Whether it is declared `pub`, and not `#[doc(hidden)]`.
    pub is_public: bool,
    /// Its items, without child modules and without what is compiled for tests only.
    pub items: Vec<Item>,
}

impl ModuleTree {
    /// Reads the crate whose root is `root_file`.
    ///
    /// # Errors
    /// If a file is not Rust, or the file of a module is not in `sources`.
    pub fn read(name: &str, root_file: &str, sources: &Sources) -> Result<Self> {
        let mut tree = Self { name: name.to_owned(), modules: Vec::new() };
        let items = parse(root_file, sources)?;
        let root = Module {
            name: name.to_owned(),
            parent: None,
            file: root_file.to_owned(),
            is_public: true,
            items: Vec::new(),
        };
        tree.add(root, items, folder_of(root_file), sources)?;
        Ok(tree)
    }

    /// A module and those that contain it, from the inside out.
    pub fn ancestors(&self, module: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(module), |it| self.modules[*it].parent)
    }

    /// The child of that name.
    pub fn child(&self, module: usize, name: &str) -> Option<usize> {
        self.modules.iter().position(|it| it.parent == Some(module) && it.name == name)
    }

    /// Adds a module with its items, and its children; `folder` is where the files of its children are.
    fn add(&mut self, module: Module, items: Vec<Item>, folder: &str, sources: &Sources) -> Result<()> {
        let index = self.modules.len();
        let file = module.file.clone();
        self.modules.push(module);
        for item in items {
            match item {
                Item::Mod(declaration) if !is_for_tests(&declaration.attrs) => {
                    self.add_child(index, &file, declaration, folder, sources)?;
                }
                Item::Mod(_) => {}
                item if is_for_tests(attributes(&item)) => {}
                item => self.modules[index].items.push(item),
            }
        }
        Ok(())
    }

    fn add_child(
        &mut self,
        parent: usize,
        parent_file: &str,
        declaration: ItemMod,
        folder: &str,
        sources: &Sources,
    ) -> Result<()> {
        let name = declaration.ident.to_string();
        let is_public = matches!(declaration.vis, Visibility::Public(_)) && !is_hidden(&declaration.attrs);
        let module = |file: String| Module {
            name: name.clone(),
            parent: Some(parent),
            file,
            is_public,
            items: Vec::new(),
        };
        let child_folder = format!("{folder}/{name}");
        if let Some((_, items)) = declaration.content {
            return self.add(module(parent_file.to_owned()), items, &child_folder, sources);
        }
        let file = match path_attribute(&declaration.attrs) {
            Some(path) => normalize(&format!("{}/{path}", folder_of(parent_file))),
            None => [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")]
                .into_iter()
                .find(|file| sources.contains_key(file))
                .ok_or_else(|| format!("{parent_file}: no file for `mod {name};`"))?,
        };
        let items = parse(&file, sources)?;
        self.add(module(file), items, &child_folder, sources)
    }
}

/// Whether an item is compiled for tests only: `#[cfg(test)]`, `#[cfg(all(test, …))]`, `#[test]`.
pub fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("cfg") => {
            list.parse_args::<Meta>().is_ok_and(|predicate| needs_test(&predicate))
        }
        _ => false,
    })
}

/// Whether an item has `#[doc(hidden)]`.
pub fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .filter(|it| it.path().is_ident("doc"))
        .any(|it| it.parse_args::<Meta>().is_ok_and(|argument| argument.path().is_ident("hidden")))
}

/// The attributes of an item.
pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(it) => &it.attrs,
        Item::Enum(it) => &it.attrs,
        Item::ExternCrate(it) => &it.attrs,
        Item::Fn(it) => &it.attrs,
        Item::Impl(it) => &it.attrs,
        Item::Macro(it) => &it.attrs,
        Item::Mod(it) => &it.attrs,
        Item::Static(it) => &it.attrs,
        Item::Struct(it) => &it.attrs,
        Item::Trait(it) => &it.attrs,
        Item::Type(it) => &it.attrs,
        Item::Union(it) => &it.attrs,
        Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

/// The name that an item defines; `None` for `use`, `impl` and invocations of macros.
pub fn defined_name(item: &Item) -> Option<String> {
    let name: &dyn Display = match item {
        Item::Const(it) => &it.ident,
        Item::Enum(it) => &it.ident,
        Item::Fn(it) => &it.sig.ident,
        Item::Macro(it) => it.ident.as_ref()?,
        Item::Static(it) => &it.ident,
        Item::Struct(it) => &it.ident,
        Item::Trait(it) => &it.ident,
        Item::Type(it) => &it.ident,
        Item::Union(it) => &it.ident,
        _ => return None,
    };
    Some(name.to_string())
}

fn needs_test(predicate: &Meta) -> bool {
    match predicate {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) if list.path.is_ident("all") => list
            .parse_args_with(syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated)
            .is_ok_and(|all| all.iter().any(needs_test)),
        _ => false,
    }
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}

fn parse(file: &str, sources: &Sources) -> Result<Vec<Item>> {
    let text = sources.get(file).ok_or_else(|| format!("{file}: no such file"))?;
    let parsed = syn::parse_file(text).map_err(|error| format!("{file}: {error}"))?;
    Ok(if is_for_tests(&parsed.attrs) { Vec::new() } else { parsed.items })
}

/// The folder of a file; it ends neither in `/` nor is it empty.
fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Sources {
        files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    fn files(tree: &ModuleTree) -> Vec<&str> {
        tree.modules.iter().map(|it| it.file.as_str()).collect()
    }

    #[test]
    fn modules_are_found_beside_beneath_and_inside_of_a_file() {
        let sources = sources(&[
            ("c/src/lib.rs", "mod a; pub mod b; mod inline { mod deep; } #[path = \"../x/y.rs\"] mod y;"),
            ("c/src/a.rs", "mod child;"),
            ("c/src/a/child.rs", ""),
            ("c/src/b/mod.rs", "mod child;"),
            ("c/src/b/child.rs", ""),
            ("c/src/inline/deep.rs", ""),
            ("c/x/y.rs", ""),
        ]);
        let tree = ModuleTree::read("c", "c/src/lib.rs", &sources).unwrap();
        let expected = [
            "c/src/lib.rs",
            "c/src/a.rs",
            "c/src/a/child.rs",
            "c/src/b/mod.rs",
            "c/src/b/child.rs",
            "c/src/lib.rs",
            "c/src/inline/deep.rs",
            "c/x/y.rs",
        ];
        assert_eq!(files(&tree), expected);
        assert_eq!(tree.ancestors(4).collect::<Vec<_>>(), [4, 3, 0]);
        assert!(tree.modules[3].is_public && !tree.modules[1].is_public);
        assert_eq!(tree.child(0, "inline"), Some(5));
    }

    #[test]
    fn code_for_tests_is_left_out() {
        let text = "#[cfg(test)] mod tests; #[cfg(all(test, unix))] mod more; #[cfg(test)] use x::y; \
                    #[cfg(any(test, unix))] fn kept() {} #[cfg(unix)] mod inline {}";
        let tree = ModuleTree::read("c", "c/lib.rs", &sources(&[("c/lib.rs", text)])).unwrap();
        assert_eq!(tree.modules.len(), 2);
        let names: Vec<_> = tree.modules[0].items.iter().filter_map(defined_name).collect();
        assert_eq!(names, ["kept"]);
    }

    #[test]
    fn a_module_without_a_file_and_a_file_that_is_not_rust_are_errors() {
        for text in ["mod a;", "fn ("] {
            assert!(ModuleTree::read("c", "c/lib.rs", &sources(&[("c/lib.rs", text)])).is_err(), "{text}");
        }
    }
}
