//! Codings of a request's body: none is supported, so that the size of a body is that of what was sent.
//!
//! RFC 9110 (2022), sections 8.4 and 15.5.16; RFC 9112, section 6.1.

use axum::http::{HeaderMap, HeaderName, header};

use crate::problem_details::{Problem, ProblemType};

/// Refuses a body that is compressed or otherwise coded, beyond chunks.
///
/// # Errors
/// [`ProblemType::ContentCoding`] or [`ProblemType::TransferCoding`].
pub(crate) fn check(headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(coding) = other_than(headers, header::CONTENT_ENCODING, "identity") {
        let detail = format!("the body has the content coding {coding}; send the recording as it is");
        return Err(Problem::new(ProblemType::ContentCoding, detail));
    }
    if let Some(coding) = other_than(headers, header::TRANSFER_ENCODING, "chunked") {
        let detail = format!("the body has the transfer coding {coding}; only chunked is supported");
        return Err(Problem::new(ProblemType::TransferCoding, detail));
    }
    Ok(())
}

/// The first member of a header's list that is not the supported one.
fn other_than(headers: &HeaderMap, name: HeaderName, supported: &str) -> Option<String> {
    let lists =
        headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let members: Vec<String> =
        lists.flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>()).collect();
    let mut members = members.iter().map(|member| member.trim());
    members.find(|member| !member.is_empty() && !member.eq_ignore_ascii_case(supported)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bodies_without_a_coding_are_read() {
        let problem = |name: &'static str, value: &str| {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.parse().unwrap())]);
            check(&headers).err().map(|problem| (problem.problem_type, problem.detail))
        };
        for (name, value) in [
            ("content-encoding", "identity"),
            ("content-encoding", ""),
            ("transfer-encoding", "Chunked"),
            ("content-type", "gzip"),
        ] {
            assert_eq!(problem(name, value), None, "{name}: {value}");
        }
        for value in ["gzip", "identity, gzip", "br"] {
            let (problem_type, detail) = problem("content-encoding", value).unwrap();
            assert_eq!(problem_type, ProblemType::ContentCoding);
            assert!(detail.contains(value.rsplit(' ').next().unwrap()), "{detail}");
        }
        let (problem_type, _) = problem("transfer-encoding", "gzip, chunked").unwrap();
        assert_eq!(problem_type, ProblemType::TransferCoding);
    }
}
