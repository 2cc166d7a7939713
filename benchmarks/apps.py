"""The February issue in every email app, simulated and drawn in a browser, as the studio's contact sheet does it."""

import time

from benchmarks.timing import ROOT, show, show_ratio
from newsletter.__main__ import prepare_process
from newsletter.checks.clients.simulation.simulate import Shade
from newsletter.config import load_config
from newsletter.workflows.compose.apps import open_sheet
from newsletter.workflows.compose.compose import compose_issue
from newsletter.workflows.compose.sample import sample_mail

TARGET_SECONDS = 5.0


def main() -> None:
    """Print how long it takes until all apps are drawn in light mode, and then in dark mode if its rules are known."""
    prepare_process()  # as the program does
    config = load_config(ROOT)
    rendered = compose_issue(config, ROOT / "issues/2026-02").rendered
    mail = sample_mail(config, rendered.fullest)
    began = time.perf_counter()
    sheet = open_sheet(config, mail, rendered.pictures)
    simulated = time.perf_counter() - began
    for view in sheet.views:
        sheet.picture(view, Shade.LIGHT)
    light = time.perf_counter() - began
    dark = [(view, shade) for view in sheet.views for shade in view.shades if shade is not Shade.LIGHT]
    for view, shade in dark:
        sheet.picture(view, shade)
    drawn = time.perf_counter() - began
    sheet.end()
    show(f"{len(sheet.views)} apps simulated", f"{simulated:.2f} s")
    show("then all of them drawn, with the start of the browser", f"{light - simulated:.2f} s")
    show(f"then {len(dark)} dark pictures", f"{drawn - light:.2f} s")
    show_ratio("simulated and drawn ÷ 5 s", light / TARGET_SECONDS, "≤ 1", is_met=light <= TARGET_SECONDS)


if __name__ == "__main__":
    main()
