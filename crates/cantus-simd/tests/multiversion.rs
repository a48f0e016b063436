//! Functions of all shapes that `#[multiversion]` accepts.

use cantus_simd::{InstructionSet, multiversion};

#[multiversion]
fn scale(values: &mut [f32], factor: f32) {
    values.iter_mut().for_each(|value| *value *= factor);
}

/// Patterns, a mutable parameter and a result.
#[multiversion]
fn sum_of_pairs([left, right]: [&[f32]; 2], mut sum: f32) -> f32 {
    for (left, right) in left.iter().zip(right) {
        sum = left.mul_add(*right, sum);
    }
    sum
}

/// Generic parameters, a lifetime, a type with commas, and a function type.
#[multiversion]
fn chosen<'a, const N: usize, T: Copy>(
    rows: &'a [(T, [T; N])],
    choose: fn(&'a (T, [T; N])) -> bool,
    otherwise: Option<Result<T, Vec<(T, T)>>>,
) -> Option<&'a [T; N]>
where
    T: PartialEq,
{
    let _ = otherwise;
    rows.iter().find(|row| choose(row)).map(|(_, row)| row)
}

/// No parameters.
#[multiversion]
pub(crate) fn constant() -> u32 {
    42
}

/// An attribute that a lint is about.
#[multiversion]
#[expect(clippy::too_many_arguments, reason = "lint attributes apply to the versions, too")]
fn many(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8) -> u8 {
    a + b + c + d + e + f + g + h
}

#[test]
fn functions_return_what_they_would_without_the_attribute() {
    let mut values: Vec<f32> = (0..1003).map(|i| i as f32).collect();
    scale(&mut values, 2.0);
    assert!(values.iter().enumerate().all(|(i, value)| *value == 2.0 * i as f32));
    assert_eq!(sum_of_pairs([&[1.0, 2.0], &[3.0, 4.0]], 5.0), 16.0);
    let rows = [(1, [1, 2]), (3, [4, 5])];
    assert_eq!(chosen(&rows, |(first, _)| *first == 3, None), Some(&[4, 5]));
    assert_eq!(constant(), 42);
    assert_eq!(many(1, 2, 3, 4, 5, 6, 7, 8), 36);
}

/// Each instruction set in a process of its own: the bits are the same.
#[test]
fn all_instruction_sets_return_the_same_bits() {
    const OUTPUT: &str = "CANTUS_SIMD_TEST_OUTPUT";
    let program = std::env::current_exe().unwrap();
    let mut values: Vec<f32> = (0..1003).map(|i| (i as f32).sin()).collect();
    scale(&mut values, 0.3);
    let sum = sum_of_pairs([&values, &values], 0.1);
    let result = format!("{:08x}", sum.to_bits());
    if let Ok(expected) = std::env::var(OUTPUT) {
        assert_eq!(result, expected, "with {}", InstructionSet::current());
        return;
    }
    for set in InstructionSet::ALL {
        let status = std::process::Command::new(&program)
            .args(["--exact", "all_instruction_sets_return_the_same_bits"])
            .env(OUTPUT, &result)
            .env(cantus_simd::VARIABLE, set.name())
            .status()
            .unwrap();
        assert!(status.success(), "{set}");
    }
}
