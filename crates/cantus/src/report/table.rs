//! A table of plain text; each format of the report renders and escapes it.

/// Rows of cells; the first column has the names of the rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Table {
    /// Empty for a table that needs none.
    pub(super) caption: &'static str,
    /// Names of the columns.
    pub(super) head: Vec<String>,
    /// Each with as many cells as `head`.
    pub(super) rows: Vec<Vec<String>>,
    /// Rows of summary statistics below the others.
    pub(super) foot: Vec<Vec<String>>,
}

impl Table {
    /// A table without a foot.
    pub(super) fn new(
        caption: &'static str,
        head: &[&str],
        rows: impl IntoIterator<Item = Vec<String>>,
    ) -> Self {
        let head = head.iter().map(|&name| name.to_owned()).collect();
        Self { caption, head, rows: rows.into_iter().collect(), foot: Vec::new() }
    }

    /// All rows, those of the foot last.
    pub(super) fn all_rows(&self) -> impl Iterator<Item = &Vec<String>> {
        self.rows.iter().chain(&self.foot)
    }
}
