//! HTTP: requests of predictions with arbitrary parameters, content types and bodies, and a valid head.
#![no_main]

use cantus_fuzz::http::{TOKEN, exchange};

cantus_fuzz::target!(1024, |input: (&str, &str, bool, &[u8])| {
    let (parameters, content_type, is_form, body) = input;
    let printable = |text: &str| text.chars().filter(|c| ('!'..='~').contains(c)).collect::<String>();
    let content_type =
        if is_form { "multipart/form-data; boundary=edge".to_owned() } else { printable(content_type) };
    let head = format!(
        "POST /v1/predict?{} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        printable(parameters),
        body.len()
    );
    exchange(&[head.as_bytes(), body].concat());
});
