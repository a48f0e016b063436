//! Tables of numeric columns as Arrow IPC files, for pandas, polars and pyarrow.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Field, Schema};

/// The values of one column.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
}

/// The bytes of an Arrow IPC file with named columns of equal length.
///
/// # Errors
/// If the columns differ in length.
pub fn arrow_table(columns: Vec<(String, Column)>) -> std::io::Result<Vec<u8>> {
    table(columns).map_err(std::io::Error::other)
}

fn table(columns: Vec<(String, Column)>) -> Result<Vec<u8>, ArrowError> {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().map(field).unzip();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema())?;
    writer.write(&batch)?;
    writer.finish()?;
    writer.into_inner()
}

fn field((name, column): (String, Column)) -> (Field, ArrayRef) {
    let array: ArrayRef = match column {
        Column::F32(values) => Arc::new(Float32Array::from(values)),
        Column::F64(values) => Arc::new(Float64Array::from(values)),
    };
    (Field::new(name, array.data_type().clone(), false), array)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use arrow_array::cast::AsArray;
    use arrow_array::types::{Float32Type, Float64Type};
    use arrow_ipc::reader::FileReader;

    use super::*;

    #[test]
    fn a_table_is_read_back_with_its_names_and_values() {
        let columns = vec![
            ("time_s".to_owned(), Column::F64(vec![0.0, 0.5])),
            ("rms".to_owned(), Column::F32(vec![0.25, 0.125])),
        ];
        let bytes = arrow_table(columns).unwrap();
        let batch = FileReader::try_new(Cursor::new(bytes), None).unwrap().next().unwrap().unwrap();
        assert_eq!(batch.schema().field(1).name(), "rms");
        assert_eq!(batch.column(0).as_primitive::<Float64Type>().values(), &[0.0, 0.5]);
        assert_eq!(batch.column(1).as_primitive::<Float32Type>().values(), &[0.25, 0.125]);
    }

    #[test]
    fn columns_of_different_lengths_are_an_error() {
        let columns =
            vec![("a".to_owned(), Column::F32(vec![1.0])), ("b".to_owned(), Column::F32(vec![1.0, 2.0]))];
        assert!(arrow_table(columns).is_err());
    }
}
