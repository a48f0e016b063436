//! Test fixtures: a server with an untrained model, synthesised audio, requests without a network.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header, request};
use cantus::Provenance;
use cantus::{Calibration, Model, Normalization};
use cantus_audio::Audio;
use cantus_audio::feature::FeatureSpec;
use cantus_audio::write_wav;
use cantus_nn::{Architecture, Network};
use cantus_synth::{Genre, compose};
use tower::ServiceExt;

use crate::{Access, Limits, ServedModel, Server};

/// Labels may contain any characters.
pub(crate) const LABELS: [&str; 3] = ["blues", "drum & bass", "\"rock\""];

/// Features of the lecture course, one dense layer, untrained weights.
pub(crate) fn model() -> Model {
    let features = FeatureSpec::course();
    let (n_frames, n_bins) = (features.frames_per_segment(), features.n_bins());
    let architecture: Architecture = serde_json::from_value(serde_json::json!({
        "input_shape": [n_frames, n_bins],
        "layers": [{ "type": "Flatten" }, { "type": "Dense", "units": 3, "activation": "softmax" }],
    }))
    .unwrap();
    Model {
        labels: LABELS.map(str::to_owned).to_vec(),
        normalization: Normalization { mean: vec![0.0; n_bins], deviation: vec![100.0; n_bins] },
        features,
        crops: None,
        calibration: Calibration::default(),
        provenance: Provenance { recipe: "untrained".to_owned(), ..Provenance::default() },
        network: Network::new(&architecture, 0).unwrap(),
    }
}

/// A server with the same model under the names `tiny` and `a b`.
pub(crate) fn server(limits: Limits) -> Server {
    server_with(limits, Access::default())
}

/// The same for others than the default users.
pub(crate) fn server_with(limits: Limits, access: Access) -> Server {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tiny.safetensors");
    std::fs::write(&path, model().to_bytes().unwrap()).unwrap();
    let models = [None, Some("a b")].map(|name| ServedModel::load(name, &path).unwrap());
    Server::new(models.into(), limits, access).unwrap()
}

/// A WAV file of synthesised music.
pub(crate) fn wav(duration_s: f64) -> Vec<u8> {
    encoded(&compose(Genre::Blues, 1, duration_s, 22_050))
}

/// A WAV file of a sine sweep, which is faster to synthesise than music.
pub(crate) fn tone(duration_s: f64) -> Vec<u8> {
    let n_samples = (duration_s * 44_100.0) as usize;
    let samples = (0..n_samples).map(|n| (n as f32 * n as f32 * 1e-7).sin() * 0.5).collect();
    encoded(&Audio { samples, sample_rate: 44_100 })
}

fn encoded(audio: &Audio) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sound.wav");
    write_wav(&path, audio).unwrap();
    std::fs::read(path).unwrap()
}

/// Content type and body of a multipart form; each part is name, file name, content.
pub(crate) fn form(parts: &[(&str, &str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let head =
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\r\n");
        body.extend([head.as_bytes(), content, b"\r\n"].concat());
    }
    body.extend(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

/// Status, headers and body of a response.
pub(crate) struct TestResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl TestResponse {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn content_type(&self) -> &str {
        self.headers[header::CONTENT_TYPE].to_str().unwrap()
    }

    /// Asserts that the response is a problem document of this status and type.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, name: &str) -> serde_json::Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.content_type(), "application/problem+json");
        let document = self.json();
        assert_eq!(document["type"], format!("/v1/problems/{name}"), "{document}");
        assert_eq!(document["status"], status);
        assert!(document["title"].as_str().unwrap().len() > 5, "{document}");
        document
    }
}

/// Sends a request to a router.
pub(crate) async fn send(router: &Router, request: Request<Body>) -> TestResponse {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    TestResponse { status: parts.status, headers: parts.headers, body }
}

/// A request to `localhost`.
pub(crate) fn request(method: &str, path: &str) -> request::Builder {
    Request::builder().method(method).uri(path).header(header::HOST, "localhost")
}

pub(crate) async fn get(router: &Router, path: &str) -> TestResponse {
    send(router, request("GET", path).body(Body::empty()).unwrap()).await
}

pub(crate) async fn post(router: &Router, path: &str, body: impl Into<Body>) -> TestResponse {
    send(router, request("POST", path).body(body.into()).unwrap()).await
}

pub(crate) async fn post_form(router: &Router, path: &str, parts: &[(&str, &str, &[u8])]) -> TestResponse {
    let (content_type, body) = form(parts);
    let request = request("POST", path).header(header::CONTENT_TYPE, content_type).body(body.into()).unwrap();
    send(router, request).await
}

/// Runs a future on a new single-threaded runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
