//! Whether the data of a tensor in an ONNX file have the size that its shape and type need.
//!
//! tract allocates a tensor by its shape before it reads the data, so that a shape without data could exhaust the memory.

use tract_onnx::pb::TensorProto;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};

use crate::error::Error;

/// Maximum number of values of a tensor: 1 GiB of f32.
pub(crate) const MAX_VALUES: u64 = 1 << 28;

/// Checks a tensor of the file.
///
/// # Errors
/// [`Error::ExternalData`], [`Error::OverLimit`], [`Error::MalformedTensor`].
pub(crate) fn check_tensor(tensor: &TensorProto) -> Result<(), Error> {
    let name = || tensor.name.clone();
    if tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty() {
        return Err(Error::ExternalData { tensor: name() });
    }
    let malformed = |reason| Error::MalformedTensor { tensor: name(), reason };
    let size = |&size: &i64| u64::try_from(size).map_err(|_| malformed(format!("a dimension is {size}")));
    let dims = tensor.dims.iter().map(size).collect::<Result<Vec<u64>, Error>>()?;
    let n_values = dims.iter().fold(1u64, |n, &size| n.saturating_mul(size));
    if n_values > MAX_VALUES {
        return Err(over_limit(&tensor.name, n_values));
    }
    let data_type = DataType::from_i32(tensor.data_type).unwrap_or(DataType::Undefined);
    let found = tensor.raw_data.len() as u64;
    match n_bytes(data_type) {
        None if data_type == DataType::String && found == 0 => Ok(()),
        None => Err(malformed(format!("its values have the type {}", data_type.as_str_name()))),
        // Where `raw_data` is absent, tract takes as many values from the other fields as there are.
        Some(width) if found > 0 && found != width * n_values => {
            Err(malformed(format!("{n_values} values of {width} bytes, but {found} bytes of data")))
        }
        Some(_) => Ok(()),
    }
}

/// The error of a tensor with too many values.
pub(crate) fn over_limit(tensor: &str, n_values: u64) -> Error {
    let found = if n_values == u64::MAX { "over 2^64".to_owned() } else { n_values.to_string() };
    Error::OverLimit { what: format!("tensor {tensor:?}"), found, unit: "values", max: MAX_VALUES }
}

/// Size of a value, in bytes; absent for types that cannot be read.
fn n_bytes(data_type: DataType) -> Option<u64> {
    match data_type {
        DataType::Bool | DataType::Uint8 | DataType::Int8 => Some(1),
        DataType::Uint16 | DataType::Int16 | DataType::Float16 => Some(2),
        DataType::Uint32 | DataType::Int32 | DataType::Float => Some(4),
        DataType::Uint64 | DataType::Int64 | DataType::Double => Some(8),
        DataType::Undefined
        | DataType::String
        | DataType::Complex64
        | DataType::Complex128
        | DataType::Bfloat16 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(dims: &[i64], n_bytes: usize) -> TensorProto {
        TensorProto {
            name: "w".into(),
            dims: dims.to_vec(),
            data_type: DataType::Float as i32,
            raw_data: vec![0; n_bytes],
            ..TensorProto::default()
        }
    }

    fn refused(tensor: &TensorProto) -> String {
        check_tensor(tensor).unwrap_err().to_string()
    }

    #[test]
    fn data_must_have_the_size_of_the_shape() {
        check_tensor(&tensor(&[2, 3], 24)).unwrap();
        check_tensor(&tensor(&[], 4)).unwrap();
        check_tensor(&tensor(&[0, 7], 0)).unwrap();
        let error = refused(&tensor(&[2, 3], 23));
        assert_eq!(error, "tensor \"w\" is malformed: 6 values of 4 bytes, but 23 bytes of data");
        assert_eq!(refused(&tensor(&[-1], 4)), "tensor \"w\" is malformed: a dimension is -1");
    }

    #[test]
    fn a_shape_over_the_limit_is_refused() {
        let error = refused(&tensor(&[1 << 20, 1 << 20], 4));
        assert_eq!(error, "tensor \"w\": 1099511627776 values; at most 268435456 are accepted");
        assert!(refused(&tensor(&[i64::MAX, i64::MAX], 4)).contains("over 2^64 values"));
    }

    #[test]
    fn types_that_cannot_be_read_are_named() {
        let tensor = TensorProto { data_type: DataType::Bfloat16 as i32, ..tensor(&[1], 2) };
        assert!(refused(&tensor).contains("BFLOAT16"));
        let tensor = TensorProto { data_type: 99, ..tensor };
        assert!(refused(&tensor).contains("UNDEFINED"));
    }

    #[test]
    fn external_data_are_refused_with_what_to_do() {
        let tensor = TensorProto { data_location: Some(DataLocation::External as i32), ..tensor(&[1], 0) };
        let error = refused(&tensor);
        assert!(
            error.contains("\"w\"") && error.contains("save the model with its weights inside"),
            "{error}"
        );
    }
}
