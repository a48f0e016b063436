//! SPDX licence expressions, as packages state them.

/// Whether the licences for which `allowed` is true are enough for an expression: of `A OR B` one, of `A AND B` both.
///
/// `A/B`, which older packages have, is `A OR B`; `A WITH exception` is one licence. An expression that cannot be read is not satisfied.
pub fn is_satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = Words { words: spaced.split_whitespace().collect(), next: 0 };
    let satisfied = words.any(allowed);
    satisfied == Some(true) && words.peek().is_none()
}

/// The licences that an expression names, each with its exception.
pub fn names(expression: &str) -> Vec<String> {
    let names = std::cell::RefCell::new(Vec::new());
    is_satisfied(expression, &|name| {
        names.borrow_mut().push(name.to_owned());
        true
    });
    names.into_inner()
}

struct Words<'a> {
    words: Vec<&'a str>,
    next: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.next).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        self.next += usize::from(found);
        found
    }

    /// `all OR all …`; `None` if it is none. Every part is read, whatever the others are.
    fn any(&mut self, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
        let mut satisfied = self.all(allowed)?;
        while self.take("OR") {
            satisfied |= self.all(allowed)?;
        }
        Some(satisfied)
    }

    /// `one AND one …`.
    fn all(&mut self, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
        let mut satisfied = self.one(allowed)?;
        while self.take("AND") {
            satisfied &= self.one(allowed)?;
        }
        Some(satisfied)
    }

    /// An expression in parentheses, or a licence with its exception.
    fn one(&mut self, allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
        if self.take("(") {
            let satisfied = self.any(allowed)?;
            return self.take(")").then_some(satisfied);
        }
        let name = self.peek().filter(|word| !["OR", "AND", "WITH", ")"].contains(word))?;
        self.next += 1;
        if !self.take("WITH") {
            return Some(allowed(name));
        }
        let exception = self.peek()?;
        self.next += 1;
        Some(allowed(&format!("{name} WITH {exception}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(allowed: &[&str], expression: &str) -> bool {
        is_satisfied(expression, &|name| allowed.contains(&name))
    }

    #[test]
    fn one_alternative_is_enough_and_all_parts_of_a_conjunction_are_needed() {
        assert!(with(&["MIT"], "MIT OR GPL-3.0-only") && with(&["MIT"], "GPL-3.0-only/MIT"));
        assert!(!with(&["MIT"], "MIT AND GPL-3.0-only"));
        assert!(with(&["MIT", "ISC"], "(GPL-3.0-only OR MIT) AND ISC"));
        assert!(!with(&["MIT"], "(GPL-3.0-only OR MIT) AND ISC"));
        // AND binds more strongly than OR.
        assert!(
            with(&["MIT"], "MIT OR GPL-3.0-only AND ISC") && !with(&["ISC"], "MIT OR GPL-3.0-only AND ISC")
        );
    }

    #[test]
    fn a_licence_with_an_exception_is_another_one() {
        assert!(!with(&["Apache-2.0"], "Apache-2.0 WITH LLVM-exception"));
        assert!(with(&["Apache-2.0 WITH LLVM-exception"], "Apache-2.0 WITH LLVM-exception"));
    }

    #[test]
    fn what_is_no_expression_is_not_satisfied() {
        for expression in ["", "MIT MIT", "MIT OR", "(MIT", "MIT)", "AND MIT", "MIT WITH", "()"] {
            assert!(!with(&["MIT"], expression), "{expression}");
        }
    }

    #[test]
    fn all_names_are_found() {
        assert_eq!(names("(MIT/Zlib) AND ISC WITH x"), ["MIT", "Zlib", "ISC WITH x"]);
    }
}
