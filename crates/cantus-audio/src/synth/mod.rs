//! Music composed by rule: the demonstration corpus.
