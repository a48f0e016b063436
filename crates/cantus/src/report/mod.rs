//! What a trained model is worth: scores, and the report in words.
