//! Loading of a recipe, and what is computed from it before a training.

use cantus::{Recipe, Task};
use cantus_audio::feature::FeatureSpec;
use cantus_dataset::Durations;

use crate::files::{check_message, write_file};
use crate::model::LABELS;

/// Loads a recipe, adapts it to tasks and durations, and checks it against features.
pub fn check(text: &[u8]) {
    let path = write_file("changed-recipe.toml", text);
    let recipe = match Recipe::load(path.to_str().expect("a path in UTF-8")) {
        Ok(recipe) => recipe,
        Err(error) => return check_message(&error),
    };
    let valid = recipe.features.validate().map_err(|error| check_message(&error)).is_ok();
    for task in [Task::Classification, Task::Tagging] {
        let Ok(recipe) = recipe.for_task(task).map_err(|error| check_message(&error)) else { continue };
        for features in
            [Some(&recipe.features).filter(|_| valid), Some(&FeatureSpec::course())].into_iter().flatten()
        {
            let _ = recipe.validate_for(features, LABELS.len()).map_err(|error| check_message(&error));
        }
    }
    if !valid {
        return;
    }
    for seconds in [vec![], vec![0.5], vec![3.0, 30.0, 300.0]] {
        let (fitted, _) = recipe.fitted_to(&Durations::from_seconds(seconds));
        let _ = fitted.features.validate().map_err(|error| check_message(&error));
    }
}
