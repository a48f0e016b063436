//! Paths written in code: those of `use` lines, of expressions and types, and of the tokens of macros.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemMod, ItemUse, Macro, Path, UseTree};

use crate::module_tree::{attributes, is_for_tests};

/// One name of a `use` line.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// What is imported; of a glob, its module. Paths from the extern prelude begin with an empty part.
    pub path: Vec<String>,
    /// The name that it gets; `None` for a glob and for `as _`… of a trait, which has no name.
    pub name: Option<String>,
}

/// The names of a `use` line.
pub fn imports(item: &ItemUse) -> Vec<Import> {
    let mut found = Vec::new();
    let start = if item.leading_colon.is_some() { vec![String::new()] } else { Vec::new() };
    collect_imports(&item.tree, start, &mut found);
    found
}

fn collect_imports(tree: &UseTree, mut path: Vec<String>, found: &mut Vec<Import>) {
    match tree {
        UseTree::Path(part) => {
            path.push(part.ident.to_string());
            collect_imports(&part.tree, path, found);
        }
        UseTree::Name(last) if last.ident == "self" => {
            found.push(Import { name: path.last().cloned(), path });
        }
        UseTree::Name(last) => {
            path.push(last.ident.to_string());
            found.push(Import { name: path.last().cloned(), path });
        }
        UseTree::Rename(last) => {
            if last.ident != "self" {
                path.push(last.ident.to_string());
            }
            found.push(Import { path, name: Some(last.rename.to_string()) });
        }
        UseTree::Glob(_) => found.push(Import { path, name: None }),
        UseTree::Group(group) => {
            group.items.iter().for_each(|tree| collect_imports(tree, path.clone(), found));
        }
    }
}

/// All paths in items, of code that is not for tests only.
pub fn paths(items: &[Item]) -> Vec<Vec<String>> {
    let mut collector = Collector::default();
    items.iter().for_each(|item| collector.visit_item(item));
    collector.found
}

#[derive(Default)]
struct Collector {
    found: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Collector {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    /// Modules are items of their own.
    fn visit_item_mod(&mut self, _: &'ast ItemMod) {}

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes: &[Attribute] = match item {
            ImplItem::Fn(it) => &it.attrs,
            ImplItem::Const(it) => &it.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.found.extend(imports(item).into_iter().map(|it| it.path));
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.leading_colon.is_none() {
            self.found.push(path.segments.iter().map(|it| it.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, invocation: &'ast Macro) {
        self.visit_path(&invocation.path);
        self.found.extend(paths_in_tokens(&invocation.tokens));
    }

    /// serde names functions and modules in strings; other attributes name nothing of ours.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let (true, syn::Meta::List(list)) = (attribute.path().is_ident("serde"), &attribute.meta) {
            self.found.extend(paths_in_strings(&list.tokens));
        }
    }
}

/// The paths of two and more parts among the tokens of a macro.
fn paths_in_tokens(tokens: &TokenStream) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut n_colons = 0;
    for token in tokens.clone() {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() && n_colons < 2 => {
                n_colons += 1
            }
            TokenTree::Ident(ident) => {
                if n_colons != 2 {
                    found.push(std::mem::take(&mut path));
                }
                path.push(ident.to_string());
                n_colons = 0;
            }
            other => {
                found.push(std::mem::take(&mut path));
                n_colons = 0;
                if let TokenTree::Group(group) = other {
                    found.extend(paths_in_tokens(&group.stream()));
                }
            }
        }
    }
    found.push(path);
    found.retain(|path| path.len() > 1);
    found
}

fn paths_in_strings(tokens: &TokenStream) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for token in tokens.clone() {
        match token {
            TokenTree::Group(group) if group.delimiter() != Delimiter::None => {
                found.extend(paths_in_strings(&group.stream()));
            }
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                let path = syn::parse_str::<Path>(text.trim_matches('"'));
                found.extend(path.map(|it| it.segments.iter().map(|part| part.ident.to_string()).collect()));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let paths = paths(&syn::parse_file(text).unwrap().items);
        paths.into_iter().map(|path| path.join("::")).collect()
    }

    #[test]
    fn every_name_of_a_group_is_an_import() {
        let item: ItemUse = syn::parse_str("use a::{self, b::{C as D, *}, e};").unwrap();
        let text: Vec<String> = imports(&item)
            .into_iter()
            .map(|it| format!("{} {}", it.path.join("::"), it.name.unwrap_or_else(|| "*".to_owned())))
            .collect();
        assert_eq!(text, ["a a", "a::b::C D", "a::b *", "a::e e"]);
    }

    #[test]
    fn paths_of_types_expressions_patterns_and_macros_are_found() {
        let text = "fn f(x: a::T<b::U>) -> c::V { match g::h() { i::J { .. } => {} } \
                    println!(\"{}\", k::l(m.n, [o::p::<Q>()])) }";
        let all = found(text);
        for path in ["a::T", "b::U", "c::V", "g::h", "i::J", "k::l", "o::p"] {
            assert!(all.contains(&path.to_owned()), "{path} in {all:?}");
        }
        assert!(!all.iter().any(|path| path.starts_with("m")), "a field is not a path: {all:?}");
    }

    #[test]
    fn serde_names_functions_in_strings() {
        let text = "struct S { #[serde(default = \"a::b\", with = \"c\")] #[doc = \"d::e\"] x: u8 }";
        assert_eq!(found(text), ["a::b", "c", "u8"]);
    }

    #[test]
    fn code_for_tests_has_no_paths() {
        assert!(found("#[cfg(test)] use a::b; struct S; impl S { #[cfg(test)] fn f() { c::d() } }") == ["S"]);
    }
}
