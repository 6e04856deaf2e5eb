"""The report of a run as one HTML page: charts, figures, faults, verdict. Pure: of the JSON that the run wrote.

The page needs no network and no script, and follows the reader's colour scheme.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, cast

from loadtest.chart import Chart
from loadtest.figures import told
from loadtest.machine import sentence

STYLE = """
:root { color-scheme: light dark; --ink: #1d2330; --dim: #667085; --page: #f6f7f9; --card: #fff; --rule: #e3e6eb;
  --good: #067647; --bad: #b42318; --c0: #2f6feb; --c1: #d9730d; --c2: #0f9d76; --c3: #b5389a; --c4: #8a6d00;
  --c5: #0086a8; --c6: #7a5af8; --c7: #667085; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #98a2b3; --page: #12151b; --card: #1a1f28;
  --rule: #2c333f; --good: #47cd89; --bad: #f97066; --c0: #6ea8fe; --c1: #f5a25d; --c2: #4fd1a5; --c3: #e48fd0;
  --c4: #d9bb4b; --c5: #56c5e0; --c6: #a796ff; --c7: #98a2b3; } }
* { box-sizing: border-box } body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, "Noto Sans", sans-serif; }
main { max-width: 1560px; margin: 0 auto; padding: 28px 20px 60px } h1 { font-size: 26px; margin: 0 }
h2 { font-size: 18px; margin: 36px 0 12px } p { margin: 4px 0; color: var(--dim) }
.verdict { display: inline-block; margin: 14px 0 4px; padding: 6px 14px; border-radius: 8px; font-weight: 600;
  color: var(--good); border: 1px solid currentColor } .verdict.bad { color: var(--bad) }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 12px; margin-top: 18px }
.fact { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 14px }
.fact b { display: block; font-size: 21px; font-variant-numeric: tabular-nums } .fact span { color: var(--dim) }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(560px, 100%), 1fr)); gap: 16px }
figure { margin: 0; background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 12px 14px }
figcaption { font-weight: 600 } figcaption small { color: var(--dim); font-weight: 400 } svg { width: 100%;
  height: auto }
.grid { stroke: var(--rule) } .mark { stroke: var(--bad); stroke-width: 1.5; opacity: .45 } text { fill: var(--dim);
  font-size: 11px } text.y { text-anchor: end } text.x { text-anchor: middle }
.line { fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linejoin: round }
.c0 { color: var(--c0) } .c1 { color: var(--c1) } .c2 { color: var(--c2) } .c3 { color: var(--c3) }
.c4 { color: var(--c4) } .c5 { color: var(--c5) } .c6 { color: var(--c6) } .c7 { color: var(--c7) }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px } .key::before { content: "";
  display: inline-block; width: 14px; height: 3px; background: currentColor; margin-right: 6px; vertical-align: middle }
.wide { overflow-x: auto; background: var(--card); border: 1px solid var(--rule); border-radius: 10px }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums } th, td { padding: 7px 14px;
  text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap } tr:last-child td { border: 0 }
th { color: var(--dim); font-weight: 500 } .l { text-align: left; white-space: normal } .good { color: var(--good) }
.bad { color: var(--bad) } ul { color: var(--bad) }
"""
Document = Mapping[str, Any]


def page(document: Document) -> str:
    """The whole page."""
    verdict = cast("Document", document["verdict"])
    body = [
        f"<h1>{escape(document['title'])}</h1><p>{escape(document['what'])}</p>",
        f"<p>{escape(document['at'])} · {escape(sentence(document['machine']))}</p>",
        _verdict(verdict, bool(document.get("failed", not verdict["holds"]))),
        _facts(document),
        _charts(document["gauge"]),
        _faults(document.get("faults", [])),
        _latencies(document["latencies_ms"]),
        _table("What happened", ("", "times"), [(what, f"{n:,}") for what, n in document["counts"].items()]),
        _table(
            "What was checked", ("", "many"), [(what, f"{n:,}") for what, n in verdict["checked"].items()]
        ),
    ]
    title = escape(document["title"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{''.join(body)}</main></body></html>\n"
    )


def _verdict(verdict: Document, failed: bool) -> str:
    broken = {invariant: times for invariant, times in verdict["broken"].items() if times}
    if verdict["holds"] and not failed:
        words = "Everything holds: no message lost, doubled or out of order"
    elif verdict["holds"]:
        words = "The invariants hold; a figure does not keep to its limit"
    else:
        words = "Broken: " + ", ".join(f"{invariant} {times} times" for invariant, times in broken.items())
    found = "".join(f"<li>{escape(each)}</li>" for each in verdict["violations"])
    listed = f"<ul>{found}</ul>" if found else ""
    return f'<div class="verdict{" bad" if failed else ""}">{escape(words)}</div>{listed}'


def _facts(document: Document) -> str:
    facts = {
        "acknowledged messages": f"{document['acknowledged']:,}",
        "messages a second": f"{document['messages_per_s']:,}",
        **{
            str(name): f"{value:,}" if isinstance(value, int) else str(value)
            for name, value in document["run"].items()
        },
    }
    cards = "".join(
        f'<div class="fact"><b>{escape(value)}</b><span>{escape(name)}</span></div>'
        for name, value in facts.items()
    )
    return f'<div class="facts">{cards}</div>'


def _charts(gauge: Document) -> str:
    samples = cast("Sequence[Document]", gauge["samples"])
    if not samples:
        return ""
    at_s = [float(each["at_s"]) for each in samples]
    marks = [(float(at), str(words)) for at, words in gauge["marks"]]

    def line(name: str) -> list[float]:
        return [float(each[name]) for each in samples]

    def by_process(name: str) -> dict[str, list[float]]:
        names = list(samples[0][name])
        return {each: [float(sample[name].get(each, 0.0)) for sample in samples] for each in names}

    charts = (
        Chart("Acknowledged messages", "a second", at_s, {"messages": line("messages_per_s")}, marks),
        Chart(
            "From sending to the acknowledgement",
            "ms",
            at_s,
            {"p50": line("send_p50_ms"), "p99": line("send_p99_ms")},
            marks,
        ),
        Chart(
            "People",
            "many",
            at_s,
            {"connected": line("connected"), "waiting for an agent": line("waiting")},
            marks,
        ),
        Chart("CPU", "of one core", at_s, by_process("cpu"), marks),
        Chart("Memory", "MiB resident", at_s, by_process("memory_mib"), marks),
    )
    return f'<h2>Second by second</h2><div class="charts">{"".join(chart.svg() for chart in charts)}</div>'


def _faults(faults: Sequence[Document]) -> str:
    rows = [
        (
            f"{each['number']} {each['name']}",
            told(each["figures"]),
            f"{each['seconds']:,.1f}",
            each["trouble"] or "; ".join(each["broken"]) or "holds",
        )
        for each in faults
    ]
    return _table("Faults", ("", "figures", "seconds", ""), rows) if rows else ""


def _latencies(latencies: Mapping[str, Mapping[str, float]]) -> str:
    rows = [
        (what, *(f"{row[share]:,.1f}" for share in ("p50", "p90", "p99", "max")))
        for what, row in latencies.items()
    ]
    return _table("Milliseconds", ("", "p50", "p90", "p99", "longest"), rows)


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th{_left(number)}>{escape(each)}</th>" for number, each in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{_left(n)}>{escape(cell)}</td>" for n, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    return (
        f'<h2>{escape(title)}</h2><div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>'
        "</table></div>"
    )


def _left(number: int) -> str:
    return ' class="l"' if number == 0 else ""
