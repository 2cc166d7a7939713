"""The real newsletter of February 2026, composed word for word from the text that its readers received."""

import json
from collections.abc import Iterable
from pathlib import Path

SEED = Path(__file__).parents[3] / "shared" / "seed" / "february-2026.txt"
SITE = "https://www.example.org"
LINE_COUNT = 158

# Lines that hold nothing but dates and times: the issue has them as fields, from which its own forms are made.
DATE_LINES = (41, 59, 67, 68, 74, 95, 100, 103, 107, 115)
# What the seed calls its picture of the video is a description, not words of the mail.
PICTURE_LINE = 33


class SeedIssue:
    """Slices the seed into the files of an issue."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        assert len(self.lines) == LINE_COUNT, "the seed is another one; its lines are told apart by their numbers"

    def write(self, issue: Path) -> None:
        """Writes the issue's folder, but for its pictures."""
        for name, content in self._files().items():
            path = issue / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")

    def _files(self) -> dict[str, str]:
        return {
            "issue.yaml": _yaml(
                subject=self.lines[0],
                preheader="The February letter: common humanity, a meditation to rest in, and what is coming up.",
                title=self.lines[0].split("] ")[1],
                date="2026-02-19",
                sections=[
                    "letter",
                    "research",
                    "meditation",
                    "events",
                    "retreats",
                    "community",
                    "tips",
                    "donate",
                    "about",
                    "more",
                ],
            ),
            "letter.md": self._letter(),
            "research.md": _page(self.prose(26), overline=self.lines[22], title=self.lines[24]),
            "meditation.md": _page(
                self.prose(31),
                title=self.lines[29],
                video={"still": "images/still.png", "url": f"{SITE}/video", "alt": "video preview", "length": "8 min"},
            ),
            **self._events(),
            **self._retreats(),
            **self._community(),
            "tips.md": _page(self.prose(136, 138) + "\n\n" + self.bullets(140, 141) + "\n\n" + self.prose(143)),
            "donate.md": _page(self.prose(145), button=_link("Make a donation", "donate")),
            "about.md": _page(self.prose(149), title=self.lines[147]),
            "more.md": _page(self.prose(153, 155, 157), type="text", title=self.lines[151]),
        }

    def _letter(self) -> str:
        name, role = self.lines[15].split(", ")
        phrases = self.lines[17].split(" • ") + self.lines[18].split(" • ")
        languages = ("de", "es", "sv", "nl", "fr", "zh-Hans", "ja", "en")
        return _page(
            self.prose(5, 7, 9, 11),
            greeting=self.lines[3],
            closing=self.lines[13],
            signature={"name": name, "role": role},
            thanks=[{"language": language, "text": text} for language, text in zip(languages, phrases, strict=True)],
            translate={"text": self.lines[19].strip(), "link": _link(self.lines[20], "translate")},
        )

    def _events(self) -> dict[str, str]:
        ideal_label, ideal = self.lines[54].split(": ", 1)
        self_forgiveness = self.prose(43, 45, 47) + "\n\n" + self.bullets(49, 50, 51, 52)
        return {
            "events/index.md": _page("", title=self.lines[35], items=["forgiveness", "healthcare", "shame", "lomsc"]),
            "events/forgiveness.md": _page(
                self_forgiveness,
                title=self.lines[37],
                subtitle=self.lines[38],
                badge=self.lines[40],
                starts="2026-02-25 08:00",
                ends="2026-02-25 11:00",
                notes=[{"label": ideal_label, "text": ideal}],
            ),
            "events/healthcare.md": _page(
                self.prose(61, 63, 65),
                title=self.lines[57],
                starts="2026-02-25 09:00",
                ends="2026-04-01 10:00",
                repeats="weekly",
            ),
            "events/shame.md": _page(
                self.prose(76, 78, 85),
                title=self.lines[71],
                subtitle=self.lines[72],
                starts="2026-03-22",
                ends="2026-03-27",
                location=self.lines[74].split("2026, ")[1],
                notes=[{"label": self.lines[80].rstrip(":"), "text": self.lines[81]}],
                deadline={"label": self.lines[83].removesuffix(" February 22"), "date": "2026-02-22"},
            ),
            "events/lomsc.md": _page(self.prose(90), title=self.lines[88]),
        }

    def _retreats(self) -> dict[str, str]:
        weekly = {"repeats": "weekly"}
        return {
            "retreats/index.md": _page(
                "", type="events", layout="list", title=self.lines[92], items=["silent", "lott28", "lott29", "scip"]
            ),
            "retreats/silent.md": _page(
                self.prose(97), title=self.lines[94], starts="2026-04-15", ends="2026-04-20", weekdays=True
            ),
            "retreats/lott28.md": _page(
                "", title=self.lines[99], starts="2026-04-07 08:00", ends="2026-06-23 11:00", **weekly
            ),
            "retreats/lott29.md": _page(
                "", title=self.lines[102], starts="2026-07-01 16:00", ends="2026-09-16 19:00", **weekly
            ),
            "retreats/scip.md": _page(
                "",
                title=self.lines[105],
                subtitle=self.lines[106],
                starts="2026-04-20 09:00",
                ends="2026-07-06 11:00",
                **weekly,
            ),
        }

    def _community(self) -> dict[str, str]:
        return {
            "community/index.md": _page("", title=self.lines[109], items=["women", "trauma"]),
            "community/women.md": _page(
                self.prose(117, 119, 121, 123),
                title=self.lines[111],
                subtitle=f"{self.lines[112]} {self.lines[113]}",
                starts="2026-03-07 08:00",
                ends="2026-03-07 11:00",
            ),
            "community/trauma.md": _page(self.prose(129, 131, 133), title=self.lines[127]),
        }

    def prose(self, *numbers: int) -> str:
        """Lines of the seed as paragraphs; what Markdown would read as a sign of its own stays a sign of the text."""
        return "\n\n".join(self.lines[number].replace("*", r"\*").replace("_", r"\_") for number in numbers)

    def bullets(self, *numbers: int) -> str:
        """Lines of the seed as a list."""
        return "\n".join(f"- {self.lines[number].strip().removeprefix('•').strip()}" for number in numbers)

    def words_to_find(self) -> list[tuple[int, str]]:
        """Each line of words, by its number."""
        skipped = {*DATE_LINES, PICTURE_LINE}
        return [(number, line) for number, line in enumerate(self.lines) if line.strip() and number not in skipped]


def _page(body: str, **front_matter: object) -> str:
    return f"---\n{_yaml(**front_matter)}---\n{body}\n"


def _yaml(**values: object) -> str:
    # JSON is YAML, and quotes whatever a seed's line may hold.
    return "".join(f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())


def _link(label: str, page: str) -> dict[str, str]:
    return {"label": label, "url": f"{SITE}/{page}"}


def words(text: str | Iterable[str]) -> list[str]:
    """The words of a text, without signs, spaces and letter case."""
    joined = text if isinstance(text, str) else " ".join(text)
    return "".join(sign.casefold() if sign.isalnum() else " " for sign in joined).split()
