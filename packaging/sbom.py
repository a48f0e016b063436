"""Writes a software bill of materials of the binary `cantus`: CycloneDX 1.6, as JSON, on standard output.

    python3 packaging/sbom.py > cantus.cdx.json     # the default features, for this platform
    python3 packaging/sbom.py --target x86_64-unknown-linux-musl --no-default-features

Components are the packages whose code is in the binary, as `cargo tree` resolves them for the platform and the features, with
their licences, the SHA-256 of their archives from Cargo.lock and what each depends on; and Rust's standard library. Build
scripts, procedural macros and dependencies of tests are none. The same sources, options and Rust version give the same bytes;
a time is stated only if SOURCE_DATE_EPOCH is set. Needs cargo and Python 3.11.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from typing import Any

try:
    import tomllib
except ModuleNotFoundError:
    sys.exit("packaging/sbom.py needs Python 3.11 or later")

ROOT = pathlib.Path(__file__).resolve().parent.parent
PACKAGE = "cantus-cli"
STANDARD_LIBRARY = "rust-standard-library"


@dataclass
class Package:
    """A package of the binary, with the package URLs (purl) of what it depends on."""

    name: str
    version: str
    license: str
    dependencies: set[str] = field(default_factory=set)

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:cargo/{self.name}@{self.version.replace('+', '%2B')}"


def options() -> argparse.Namespace:
    """Parse the command line."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--target", help="platform of the binary, this one by default")
    parser.add_argument("--features", help="features, with commas")
    parser.add_argument("--no-default-features", action="store_true")
    return parser.parse_args()


def output(*command: str) -> str:
    """Return what a command prints, or end with its error."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command[:2])}: {done.stderr.strip()}")
    return done.stdout


def read_toml(name: str) -> dict[str, Any]:
    """Read a file of the repository's root."""
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def packages_of_binary(selected: argparse.Namespace, target: str) -> dict[str, Package]:
    """Return the packages by package URL, the binary's first."""
    command = ["cargo", "tree", "--locked", "--package", PACKAGE, "--target", target]
    command += ["--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}\t{l}\t"]
    command += ["--features", selected.features] if selected.features else []
    command += ["--no-default-features"] if selected.no_default_features else []
    packages: dict[str, Package] = {}
    path: list[Package] = []
    for line in output(*command).splitlines():
        # A package that is listed again has a mark at the end, and no dependencies below it.
        found = re.match(r"(\d+) (\S+) v(\S+)[^\t]*\t([^\t]*)\t", line)
        if not found:
            sys.exit(f"cargo tree: a line of another form: {line}")
        package = Package(found[2], found[3], found[4])
        package = packages.setdefault(package.purl, package)
        depth = int(found[1])
        path[depth:] = [package]
        if depth > 0:
            path[depth - 1].dependencies.add(package.purl)
    return packages


def component(package: Package, checksum: str | None, clarified: str | None) -> dict[str, Any]:
    """Describe a package; its licence is that of deny.toml where its manifest does not say all."""
    if not package.license:
        sys.exit(f"{package.name} {package.version} states no licence")
    return {
        "type": "library",
        "bom-ref": package.purl,
        "name": package.name,
        "version": package.version,
        "licenses": [{"expression": clarified or package.license.replace("/", " OR ")}],
        "purl": package.purl,
    } | ({"hashes": [{"alg": "SHA-256", "content": checksum}]} if checksum else {})


def standard_library(version: str) -> dict[str, Any]:
    """Describe Rust's standard library, with the name that vulnerabilities of Rust have."""
    return {
        "type": "library",
        "bom-ref": STANDARD_LIBRARY,
        "name": "std",
        "version": version,
        "description": "Rust's standard library",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "cpe": f"cpe:2.3:a:rust-lang:rust:{version}:*:*:*:*:*:*:*",
    }


def main() -> None:
    """Print the document."""
    selected = options()
    rust = dict(line.split(": ", 1) for line in output("rustc", "-vV").splitlines() if ": " in line)
    target = selected.target or rust["host"]
    packages = packages_of_binary(selected, target)
    checksums = {(it["name"], it["version"]): it.get("checksum") for it in read_toml("Cargo.lock")["package"]}
    clarified = {it["crate"]: it["expression"] for it in read_toml("deny.toml")["licenses"]["clarify"]}
    binary, *others = [
        component(it, checksums[it.name, it.version], clarified.get(it.name)) for it in packages.values()
    ]
    metadata: dict[str, Any] = {
        "component": binary | {"type": "application", "name": "cantus"},
        "properties": [{"name": "cantus:target", "value": target}],
    }
    dependencies = {purl: sorted({*it.dependencies, STANDARD_LIBRARY}) for purl, it in packages.items()}
    dependencies[STANDARD_LIBRARY] = []
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": metadata,
        "components": [*sorted(others, key=lambda it: it["purl"]), standard_library(rust["release"])],
        "dependencies": [{"ref": ref, "dependsOn": uses} for ref, uses in sorted(dependencies.items())],
    }
    # A version 5 UUID: of the content, so that equal documents have equal numbers.
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(document))}"
    if "SOURCE_DATE_EPOCH" in os.environ:
        time = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
        metadata["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    print(json.dumps(document, indent=2, ensure_ascii=False))


main()
