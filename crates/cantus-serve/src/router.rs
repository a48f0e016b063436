//! Routes of the HTTP API.

use std::sync::Arc;

use axum::extract::{Query, Request};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};

use crate::access::check_access;
use crate::conditional::evaluate_preconditions;
use crate::problem_details::{self, Problem, ProblemType, method_not_allowed, not_found};
use crate::rate_limit::limit_rate;
use crate::security_headers::add_security_headers;
use crate::state::AppState;
use crate::unread_body::discard_unread;
use crate::{metrics_endpoint, models, openapi, page, predict};

/// The API and the web page, with access control, rate limit, metrics and security headers.
pub(crate) fn router(state: &AppState) -> Router {
    let mut router = Router::new();
    for (path, methods) in routes().into_iter().chain(page::routes()) {
        router = router.route(path, methods);
    }
    let routes = router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(&state.access), check_access))
        .layer(middleware::from_fn_with_state(Arc::clone(&state.rate), limit_rate))
        .layer(middleware::from_fn_with_state(state.clone(), metrics_endpoint::record_request))
        .layer(middleware::from_fn(add_security_headers));
    complete(routes.with_state(state.clone()))
}

/// The same routes with a complete header `Allow`, and with request bodies that are read to their end.
pub(crate) fn complete(routes: Router) -> Router {
    // A route sets `Allow` outside of its layers.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn(complete_allow))
        .layer(middleware::from_fn(discard_unread))
}

/// Routes that `openapi.json` describes.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<AppState>)> {
    let without_parameters = routes_without_parameters().into_iter();
    let strict = |(path, methods): (_, MethodRouter<AppState>)| {
        (path, methods.route_layer(middleware::from_fn(refuse_parameters)))
    };
    let conditional = |(path, methods): (_, MethodRouter<AppState>)| {
        (path, methods.route_layer(middleware::from_fn(evaluate_preconditions)))
    };
    without_parameters.map(strict).chain(routes_with_parameters()).map(conditional).collect()
}

/// Routes that check their query parameters.
fn routes_with_parameters() -> [(&'static str, MethodRouter<AppState>); 4] {
    [
        ("/v1/models/{name}/network.svg", get(models::network)),
        ("/v1/models/{name}/confusion.svg", get(models::confusion_matrix)),
        ("/v1/models/{name}/history.svg", get(models::history)),
        ("/v1/predict", post(predict::predict)),
    ]
}

/// Routes without query parameters.
fn routes_without_parameters() -> [(&'static str, MethodRouter<AppState>); 8] {
    [
        ("/healthz", get(healthz)),
        ("/metrics", get(metrics_endpoint::metrics)),
        ("/openapi.json", get(openapi::document)),
        ("/v1/models", get(models::list)),
        ("/v1/models/{name}", get(models::describe)),
        ("/v1/models/{name}/report", get(models::report)),
        ("/v1/models/{name}/report.html", get(models::report_page)),
        ("/v1/problems/{name}", get(problem_details::explain)),
    ]
}

/// Middleware: adds OPTIONS, which every address answers, to the header `Allow`.
async fn complete_allow(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(methods) = response.headers().get(header::ALLOW).and_then(|value| value.to_str().ok())
        && let Ok(methods) = HeaderValue::from_str(&format!("{methods},OPTIONS"))
    {
        response.headers_mut().insert(header::ALLOW, methods);
    }
    response
}

/// Middleware: refuses a request with query parameters, which would be ignored.
async fn refuse_parameters(request: Request, next: Next) -> Result<Response, Problem> {
    let refused = |detail| Err(Problem::new(ProblemType::BadRequest, detail));
    match Query::<Vec<(String, String)>>::try_from_uri(request.uri()) {
        Err(rejection) => refused(rejection.body_text()),
        Ok(Query(parameters)) => match parameters.first() {
            None => Ok(next.run(request).await),
            Some((name, _)) => {
                refused(format!("unknown parameter `{name}`: {} has none", request.uri().path()))
            }
        },
    }
}

/// `GET /healthz`: 200 as soon as the server accepts connections, since models are loaded before.
async fn healthz() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::body::Body;

    use super::*;
    use crate::Limits;
    use crate::testing::{block_on, get, post, request, send, server};

    #[test]
    fn openapi_describes_exactly_the_routes() {
        let document: serde_json::Value = serde_json::from_str(openapi::DOCUMENT).unwrap();
        let described: BTreeSet<&str> =
            document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        let served: BTreeSet<&str> = routes().into_iter().map(|(path, _)| path).collect();
        assert_eq!(described, served);
    }

    #[test]
    fn unknown_paths_and_methods_are_problem_documents() {
        let router = server(Limits::default()).router();
        block_on(async {
            get(&router, "/v2/predict").await.is_problem(404, "not-found");
            let response = post(&router, "/v1/models", "").await;
            response.is_problem(405, "method-not-allowed");
            assert_eq!(response.headers[header::ALLOW], "GET,HEAD,OPTIONS");
            get(&router, "/v1/models/absent").await.is_problem(404, "unknown-model");
            get(&router, "/v1/models/tiny/report").await.is_problem(404, "nothing-known");
            get(&router, "/v1/models/tiny/history.svg").await.is_problem(404, "nothing-known");
            get(&router, "/v1/models/tiny/network.svg?theme=sepia").await.is_problem(400, "bad-request");
        });
    }

    #[test]
    fn head_has_the_headers_of_get_and_options_the_methods_of_the_address() {
        let router = server(Limits::default()).router();
        let call = |method: &str, path: &str| {
            block_on(send(&router, request(method, path).body(Body::empty()).unwrap()))
        };
        for path in ["/", "/healthz", "/v1/models", "/openapi.json", "/v1/models/tiny/network.svg"] {
            let (get, head, options) = (call("GET", path), call("HEAD", path), call("OPTIONS", path));
            assert_eq!((head.status.as_u16(), head.body.len()), (200, 0), "{path}");
            assert_eq!(head.headers[header::CONTENT_LENGTH], get.body.len().to_string(), "{path}");
            assert_eq!(head.headers[header::CONTENT_TYPE], get.headers[header::CONTENT_TYPE], "{path}");
            assert_eq!((options.status.as_u16(), options.body.len()), (204, 0), "{path}");
            assert_eq!(options.headers[header::ALLOW], "GET,HEAD,OPTIONS", "{path}");
        }
        assert_eq!(call("OPTIONS", "/v1/predict").headers[header::ALLOW], "POST,OPTIONS");
        assert_eq!(call("OPTIONS", "*").status, 204);
        assert_eq!(call("HEAD", "/v1/predict").status, 405);
        call("OPTIONS", "/nowhere").is_problem(404, "not-found");
    }

    #[test]
    fn unknown_query_parameters_are_400_with_their_name_on_every_route() {
        let router = server(Limits::default()).router();
        block_on(async {
            for (path, _) in routes() {
                let path = path.replace("{name}", if path.contains("problems") { "busy" } else { "tiny" });
                let response = match path.as_str() {
                    "/v1/predict" => post(&router, &format!("{path}?the%C3%A9me=dark"), "").await,
                    _ => get(&router, &format!("{path}?the%C3%A9me=dark")).await,
                };
                let detail = response.is_problem(400, "bad-request")["detail"].to_string();
                assert!(detail.contains("`theéme`"), "{path}: {detail}");
            }
            assert_eq!(get(&router, "/v1/models?").await.status, 200);
        });
    }

    #[test]
    fn every_problem_type_has_an_explanation() {
        let router = server(Limits::default()).router();
        block_on(async {
            for problem_type in ProblemType::ALL {
                let response = get(&router, &format!("/v1/problems/{}", problem_type.name())).await;
                assert_eq!(response.status, 200);
                assert!(response.text().len() > 50, "{}", response.text());
            }
            get(&router, "/v1/problems/no-such").await.is_problem(404, "not-found");
        });
    }
}
