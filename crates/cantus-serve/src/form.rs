//! The recording in a multipart form that was received as a whole: the part `file`, and its file name.
//!
//! RFC 7578 (2015), "Returning Values from Forms: multipart/form-data"; RFC 2046, section 5.1. One pass over the bytes, and a limit on
//! the header of a part, so that the time is linear in the length of the body.

/// Name of the part that holds the recording.
const PART: &str = "file";
/// Largest header of a part, in bytes; the file name is in it.
const MAX_HEADER: usize = 8192;
/// Largest boundary, by RFC 2046.
const MAX_BOUNDARY: usize = 70;

/// The part `file` of a form: where it is in the body, and its file name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FilePart {
    pub(crate) file_name: Option<String>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The boundary of a `Content-Type`; `None` if it is that of no form.
///
/// # Errors
/// If it is that of a form and has no valid boundary.
pub(crate) fn boundary(content_type: &str) -> Result<Option<String>, String> {
    let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    if !media_type.trim().eq_ignore_ascii_case("multipart/form-data") {
        return Ok(None);
    }
    let boundary = parameter(parameters, "boundary").unwrap_or_default();
    let is_valid = !boundary.is_empty() && boundary.len() <= MAX_BOUNDARY;
    if is_valid && boundary.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        Ok(Some(boundary))
    } else {
        Err(format!(
            "the form has no boundary of 1 to {MAX_BOUNDARY} printable characters in its Content-Type"
        ))
    }
}

/// Finds the only part `file`; other parts are ignored.
///
/// # Errors
/// What is wrong with the form.
pub(crate) fn find_file(body: &[u8], boundary: &str) -> Result<FilePart, String> {
    let delimiter = format!("\r\n--{boundary}");
    let mut found = None;
    // The first delimiter may be at the start, without the line break.
    let mut position = match body.starts_with(&delimiter.as_bytes()[2..]) {
        true => delimiter.len() - 2,
        false => find(body, 0, delimiter.as_bytes()).ok_or("the form has no part")? + delimiter.len(),
    };
    while !body[position..].starts_with(b"--") {
        let header_start = line_end(body, position)?;
        let header = &body[header_start..body.len().min(header_start + MAX_HEADER)];
        // A part without a header begins with the empty line.
        let (header, header_end) = match header.starts_with(b"\r\n") {
            true => (&header[..0], header_start + 2),
            false => {
                let length = find(header, 0, b"\r\n\r\n").ok_or_else(|| {
                    format!("a part of the form has no header of at most {MAX_HEADER} bytes")
                })?;
                (&header[..length], header_start + length + 4)
            }
        };
        // The line break before the delimiter of an empty part is the end of its header.
        let end = find(body, header_end - 2, delimiter.as_bytes()).ok_or("the form ends early")?;
        let (name, file_name) = disposition(header);
        if name.as_deref() == Some(PART) {
            if found.is_some() {
                return Err("the form has several parts `file`; send a request for each recording".to_owned());
            }
            found = Some(FilePart { file_name, start: header_end, end: end.max(header_end) });
        }
        position = end + delimiter.len();
    }
    found.ok_or_else(|| "the form has no part `file`".to_owned())
}

/// The position after the line break that follows a delimiter, perhaps after spaces.
fn line_end(body: &[u8], mut position: usize) -> Result<usize, String> {
    while matches!(body.get(position), Some(b' ' | b'\t')) {
        position += 1;
    }
    match body[position..].starts_with(b"\r\n") {
        true => Ok(position + 2),
        false => Err("a boundary of the form is not at the end of its line".to_owned()),
    }
}

/// The position of a pattern that begins with a carriage return and has no other.
fn find(bytes: &[u8], from: usize, pattern: &[u8]) -> Option<usize> {
    let mut position = from;
    loop {
        position += bytes.get(position..)?.iter().position(|&byte| byte == pattern[0])?;
        if bytes[position..].starts_with(pattern) {
            return Some(position);
        }
        position += 1;
    }
}

/// Name and file name in the header of a part.
fn disposition(header: &[u8]) -> (Option<String>, Option<String>) {
    let text = String::from_utf8_lossy(header);
    let mut lines = text.split("\r\n").filter_map(|line| line.split_once(':'));
    let value = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"));
    let parameters = value.and_then(|(_, value)| value.split_once(';')).map_or("", |(_, rest)| rest);
    let unescaped = |text: String| {
        // The three characters that browsers encode (HTML Living Standard, section 4.10.21.8).
        text.replace("%0D", "\r").replace("%0A", "\n").replace("%22", "\"")
    };
    (parameter(parameters, "name").map(unescaped), parameter(parameters, "filename").map(unescaped))
}

/// The value of a parameter in `; name=token; name="quoted string"`.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => quoted_string(quoted)?,
            None => {
                let (value, after) = after.split_once(';').unwrap_or((after, ""));
                (value.trim().to_owned(), after)
            }
        };
        if name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

/// A quoted string after its first quotation mark, and what follows it. A backslash escapes a quotation mark and itself; before other
/// characters it is one, as in paths of some browsers.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let (mut value, mut chars) = (String::new(), text.char_indices().peekable());
    while let Some((position, char)) = chars.next() {
        match char {
            '"' => return Some((value, &text[position + 1..])),
            '\\' => match chars.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file name and the content of the part `file` of a form with the boundary `edge`.
    fn file(body: &str) -> Result<(Option<String>, &str), String> {
        find_file(body.as_bytes(), "edge").map(|part| (part.file_name, &body[part.start..part.end]))
    }

    /// A part with these parameters of `Content-Disposition`.
    fn part(parameters: &str, content: &str) -> String {
        format!("--edge\r\nContent-Disposition: form-data; {parameters}\r\n\r\n{content}\r\n")
    }

    #[test]
    fn the_part_is_found_among_others() {
        let body = [
            "a preamble\r\n",
            &part("name=\"text\"", "this --edge is not at the start of a line"),
            "--edge \t\r\ncontent-type: text/plain\r\ncontent-disposition:form-data;NAME=file ; x=1\r\n\r\n\r\n--edg\r\n\r\n",
            "--edge\r\n\r\nno header\r\n",
            "--edge--\r\nan epilogue",
        ]
        .concat();
        assert_eq!(file(&body), Ok((None, "\r\n--edg\r\n")));
    }

    #[test]
    fn file_names_are_unescaped() {
        for (sent, name) in [
            (r#"name="file"; filename="song.wav""#, "song.wav"),
            (r#"filename="a; name=b.wav"; name="file""#, "a; name=b.wav"),
            (r#"name="file"; filename="%22a%22 \"b\" \\c.wav""#, r#""a" "b" \c.wav"#),
            (r#"name="file"; filename="C:\music\é.wav""#, r"C:\music\é.wav"),
            ("name=file; filename=song.wav", "song.wav"),
        ] {
            let body = part(sent, "x") + "--edge--";
            assert_eq!(file(&body), Ok((Some(name.to_owned()), "x")), "{sent}");
        }
    }

    #[test]
    fn an_empty_part_is_empty() {
        assert_eq!(file(&(part("name=file", "") + "--edge--")), Ok((None, "")));
        let without_line = "--edge\r\nContent-Disposition: form-data; name=file\r\n\r\n--edge--";
        assert_eq!(file(without_line), Ok((None, "")));
    }

    #[test]
    fn malformed_forms_are_errors_that_name_what_is_wrong() {
        let long_name = format!("name=file; filename=\"{}\"", "a".repeat(MAX_HEADER));
        for (body, reason) in [
            (String::new(), "no part"),
            ("no form".to_owned(), "no part"),
            ("--edge--".to_owned(), "no part `file`"),
            ("--edge".to_owned(), "end of its line"),
            ("--edgeless\r\n\r\n\r\n--edge--".to_owned(), "end of its line"),
            ("--edge\r\nContent-Disp".to_owned(), "no header"),
            (part("name=file", "x"), "ends early"),
            (part("name=other", "x") + "--edge--", "no part `file`"),
            (part("name=file", "x") + &part("name=file", "y") + "--edge--", "several parts"),
            (part(&long_name, "x") + "--edge--", "at most 8192 bytes"),
        ] {
            let error = file(&body).unwrap_err();
            assert!(error.contains(reason), "{body:?}: {error}");
        }
    }

    #[test]
    fn no_form_of_a_few_delimiters_panics() {
        let pieces =
            ["--edge", "\r\n", "--", "\r", "Content-Disposition: form-data; name=file", "\"", ";=", "x"];
        for n in 0..pieces.len().pow(5) {
            let digits = (0..5).map(|digit| n / pieces.len().pow(digit) % pieces.len());
            let body: String = digits.map(|piece| pieces[piece]).collect();
            if let Ok((_, content)) = file(&body) {
                assert!(!content.contains("\r\n--edge"), "{body:?}");
            }
        }
    }

    #[test]
    fn boundaries_are_those_of_forms() {
        let of = |content_type: &str| boundary(content_type);
        assert_eq!(of("audio/wav"), Ok(None));
        assert_eq!(of("multipart/form-datax; boundary=a"), Ok(None));
        assert_eq!(of("Multipart/Form-Data; charset=utf-8; Boundary=a-b"), Ok(Some("a-b".to_owned())));
        assert_eq!(of("multipart/form-data; boundary=\"a b\""), Ok(Some("a b".to_owned())));
        for wrong in
            ["multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a"]
        {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert!(of(&format!("multipart/form-data; boundary={}", "a".repeat(71))).is_err());
    }
}
