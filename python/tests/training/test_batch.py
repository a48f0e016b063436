import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import cantus

pa = pytest.importorskip("pyarrow")

RECIPE = {"features": {"segments": {"duration_s": 1.0}, "n_mfcc": 8}}


def test_a_batch_has_a_row_for_each_path_with_features_or_the_failure(paths, store):
    batch = cantus.extract_batch(pa.array([paths[0], "/no/such.wav", None, paths[1]]), **RECIPE)
    assert batch.schema == cantus.batch_schema(**RECIPE)
    assert batch["path"].to_pylist() == [paths[0], "/no/such.wav", None, paths[1]]
    assert batch["n_segments"].to_pylist() == [3, 0, 0, 3]
    failures = batch["failure"].to_pylist()
    assert failures == [None, "No such file or directory", "the value is null", None]
    values = np.array(batch["features"][0].as_py(), dtype=np.float32).reshape(3, *store.shape)
    name = "/".join(Path(paths[0]).parts[-2:])
    rows = np.flatnonzero(store.track_of_segments == [track.path for track in store.tracks].index(name))
    assert np.array_equal(values, store.to_numpy()[0][rows])


def test_contents_of_files_are_the_rows_of_the_files(paths):
    contents = pa.array([Path(path).read_bytes() for path in paths[:3]] + [b"no audio"])
    batch = cantus.extract_batch(contents, **RECIPE)
    of_files = cantus.extract_batch(pa.array(paths[:3]), **RECIPE)
    assert batch["path"].null_count == 4 and batch["failure"].null_count == 3
    assert batch["features"].to_pylist()[:3] == of_files["features"].to_pylist()


def test_empty_chunked_and_large_arrays_are_accepted(paths):
    assert cantus.extract_batch(pa.array([], pa.string()), **RECIPE).num_rows == 0
    chunked = pa.chunked_array([paths[:1], paths[1:2]])
    large = pa.array(paths[:2], pa.large_string())
    sliced = pa.array(["x", *paths[:2]])[1:]
    expected = cantus.extract_batch(pa.array(paths[:2]), **RECIPE)
    for array in [chunked, large, sliced, paths[:2]]:
        assert cantus.extract_batch(array, **RECIPE).equals(expected)


def test_segments_are_lists_of_any_size_on_request(paths):
    batch = cantus.extract_batch(pa.array([*paths[:2], "/no/such.wav"]), fixed_size=False, **RECIPE)
    assert batch.schema == cantus.batch_schema(fixed_size=False, **RECIPE)
    assert batch.schema.field("features").type == pa.list_(pa.list_(pa.float32()))
    expected = cantus.extract_batch(pa.array(paths[:2]), **RECIPE)
    assert batch["features"].to_pylist() == [*expected["features"].to_pylist(), []]


def test_features_share_the_memory_of_numpy(paths):
    batch = cantus.extract_batch(pa.array(paths[:1]), **RECIPE)
    values = batch["features"].flatten().flatten().to_numpy(zero_copy_only=True)
    assert values.dtype == np.float32


def test_unusable_arguments_are_errors_of_one_line(paths):
    cases = [
        (TypeError, lambda: cantus.extract_batch(pa.array([1, 2]))),
        (ValueError, lambda: cantus.extract_batch(pa.array(paths[:1]), recipe="bset")),
        (ValueError, lambda: cantus.extract_batch(pa.array(paths[:1]), features={"n_mfcc": -1})),
    ]
    for expected, call in cases:
        with pytest.raises(expected) as caught:
            call()
        assert "\n" not in str(caught.value)


def test_dask_maps_partitions_to_rows(paths):
    dataframe = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")

    def extract(frame):
        return cantus.extract_batch(pa.array(frame["path"]), **RECIPE).to_pandas()

    frame = dataframe.from_pandas(pandas.DataFrame({"path": paths[:6]}), npartitions=2)
    rows = frame.map_partitions(
        extract, meta=cantus.batch_schema(**RECIPE).empty_table().to_pandas()
    ).compute()
    assert rows["path"].tolist() == paths[:6] and rows["n_segments"].tolist() == [3] * 6


def test_daft_calls_it_as_a_function_of_a_column(paths):
    daft = pytest.importorskip("daft")

    @daft.udf(return_dtype=daft.DataType.int32())
    def n_segments(path):
        return cantus.extract_batch(path.to_arrow(), **RECIPE)["n_segments"]

    frame = daft.from_pydict({"path": paths[:6]})
    rows = frame.with_column("n_segments", n_segments(daft.col("path"))).to_pydict()
    assert rows["n_segments"] == [3] * 6


def test_spark_maps_batches_in_arrow(paths, monkeypatch):
    pytest.importorskip("pyspark")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)

    def extract(batches):
        import cantus

        for batch in batches:
            yield cantus.extract_batch(batch["path"], fixed_size=False, **RECIPE)

    schema = "path string, features array<array<float>>, n_segments int, failure string"
    options = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1"}
    builder = SparkSession.builder.master("local[2]")
    for name, value in options.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    try:
        frame = spark.createDataFrame([(path,) for path in paths[:6]], "path string")
        rows = frame.mapInArrow(extract, schema).collect()
    finally:
        spark.stop()
    assert sorted(row["path"] for row in rows) == paths[:6]
    assert all(row["n_segments"] == 3 and row["failure"] is None for row in rows)
    assert {len(row["features"]) for row in rows} == {3}


def test_ray_maps_batches_of_a_data_set(paths):
    ray = pytest.importorskip("ray")
    data_of_ray = pytest.importorskip("ray.data")

    def extract(batch):
        return pa.Table.from_batches([cantus.extract_batch(batch["path"], **RECIPE)])

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        data = data_of_ray.from_items([{"path": path} for path in paths[:4]])
        rows = data.map_batches(extract, batch_format="pyarrow").take_all()
    finally:
        ray.shutdown()
    assert sorted(row["path"] for row in rows) == paths[:4]
    assert all(row["n_segments"] == 3 for row in rows)
