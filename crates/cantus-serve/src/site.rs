//! The routes, and all that they share.

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};

use super::desk::Desk;
use super::exhibit::Exhibit;
use super::limits::Limits;
use super::metrics::{self, Metrics};
use super::problem::{self, Kind, Problem};
use super::{models, openapi, page, predict};
use crate::Error;

/// Models on one port: a page and an API.
#[derive(Debug)]
pub struct Site {
    shared: Shared,
}

/// What all routes share.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<Inside>);

#[derive(Debug)]
pub(super) struct Inside {
    pub(super) exhibits: Arc<[Exhibit]>,
    pub(super) desk: Desk,
    pub(super) metrics: Metrics,
    pub(super) limits: Limits,
}

impl Deref for Shared {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl Inside {
    /// Number of the model of this name, or of the first.
    pub(super) fn number_of(&self, name: Option<&str>) -> Result<usize, Problem> {
        let Some(name) = name else { return Ok(0) };
        self.exhibits.iter().position(|exhibit| exhibit.name() == name).ok_or_else(|| {
            let known: Vec<&str> = self.exhibits.iter().map(Exhibit::name).collect();
            Problem::new(
                Kind::UnknownModel,
                format!("no model is called {name}; there are {}", known.join(", ")),
            )
        })
    }

    pub(super) fn exhibit(&self, name: &str) -> Result<&Exhibit, Problem> {
        Ok(&self.exhibits[self.number_of(Some(name))?])
    }
}

impl Site {
    /// Opens a site with these models, of which the first answers where none is named.
    ///
    /// # Errors
    /// If there is no model, two have one name, a model's features cannot be computed, or no threads can be started.
    pub fn new(exhibits: Vec<Exhibit>, limits: Limits) -> Result<Self, Error> {
        if exhibits.is_empty() {
            return Err(Error::NoModel);
        }
        for (number, exhibit) in exhibits.iter().enumerate() {
            let name = exhibit.name();
            if name.is_empty() || exhibits[..number].iter().any(|other| other.name() == name) {
                return Err(Error::DuplicateName { name: name.to_owned() });
            }
            // What cannot be planned is told now, and not to the first who asks.
            exhibit.model().predictor()?;
        }
        let exhibits: Arc<[Exhibit]> = exhibits.into();
        let desk = Desk::open(&exhibits, limits).map_err(|source| Error::Threads { source })?;
        Ok(Self { shared: Shared(Arc::new(Inside { exhibits, desk, metrics: Metrics::new(), limits })) })
    }

    /// Longest time that a body may take to arrive, and that an answer may take.
    pub(super) fn time(&self) -> std::time::Duration {
        self.shared.limits.time
    }

    /// The whole site as one service.
    pub(super) fn router(&self) -> Router {
        let mut router = Router::new();
        for (path, methods) in routes().into_iter().chain(page::routes()) {
            router = router.route(path, methods);
        }
        router
            .fallback(nothing_here)
            .method_not_allowed_fallback(no_such_method)
            .layer(DefaultBodyLimit::max(self.shared.limits.body_bytes))
            .layer(middleware::from_fn_with_state(self.shared.clone(), metrics::count))
            .layer(middleware::from_fn(harden))
            .with_state(self.shared.clone())
    }
}

/// The API, as `openapi.json` describes it.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Shared>)> {
    vec![
        ("/healthz", get(healthz)),
        ("/metrics", get(metrics::metrics)),
        ("/openapi.json", get(openapi::document)),
        ("/v1/models", get(models::all)),
        ("/v1/models/{name}", get(models::one)),
        ("/v1/models/{name}/report", get(models::report)),
        ("/v1/models/{name}/report.html", get(models::report_page)),
        ("/v1/models/{name}/network.svg", get(models::network)),
        ("/v1/models/{name}/confusion.svg", get(models::confusion)),
        ("/v1/models/{name}/history.svg", get(models::history)),
        ("/v1/predict", post(predict::predict)),
        ("/v1/problems/{name}", get(problem::explain)),
    ]
}

/// It answers, so it is well: models were loaded before the port was opened.
async fn healthz() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}

pub(super) async fn nothing_here(uri: Uri) -> Problem {
    Problem::new(Kind::NotFound, format!("there is nothing at {}", uri.path()))
}

async fn no_such_method(request: Request) -> Problem {
    let detail = format!("{} has no {}", request.uri().path(), request.method());
    Problem::new(Kind::MethodNotAllowed, detail)
}

/// Headers of every answer: nothing is guessed, nothing is framed, nothing is told to others.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::testing::{block_on, get, model, post, site, tone};
    use super::*;

    #[test]
    fn unknown_addresses_and_methods_are_problems_too() {
        let router = site(Limits::default()).router();
        block_on(async {
            get(&router, "/v2/predict").await.is_problem(404, "not-found");
            let answered = post(&router, "/v1/models", "").await;
            answered.is_problem(405, "method-not-allowed");
            assert_eq!(answered.headers[header::ALLOW], "GET,HEAD");
            get(&router, "/v1/models/nobody").await.is_problem(404, "unknown-model");
            get(&router, "/v1/models/tiny/report").await.is_problem(404, "nothing-known");
            get(&router, "/v1/models/tiny/history.svg").await.is_problem(404, "nothing-known");
            get(&router, "/v1/models/tiny/network.svg?theme=sepia").await.is_problem(400, "bad-request");
        });
    }

    #[test]
    fn every_type_of_problem_leads_to_its_explanation() {
        let router = site(Limits::default()).router();
        block_on(async {
            for kind in Kind::ALL {
                let answered = get(&router, &format!("/v1/problems/{}", kind.name())).await;
                assert_eq!(answered.status, 200);
                assert!(answered.text().len() > 50, "{}", answered.text());
            }
            get(&router, "/v1/problems/no-such").await.is_problem(404, "not-found");
        });
    }

    #[test]
    fn models_lead_to_all_that_is_known_of_them() {
        let router = site(Limits::default()).router();
        block_on(async {
            let document = get(&router, "/v1/models").await.json();
            let names: Vec<&str> =
                document["models"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
            assert_eq!(names, ["tiny", "a b"]);
            let model = &document["models"][1];
            assert_eq!(model["labels"].as_array().unwrap().len(), 3);
            assert!(model["summary"].as_str().unwrap().contains("Dense"));
            let links = model["links"].as_object().unwrap();
            assert_eq!(links.len(), 1, "there is no run beside it: {links:?}");
            for link in links.values() {
                let drawing = get(&router, &format!("{}?theme=dark", link.as_str().unwrap())).await;
                assert_eq!(drawing.kind(), "image/svg+xml");
                assert!(drawing.text().starts_with("<svg"), "{}", drawing.text());
            }
        });
    }

    #[test]
    fn nothing_is_guessed_framed_or_told_to_others() {
        let router = site(Limits::default()).router();
        block_on(async {
            for path in ["/", "/app.js", "/v1/models", "/nowhere", "/v1/models/tiny/network.svg"] {
                let headers = get(&router, path).await.headers;
                assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
                assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
                let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
                assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
                assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
            }
        });
    }

    #[test]
    fn metrics_count_what_was_asked_and_heard() {
        let router = site(Limits::default()).router();
        block_on(async {
            post(&router, "/v1/predict", tone(4.0)).await;
            post(&router, "/v1/predict", tone(6.0)).await;
            post(&router, "/v1/predict", "no sound").await;
            get(&router, "/nowhere/at/all").await;
            let page = get(&router, "/metrics").await;
            assert_eq!(page.kind(), "application/openmetrics-text; version=1.0.0; charset=utf-8");
            for line in [
                r#"cantus_http_requests_total{route="/v1/predict",method="POST",status="200"} 2"#,
                r#"cantus_http_requests_total{route="/v1/predict",method="POST",status="415"} 1"#,
                r#"cantus_http_requests_total{route="other",method="GET",status="404"} 1"#,
                r#"cantus_http_request_duration_seconds_count{route="/v1/predict"} 3"#,
                r#"cantus_audio_heard_seconds_total{model="tiny"} 10.0"#,
                "cantus_http_requests_in_flight 1",
            ] {
                assert!(page.text().lines().any(|found| found == line), "{line}\n{}", page.text());
            }
            assert!(page.text().ends_with("# EOF\n"));
        });
    }

    #[test]
    fn two_models_of_one_name_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tiny.safetensors");
        std::fs::write(&path, model().to_bytes().unwrap()).unwrap();
        let exhibits = [None, Some("tiny")].map(|name| Exhibit::load(name, &path).unwrap());
        let error = Site::new(exhibits.into(), Limits::default()).unwrap_err().to_string();
        assert!(error.contains("`tiny`"), "{error}");
        assert!(Site::new(Vec::new(), Limits::default()).is_err());
    }
}
