//! The attribute `#[multiversion]` of `cantus-simd`, which documents it.

mod function;

use proc_macro::TokenStream;

use function::Function;

/// Compiles a function for several instruction sets and calls the one for `cantus_simd::InstructionSet::current()`.
///
/// The function is free (no method), and its crate depends on `cantus-simd`.
///
/// # Errors
/// A compile error if it is not applied to a function, or takes `self`.
#[proc_macro_attribute]
pub fn multiversion(options: TokenStream, item: TokenStream) -> TokenStream {
    if !options.is_empty() {
        return compile_error("`multiversion` has no options");
    }
    match Function::parse(item) {
        Ok(function) => {
            function.multiversioned().parse().unwrap_or_else(|_| compile_error("unsupported syntax"))
        }
        Err(reason) => compile_error(reason),
    }
}

fn compile_error(reason: &str) -> TokenStream {
    format!("compile_error!({reason:?});").parse().unwrap_or_default()
}
