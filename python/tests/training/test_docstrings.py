import doctest

import pytest

import cantus
from cantus import batch, model, nn, run, store, synthesis, training


@pytest.mark.parametrize(
    "module", [batch, model, nn, run, store, synthesis, training], ids=lambda module: module.__name__
)
def test_the_examples_of_docstrings_run(module):
    failed, _ = doctest.testmod(module, extraglobs={"cantus": cantus})
    assert failed == 0


@pytest.mark.parametrize(
    "module", [batch, model, nn, run, store, synthesis, training], ids=lambda module: module.__name__
)
def test_public_functions_and_methods_have_docstrings(module):
    for name in getattr(module, "__all__", ["compose"]):
        item = getattr(module, name)
        members = [item, *(value for key, value in vars(item).items() if not key.startswith("_"))]
        undocumented = [
            member for member in members if callable(member) and not getattr(member, "__doc__", None)
        ]
        assert not undocumented, name
