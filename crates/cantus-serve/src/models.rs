//! `GET /v1/models…`: what is served, and what is known of it.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::exhibit::{Description, Exhibit, Subject};
use super::limits::Limits;
use super::problem::{Kind, Problem};
use super::site::Shared;
use cantus_plot::Theme;

/// The report is a whole page with styles of its own and without any script.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A drawing is looked at and does nothing.
const PICTURE_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

#[derive(Serialize)]
struct Models<'a> {
    models: Vec<Description<'a>>,
    limits: Told,
    version: &'static str,
}

/// The limits that a client can keep by itself.
#[derive(Serialize)]
struct Told {
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Look {
    #[serde(default)]
    theme: ThemeName,
}

/// All models.
pub(super) async fn all(State(shared): State<Shared>) -> Response {
    let Limits { body_bytes, audio_s, .. } = shared.limits;
    let models = shared.exhibits.iter().map(Exhibit::describe).collect();
    let limits = Told { body_bytes, audio_s };
    Json(Models { models, limits, version: env!("CARGO_PKG_VERSION") }).into_response()
}

/// One model.
pub(super) async fn one(State(shared): State<Shared>, Path(name): Path<String>) -> Result<Response, Problem> {
    Ok(Json(shared.exhibit(&name)?.describe()).into_response())
}

/// The report of its run.
pub(super) async fn report(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let exhibit = shared.exhibit(&name)?;
    let report = exhibit.report().ok_or_else(|| nothing_known(exhibit, "report"))?;
    Ok(Json(report).into_response())
}

/// The same as a page.
pub(super) async fn report_page(
    State(shared): State<Shared>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let exhibit = shared.exhibit(&name)?;
    let page = exhibit.page().ok_or_else(|| nothing_known(exhibit, "report"))?.to_owned();
    Ok((typed("text/html; charset=utf-8", REPORT_POLICY), page).into_response())
}

/// A drawing of the network.
pub(super) async fn network(shared: State<Shared>, name: Path<String>, look: LookAsked) -> Drawing {
    picture(&shared, &name, look, Subject::Network)
}

/// The confusion matrix of the run's held-out tracks.
pub(super) async fn confusion(shared: State<Shared>, name: Path<String>, look: LookAsked) -> Drawing {
    picture(&shared, &name, look, Subject::Confusion)
}

/// Accuracy and loss by epoch.
pub(super) async fn history(shared: State<Shared>, name: Path<String>, look: LookAsked) -> Drawing {
    picture(&shared, &name, look, Subject::History)
}

type LookAsked = Result<Query<Look>, QueryRejection>;
type Drawing = Result<Response, Problem>;

fn picture(shared: &Shared, name: &str, look: LookAsked, subject: Subject) -> Drawing {
    let Query(look) = look.map_err(|rejection| Problem::new(Kind::BadRequest, rejection.body_text()))?;
    let theme = match look.theme {
        ThemeName::Light => Theme::Light,
        ThemeName::Dark => Theme::Dark,
    };
    let exhibit = shared.exhibit(name)?;
    let what = match subject {
        Subject::Network => "network",
        Subject::Confusion => "confusion matrix",
        Subject::History => "history",
    };
    let svg = exhibit.picture(subject, theme).ok_or_else(|| nothing_known(exhibit, what))?.to_owned();
    Ok((typed("image/svg+xml", PICTURE_POLICY), svg).into_response())
}

fn typed(kind: &'static str, policy: &'static str) -> [(HeaderName, &'static str); 2] {
    [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)]
}

fn nothing_known(exhibit: &Exhibit, what: &str) -> Problem {
    Problem::new(Kind::NothingKnown, format!("no {what} is known of the model {}", exhibit.name()))
}
