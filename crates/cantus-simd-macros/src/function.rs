//! A function's tokens, taken apart and written again once for each instruction set.

use proc_macro::{Delimiter, Group, TokenStream, TokenTree};

/// The features of the processors that the larger sets are for, as in the levels 3 and 4 of x86-64.
const AVX2: &str = "avx,avx2,bmi1,bmi2,f16c,fma,lzcnt,movbe,popcnt";
const AVX512: &str =
    "avx,avx2,avx512bw,avx512cd,avx512dq,avx512f,avx512vl,bmi1,bmi2,f16c,fma,lzcnt,movbe,popcnt";

/// The parts of a function.
pub struct Function {
    /// Attributes (documentation, lints), visibility and qualifiers, up to `fn`.
    head: TokenStream,
    name: String,
    /// Generic parameters with their brackets, or nothing.
    generics: String,
    parameters: Group,
    /// The types of the parameters.
    types: Vec<String>,
    /// `-> Type` and `where` clauses, or nothing.
    output: TokenStream,
    body: Group,
}

impl Function {
    /// Takes a function's tokens apart.
    ///
    /// # Errors
    /// A sentence if they are not a free function.
    pub fn parse(item: TokenStream) -> Result<Self, &'static str> {
        const NO_FUNCTION: &str = "`multiversion` belongs to a function";
        let mut tokens = item.into_iter().peekable();
        let mut head = TokenStream::new();
        loop {
            match tokens.next().ok_or(NO_FUNCTION)? {
                TokenTree::Ident(word) if word.to_string() == "fn" => break,
                token => head.extend([token]),
            }
        }
        let name = tokens.next().ok_or(NO_FUNCTION)?.to_string();
        let mut generics = TokenStream::new();
        let parameters = loop {
            match tokens.next().ok_or(NO_FUNCTION)? {
                TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => break group,
                token => generics.extend([token]),
            }
        };
        let mut output: Vec<TokenTree> = tokens.collect();
        let Some(TokenTree::Group(body)) = output.pop() else { return Err(NO_FUNCTION) };
        let types = parameter_types(parameters.stream())?;
        let (generics, output) = (generics.to_string(), output.into_iter().collect());
        Ok(Self { head, name, generics, parameters, types, output, body })
    }

    /// A function of the same signature that calls its version for the current instruction set.
    pub fn multiversioned(&self) -> String {
        let Self { head, name, generics, parameters, types, output, body } = self;
        let arguments: Vec<String> = (0..types.len()).map(|i| format!("argument_{i}")).collect();
        let typed: Vec<String> =
            arguments.iter().zip(types).map(|(name, ty)| format!("{name}: {ty}")).collect();
        let (arguments, typed) = (arguments.join(", "), typed.join(", "));
        // The body is written once for each set, not called: closures are compiled for the set of the function that contains them.
        let version = |set: &str, attributes: &str| {
            format!("{attributes} fn {set} {generics} {parameters} {output} {body}")
        };
        let for_x86 = |set: &str, features: &str| {
            let attributes =
                format!("#[cfg(target_arch = \"x86_64\")] #[target_feature(enable = \"{features}\")]");
            version(set, &attributes)
        };
        let call = |variant: &str, set: &str| {
            format!(
                "#[cfg(target_arch = \"x86_64\")] ::cantus_simd::InstructionSet::{variant} => {{ \
                 /* SAFETY: the processor has the features of `InstructionSet::current()`. */ \
                 #[allow(unsafe_code)] unsafe {{ {set}({arguments}) }} }}"
            )
        };
        format!(
            "{head} fn {name} {generics} ({typed}) {output} {{ \
               {baseline} {avx2} {avx512} \
               match ::cantus_simd::InstructionSet::current() {{ {call_avx512} {call_avx2} _ => baseline({arguments}) }} \
             }}",
            baseline = version("baseline", ""),
            avx2 = for_x86("avx2", AVX2),
            avx512 = for_x86("avx512", AVX512),
            call_avx2 = call("Avx2", "avx2"),
            call_avx512 = call("Avx512", "avx512"),
        )
    }
}

/// The types of a list of parameters: what is behind the first colon of each.
fn parameter_types(parameters: TokenStream) -> Result<Vec<String>, &'static str> {
    let mut types = Vec::new();
    // Of the current parameter: whether its colon was passed, the type so far, and how many `<` are open.
    let (mut behind_colon, mut ty, mut open) = (false, TokenStream::new(), 0_usize);
    let mut previous = ' ';
    for token in parameters {
        let symbol = if let TokenTree::Punct(symbol) = &token { symbol.as_char() } else { ' ' };
        match symbol {
            ',' if open == 0 => {
                types.push(std::mem::take(&mut ty).to_string());
                behind_colon = false;
            }
            ':' if !behind_colon => behind_colon = true,
            _ if behind_colon => {
                match symbol {
                    '<' => open += 1,
                    '>' if previous != '-' => open = open.saturating_sub(1),
                    _ => {}
                }
                ty.extend([token]);
            }
            _ if token.to_string() == "self" => return Err("`multiversion` does not support methods"),
            _ => {}
        }
        previous = symbol;
    }
    if !ty.is_empty() {
        types.push(ty.to_string());
    }
    Ok(types)
}
