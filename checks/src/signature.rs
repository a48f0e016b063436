//! Items as one line of text each, under their public path.

use quote::ToTokens;
use syn::{
    Attribute, Fields, Generics, ImplItem, Item, ItemEnum, ItemStruct, ItemTrait, Meta, Path, Signature,
    Token, TraitItem, Visibility, punctuated::Punctuated,
};

use crate::module_tree::{is_for_tests, is_hidden};

/// Whether an item is public in its module.
pub fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(it) => &it.vis,
        Item::Enum(it) => &it.vis,
        Item::Fn(it) => &it.vis,
        Item::Static(it) => &it.vis,
        Item::Struct(it) => &it.vis,
        Item::Trait(it) => &it.vis,
        Item::Type(it) => &it.vis,
        Item::Union(it) => &it.vis,
        Item::Use(it) => &it.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_))
}

/// The lines of a public item: its own and those of its fields, variants, methods and derived traits.
pub fn item_lines(path: &str, item: &Item) -> Vec<String> {
    match item {
        Item::Const(it) => vec![format!("pub const {path}: {}", text(&it.ty))],
        Item::Static(it) => vec![format!("pub static {path}: {}", text(&it.ty))],
        Item::Type(it) => vec![format!("pub type {path}{} = {}", generics(&it.generics), text(&it.ty))],
        Item::Fn(it) => vec![format!("pub {}", function(path, &it.sig))],
        Item::Struct(it) => structure(path, it),
        Item::Enum(it) => enumeration(path, it),
        Item::Trait(it) => interface(path, it),
        Item::Union(it) => vec![format!("pub union {path}{}", generics(&it.generics))],
        _ => Vec::new(),
    }
}

/// The lines of the public functions and constants of an inherent `impl`.
pub fn member_lines(path: &str, items: &[ImplItem]) -> Vec<String> {
    let line = |item: &ImplItem| match item {
        ImplItem::Fn(it) if is_shown(&it.vis, &it.attrs) => {
            Some(format!("pub {}", function(&format!("{path}::{}", it.sig.ident), &it.sig)))
        }
        ImplItem::Const(it) if is_shown(&it.vis, &it.attrs) => {
            Some(format!("pub const {path}::{}: {}", it.ident, text(&it.ty)))
        }
        _ => None,
    };
    items.iter().filter_map(line).collect()
}

/// The line of the implementation of a trait.
pub fn trait_line(path: &str, of: &Generics, implemented: &Path, arguments: &str) -> String {
    let name = implemented.segments.last().map(text).unwrap_or_default();
    format!("impl{} {name} for {path}{arguments}", parameters(of))
}

/// Tokens as text, spaced as rustfmt would.
pub fn text(tokens: &impl ToTokens) -> String {
    // The arrow is kept apart, so that its `>` is not taken for the end of generics.
    let spaced = tokens.to_token_stream().to_string().replace("->", "\u{1}");
    let rules = [
        (" :: ", "::"),
        (":: ", "::"),
        (" ::", "::"),
        (" : ", ": "),
        (" < ", "<"),
        ("< ", "<"),
        (" <", "<"),
        (" >", ">"),
        (" ,", ","),
        (" ;", ";"),
        ("& ", "&"),
        ("* const", "*const"),
        ("* mut", "*mut"),
        ("? ", "?"),
        (" (", "("),
        ("> [", ">["),
        (",)", ")"),
        (",>", ">"),
        ("\u{1}(", "\u{1} ("),
        (":(", ": ("),
        (",(", ", ("),
        ("=(", "= ("),
        ("+(", "+ ("),
        ("(mut ", "("),
        (", mut ", ", "),
    ];
    let tidy = rules.iter().fold(spaced, |text, (from, to)| text.replace(from, to));
    tidy.replace('\u{1}', "->").trim().to_owned()
}

fn function(path: &str, signature: &Signature) -> String {
    let name = format!("fn {}", signature.ident);
    text(signature).replacen(&name, &format!("fn {path}"), 1)
}

fn structure(path: &str, item: &ItemStruct) -> Vec<String> {
    let is_private = |field: &syn::Field| !is_shown(&field.vis, &field.attrs);
    let fields = match &item.fields {
        Fields::Unnamed(fields) => {
            let shown = |field| if is_private(field) { "_".to_owned() } else { text(&field.ty) };
            format!("({})", fields.unnamed.iter().map(shown).collect::<Vec<_>>().join(", "))
        }
        fields if fields.iter().any(is_private) => " { .. }".to_owned(),
        _ => String::new(),
    };
    let mut lines =
        vec![format!("{}pub struct {path}{}{fields}", exhaustiveness(&item.attrs), generics(&item.generics))];
    for field in item.fields.iter().filter(|field| !is_private(field)) {
        lines.extend(field.ident.as_ref().map(|name| format!("pub {path}::{name}: {}", text(&field.ty))));
    }
    lines.extend(derived(path, &item.attrs, &item.generics));
    lines
}

fn enumeration(path: &str, item: &ItemEnum) -> Vec<String> {
    let mut lines =
        vec![format!("{}pub enum {path}{}", exhaustiveness(&item.attrs), generics(&item.generics))];
    for variant in item.variants.iter().filter(|it| !is_hidden(&it.attrs)) {
        let fields = match &variant.fields {
            Fields::Named(fields) => {
                let field = |it: &syn::Field| {
                    format!("{}: {}", it.ident.as_ref().map(text).unwrap_or_default(), text(&it.ty))
                };
                format!(" {{ {} }}", fields.named.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            Fields::Unnamed(fields) => {
                let types = fields.unnamed.iter().map(|it| text(&it.ty));
                format!("({})", types.collect::<Vec<_>>().join(", "))
            }
            Fields::Unit => String::new(),
        };
        lines.push(format!("{}pub {path}::{}{fields}", exhaustiveness(&variant.attrs), variant.ident));
    }
    lines.extend(derived(path, &item.attrs, &item.generics));
    lines
}

fn interface(path: &str, item: &ItemTrait) -> Vec<String> {
    let bounds =
        if item.supertraits.is_empty() { String::new() } else { format!(": {}", text(&item.supertraits)) };
    let mut lines = vec![format!("pub trait {path}{}{bounds}", generics(&item.generics))];
    for member in &item.items {
        lines.extend(match member {
            TraitItem::Fn(it) if !is_hidden(&it.attrs) => {
                let provided = if it.default.is_some() { " { .. }" } else { "" };
                Some(format!("pub {}{provided}", function(&format!("{path}::{}", it.sig.ident), &it.sig)))
            }
            TraitItem::Const(it) => Some(format!("pub const {path}::{}: {}", it.ident, text(&it.ty))),
            TraitItem::Type(it) => Some(format!("pub type {path}::{}: {}", it.ident, text(&it.bounds))),
            _ => None,
        });
    }
    lines
}

fn derived(path: &str, attributes: &[Attribute], of: &Generics) -> Vec<String> {
    let derives = attributes.iter().filter(|it| it.path().is_ident("derive"));
    let lists =
        derives.filter_map(|it| it.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).ok());
    lists.flatten().map(|name| trait_line(path, of, &name, &arguments(of))).collect()
}

/// `<'a, T>` of `<'a, T: Bound>`.
fn arguments(of: &Generics) -> String {
    text(&of.split_for_impl().1)
}

/// Parameters with their bounds, without a `where` clause.
fn parameters(of: &Generics) -> String {
    text(&of.split_for_impl().0)
}

fn generics(of: &Generics) -> String {
    let clause = of.where_clause.as_ref().map(|it| format!(" {}", text(it))).unwrap_or_default();
    format!("{}{clause}", parameters(of))
}

fn exhaustiveness(attributes: &[Attribute]) -> &'static str {
    let is_open =
        attributes.iter().any(|it| matches!(&it.meta, Meta::Path(path) if path.is_ident("non_exhaustive")));
    if is_open { "#[non_exhaustive] " } else { "" }
}

fn is_shown(visibility: &Visibility, attributes: &[Attribute]) -> bool {
    matches!(visibility, Visibility::Public(_)) && !is_hidden(attributes) && !is_for_tests(attributes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(code: &str) -> Vec<String> {
        item_lines("c::X", &syn::parse_str(code).unwrap())
    }

    #[test]
    fn functions_are_written_with_their_signature() {
        let code = "pub fn X<'a, T: Into<f32>>(x: &'a mut [T], mut n: (u8, u8), f: impl Fn(f32) -> (A, B)) \
                    -> Result<Vec<Vec<f32>>, a::Error> where T: ?Sized { 1 }";
        let expected = "pub fn c::X<'a, T: Into<f32>>(x: &'a mut [T], n: (u8, u8), f: impl Fn(f32) -> (A, B)) \
                        -> Result<Vec<Vec<f32>>, a::Error> where T: ?Sized";
        assert_eq!(lines(code), [expected]);
    }

    #[test]
    fn structs_show_public_fields_and_whether_there_are_others() {
        let code = "#[derive(Debug, Clone)] pub struct X<T> { pub a: Vec<T>, b: u8 }";
        let expected = [
            "pub struct c::X<T> { .. }",
            "pub c::X::a: Vec<T>",
            "impl<T> Debug for c::X<T>",
            "impl<T> Clone for c::X<T>",
        ];
        assert_eq!(lines(code), expected);
        assert_eq!(lines("pub struct X(pub f32, u8);"), ["pub struct c::X(f32, _)"]);
        assert_eq!(lines("#[non_exhaustive] pub struct X;"), ["#[non_exhaustive] pub struct c::X"]);
    }

    #[test]
    fn enums_show_their_variants() {
        let code = "pub enum X { A, B(f32, &'static str), C { d: [f32; 2] }, #[doc(hidden)] Secret }";
        let expected =
            ["pub enum c::X", "pub c::X::A", "pub c::X::B(f32, &'static str)", "pub c::X::C { d: [f32; 2] }"];
        assert_eq!(lines(code), expected);
    }

    #[test]
    fn traits_show_their_methods_and_which_are_provided() {
        let code =
            "pub trait X: Send + Sync { const N: usize; type T: Clone; fn f(&self) -> u8; fn g(&self) {} }";
        let expected = [
            "pub trait c::X: Send + Sync",
            "pub const c::X::N: usize",
            "pub type c::X::T: Clone",
            "pub fn c::X::f(&self) -> u8",
            "pub fn c::X::g(&self) { .. }",
        ];
        assert_eq!(lines(code), expected);
    }

    #[test]
    fn constants_and_aliases_show_their_type() {
        assert_eq!(lines("pub const X: &[f32] = &[1.0];"), ["pub const c::X: &[f32]"]);
        assert_eq!(lines("pub type X<T> = Option<fn(T) -> u8>;"), ["pub type c::X<T> = Option<fn(T) -> u8>"]);
    }
}
