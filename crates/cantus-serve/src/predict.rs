//! `POST /v1/predict`: a recording in, a label out.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use serde::Deserialize;

use super::answer::Answer;
use super::desk::Place;
use super::problem::{Kind, Problem};
use super::site::Shared;
use super::sound::{self, Sound};

/// What can be asked for behind the question mark.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// Name of the model; the first one if absent.
    model: Option<String>,
    /// Whether the waveform and the spectrogram are wanted too.
    #[serde(default)]
    overview: bool,
}

/// Takes a place before the body is read, so that no more bodies than the limit are in memory.
pub(super) async fn predict(
    State(shared): State<Shared>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: Request,
) -> Result<Json<Answer>, Problem> {
    let (exhibit, overview, place) = match admit(&shared, parameters, &request) {
        Ok(admitted) => admitted,
        Err(problem) => {
            sound::discard(request.into_body(), shared.limits.time);
            return Err(problem);
        }
    };
    let sound = Sound::of(request, &shared.limits).await?;
    let answer = shared.desk.hear(exhibit, sound, overview, place).await?;
    shared.metrics.heard(shared.exhibits[exhibit].name(), answer.duration_s);
    Ok(Json(answer))
}

/// All that can be said of a request before its body has arrived.
fn admit(
    shared: &Shared,
    parameters: Result<Query<Parameters>, QueryRejection>,
    request: &Request,
) -> Result<(usize, bool, Place), Problem> {
    let Query(Parameters { model, overview }) =
        parameters.map_err(|rejection| Problem::new(Kind::BadRequest, rejection.body_text()))?;
    let exhibit = shared.number_of(model.as_deref())?;
    sound::refuse_too_large(request, &shared.limits)?;
    Ok((exhibit, overview, shared.desk.place()?))
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::header;
    use hyper::body::Frame;

    use super::super::testing::{LABELS, block_on, get, model, post, post_form, send, site, tone, wav};
    use super::*;
    use crate::Limits;

    const WIDE: Limits = Limits {
        body_bytes: 64 << 20,
        audio_s: 600.0,
        at_once: 2,
        waiting: 4,
        time: Duration::from_secs(60),
    };

    #[test]
    fn the_answer_is_the_models_own_by_form_and_by_body() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("song.wav");
        std::fs::write(&path, wav(7.0)).unwrap();
        let own = model().predict_file(&path).unwrap();
        let router = site(WIDE).router();
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
            assert_eq!(form["label"], own.label);
            assert_eq!(form["probability"].as_f64().unwrap() as f32, own.probability);
            assert_eq!((form["duration_s"].as_f64(), form["segment_s"].as_f64()), (Some(7.0), Some(3.0)));
            let segments = form["segments"].as_array().unwrap();
            assert_eq!((segments.len(), segments[1]["start_s"].as_f64()), (2, Some(3.0)));
            for (segment, own) in segments.iter().zip(&own.segments) {
                for (label, &probability) in LABELS.iter().zip(&own.probabilities) {
                    assert_eq!(segment["probabilities"][label].as_f64().unwrap() as f32, probability);
                }
            }
            assert!(form.get("overview").is_none());
        });
    }

    #[test]
    fn labels_keep_their_order() {
        let router = site(WIDE).router();
        let text = block_on(post(&router, "/v1/predict", wav(4.0))).text().to_owned();
        let places: Vec<_> =
            ["\"blues\"", "drum & bass", "\\\"rock\\\""].map(|label| text.rfind(label)).into();
        assert!(places.is_sorted() && places[0].is_some(), "{text}");
    }

    #[test]
    fn damage_is_told_with_the_time_at_which_it_is() {
        let mut cut = wav(8.0);
        cut.truncate(cut.len() - 22_050 * 2);
        let answer = block_on(post(&site(WIDE).router(), "/v1/predict?overview=true", cut)).json();
        let fault = &answer["faults"][0];
        assert_eq!(fault["start_s"].as_f64().unwrap().round(), 7.0, "{answer}");
        assert!(fault["reason"].as_str().unwrap().contains("ends"), "{answer}");
        assert_eq!(answer["overview"]["spectrogram"]["n_bins"], 96);
    }

    #[test]
    fn what_cannot_be_understood_is_400() {
        let router = site(WIDE).router();
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
            let cut =
                Request::post("/v1/predict").header(header::CONTENT_TYPE, "multipart/form-data; boundary=x");
            let cut = send(&router, cut.body(Body::from("--x\r\nCont")).unwrap()).await;
            cut.is_problem(400, "bad-request");
        });
    }

    #[test]
    fn an_unknown_model_is_404_and_the_known_ones_are_named() {
        let problem = block_on(post(&site(WIDE).router(), "/v1/predict?model=jazz", wav(4.0)));
        let detail = problem.is_problem(404, "unknown-model")["detail"].to_string();
        assert!(detail.contains("jazz") && detail.contains("tiny, a b"), "{detail}");
    }

    #[test]
    fn another_method_is_405_and_says_which_there_is() {
        let answered = block_on(get(&site(WIDE).router(), "/v1/predict"));
        answered.is_problem(405, "method-not-allowed");
        assert_eq!(answered.headers[header::ALLOW], "POST");
    }

    #[test]
    fn too_large_a_body_is_413_whether_or_not_it_says_so_beforehand() {
        let router = site(Limits { body_bytes: 10_000, ..WIDE }).router();
        block_on(async {
            post(&router, "/v1/predict", vec![0; 10_001]).await.is_problem(413, "body-too-large");
            let chunks = Body::new(Pieces(vec![vec![0; 6000], vec![0; 6000]]));
            post(&router, "/v1/predict", chunks).await.is_problem(413, "body-too-large");
            let form = post_form(&router, "/v1/predict", &[("file", "a.wav", &[0; 9000])]).await;
            form.is_problem(415, "unsupported-sound");
            let form = post_form(&router, "/v1/predict", &[("file", "a.wav", &[0; 10_000])]).await;
            form.is_problem(413, "body-too-large");
        });
    }

    #[test]
    fn what_is_no_sound_is_415_and_says_what_would_be() {
        let answered = block_on(post(&site(WIDE).router(), "/v1/predict", "%PDF-1.7 this is no music"));
        let detail = answered.is_problem(415, "unsupported-sound")["detail"].to_string();
        assert!(detail.contains("flac"), "{detail}");
    }

    #[test]
    fn damaged_too_long_silent_and_too_short_recordings_are_422_each_with_its_type() {
        let router = site(Limits { audio_s: 5.0, ..WIDE }).router();
        let header_alone = wav(1.0)[..44].to_vec();
        let mut silent = wav(4.0);
        silent[44..].fill(0);
        block_on(async {
            post(&router, "/v1/predict", header_alone).await.is_problem(422, "malformed-sound");
            post(&router, "/v1/predict", tone(5.5)).await.is_problem(422, "sound-too-long");
            assert_eq!(post(&router, "/v1/predict", tone(5.0)).await.status, 200);
            post(&router, "/v1/predict", silent).await.is_problem(422, "nothing-to-hear");
            let short = post(&router, "/v1/predict", wav(1.0)).await;
            let detail = short.is_problem(422, "nothing-to-hear")["detail"].to_string();
            assert!(detail.contains("1.00 s") && detail.contains("3.00 s"), "{detail}");
        });
    }

    #[test]
    fn a_body_that_does_not_arrive_is_408_and_an_answer_that_does_not_504() {
        let router = site(Limits { time: Duration::from_millis(20), ..WIDE }).router();
        block_on(async {
            let never = Body::new(Pieces(Vec::new()));
            post(&router, "/v1/predict", never).await.is_problem(408, "body-too-slow");
            // Nine minutes are not heard in 20 ms by any machine there is.
            post(&router, "/v1/predict", tone(540.0)).await.is_problem(504, "answer-too-slow");
        });
    }

    #[test]
    fn who_finds_no_place_is_told_when_to_come_again_and_who_goes_away_leaves_one() {
        let router = site(Limits { at_once: 1, waiting: 0, ..WIDE }).router();
        block_on(async {
            let first = post(&router, "/v1/predict", Body::new(Pieces(Vec::new())));
            tokio::pin!(first);
            assert!(tokio::time::timeout(Duration::from_millis(50), &mut first).await.is_err());
            let turned_away = post(&router, "/v1/predict", wav(4.0)).await;
            turned_away.is_problem(503, "busy");
            assert_eq!(turned_away.headers[header::RETRY_AFTER], "1");
        });
        block_on(async { assert_eq!(post(&router, "/v1/predict", wav(4.0)).await.status, 200) });
    }

    /// A body in pieces; without any it begins and never ends.
    struct Pieces(Vec<Vec<u8>>);

    impl axum::body::HttpBody for Pieces {
        type Data = axum::body::Bytes;
        type Error = std::io::Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
            match self.0.pop() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece.into())))),
                None => Poll::Pending,
            }
        }
    }
}
