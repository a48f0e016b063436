"""Prints the table of `crates/cantus/src/export/operator_versions.rs`: operator sets in which an operator of ONNX is that of set 17.

    python bench/export/operator_versions.py        (needs the package onnx)

An earlier definition is the same if its inputs and attributes, with their defaults, are the first of those of set 17, and all
others of set 17 are optional; a later definition if it has no others. Types of elements are not compared. Operators that contain
graphs are left out.
"""

import textwrap

import onnx.defs

TARGET = 17
# Operators of earlier sets broadcast differently.
FIRST = 7
OPTIONAL = str(onnx.defs.OpSchema.FormalParameterOption.Optional)
WIDTH = 88


def main():
    schemas = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            schemas.setdefault(schema.name, {})[schema.since_version] = schema
    last = onnx.defs.onnx_opset_version()
    ranges = {}
    for name, versions in sorted(schemas.items()):
        target = definition(versions, TARGET)
        if target is None or target.deprecated or has_graphs(target):
            continue
        low = high = TARGET
        while low > FIRST and is_extended(definition(versions, low - 1), target):
            low -= 1
        while high < last and is_unchanged(definition(versions, high + 1), target):
            high += 1
        ranges.setdefault((low, high), []).append(name)
    for (low, high), names in sorted(ranges.items()):
        for line in textwrap.wrap(" ".join(names), WIDTH):
            print(f'    ({low}, {high}, "{line}"),')


def definition(versions, version):
    """The definition of an operator in an operator set, if it has it."""
    earlier = [since for since in versions if since <= version]
    return versions[max(earlier)] if earlier else None


def has_graphs(schema):
    kinds = onnx.defs.OpSchema.AttrType
    return any(attribute.type in (kinds.GRAPH, kinds.GRAPHS) for attribute in schema.attributes.values())


def is_extended(earlier, target):
    """Whether nodes of an earlier definition are nodes of the target, with the same meaning."""
    if earlier is None or earlier.deprecated:
        return False
    old, new = defaults(earlier), defaults(target)
    inputs, known = options(target.inputs), options(earlier.inputs)
    return (
        all(name in new and new[name] == value for name, value in old.items())
        and not any(attribute.required for name, attribute in target.attributes.items() if name not in old)
        and len(known) <= len(inputs)
        and all(now in (before, OPTIONAL) for before, now in zip(known, inputs))
        and all(now == OPTIONAL for now in inputs[len(known) :])
    )


def is_unchanged(later, target):
    return not later.deprecated and (
        defaults(later) == defaults(target)
        and options(later.inputs) == options(target.inputs)
        and options(later.outputs) == options(target.outputs)
    )


def defaults(schema):
    """The type and the default of each attribute."""
    return {name: (str(a.type), str(a.default_value)) for name, a in schema.attributes.items()}


def options(parameters):
    """Whether each input or output is single, optional or variadic."""
    return [str(parameter.option) for parameter in parameters]


if __name__ == "__main__":
    main()
