"""S22: whether the images that `[archive]` hosts can be loaded. Each is requested once, just before it is needed."""

from functools import partial

from newsletter.checks.base import CheckContext, Circumstances, Probed, Problem, error
from newsletter.checks.network.link_checker import LinkResult, Unjudged, agent_of, judge_page
from newsletter.checks.network.names import Names
from newsletter.checks.network.web import Web
from newsletter.errors import CannotRunError
from newsletter.model.finding import NotRun
from newsletter.model.site_addresses import PICTURES
from newsletter.settings.workspace import Settings
from newsletter.system.parallel import results_of
from newsletter.system.stream import TimeLimit

RULE = "S22"
_LANES = 4
_NOT_YET = "`newsletter send` uploads the images first"
_BUDGET_SECONDS = 45.0


def examine(context: CheckContext, circumstances: Circumstances) -> Probed:
    """Run S22. Results are not kept, because an upload between two runs mends everything at once.

    Raise CannotRunError if there is no network.
    """
    subject = context.subject
    archive = subject.settings.archive
    if archive is None:
        return Probed()
    if archive.to is not None and not circumstances.are_pictures_hosted:
        return Probed(not_run=(NotRun(rule=RULE, why=_NOT_YET),))
    begins = f"{archive.url}/"
    found = (image.address for document in context.documents for image in document.images)
    addresses = tuple(dict.fromkeys(address for address in found if address.startswith(begins)))
    verdicts = _verdicts(addresses, subject.settings)
    unjudged = [verdict for verdict in verdicts.values() if isinstance(verdict, Unjudged)]
    if unjudged and all(verdict.is_offline for verdict in unjudged) and len(unjudged) == len(verdicts):
        raise CannotRunError(unjudged[0].why)
    return Probed(
        problems=tuple(
            (RULE, _problem(context, address, verdict, archive.url))
            for address, verdict in verdicts.items()
            if isinstance(verdict, str) and verdict
        ),
        not_run=tuple(NotRun(rule=RULE, why=why) for why in sorted({verdict.why for verdict in unjudged})),
    )


def _verdicts(addresses: tuple[str, ...], settings: Settings) -> dict[str, LinkResult]:
    names = Names(settings.authentication.nameserver_addresses, budget_seconds=_BUDGET_SECONDS)
    web = Web(names, agent=agent_of(settings))
    verdicts: dict[str, LinkResult] = {
        address: Unjudged(why="asking for all images took too long") for address in addresses
    }

    def ask(address: str) -> None:
        verdicts[address] = judge_page(web, address)

    asking = [partial(ask, address) for address in addresses]
    for _ in results_of(asking, threads=_LANES, deadline=TimeLimit(_BUDGET_SECONDS)) if asking else ():
        pass
    return dict(verdicts)


def _problem(context: CheckContext, address: str, trouble: str, archive: str) -> Problem:
    what = f"readers would not see the image {address}, because it {trouble}"
    if context.subject.settings.archive and context.subject.settings.archive.to:
        return error(context.picture_place(address), what, f"look at whether {archive} shows the files of the archive")
    folder = f"build/{context.subject.issue.name}/pictures/"
    remedy = f"run `newsletter build` and upload the files in {folder} to {archive}/{PICTURES}/"
    return error(context.picture_place(address), what, remedy)
