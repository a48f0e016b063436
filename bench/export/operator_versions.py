"""Prints from which operator sets an operator of ONNX means something else.

    python bench/export/operator_versions.py        (needs the package onnx)

The lines are the table of `crates/cantus/src/export/operator_versions.rs`.

A definition of an operator means the same as the one before if the inputs and attributes of that, with their defaults,
are its first ones, all others are optional, and neither is deprecated. Types of elements are not compared. Operators that
contain graphs are left out.
"""

import onnx.defs

# Operators of earlier sets broadcast differently.
FIRST = 7
OPTIONAL = str(onnx.defs.OpSchema.FormalParameterOption.Optional)


def main():
    schemas = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            schemas.setdefault(schema.name, {})[schema.since_version] = schema
    for name, versions in sorted(schemas.items()):
        if any(has_graphs(schema) for schema in versions.values()):
            continue
        steps = [since for since in sorted(versions) if since > FIRST]
        changes = [str(since) for since in steps if changed(definition(versions, since - 1), versions[since])]
        if changes:
            print(f'    ("{name}", &[{", ".join(changes)}]),')
    print(f"last operator set: {onnx.defs.onnx_opset_version()}")


def definition(versions, version):
    """The definition of an operator in an operator set, if it has it."""
    earlier = [since for since in versions if since <= version]
    return versions[max(earlier)] if earlier else None


def has_graphs(schema):
    kinds = onnx.defs.OpSchema.AttrType
    return any(attribute.type in (kinds.GRAPH, kinds.GRAPHS) for attribute in schema.attributes.values())


def changed(before, after):
    """Whether nodes of a definition are invalid or mean something else by a later one."""
    if before is None:
        return False
    known, now = options(before.inputs), options(after.inputs)
    old, new = defaults(before), defaults(after)
    is_same = (
        not before.deprecated
        and not after.deprecated
        and all(name in new and new[name] == value for name, value in old.items())
        and not any(attribute.required for name, attribute in after.attributes.items() if name not in old)
        and len(known) <= len(now)
        and all(option in (earlier, OPTIONAL) for earlier, option in zip(known, now))
        and all(option == OPTIONAL for option in now[len(known) :])
    )
    return not is_same


def defaults(schema):
    """The type and the default of each attribute."""
    return {name: (str(a.type), str(a.default_value)) for name, a in schema.attributes.items()}


def options(parameters):
    """Whether each input is single, optional or variadic."""
    return [str(parameter.option) for parameter in parameters]


if __name__ == "__main__":
    main()
