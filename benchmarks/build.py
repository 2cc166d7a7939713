"""A cold `newsletter build` of the February issue, compared with the mjml command-line tool on the same MJML."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from unittest.mock import patch

from benchmarks.timing import ROOT, program, run_command, show, show_ratio, time_in_turn
from newsletter.config import load_config
from newsletter.content.loader import load_issue
from newsletter.render import pipeline
from newsletter.render.mjml import compile_mjml
from newsletter.render.theme import Theme

PEERS = ROOT / "benchmarks"


def main() -> None:
    """Print the ratio of the medians, and the peak memory."""
    mjml = PEERS / "node_modules/.bin/mjml"
    if not mjml.exists():
        if shutil.which("npm") is None:
            show("skipped", "the peer needs npm; install Node.js")
            return
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--silent"], cwd=PEERS, check=True
        )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("issues", "templates", "brand"):
            shutil.copytree(ROOT / part, folder / part)
        shutil.copy(ROOT / "newsletter.toml", folder)
        (folder / "february.mjml").write_text(_february_mjml(), encoding="utf-8")
        _, first_mib = run_command([program(), "build", "2026-02"], folder)  # also fits the images
        commands = {
            "ours": [program(), "build", "2026-02"],
            "mjml": [str(mjml), "february.mjml", "-o", "february.html"],
        }
        found = time_in_turn(commands, folder=folder, runs=11)
    ratio = found["ours"].middle / found["mjml"].middle
    show("newsletter build, cold", f"{found['ours'].middle * 1000:.0f} ms, {found['ours'].peak_mib:.0f} MiB")
    show("mjml command-line tool", f"{found['mjml'].middle * 1000:.0f} ms, {found['mjml'].peak_mib:.0f} MiB")
    show_ratio("newsletter build ÷ mjml", ratio, "≤ 1.00", is_met=ratio <= 1)
    show("its peak memory", f"{found['ours'].peak_mib:.0f} MiB   target ≤ 90")
    show("peak memory of the very first build", f"{first_mib:.0f} MiB")


def _february_mjml() -> str:
    """Return the MJML that the theme makes from the February issue."""
    sources: list[str] = []

    def keep(source: str, *, direction: str) -> str:
        sources.append(source)
        return compile_mjml(source, direction=direction)

    config, theme = load_config(ROOT), Theme(ROOT)
    with patch.object(pipeline, "compile_mjml", keep):
        pipeline.render_issue(load_issue(config, ROOT / "issues/2026-02", theme.section_types), config, theme)
    return sources[0]
