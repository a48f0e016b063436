//! Unsafe code is only in the files of a list, and every block and implementation of it has its proof in a comment above it.
//!
//! In the workspace clippy requires the proofs, too; this test covers what is not a part of it, and macros.

use cantus_checks::list_file;
use cantus_checks::workspace::{read_files, root};
use regex::Regex;

/// The files with unsafe code, each for one reason.
const FILES: [&str; 8] = [
    // Vector instructions and the pointers that their loads and stores take.
    "crates/cantus-nn/src/matmul/mod.rs",
    "crates/cantus-nn/src/matmul/tiles.rs",
    "crates/cantus-nn/src/matmul/transpose.rs",
    "crates/cantus-nn/src/matmul/vector.rs",
    "crates/cantus-nn/examples/roofline/kernels.rs",
    // Calls of functions that are compiled for an instruction set.
    "crates/cantus-simd-macros/src/function.rs",
    // An allocator that counts, and the gemm crate.
    "fuzz/src/memory.rs",
    "bench/products/src/main.rs",
];

/// A block, an implementation or a function.
const UNSAFE: &str = r"\bunsafe\s*(\{|impl\b|fn\b|extern\b)";

#[test]
fn unsafe_code_is_in_the_files_of_the_list_and_has_its_proofs() {
    let places = ["crates", "lessons", "checks/src", "fuzz", "bench"];
    let sources = read_files(&root(), &places, |path| path.ends_with(".rs")).unwrap();
    let pattern = Regex::new(UNSAFE).unwrap();
    let with_unsafe: Vec<&str> = sources
        .iter()
        .filter(|(_, text)| text.lines().any(|line| is_unsafe(line, &pattern)))
        .map(|(path, _)| path.as_str())
        .collect();
    if let Err(differences) = list_file::compare(FILES, with_unsafe.iter().copied()) {
        panic!(
            "{differences}\nUnsafe code only where a measurement justifies it: CONTRIBUTING.md. The list is in this test."
        );
    }
    let unproven: Vec<String> = with_unsafe
        .iter()
        .flat_map(|path| {
            unproven(&sources[*path], &pattern).into_iter().map(move |line| format!("{path}:{line}"))
        })
        .collect();
    assert!(unproven.is_empty(), "no `SAFETY:` above\n{}", unproven.join("\n"));
}

fn is_unsafe(line: &str, pattern: &Regex) -> bool {
    !line.trim_start().starts_with("//") && pattern.is_match(line)
}

/// Numbers of the lines with an unsafe block or implementation and no proof above. A function has conditions instead.
fn unproven(text: &str, pattern: &Regex) -> Vec<usize> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let needs_proof = |line: &str| {
        let found: Vec<_> = pattern.find_iter(line).collect();
        found.iter().any(|it| it.as_str().ends_with('{') || it.as_str().ends_with("impl"))
    };
    let has_proof = |index: usize| {
        let above = lines[..index].iter().rev();
        let mut comment = above.clone().take_while(|line| line.starts_with("//"));
        comment.any(|line| line.contains("SAFETY:")) || above.take(1).any(|line| line.contains("SAFETY:"))
    };
    let unsafe_lines = (0..lines.len()).filter(|&i| is_unsafe(lines[i], pattern) && needs_proof(lines[i]));
    unsafe_lines.filter(|&i| !has_proof(i)).map(|i| i + 1).collect()
}

#[test]
fn blocks_and_implementations_without_a_proof_are_found() {
    let pattern = Regex::new(UNSAFE).unwrap();
    let text = "// SAFETY: one.\n// Two.\nlet a = unsafe { b() };\nlet c = unsafe { d() };\n// Three.\nunsafe impl Send for E {}\n\
                unsafe fn f() {}\n// unsafe { g() }\n// SAFETY: four.\n\nunsafe { h() }";
    assert_eq!(unproven(text, &pattern), [4, 6, 11]);
}
