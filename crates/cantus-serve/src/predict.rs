//! `POST /v1/predict`: classifies an uploaded recording.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use crate::client::Client;
use crate::coding;
use crate::prediction::PredictionResponse;
use crate::problem_details::{Problem, ProblemType};
use crate::state::{AppState, SharedState};
use crate::upload::{self, Upload};
use crate::watched_body::watched;

/// Query parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameters {
    /// Name of the model; the first one if absent.
    model: Option<String>,
    /// Whether the response includes waveform and spectrogram.
    #[serde(default)]
    overview: bool,
}

/// Reserves a queue slot before the body is read, so that the number of bodies in memory is bounded.
pub(crate) async fn predict(
    State(state): State<AppState>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let (model_index, with_overview) = admit(&state, parameters, &request)?;
    // Unknown without a network.
    let client = request.extensions().get::<Client>().copied();
    let (slot, mut give_way) = state.slots.acquire(client).await?;
    let request = request.map(|body| watched(body, slot.counter()));
    let prediction = async {
        let upload = Upload::read(request, &state.limits).await?;
        state.queue.predict(model_index, upload, with_overview, slot).await
    };
    let response = tokio::select! {
        response = prediction => response?,
        problem = give_way.given_way() => return Err(problem),
    };
    state.metrics.add_audio(state.models[model_index].name(), response.duration_s);
    document(&response)
}

/// The response in as much memory as it has bytes, as its client may read it slowly.
fn document(response: &PredictionResponse) -> Result<Response, Problem> {
    let json = serde_json::to_vec(response);
    let mut json = json.map_err(|error| Problem::new(ProblemType::Internal, error.to_string()))?;
    json.shrink_to_fit();
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// The checks that need only the request's header: parameters, model, declared size.
fn admit(
    state: &SharedState,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: &Request,
) -> Result<(usize, bool), Problem> {
    let Query(Parameters { model, overview }) =
        parameters.map_err(|rejection| Problem::new(ProblemType::BadRequest, rejection.body_text()))?;
    let model_index = state.model_index(model.as_deref())?;
    coding::check(request.headers())?;
    upload::check_content_length(request, &state.limits)?;
    Ok((model_index, overview))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::header;
    use hyper::body::Frame;

    use crate::Limits;
    use crate::testing::{LABELS, block_on, get, model, post, post_form, request, send, server, tone, wav};

    const LIMITS: Limits = Limits {
        max_body_bytes: 64 << 20,
        max_audio_s: 600.0,
        n_workers: 2,
        max_queued: 4,
        requests_per_s: 0,
        timeout: Duration::from_secs(60),
    };

    #[test]
    fn the_response_equals_predict_file_for_form_and_raw_body() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("song.wav");
        std::fs::write(&path, wav(7.0)).unwrap();
        let expected = model().predict_file(&path).unwrap();
        let router = server(LIMITS).router();
        block_on(async {
            let by_form = post_form(&router, "/v1/predict", &[("file", "song.wav", &wav(7.0))]).await;
            let by_body = post(&router, "/v1/predict?model=a%20b", wav(7.0)).await;
            let (mut form, mut body) = (by_form.json(), by_body.json());
            assert_eq!((&form["model"], &form["file"]), (&"tiny".into(), &"song.wav".into()));
            assert_eq!((&body["model"], &body["file"]), (&"a b".into(), &serde_json::Value::Null));
            for document in [&mut form, &mut body] {
                document.as_object_mut().unwrap().retain(|key, _| key != "model" && key != "file");
            }
            assert_eq!(form, body);
            assert_eq!(form["label"], expected.label);
            assert_eq!(form["probability"].as_f64().unwrap() as f32, expected.probability);
            assert_eq!((form["duration_s"].as_f64(), form["segment_s"].as_f64()), (Some(7.0), Some(3.0)));
            let segments = form["segments"].as_array().unwrap();
            assert_eq!((segments.len(), segments[1]["start_s"].as_f64()), (2, Some(3.0)));
            for (segment, expected) in segments.iter().zip(&expected.segments) {
                for (label, &probability) in LABELS.iter().zip(&expected.probabilities) {
                    assert_eq!(segment["probabilities"][label].as_f64().unwrap() as f32, probability);
                }
            }
            assert!(form.get("overview").is_none());
        });
    }

    #[test]
    fn labels_keep_their_order() {
        let router = server(LIMITS).router();
        let text = block_on(post(&router, "/v1/predict", wav(4.0))).text().to_owned();
        let positions: Vec<_> =
            ["\"blues\"", "drum & bass", "\\\"rock\\\""].map(|label| text.rfind(label)).into();
        assert!(positions.is_sorted() && positions[0].is_some(), "{text}");
    }

    #[test]
    fn decode_warnings_are_reported_with_their_time() {
        let mut truncated = wav(8.0);
        truncated.truncate(truncated.len() - 22_050 * 2);
        let response =
            block_on(post(&server(LIMITS).router(), "/v1/predict?overview=true", truncated)).json();
        let warning = &response["faults"][0];
        assert_eq!(warning["start_s"].as_f64().unwrap().round(), 7.0, "{response}");
        assert!(warning["reason"].as_str().unwrap().contains("the data ends early"), "{response}");
        assert_eq!(response["overview"]["spectrogram"]["n_bins"], 96);
    }

    #[test]
    fn malformed_requests_are_400() {
        let router = server(LIMITS).router();
        block_on(async {
            post(&router, "/v1/predict", Vec::new()).await.is_problem(400, "bad-request");
            post(&router, "/v1/predict?modle=tiny", wav(4.0)).await.is_problem(400, "bad-request");
            post(&router, "/v1/predict?overview=perhaps", wav(4.0)).await.is_problem(400, "bad-request");
            post_form(&router, "/v1/predict", &[]).await.is_problem(400, "bad-request");
            let other = post_form(&router, "/v1/predict", &[("song", "a.wav", &wav(4.0))]).await;
            let detail = other.is_problem(400, "bad-request")["detail"].to_string();
            assert!(detail.contains("no part `file`"), "{detail}");
            let two = [("file", "a.wav", &wav(4.0)[..]), ("file", "b.wav", &wav(4.0)[..])];
            let detail = post_form(&router, "/v1/predict", &two).await.is_problem(400, "bad-request");
            assert!(detail["detail"].to_string().contains("several parts"), "{detail}");
            let cut = request("POST", "/v1/predict")
                .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
            let cut = send(&router, cut.body(Body::from("--x\r\nCont")).unwrap()).await;
            cut.is_problem(400, "bad-request");
        });
    }

    #[test]
    fn an_unknown_model_is_404_and_the_detail_lists_the_known_ones() {
        let problem = block_on(post(&server(LIMITS).router(), "/v1/predict?model=jazz", wav(4.0)));
        let detail = problem.is_problem(404, "unknown-model")["detail"].to_string();
        assert!(detail.contains("jazz") && detail.contains("tiny, a b"), "{detail}");
    }

    #[test]
    fn another_method_is_405_with_an_allow_header() {
        let response = block_on(get(&server(LIMITS).router(), "/v1/predict"));
        response.is_problem(405, "method-not-allowed");
        assert_eq!(response.headers[header::ALLOW], "POST,OPTIONS");
    }

    #[test]
    fn a_body_over_the_limit_is_413_with_and_without_content_length() {
        let router = server(Limits { max_body_bytes: 10_000, ..LIMITS }).router();
        block_on(async {
            post(&router, "/v1/predict", vec![0; 10_001]).await.is_problem(413, "body-too-large");
            let chunks = Body::new(Chunks(vec![vec![0; 6000], vec![0; 6000]]));
            post(&router, "/v1/predict", chunks).await.is_problem(413, "body-too-large");
            let form = post_form(&router, "/v1/predict", &[("file", "a.wav", &[0; 9000])]).await;
            form.is_problem(415, "unsupported-sound");
            let form = post_form(&router, "/v1/predict", &[("file", "a.wav", &[0; 10_000])]).await;
            form.is_problem(413, "body-too-large");
        });
    }

    #[test]
    fn an_unsupported_format_is_415_and_the_detail_lists_the_supported_ones() {
        let response = block_on(post(&server(LIMITS).router(), "/v1/predict", "%PDF-1.7 this is no music"));
        let detail = response.is_problem(415, "unsupported-sound")["detail"].to_string();
        assert!(detail.contains("flac"), "{detail}");
    }

    #[test]
    fn damaged_too_long_silent_and_too_short_recordings_are_422_with_different_types() {
        let router = server(Limits { max_audio_s: 5.0, ..LIMITS }).router();
        let header_only = wav(1.0)[..44].to_vec();
        let mut silent = wav(4.0);
        silent[44..].fill(0);
        block_on(async {
            post(&router, "/v1/predict", header_only).await.is_problem(422, "malformed-sound");
            post(&router, "/v1/predict", tone(5.5)).await.is_problem(422, "sound-too-long");
            assert_eq!(post(&router, "/v1/predict", tone(5.0)).await.status, 200);
            post(&router, "/v1/predict", silent).await.is_problem(422, "nothing-to-hear");
            let short = post(&router, "/v1/predict", wav(1.0)).await;
            let detail = short.is_problem(422, "nothing-to-hear")["detail"].to_string();
            assert!(detail.contains("1.00 s") && detail.contains("3.00 s"), "{detail}");
        });
    }

    #[test]
    fn a_body_timeout_is_408_and_a_prediction_timeout_is_504() {
        let router = server(Limits { timeout: Duration::from_millis(20), ..LIMITS }).router();
        block_on(async {
            let never = Body::new(Chunks(Vec::new()));
            post(&router, "/v1/predict", never).await.is_problem(408, "body-too-slow");
            // Nine minutes of audio cannot be classified in 20 ms on any hardware.
            post(&router, "/v1/predict", tone(540.0)).await.is_problem(504, "answer-too-slow");
        });
    }

    #[test]
    fn a_full_queue_is_503_with_retry_after_and_a_dropped_request_releases_its_slot() {
        let router = server(Limits { n_workers: 1, max_queued: 0, ..LIMITS }).router();
        block_on(async {
            let first = post(&router, "/v1/predict", Body::new(Chunks(Vec::new())));
            tokio::pin!(first);
            assert!(tokio::time::timeout(Duration::from_millis(50), &mut first).await.is_err());
            let rejected = post(&router, "/v1/predict", wav(4.0)).await;
            rejected.is_problem(503, "busy");
            assert_eq!(rejected.headers[header::RETRY_AFTER], "1");
        });
        block_on(async { assert_eq!(post(&router, "/v1/predict", wav(4.0)).await.status, 200) });
    }

    /// A body sent in chunks; an empty list is a body that never ends.
    struct Chunks(Vec<Vec<u8>>);

    impl axum::body::HttpBody for Chunks {
        type Data = axum::body::Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
            match self.0.pop() {
                Some(chunk) => Poll::Ready(Some(Ok(Frame::data(chunk.into())))),
                None => Poll::Pending,
            }
        }
    }
}
