//! Static files of the web pages, embedded in the binary.
//!
//! No framework and no third-party hosts; the content security policy allows resources of this server only.

use axum::http::header;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use crate::conditional::evaluate_preconditions;

/// Content security policy: scripts, styles, images and requests of this server; audio from files and the microphone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// The page may use the microphone, with the user's permission, and no other device.
const PERMISSIONS: &str = "microphone=(self), camera=(), geolocation=()";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A static file.
struct File {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($path:literal $content_type:ident $name:literal;)*) => {
        [$(File { path: $path, content_type: $content_type, text: include_str!($name) }),*]
    };
}

/// Files of the main page, each with its URL path.
const MAIN: &[File] = &files! {
    "/" HTML "index.html";
    "/style.css" CSS "style.css";
    "/icon.svg" SVG "icon.svg";
    "/app.js" SCRIPT "app.js";
    "/element.js" SCRIPT "element.js";
    "/colour.js" SCRIPT "colour.js";
    "/format.js" SCRIPT "format.js";
    "/axis.js" SCRIPT "axis.js";
    "/picture.js" SCRIPT "picture.js";
    "/player.js" SCRIPT "player.js";
    "/model.js" SCRIPT "model.js";
    "/recorder.js" SCRIPT "recorder.js";
    "/recorder-worklet.js" SCRIPT "recorder-worklet.js";
    "/result.js" SCRIPT "result.js";
    "/timeline.js" SCRIPT "timeline.js";
};

/// Files of the dashboard's page.
const DASHBOARD: &[File] = &files! {
    "/" HTML "dashboard.html";
    "/style.css" CSS "style.css";
    "/icon.svg" SVG "icon.svg";
    "/dashboard.js" SCRIPT "dashboard.js";
    "/curves.js" SCRIPT "curves.js";
    "/element.js" SCRIPT "element.js";
    "/colour.js" SCRIPT "colour.js";
    "/format.js" SCRIPT "format.js";
    "/picture.js" SCRIPT "picture.js";
};

/// Routes of the main page.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Vec<(&'static str, MethodRouter<S>)> {
    MAIN.iter().map(route).collect()
}

/// Routes of the dashboard's page.
pub(crate) fn dashboard_routes<S: Clone + Send + Sync + 'static>() -> Vec<(&'static str, MethodRouter<S>)> {
    DASHBOARD.iter().map(route).collect()
}

fn route<S: Clone + Send + Sync + 'static>(file: &'static File) -> (&'static str, MethodRouter<S>) {
    let methods = get(move || async move { file.response() });
    (file.path, methods.route_layer(middleware::from_fn(evaluate_preconditions)))
}

impl File {
    fn response(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, self.content_type),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::HeaderName::from_static("permissions-policy"), PERMISSIONS),
        ];
        (headers, self.text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_refer_only_to_files_and_paths_of_this_server() {
        for (files, also) in
            [(MAIN, ["#", "/v1/", "/openapi", "/metrics"]), (DASHBOARD, ["#", "/events", "#", "#"])]
        {
            for File { path, text, .. } in files {
                for quoted in ["src=\"", "href=\"", "from \"", "Module(\""] {
                    for referred in
                        text.split(quoted).skip(1).map(|rest| rest.split('"').next().unwrap_or(""))
                    {
                        let is_known = files.iter().any(|file| file.path == referred)
                            || also.iter().any(|start| referred.starts_with(start));
                        assert!(is_known, "{path} refers to {referred}");
                    }
                }
                let hosts = text.replace("http://www.w3.org/2000/svg", "");
                assert!(!hosts.contains("http://") && !hosts.contains("https://"), "{path} names a host");
                assert!(
                    !text.contains("innerHTML") && !text.contains(" style=\""),
                    "{path}: the policy forbids it"
                );
            }
        }
    }
}
