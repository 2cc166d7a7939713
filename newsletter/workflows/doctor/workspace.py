"""The workspace: its settings, its issues and its theme."""

from collections.abc import Iterator

from newsletter.config import CONFIG_FILE, TEMPLATES_FOLDER, Config
from newsletter.errors import MistakesError, NewsletterError
from newsletter.model.diagnosis import Health, Item, error, from_words, ok, warning
from newsletter.workflows.compose import issue_names


def workspace_items(config: Config) -> Iterator[Item]:
    """What the folders of a workspace hold, whose settings could be read."""
    yield ok("settings", f"{CONFIG_FILE} is valid")
    issues = issue_names(config)
    if issues:
        yield ok("issues", f"{len(issues)} {'issue' if len(issues) == 1 else 'issues'}, the newest is {issues[-1]}")
    else:
        yield warning("issues", "there is no issue yet", "make one with `newsletter new`")
    yield _templates(config)


def settings_items(problem: NewsletterError) -> Iterator[Item]:
    """Why the settings cannot be used: an item for each mistake."""
    if not isinstance(problem, MistakesError):
        yield from_words("settings", Health.ERROR, problem)
        return
    for mistake in problem.mistakes:
        yield error("settings", f"{mistake.place}: {mistake.what}", mistake.remedy)


def _templates(config: Config) -> Item:
    folder = config.root / TEMPLATES_FOLDER
    if not folder.exists():
        return ok("templates", "the built-in theme is used")
    if not folder.is_dir():
        return error("templates", f"{TEMPLATES_FOLDER} is no folder", "rename it, or make it a folder of templates")
    try:
        templates = [path for path in folder.rglob("[!.]*.j2") if path.is_file()]
        for path in templates:
            path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        return error("templates", f"{TEMPLATES_FOLDER}/ cannot be read ({err})", "check its files' permissions")
    return ok("templates", f"{TEMPLATES_FOLDER}/ has {len(templates)} templates; the built-in theme has the rest")
