"""The comparison of versions in a report: how each did among those who got it first, and what that can say."""

from collections.abc import Iterator

from newsletter.model.readership import TrackingMode
from newsletter.workflows.report.issue import IssueReport
from newsletter.workflows.report.tables import Chart, FigureTable, Line, Measure, count_measure, rate_measure
from newsletter.workflows.send.winner import Comparison, VersionResult, said_of


def comparison_tables(report: IssueReport) -> Iterator[FigureTable]:
    """Yield a table for each broadcast that compared versions."""
    for each in report.comparisons:
        several = f" in broadcast {each.broadcast}" if len(report.comparisons) > 1 else ""
        subjects = [report.subjects.get((each.broadcast, result.version), "") for result in each.versions]
        differ = len(set(subjects)) > 1
        lines = [
            Line(
                label=f"{result.version} “{subject}”" if differ else f"version {result.version}",
                measures=tuple(_measures(result)),
            )
            for result, subject in zip(each.versions, subjects, strict=True)
        ]
        yield FigureTable(
            key=f"versions {each.broadcast}",
            title=f"Comparison of versions{several}",
            head="version, among the first",
            lines=tuple(lines),
            note=_note(each, report.mode),
            chart=Chart.BARS if each.versions[0].clicked else Chart.NONE,
            charted="opened" if each.winner == "opens" else "clicked",
        )


def _measures(result: VersionResult) -> Iterator[Measure]:
    yield count_measure("people", result.sent)
    for name, rate in (("opened", result.opened), ("clicked", result.clicked)):
        if rate is not None:
            yield rate_measure(name, rate)
    for name, times in (("times opened", result.opens), ("times clicked", result.clicks)):
        if times is not None:
            yield count_measure(name, times)


def _note(comparison: Comparison, mode: TrackingMode) -> str:
    repeated = " How often, not by how many people, so no test can compare them." if mode is TrackingMode.TOTALS else ""
    return f"{said_of(comparison)}{repeated}"
