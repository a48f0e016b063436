//! `GET /v1/models…`: descriptions, reports and pictures of the served models.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use cantus_plot::Theme;
use serde::{Deserialize, Serialize};

use crate::problem_details::{Problem, ProblemType};
use crate::served_model::{ModelDescription, ModelPicture, ServedModel};
use crate::state::{AppState, SharedState};

/// The report is an HTML page with inline styles and without scripts.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// SVG pictures have inline styles only.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

#[derive(Serialize)]
struct ModelList<'a> {
    models: Vec<ModelDescription<'a>>,
    limits: ClientLimits,
    version: &'static str,
}

/// The limits that a client can check before it sends a request.
#[derive(Serialize)]
struct ClientLimits {
    body_bytes: usize,
    audio_s: f64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ThemeName {
    #[default]
    Light,
    Dark,
}

/// Query parameters of a picture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PictureQuery {
    #[serde(default)]
    theme: ThemeName,
}

/// `GET /v1/models`.
pub(crate) async fn list(State(state): State<AppState>) -> Response {
    let models = state.models.iter().map(ServedModel::describe).collect();
    let limits = ClientLimits { body_bytes: state.limits.max_body_bytes, audio_s: state.limits.max_audio_s };
    Json(ModelList { models, limits, version: env!("CARGO_PKG_VERSION") }).into_response()
}

/// `GET /v1/models/{name}`.
pub(crate) async fn describe(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    Ok(Json(state.model(&name)?.describe()).into_response())
}

/// `GET /v1/models/{name}/report`: the evaluation report of the run, as JSON.
pub(crate) async fn report(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let model = state.model(&name)?;
    let report = model.report().ok_or_else(|| not_available(model, "report"))?;
    Ok(Json(report).into_response())
}

/// `GET /v1/models/{name}/report.html`: the same report as an HTML page.
pub(crate) async fn report_page(
    State(state): State<AppState>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let model = state.model(&name)?;
    let page = model.report_page().ok_or_else(|| not_available(model, "report"))?;
    Ok((headers("text/html; charset=utf-8", REPORT_POLICY), page).into_response())
}

/// `GET /v1/models/{name}/network.svg`: drawing of the network.
pub(crate) async fn network(state: State<AppState>, name: Path<String>, query: Parameters) -> SvgResponse {
    picture(&state, &name, query, ModelPicture::Network)
}

/// `GET /v1/models/{name}/confusion.svg`: confusion matrix of the test tracks.
pub(crate) async fn confusion_matrix(
    state: State<AppState>,
    name: Path<String>,
    query: Parameters,
) -> SvgResponse {
    picture(&state, &name, query, ModelPicture::ConfusionMatrix)
}

/// `GET /v1/models/{name}/history.svg`: accuracy and loss by epoch.
pub(crate) async fn history(state: State<AppState>, name: Path<String>, query: Parameters) -> SvgResponse {
    picture(&state, &name, query, ModelPicture::History)
}

type Parameters = Result<Query<PictureQuery>, QueryRejection>;
type SvgResponse = Result<Response, Problem>;

fn picture(state: &SharedState, name: &str, query: Parameters, picture: ModelPicture) -> SvgResponse {
    let Query(query) =
        query.map_err(|rejection| Problem::new(ProblemType::BadRequest, rejection.body_text()))?;
    let theme = match query.theme {
        ThemeName::Light => Theme::Light,
        ThemeName::Dark => Theme::Dark,
    };
    let model = state.model(name)?;
    let what = match picture {
        ModelPicture::Network => "network",
        ModelPicture::ConfusionMatrix => "confusion matrix",
        ModelPicture::History => "history",
    };
    let svg = model.picture(picture, theme).ok_or_else(|| not_available(model, what))?;
    Ok((headers("image/svg+xml", PICTURE_POLICY), svg).into_response())
}

fn headers(content_type: &'static str, policy: &'static str) -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, content_type), (header::CONTENT_SECURITY_POLICY, policy)]
}

fn not_available(model: &ServedModel, what: &str) -> Problem {
    Problem::new(ProblemType::NotAvailable, format!("the model {} has no {what}", model.name()))
}

#[cfg(test)]
mod tests {
    use crate::Limits;
    use crate::testing::{block_on, get, server};

    #[test]
    fn descriptions_link_to_every_picture_of_a_model() {
        let router = server(Limits::default()).router();
        block_on(async {
            let document = get(&router, "/v1/models").await.json();
            let names: Vec<&str> =
                document["models"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
            assert_eq!(names, ["tiny", "a b"]);
            let model = &document["models"][1];
            assert_eq!(model["labels"].as_array().unwrap().len(), 3);
            assert!(model["summary"].as_str().unwrap().contains("Dense"));
            let links = model["links"].as_object().unwrap();
            assert_eq!(links.len(), 1, "the model file has no run folder: {links:?}");
            for link in links.values() {
                let drawing = get(&router, &format!("{}?theme=dark", link.as_str().unwrap())).await;
                assert_eq!(drawing.content_type(), "image/svg+xml");
                assert!(drawing.text().starts_with("<svg"), "{}", drawing.text());
            }
        });
    }
}
