//! The summary of a network: a table of layers, output shapes and parameter counts, as Keras prints it.

use std::fmt::Write;

use crate::sequential::Sequential;

/// Minimum widths of the three columns without borders, as in Keras.
const WIDTHS: [usize; 3] = [31, 22, 13];

/// Layers, output shapes and numbers of parameters, in a box.
pub(crate) fn summary(model: &Sequential) -> String {
    let rows = model.layers.iter().map(|built| {
        let name = format!("{} ({})", built.path, built.kind);
        [name, output_shape(built.layer.output_shape()), grouped(built.n_weights())]
    });
    let rows: Vec<[String; 3]> = rows.collect();
    let widest = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [0, 1, 2].map(|column| WIDTHS[column].max(widest(column)));
    let mut text = String::new();
    rule(&mut text, widths, ['┏', '┳', '┓'], '━');
    row(&mut text, widths, '┃', ["Layer (type)", "Output Shape", "Param #"]);
    rule(&mut text, widths, ['┡', '╇', '┩'], '━');
    for (i, cells) in rows.iter().enumerate() {
        if i > 0 {
            rule(&mut text, widths, ['├', '┼', '┤'], '─');
        }
        row(&mut text, widths, '│', cells.each_ref().map(String::as_str));
    }
    rule(&mut text, widths, ['└', '┴', '┘'], '─');
    let total: usize = model.layers.iter().map(|built| built.n_weights()).sum();
    let trainable: usize = model.layers.iter().map(|built| built.n_trainable()).sum();
    for (what, n) in [("Total", total), ("Trainable", trainable), ("Non-trainable", total - trainable)] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, " {what} params: {} ({})", grouped(n), bytes(4 * n));
    }
    text
}

fn rule(text: &mut String, widths: [usize; 3], [left, middle, right]: [char; 3], line: char) {
    let cells = widths.map(|width| line.to_string().repeat(width + 2));
    let _ = writeln!(text, "{left}{}{middle}{}{middle}{}{right}", cells[0], cells[1], cells[2]);
}

fn row(text: &mut String, [a, b, c]: [usize; 3], border: char, [name, shape, params]: [&str; 3]) {
    let _ = writeln!(text, "{border} {name:<a$} {border} {shape:<b$} {border} {params:>c$} {border}");
}

/// `(None, 130, 13)`: None stands for the batch.
fn output_shape(shape: &[usize]) -> String {
    let axes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("(None, {})", axes.join(", "))
}

/// 1,234,567
pub(crate) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn bytes(n: usize) -> String {
    let (kilo, n) = (1024.0, n as f64);
    if n < kilo {
        format!("{n:.2} B")
    } else if n < kilo * kilo {
        format!("{:.2} KB", n / kilo)
    } else {
        format!("{:.2} MB", n / kilo / kilo)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Architecture, Network};

    /// The last lines are those that Keras 3 prints of the lecture's perceptron.
    #[test]
    fn the_lectures_perceptron_is_summed_up_as_keras_does() {
        let architecture: Architecture = toml::from_str(
            r#"input_shape = [130, 13]
            layers = [
                { type = "Flatten" },
                { type = "Dense", units = 512, activation = "relu" },
                { type = "Dense", units = 256, activation = "relu" },
                { type = "Dense", units = 64, activation = "relu" },
                { type = "Dense", units = 10, activation = "softmax" },
            ]"#,
        )
        .unwrap();
        let summary = Network::new(&architecture, 0).unwrap().summary();
        for line in [
            "┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃",
            "│ layers.0 (Flatten)              │ (None, 1690)           │             0 │",
            "│ layers.1 (Dense)                │ (None, 512)            │       865,792 │",
            " Total params: 1,014,218 (3.87 MB)",
            " Trainable params: 1,014,218 (3.87 MB)",
            " Non-trainable params: 0 (0.00 B)",
        ] {
            assert!(summary.lines().any(|l| l == line), "{line}\nis not in\n{summary}");
        }
    }

    #[test]
    fn a_long_name_widens_its_column() {
        let layers = r#"layers = [{ type = "RandomFourierFeatures", kernel = "laplacian", units = 4 }]"#;
        let architecture = toml::from_str(&format!("input_shape = [6]\n{layers}")).unwrap();
        let summary = Network::new(&architecture, 0).unwrap().summary();
        let widths: Vec<usize> = summary.lines().take(5).map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| *width == widths[0]), "{summary}");
    }
}
