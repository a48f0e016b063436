//! Compares a picture of the book (SVG) with the regenerated picture.
//!
//! Of a picture that shows trained numbers, the words are compared: title, names of axes, legend. Any other has the same marks at
//! the same places, within [`PLACE`], and the same colours of its cells, within [`SHADE`].

use base64::Engine;

/// Picture units, of which a picture is some hundred wide.
const PLACE: f64 = 0.75;
/// Mean difference between the colour indices (0 to 255) of a heat map.
const SHADE: f64 = 1.0;

/// Why a picture whose numbers were trained differs in its words; `None` if it does not.
pub fn difference_of_words(book: &str, fresh: &str) -> Option<String> {
    let (book, fresh) = (words(book), words(fresh));
    let missing: Vec<_> = book.iter().filter(|word| !fresh.contains(word)).collect();
    let added: Vec<_> = fresh.iter().filter(|word| !book.contains(word)).collect();
    (!missing.is_empty() || !added.is_empty())
        .then(|| format!("no longer in it: {missing:?}; new in it: {added:?}"))
}

/// All texts without their numbers, in the order in which they first appear.
fn words(svg: &str) -> Vec<String> {
    let texts = svg.lines().filter(|line| line.starts_with("<text ") || line.starts_with("<title>"));
    let contents = texts.filter_map(|line| line.split_once('>')?.1.rsplit_once("</").map(|(text, _)| text));
    let mut words = Vec::new();
    for text in contents {
        let is_part_of_number = |c: char| c.is_ascii_digit() || ".,−-+".contains(c);
        let bare: Vec<&str> =
            text.split_whitespace().filter(|word| !word.starts_with(is_part_of_number)).collect();
        let bare = bare.join(" ");
        if !bare.is_empty() && !words.contains(&bare) {
            words.push(bare);
        }
    }
    words
}

/// Why a picture whose numbers were computed exactly differs; `None` if it does not.
pub fn difference(book: &str, fresh: &str) -> Option<String> {
    if book == fresh {
        return None;
    }
    let (n_book, n_fresh) = (book.lines().count(), fresh.lines().count());
    if n_book != n_fresh {
        return Some(format!("{n_book} marks are now {n_fresh}"));
    }
    book.lines().zip(fresh.lines()).find_map(|(a, b)| {
        let problem = match (image(a), image(b)) {
            (Some(a), Some(b)) => of_images(a, b),
            _ => of_marks(a, b),
        };
        problem.map(|problem| format!("{problem}\n    book:  {:.200}\n    fresh: {:.200}", a, b))
    })
}

/// The base64 of an image.
fn image(line: &str) -> Option<&str> {
    line.split_once("base64,")?.1.split('"').next()
}

fn of_images(book: &str, fresh: &str) -> Option<String> {
    let (Some(book), Some(fresh)) = (pixels(book), pixels(fresh)) else {
        return Some("an image that cannot be read".to_owned());
    };
    if book.len() != fresh.len() {
        return Some("images of different sizes".to_owned());
    }
    let sum: f64 = book.iter().zip(&fresh).map(|(a, b)| f64::from(a.abs_diff(*b))).sum();
    let mean = sum / book.len().max(1) as f64;
    (mean > SHADE).then(|| format!("the colours of the image differ by {mean:.1} of 255 on average"))
}

/// The colour indices of a PNG.
fn pixels(base64: &str) -> Option<Vec<u8>> {
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64).ok()?;
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().ok()?;
    let mut pixels = vec![0; reader.output_buffer_size()?];
    reader.next_frame(&mut pixels).ok()?;
    Some(pixels)
}

/// Marks are equal but for numbers that differ by less than [`PLACE`].
fn of_marks(book: &str, fresh: &str) -> Option<String> {
    let ((book, book_numbers), (fresh, fresh_numbers)) = (split(book), split(fresh));
    if book != fresh || book_numbers.len() != fresh_numbers.len() {
        return Some("not the same mark".to_owned());
    }
    let far = book_numbers.iter().zip(&fresh_numbers).find(|(a, b)| (*a - *b).abs() > PLACE);
    far.map(|(a, b)| format!("{a} is now {b}"))
}

/// The text between numbers, and the numbers.
fn split(mark: &str) -> (String, Vec<f64>) {
    let (mut text, mut numbers) = (String::new(), Vec::new());
    for word in mark.split_inclusive([' ', ',', '"', '>', '<', '(', ')']) {
        let (body, end) =
            word.split_at(word.len() - usize::from(word.ends_with([' ', ',', '"', '>', '<', '(', ')'])));
        match body.parse::<f64>() {
            Ok(number) => numbers.push(number),
            Err(_) => text.push_str(body),
        }
        text.push_str(end);
    }
    (text, numbers)
}

#[cfg(test)]
const PICTURE: &str = "<title>Gap</title>\n<text x=\"24\" y=\"33\">Gap</text>\n<text x=\"76\" y=\"344.24\">0.5</text>\n\
                       <text x=\"9\" y=\"9\">accuracy 73.3 %</text>\n<polyline points=\"84,339.95 936,340\" stroke=\"#1c1f24\"/>\n";

#[test]
fn a_moved_mark_a_changed_word_and_a_changed_colour_are_found() {
    assert_eq!(difference(PICTURE, PICTURE), None);
    assert_eq!(difference(PICTURE, &PICTURE.replace("339.95", "339.9")), None);
    for (from, to) in [("339.95", "345"), (">Gap</t", ">Gaps</t"), ("#1c1f24", "#1c1f25"), (" 936,340", "")] {
        assert!(PICTURE.contains(from));
        assert!(difference(PICTURE, &PICTURE.replace(from, to)).is_some(), "{from} → {to}");
    }
    assert!(difference(PICTURE, &format!("{PICTURE}<rect/>\n")).is_some());
}

#[test]
fn of_a_trained_picture_words_count_and_numbers_do_not() {
    let trained = PICTURE.replace("339.95", "120").replace("73.3", "69.1").replace(">0.5<", ">0.25<");
    assert_eq!(difference_of_words(PICTURE, &trained), None);
    let problem = difference_of_words(PICTURE, &PICTURE.replace("accuracy", "precision")).unwrap();
    assert!(problem.contains("accuracy") && problem.contains("precision"), "{problem}");
}

#[test]
fn another_image_is_found() {
    let encoded = |shade: u8| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 4, 4);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.write_header().unwrap().write_image_data(&[shade; 16]).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD.encode(bytes);
        format!("<image href=\"data:image/png;base64,{bytes}\"/>")
    };
    assert_eq!(difference(&encoded(100), &encoded(101)), None);
    assert!(difference(&encoded(100), &encoded(140)).unwrap().contains("40.0 of 255"));
}
