//! `cantus features --list`: every kind with its shape and unit.

use cantus_audio::feature::{FeatureKind, FeatureSpec, TrackFeatureKind};

/// The table of kinds, with shapes as a specification gives them.
pub fn table(spec: &FeatureSpec) -> String {
    let framed = FeatureKind::ALL.iter().map(|kind| {
        let shape = format!("[n_frames, {}]", kind.n_bins(spec));
        [kind.name().replace('_', "-"), shape, kind.unit().to_owned(), kind.title().to_owned()]
    });
    let whole = TrackFeatureKind::ALL.iter().map(|kind| {
        [kind.name().replace('_', "-"), "[n]".to_owned(), kind.unit().to_owned(), kind.title().to_owned()]
    });
    let header = ["kind", "shape", "unit", "what it is"].map(str::to_owned);
    let rows: Vec<[String; 4]> = std::iter::once(header).chain(framed).chain(whole).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (name, shape, unit) = (width(0), width(1), width(2));
    let lines =
        rows.iter().map(|row| format!("{:name$}  {:shape$}  {:unit$}  {}\n", row[0], row[1], row[2], row[3]));
    let note = "\nKinds with frames are concatenated in one array or table, in a feature store and as input of a network;\n\
                kinds of shape [n] describe a whole recording: alone, or in .npz and .json.\n\
                --embedding MODEL gives [n_patches, size], the values of an embedding model.\n";
    lines.collect::<String>() + note
}
