//! `GET /openapi.json`: the OpenAPI 3.1 description of the API.

use axum::http::header;
use axum::response::{IntoResponse, Response};

/// Written by hand; tests compare it with the routes and with their responses.
pub(crate) const DOCUMENT: &str = include_str!("openapi.json");

/// `GET /openapi.json`.
pub(crate) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::Limits;
    use crate::testing::{TestResponse, block_on, get, post, server, tone};

    fn document() -> Value {
        serde_json::from_str(DOCUMENT).unwrap()
    }

    #[test]
    fn responses_conform_to_their_schemas() {
        let router = server(Limits::default()).router();
        block_on(async {
            for (path, item) in document()["paths"].as_object().unwrap() {
                let at = path.replace("{name}", if path.contains("problems") { "busy" } else { "tiny" });
                for method in item.as_object().unwrap().keys() {
                    let response = match method.as_str() {
                        "get" => get(&router, &at).await,
                        "post" => post(&router, &format!("{at}?overview=true"), tone(4.0)).await,
                        other => panic!("no test for the method {other}"),
                    };
                    assert_ne!(response.status, 405, "{method} {path}");
                    check(&response, method, path);
                    let absent = get(&router, &path.replace("{name}", "absent")).await;
                    if path.contains("{name}") {
                        assert_eq!(absent.status, 404, "{path}");
                        check(&absent, method, path);
                    }
                }
            }
            check(&post(&router, "/v1/predict", "no sound").await, "post", "/v1/predict");
        });
    }

    /// Asserts that the document describes the status, content type and schema of a response.
    #[track_caller]
    fn check(response: &TestResponse, method: &str, path: &str) {
        let document = document();
        let described = &document["paths"][path][method]["responses"][response.status.as_str()];
        assert!(described.is_object(), "{method} {path}: {} is not described", response.status);
        let content_type = response.content_type().split(';').next().unwrap();
        let content = &described["content"][content_type];
        assert!(
            content.is_object(),
            "{method} {path}: {content_type} is not described for {}",
            response.status
        );
        if content_type.ends_with("json") {
            assert_conforms(&response.json(), &content["schema"], &document, path);
        }
    }

    /// Validates a value against the subset of JSON Schema that the document uses.
    #[track_caller]
    fn assert_conforms(value: &Value, schema: &Value, document: &Value, at: &str) {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = document.pointer(reference.trim_start_matches('#'));
            return assert_conforms(
                value,
                target.unwrap_or_else(|| panic!("{reference} does not exist")),
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
                assert_conforms(inner, of_key, document, &format!("{at}/{key}"));
            }
        }
        if schema["items"].is_object() {
            value
                .as_array()
                .unwrap()
                .iter()
                .for_each(|item| assert_conforms(item, &schema["items"], document, at));
        }
        if let (Some(number), Some(least)) = (value.as_f64(), schema["minimum"].as_f64()) {
            assert!(
                number >= least && number <= schema["maximum"].as_f64().unwrap_or(f64::MAX),
                "{at}: {number}"
            );
        }
    }
}
