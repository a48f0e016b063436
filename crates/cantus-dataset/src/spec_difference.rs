//! The first difference of two feature specifications.

use cantus_audio::feature::FeatureSpec;

/// The first setting that differs, in alphabetical order, as `n_mfcc = 20 there, 13 here`; `None` if they are equal.
#[must_use]
pub fn spec_difference(there: &FeatureSpec, here: &FeatureSpec) -> Option<String> {
    if there == here {
        return None;
    }
    let table = |spec: &FeatureSpec| toml::Table::try_from(spec).unwrap_or_default();
    let (there, here) = (table(there), table(here));
    let text = |value: Option<&toml::Value>| value.map_or("unset".to_owned(), ToString::to_string);
    let mut keys: Vec<&String> = there.keys().chain(here.keys()).collect();
    keys.sort();
    keys.into_iter()
        .find(|key| there.get(*key) != here.get(*key))
        .map(|key| format!("{key} = {} there, {} here", text(there.get(key)), text(here.get(key))))
        .or_else(|| Some("other features".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_setting_that_differs_is_named_with_both_values() {
        let course = FeatureSpec::course();
        assert_eq!(spec_difference(&course, &course), None);
        let other = FeatureSpec { n_mfcc: 20, f_max: Some(8000.0), ..course.clone() };
        assert_eq!(spec_difference(&other, &course).unwrap(), "f_max = 8000.0 there, unset here");
        let other = FeatureSpec { n_mfcc: 20, ..course.clone() };
        assert_eq!(spec_difference(&other, &course).unwrap(), "n_mfcc = 20 there, 13 here");
    }
}
