//! Compares a line of the book with the regenerated line: equal words, and numbers within a tolerance.
//!
//! Instruction sets round differently, so the last printed digit of an exact computation can differ between processors, and
//! training amplifies such differences. Lessons mark trained numbers with ≈ (`LessonOutput::trained`). So:
//!
//! - whole numbers that were not trained are equal;
//! - other numbers that were not trained differ by at most [`ROUNDING`], or both are below [`NOISE`];
//! - trained percentages differ by at most [`TRAINED_POINTS`], other trained numbers by at most [`TRAINED_SHARE`];
//! - behind ≈, text in quotes, such as a predicted label, is not compared.

/// Relative: one in the last of four digits.
pub const ROUNDING: f64 = 1.001e-3;
/// Absolute: rounding differences between two ways to compute the same are of this size.
pub const NOISE: f64 = 1e-5;
/// Percentage points. After a relative change of inputs by 2e-7, accuracies of lessons 13, 14, 16 and 19 changed by 6 at most.
pub const TRAINED_POINTS: f64 = 15.0;
/// Relative. After the same change, losses changed by 0.33 at most.
pub const TRAINED_SHARE: f64 = 0.6;

/// A token of a line.
#[derive(Debug, Clone, PartialEq)]
enum Token<'a> {
    Text(&'a str),
    Number { text: &'a str, value: f64 },
}

/// Why the lines differ; `None` if they are equal within the tolerances.
pub fn difference(book: &str, fresh: &str) -> Option<String> {
    let split = |line: &str| -> (String, Option<String>) {
        match line.split_once('≈') {
            Some((exact, trained)) => (exact.to_owned(), Some(without_quotes(trained))),
            None => (line.to_owned(), None),
        }
    };
    let ((book_exact, book_trained), (fresh_exact, fresh_trained)) = (split(book), split(fresh));
    let problem =
        of_parts(&book_exact, &fresh_exact, equal_exactly).or_else(|| match (book_trained, fresh_trained) {
            (Some(a), Some(b)) => {
                let is_percentage = a.trim_end().ends_with('%');
                of_parts(&a, &b, |a, b| equal_trained(a.1, b.1, is_percentage))
            }
            (None, None) => None,
            _ => Some("≈ in one of them only".to_owned()),
        });
    problem.map(|problem| format!("{problem}\n    book:  {book}\n    fresh: {fresh}"))
}

/// A number as it is written, and its value.
type Number<'a> = (&'a str, f64);

fn of_parts(book: &str, fresh: &str, is_equal: impl Fn(Number<'_>, Number<'_>) -> bool) -> Option<String> {
    let (book, fresh) = (tokens(book), tokens(fresh));
    if book.len() != fresh.len() {
        return Some("not the same words".to_owned());
    }
    book.iter().zip(&fresh).find_map(|pair| match pair {
        (Token::Text(a), Token::Text(b)) => (a != b).then(|| format!("“{a}” is now “{b}”")),
        (Token::Number { text: a, value: x }, Token::Number { text: b, value: y }) => {
            (!is_equal((a, *x), (b, *y))).then(|| format!("{a} is now {b}"))
        }
        _ => Some("a number in place of a word".to_owned()),
    })
}

fn equal_exactly((a, x): Number<'_>, (b, y): Number<'_>) -> bool {
    let is_whole = |text: &str| !text.contains(['.', 'e']);
    match is_whole(a) && is_whole(b) {
        true => x == y,
        false => (x - y).abs() <= ROUNDING * x.abs().max(y.abs()) || x.abs().max(y.abs()) < NOISE,
    }
}

fn equal_trained(x: f64, y: f64, is_percentage: bool) -> bool {
    let tolerance = if is_percentage { TRAINED_POINTS } else { TRAINED_SHARE * x.abs().max(y.abs()) };
    (x - y).abs() <= tolerance
}

fn without_quotes(text: &str) -> String {
    text.split('"').step_by(2).collect::<Vec<_>>().join("\"\"")
}

/// Numbers, and the text between them. Digits within a word, such as a colour's, are text.
fn tokens(line: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut text_from, mut at) = (0, 0);
    while at < line.len() {
        let within_word =
            line[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "#_.".contains(c));
        let len = if within_word { 0 } else { number_len(&line[at..]) };
        let number = &line[at..at + len];
        if let Ok(value) = number.replace(',', "").replace('−', "-").parse::<f64>() {
            if text_from < at {
                tokens.push(Token::Text(&line[text_from..at]));
            }
            tokens.push(Token::Number { text: number, value });
            at += len;
            text_from = at;
        } else {
            at += line[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    if text_from < line.len() {
        tokens.push(Token::Text(&line[text_from..]));
    }
    tokens
}

/// Length of the number at the start of `text`: sign, digits with commas between thousands, decimals, exponent.
fn number_len(text: &str) -> usize {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let sign = |from: usize| match &text[from..] {
        rest if rest.starts_with('-') || rest.starts_with('+') => 1,
        rest if rest.starts_with('−') => '−'.len_utf8(),
        _ => 0,
    };
    let mut len = sign(0);
    match digits(len) {
        0 => return 0,
        n => len += n,
    }
    while text[len..].starts_with(',') && digits(len + 1) == 3 {
        len += 4;
    }
    if text[len..].starts_with('.') && digits(len + 1) > 0 {
        len += 1 + digits(len + 1);
    }
    if text[len..].starts_with('e') {
        let exponent = len + 1 + sign(len + 1);
        if digits(exponent) > 0 {
            return exponent + digits(exponent);
        }
    }
    len
}

#[test]
fn a_changed_word_is_found() {
    assert_eq!(difference("weights: 320", "weights: 320"), None);
    let problem = difference("  weights of the layer: 320", "  weights of a layer: 320").unwrap();
    assert!(problem.contains("weights of the layer"), "{problem}");
    assert!(difference("  accuracy: ≈ 70 %", "  accuracy: ≈ 70 points").is_some());
    assert!(difference("  accuracy: ≈ 70 %", "  accuracy: 70 %").is_some());
    assert!(difference("a: 1", "a: one").is_some());
}

#[test]
fn a_changed_whole_number_is_found_and_the_last_digit_of_others_is_rounding() {
    assert!(difference("weights: 1,013,893", "weights: 1,013,894").is_some());
    assert!(difference("frames: 130", "frames: 131").is_some());
    assert_eq!(difference("state: 0.4741", "state: 0.4742"), None);
    assert!(difference("state: 0.4741", "state: 0.4751").is_some());
    assert!(difference("state: 0.4741", "state: -0.4741").is_some());
    assert_eq!(difference("largest difference: 1.22e-7", "largest difference: 0"), None);
    assert!(difference("largest difference: 1.22e-7", "largest difference: 0.001").is_some());
}

#[test]
fn a_trained_number_has_its_tolerance_and_no_more() {
    assert_eq!(difference("accuracy: ≈ 73.33 %", "accuracy: ≈ 70 %"), None);
    assert!(difference("accuracy: ≈ 73.33 %", "accuracy: ≈ 50 %").is_some());
    assert_eq!(difference("gap: ≈ 0.7785", "gap: ≈ 0.85"), None);
    assert!(difference("gap: ≈ 0.7785", "gap: ≈ 0.2").is_some());
    assert!(difference("gap: ≈ 0.7785", "gap: ≈ -0.7785").is_some());
}

#[test]
fn a_predicted_label_may_differ_and_the_expected_one_may_not() {
    let line = "expected: 3 pop, predicted: ≈ \"3 pop\"";
    assert_eq!(difference(line, "expected: 3 pop, predicted: ≈ \"2 jazz\""), None);
    assert!(difference(line, "expected: 2 jazz, predicted: ≈ \"3 pop\"").is_some());
}

#[test]
fn digits_of_a_colour_are_text() {
    assert_eq!(tokens("#1e3f24"), [Token::Text("#1e3f24")]);
    let number = |text, value| Token::Number { text, value };
    assert_eq!(
        tokens("x=\"84.5\" 1e−9, 2,000"),
        [
            Token::Text("x=\""),
            number("84.5", 84.5),
            Token::Text("\" "),
            number("1e−9", 1e-9),
            Token::Text(", "),
            number("2,000", 2000.0),
        ]
    );
}
