"""Results of bench/run.py as Markdown."""

import json

from environment import ROOT

RESULTS, DOCS = ROOT / "bench" / "results", ROOT / "docs" / "performance.md"
START, END = "<!-- tables of bench/results, written by bench/run.py --docs -->", "<!-- end of the tables -->"


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(map(str, cells))} |\n" for cells in lines) + "\n"


def number(value):
    """With four digits at most; empty for `None`."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 100 else f"{value:.4g}"


def of_machine(machine):
    """One line for processor and caches, and a table of its limits."""
    caches = ", ".join(f"L{c['level']} {c['bytes'] // 1024:,} KB" + (f" for {c['shared_by']}" if c["shared_by"] > 1 else "") for c in machine["caches"])
    family = f", family {machine['cpu_family']}" if "cpu_family" in machine else ""
    text = f"{machine['processor']}{family}, {machine['cores']} cores, {machine['isa']}; caches {caches}; memory {machine['memory_gb']:.0f} GB.\n\n"
    rows = []
    for threads, limits in machine["limits"].items():
        speeds = [
            " / ".join(number(level["gb_per_s"][kind]) for kind in ("read", "write", "update")) for level in limits["levels"]
        ]
        rows.append([threads, number(limits["fma_gflops"]), *speeds])
    levels = [level["level"] for level in next(iter(machine["limits"].values()))["levels"]]
    header = ["threads", "GFLOP/s in registers", *(f"{level}: read / write / update, GB/s" for level in levels)]
    return text + table(header, rows)


def of_cores(cores):
    header = ["a step on n threads, ms", "1, measured", "2, measured", "serial share", "phases", "4, expected", "8, expected", "16, expected"]
    rows = [
        [line["model"], *(number(line["measured"][n]) for n in "12"), f"{line['serial_share']:.3%}", line["phases"],
         *(number(line["expected"][n]) for n in ("4", "8", "16"))]
        for line in cores
    ]  # fmt: skip
    return table(header, rows) if rows else ""


def markdown(document):
    """All tables of a document."""
    versions = document["versions"]
    ours = f"Cantus {versions['cantus']} ({versions['commit']}), rustc {versions['rustc']}"
    theirs = {}
    for packages in versions["peers"].values():
        for name, version in packages.items():
            theirs.setdefault(name, set()).add(version)
    named = ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in sorted(theirs.items()))
    text = f"### {document['machine']['processor']}, {document['machine']['isa']}, {document['date']}\n\n"
    text += of_machine(document["machine"])
    text += f"{ours}, Python {versions['python']}" + (f"; {named}" if named else "") + f". {document['form'].capitalize()} form"
    text += f"; load of the machine at the start: {document['machine']['load_before']:.1f}.\n\n"
    if document["machine"]["load_before"] > 0.5 * document["machine"]["cores"]:
        text += "**Other programs ran at the same time: durations are too long, and expectations for more cores mean nothing.**\n\n"
    if "remark" in document:
        text += document["remark"] + "\n\n"
    header = ["task", "unit", "ours", "theirs", "times as fast, or as small", "roofline", "times the roofline"]
    for benchmark in dict.fromkeys(row["benchmark"] for row in document["rows"]):
        rows = [
            [
                row["task"],
                row["unit"],
                number(row["ours"]) or "failed",
                (f"{number(row['theirs'])} ({row['peer']})" if row["theirs"] is not None else "")
                + (f"; failed: {', '.join(row['failed'])}" if row.get("failed") else ""),
                number(row["ratio"]),
                number(row.get("roofline")),
                number(row.get("times_roofline")),
            ]
            for row in document["rows"]
            if row["benchmark"] == benchmark
        ]
        # A column without a value is left out.
        used = [i for i in range(len(header)) if any(cells[i] for cells in rows)]
        text += f"**{benchmark}**\n\n"
        text += table([header[i] for i in used], [[cells[i] for i in used] for cells in rows])
    text += of_cores(document["cores"])
    text += "".join(f"Not run: {name} ({reason}).\n" for name, reason in document["not_run"].items())
    return text


def write_docs():
    """Replaces the tables of docs/performance.md."""
    text = DOCS.read_text()
    before, rest = text.split(START)
    after = rest.split(END)[1]
    tables = "\n".join(markdown(json.loads(path.read_text())) for path in sorted(RESULTS.glob("*.json")))
    DOCS.write_text(f"{before}{START}\n\n{tables}\n{END}{after}")
