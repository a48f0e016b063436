//! `GET /openapi.json`: what the API is, in OpenAPI 3.1.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// The document, written by hand; tests hold it against the routes and against what they answer.
pub(super) const DOCUMENT: &str = include_str!("openapi.json");

/// The document.
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::site::routes;
    use super::super::testing::{Answered, block_on, get, post, site, tone};
    use super::*;
    use crate::Limits;

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn it_describes_the_routes_and_no_others() {
        let document = document();
        let described: BTreeSet<&str> =
            document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let served: BTreeSet<&str> = routes().into_iter().map(|(path, _)| path).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn what_is_answered_is_what_it_says() {
        let router = site(Limits::default()).router();
        block_on(async {
            for (path, item) in document()["paths"].as_object().unwrap() {
                let at = path.replace("{name}", if path.contains("problems") { "busy" } else { "tiny" });
                for method in item.as_object().unwrap().keys() {
                    let answered = match method.as_str() {
                        "get" => get(&router, &at).await,
                        "post" => post(&router, &format!("{at}?overview=true"), tone(4.0)).await,
                        other => panic!("{other} is not tried"),
                    };
                    assert_ne!(answered.status, 405, "{method} {path}");
                    check(&answered, method, path);
                    let absent = get(&router, &path.replace("{name}", "nobody")).await;
                    if path.contains("{name}") {
                        assert_eq!(absent.status, 404, "{path}");
                        check(&absent, method, path);
                    }
                }
            }
            check(&post(&router, "/v1/predict", "no sound").await, "post", "/v1/predict");
        });
    }

    /// Asserts that status, type and content are among those that are described.
    #[track_caller]
    fn check(answered: &Answered, method: &str, path: &str) {
        let document = document();
        let response = &document["paths"][path][method]["responses"][answered.status.as_str()];
        assert!(response.is_object(), "{method} {path}: {} is not described", answered.status);
        let kind = answered.kind().split(';').next().unwrap();
        let content = &response["content"][kind];
        assert!(content.is_object(), "{method} {path}: {kind} is not described for {}", answered.status);
        if kind.ends_with("json") {
            conform(&answered.json(), &content["schema"], &document, path);
        }
    }

    /// Asserts that a value has the form of a schema, in as much of JSON Schema as the document makes use of.
    #[track_caller]
    fn conform(value: &Value, schema: &Value, document: &Value, at: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = document.pointer(reference.trim_start_matches('#'));
            return conform(
                value,
                target.unwrap_or_else(|| panic!("{reference} leads nowhere")),
                document,
                at,
            );
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
            kind => vec![kind.as_str().unwrap_or_else(|| panic!("{at}: no type in {schema}"))],
        };
        let is = |kind: &&str| match *kind {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "number" => value.is_number(),
            "integer" => value.is_u64() || value.is_i64(),
            "null" => value.is_null(),
            other => panic!("{at}: {other} is not checked"),
        };
        assert!(kinds.iter().any(is), "{at}: {value} is no {kinds:?}");
        for key in schema["required"].as_array().into_iter().flatten() {
            assert!(value.get(key.as_str().unwrap()).is_some(), "{at}: {key} is missing in {value}");
        }
        for (key, inner) in value.as_object().into_iter().flatten() {
            let of_key = match &schema["properties"][key] {
                Value::Null => &schema["additionalProperties"],
                known => known,
            };
            assert!(of_key.is_object() || schema["properties"].is_null(), "{at}: {key} is not described");
            if of_key.is_object() {
                conform(inner, of_key, document, &format!("{at}/{key}"));
            }
        }
        if schema["items"].is_object() {
            value.as_array().unwrap().iter().for_each(|item| conform(item, &schema["items"], document, at));
        }
        if let (Some(number), Some(least)) = (value.as_f64(), schema["minimum"].as_f64()) {
            assert!(
                number >= least && number <= schema["maximum"].as_f64().unwrap_or(f64::MAX),
                "{at}: {number}"
            );
        }
    }
}
