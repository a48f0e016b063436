//! The page: plain files that are part of the binary.
//!
//! No framework, nothing from another host; the policy lets the browser load and run what comes from here, and no more.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use super::site::Shared;

/// What the page may do: its own scripts, styles and pictures, sound that was chosen or recorded, answers from here.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// The page listens only when asked, and wants nothing else of the device.
const PERMISSIONS: &str = "microphone=(self), camera=(), geolocation=()";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
struct File {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($path:literal $kind:ident $name:literal;)*) => {
        [$(File { path: $path, kind: $kind, text: include_str!($name) }),*]
    };
}

/// The files of the site's page, each under its address.
const SITE: &[File] = &files! {
    "/" HTML "index.html";
    "/style.css" CSS "style.css";
    "/icon.svg" SVG "icon.svg";
    "/app.js" SCRIPT "app.js";
    "/element.js" SCRIPT "element.js";
    "/colour.js" SCRIPT "colour.js";
    "/format.js" SCRIPT "format.js";
    "/answer.js" SCRIPT "answer.js";
    "/picture.js" SCRIPT "picture.js";
    "/player.js" SCRIPT "player.js";
    "/model.js" SCRIPT "model.js";
    "/recorder.js" SCRIPT "recorder.js";
    "/recorder-worklet.js" SCRIPT "recorder-worklet.js";
};

/// Those of the dashboard's.
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

/// The site's page as routes.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Shared>)> {
    SITE.iter().map(route).collect()
}

/// The dashboard's page as routes.
pub(super) fn dashboard_routes<S: Clone + Send + Sync + 'static>() -> Vec<(&'static str, MethodRouter<S>)> {
    DASHBOARD.iter().map(route).collect()
}

fn route<S: Clone + Send + Sync + 'static>(file: &'static File) -> (&'static str, MethodRouter<S>) {
    (file.path, get(move || async move { file.response() }))
}

impl File {
    fn response(&self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, self.kind),
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
    fn pages_ask_for_nothing_that_is_not_served_with_them_and_nothing_of_others() {
        for (files, also) in
            [(SITE, ["#", "/v1/", "/openapi", "/metrics"]), (DASHBOARD, ["#", "/events", "#", "#"])]
        {
            for File { path, text, .. } in files {
                for quoted in ["src=\"", "href=\"", "from \"", "Module(\""] {
                    for asked in text.split(quoted).skip(1).map(|rest| rest.split('"').next().unwrap_or("")) {
                        let is_known = files.iter().any(|file| file.path == asked)
                            || also.iter().any(|start| asked.starts_with(start));
                        assert!(is_known, "{path} asks for {asked}");
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
