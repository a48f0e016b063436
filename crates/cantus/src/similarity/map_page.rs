//! A map of tracks as one self-contained HTML page, without external files: a scatter plot with a legend; a click plays the
//! recording of a point.

use std::collections::HashMap;

use cantus_dataset::FeatureStore;
use serde::Serialize;

use super::TrackMap;
use crate::Error;

/// The page, with the names of what is filled in between pairs of `@@`: title, summary, data.
const PAGE: &str = include_str!("map_page.html");

/// Resolution of the coordinates in the page: the longer side of the map has this many steps.
const N_STEPS: f64 = 10_000.0;

/// The data of the page, as JSON within it.
#[derive(Serialize)]
struct PageData<'a> {
    labels: &'a [String],
    points: Vec<PagePoint<'a>>,
}

/// x, y, labels, path, predicted labels of a misclassified track: an array, since there are thousands.
#[derive(Serialize)]
struct PagePoint<'a>(i32, i32, &'a [usize], &'a str, Option<&'a str>);

impl TrackMap {
    /// The page. `title` is the name of the store; `mistakes` are the predicted labels of misclassified tracks, by path.
    ///
    /// The paths of the recordings are links relative to the page, which plays them if it lies in the folder that the store was
    /// extracted from.
    ///
    /// # Errors
    /// If the data cannot be written as JSON.
    pub fn to_html(
        &self,
        store: &FeatureStore,
        title: &str,
        mistakes: &HashMap<String, String>,
    ) -> Result<String, Error> {
        let coordinates = self.in_steps();
        let point = |(&track, [x, y]): (&usize, [i32; 2])| {
            let track = &store.tracks()[track];
            let predicted = mistakes.get(&track.path).map(String::as_str);
            PagePoint(x, y, &track.labels, &track.path, predicted)
        };
        let points = self.tracks.iter().zip(coordinates).map(point).collect();
        let data = serde_json::to_string(&PageData { labels: store.labels(), points });
        let data = data.map_err(|error| Error::Unwritable { reason: error.to_string() })?;
        // Within a script element, `<` could end the element.
        let data = data.replace('<', "\\u003c");
        let (title, summary) = (escaped(title), self.summary(store.tracks().len()));
        let fill = |(index, text): (usize, &'static str)| match (index % 2, text) {
            (0, _) => text.to_owned(),
            (_, "title") => title.clone(),
            (_, "summary") => summary.clone(),
            _ => data.clone(),
        };
        Ok(PAGE.split("@@").enumerate().map(fill).collect())
    }

    /// Coordinates as whole numbers from 0, with one scale for both axes.
    fn in_steps(&self) -> Vec<[i32; 2]> {
        let bound = |axis: usize, choose: fn(f64, f64) -> f64| {
            self.points.iter().map(|point| point[axis]).reduce(choose).unwrap_or(0.0)
        };
        let low = [0, 1].map(|axis| bound(axis, f64::min));
        let span = [0, 1].map(|axis| bound(axis, f64::max) - low[axis]);
        let longest = span[0].max(span[1]);
        let scale = if longest > 0.0 { N_STEPS / longest } else { 0.0 };
        let in_steps =
            |point: &[f64; 2]| [0, 1].map(|axis| (scale * (point[axis] - low[axis])).round() as i32);
        self.points.iter().map(in_steps).collect()
    }

    fn summary(&self, n_tracks: usize) -> String {
        let tracks = match self.tracks.len() {
            1 => "1 track".to_owned(),
            n if n < n_tracks => format!("{n} of {n_tracks} tracks, at equal distances in the feature store"),
            n => format!("{n} tracks"),
        };
        let Some(shares) = self.shares else {
            return format!(
                "{tracks}: mean features, standardised, by t-SNE. Points that are near each other here are near each other in \
                 the features; longer distances and the sizes of groups have no meaning."
            );
        };
        let [x, y] = shares.map(|share| 100.0 * share);
        format!(
            "{tracks}: mean features, standardised, along their first two principal components, which have {x:.0} % and \
             {y:.0} % of the variance. Points that are near each other here may differ in the rest of it."
        )
    }
}

/// Escapes text for HTML: a folder's name is arbitrary.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::similarity::vectors::tests::store;
    use crate::similarity::{MapMethod, SimilaritySearch};

    /// The JSON within a page.
    fn data(page: &str) -> serde_json::Value {
        let (_, data) = page.split_once(r#"type="application/json">"#).unwrap();
        serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap()
    }

    #[test]
    fn the_page_has_a_point_for_each_track_and_marks_mistakes() {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path());
        let map = SimilaritySearch::new(&store).unwrap().map(MapMethod::default(), 1000).unwrap();
        let mistakes = HashMap::from([("low/07.wav".to_owned(), "</script>".to_owned())]);
        let page = map.to_html(&store, "a<b", &mistakes).unwrap();
        assert!(page.contains("<title>Map of a&lt;b</title>") && page.contains("12 tracks: "));
        assert!(!page.contains("http"), "no external files");
        let data = data(&page);
        let points = data["points"].as_array().unwrap();
        assert_eq!((points.len(), &data["labels"]), (12, &serde_json::json!(["high", "low"])));
        for (point, track) in points.iter().zip(store.tracks()) {
            assert_eq!((&point[2], &point[3]), (&track.labels.clone().into(), &track.path.clone().into()));
            assert_eq!(point[4].as_str(), (track.path == "low/07.wav").then_some("</script>"));
        }
        let most = |axis: usize| points.iter().map(|point| point[axis].as_i64().unwrap()).max().unwrap();
        let least = |axis: usize| points.iter().map(|point| point[axis].as_i64().unwrap()).min().unwrap();
        assert_eq!((least(0), least(1), most(0).max(most(1))), (0, 0, 10_000));
    }

    #[test]
    fn a_map_of_some_tracks_names_their_number() {
        let map = TrackMap { tracks: vec![0, 3], points: vec![[1.0, 1.0]; 2], shares: Some([0.75, 0.2]) };
        assert!(map.summary(5).starts_with("2 of 5 tracks, at equal distances"), "{}", map.summary(5));
        assert!(map.summary(2).contains("75 % and 20 %"));
        assert_eq!(map.in_steps(), [[0, 0]; 2]);
    }
}
