//! `GET /metrics`, and the middleware that records each request.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::problem_details::{Problem, ProblemType};
use crate::state::AppState;

/// Value of the label `route` for unknown paths, so that clients cannot create any number of time series.
const UNKNOWN_ROUTE: &str = "other";

/// Middleware: records route, method, status and duration of a request.
pub(crate) async fn record_request(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or_else(|| UNKNOWN_ROUTE.to_owned(), |path| path.as_str().to_owned());
    let mut in_flight = state.metrics.start_request(route, request.method().clone());
    let response = next.run(request).await;
    in_flight.status = Some(response.status().as_u16());
    response
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(state): State<AppState>) -> Result<Response, Problem> {
    let text =
        state.metrics.encode().map_err(|error| Problem::new(ProblemType::Internal, error.to_string()))?;
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, content_type)], text).into_response())
}

#[cfg(test)]
mod tests {
    use crate::Limits;
    use crate::testing::{block_on, get, post, server, tone};

    #[test]
    fn metrics_count_requests_and_seconds_of_audio() {
        let router = server(Limits::default()).router();
        block_on(async {
            post(&router, "/v1/predict", tone(4.0)).await;
            post(&router, "/v1/predict", tone(6.0)).await;
            post(&router, "/v1/predict", "no sound").await;
            get(&router, "/nowhere/at/all").await;
            let page = get(&router, "/metrics").await;
            assert_eq!(page.content_type(), "application/openmetrics-text; version=1.0.0; charset=utf-8");
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
}
