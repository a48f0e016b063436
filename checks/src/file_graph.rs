//! Which files of a crate use items of which others, and the circles among them.
//!
//! Seen are paths: a method that a file calls on a type without naming the type is not.

use std::collections::{BTreeMap, BTreeSet};

use crate::module_tree::ModuleTree;
use crate::name_resolution::{Names, Target};
use crate::paths::paths;
use crate::strong_components::strong_components;

/// The items that one file uses of another, by (user, used).
pub type FileGraph = BTreeMap<(String, String), BTreeSet<String>>;

/// Files that use each other, directly or through others.
#[derive(Debug, PartialEq, Eq)]
pub struct Circle {
    /// Sorted.
    pub files: Vec<String>,
    /// Each use within the circle: "user → used: items".
    pub uses: Vec<String>,
}

/// The uses between files of a crate, without those between a module and one that contains it.
pub fn file_graph(tree: &ModuleTree) -> FileGraph {
    let names = Names::new(tree);
    let mut graph = FileGraph::new();
    for (index, module) in tree.modules.iter().enumerate() {
        for path in paths(&module.items) {
            for target in names.resolve(index, &path) {
                if let Target::Item(definer, item) = target
                    && !are_kin(tree, index, definer)
                {
                    let files = (module.file.clone(), tree.modules[definer].file.clone());
                    graph.entry(files).or_default().insert(item);
                }
            }
        }
    }
    graph
}

/// The circles of a graph of files.
pub fn circles(graph: &FileGraph) -> Vec<Circle> {
    let files: BTreeSet<&String> = graph.keys().flat_map(|(user, used)| [user, used]).collect();
    let files: Vec<&String> = files.into_iter().collect();
    let mut successors = vec![Vec::new(); files.len()];
    for (user, used) in graph.keys() {
        if let (Ok(user), Ok(used)) = (files.binary_search(&user), files.binary_search(&used)) {
            successors[user].push(used);
        }
    }
    let components = strong_components(&successors).into_iter();
    components
        .map(|nodes| circle(nodes.into_iter().map(|node| files[node].clone()).collect(), graph))
        .collect()
}

fn circle(files: Vec<String>, graph: &FileGraph) -> Circle {
    let is_within = |file: &String| files.contains(file);
    let uses = graph.iter().filter(|((user, used), _)| is_within(user) && is_within(used));
    let line = |((user, used), items): (&(String, String), &BTreeSet<String>)| {
        format!("{user} → {used}: {}", items.iter().cloned().collect::<Vec<_>>().join(", "))
    };
    Circle { uses: uses.map(line).collect(), files }
}

impl Circle {
    /// The entry of a list of circles.
    pub fn line(&self) -> String {
        self.files.join(" ")
    }
}

/// Whether two modules are in one file, or the file of one is of a module that contains the other.
fn are_kin(tree: &ModuleTree, one: usize, other: usize) -> bool {
    let contains = |outer: usize, inner: usize| {
        tree.ancestors(inner).any(|it| tree.modules[it].file == tree.modules[outer].file)
    };
    contains(one, other) || contains(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Sources;

    fn circles_of(files: &[(&str, &str)]) -> Vec<Circle> {
        let sources: Sources =
            files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        circles(&file_graph(&ModuleTree::read("c", "lib.rs", &normalized(sources)).unwrap()))
    }

    /// The root's folder is `.`.
    fn normalized(sources: Sources) -> Sources {
        let prefixed = |path: String| if path == "lib.rs" { path } else { format!("./{path}") };
        sources.into_iter().map(|(path, text)| (prefixed(path), text)).collect()
    }

    #[test]
    fn two_files_that_use_each_other_are_a_circle() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; fn f() { g(super::a::A::new()) }"),
        ]);
        let uses = ["./a.rs → ./b.rs: B", "./b.rs → ./a.rs: A"].map(str::to_owned).to_vec();
        assert_eq!(found, [Circle { files: vec!["./a.rs".to_owned(), "./b.rs".to_owned()], uses }]);
    }

    #[test]
    fn a_circle_through_a_re_export_of_the_parent_is_found() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod d; pub use a::A;"),
            ("a.rs", "use crate::d::f; pub struct A;"),
            ("d/mod.rs", "mod e; pub use e::f;"),
            ("d/e.rs", "pub fn f(_: &crate::A) {}"),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line(), "./a.rs ./d/e.rs");
    }

    #[test]
    fn a_circle_of_three_files_and_one_in_a_macro_are_found() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b; mod d;"),
            ("a.rs", "pub fn a() { println!(\"{}\", crate::b::b()) }"),
            ("b.rs", "pub fn b() -> u8 { use crate::d; d::d() }"),
            ("d.rs", "use super::*; pub fn d() -> u8 { a::a(); 0 }"),
        ]);
        assert_eq!(found[0].line(), "./a.rs ./b.rs ./d.rs");
    }

    #[test]
    fn parent_and_child_are_no_circle() {
        for (parent, child) in [("a.rs", "a/x.rs"), ("a/mod.rs", "a/x.rs")] {
            let found = circles_of(&[
                ("lib.rs", "mod a; pub struct Root; fn f() { a::g() }"),
                (parent, "mod x; pub use x::X; pub struct A(X); pub fn g() { crate::Root }"),
                (child, "use super::A; use crate::Root; pub struct X; fn f(_: A, _: Root) {}"),
            ]);
            assert_eq!(found, []);
        }
    }

    #[test]
    fn a_child_and_another_branch_are_a_circle() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "mod x; pub struct A;"),
            ("a/x.rs", "use crate::b::B; use super::A; pub struct X(A, B);"),
            ("b.rs", "pub struct B; fn f(_: crate::a::x::X) {}"),
        ]);
        assert_eq!(found[0].line(), "./a/x.rs ./b.rs");
    }

    #[test]
    fn uses_in_tests_and_links_of_documentation_are_no_circle() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; /// Of [`crate::b::B`].\npub struct A(B);"),
            (
                "b.rs",
                "/// In [`crate::a::A`].\npub struct B; #[cfg(test)] mod tests { use crate::a::A; fn f(_: A) {} }",
            ),
        ]);
        assert_eq!(found, []);
    }

    #[test]
    fn one_direction_is_no_circle() {
        let found = circles_of(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B;"),
            ("b.rs", "pub struct B;"),
        ]);
        assert_eq!(found, []);
    }
}
