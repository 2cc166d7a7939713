"""The steps of setup in order: what each asks, what is missing, and what it can check or do.

The terminal and the studio show the same steps. A step is done when the files and the database say so.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from shlex import quote

from msgspec import Struct

from newsletter.language.clock import show_zoned
from newsletter.language.counts import people_of
from newsletter.model.diagnosis import HealthItem
from newsletter.workflows.serve.unit import place_of
from newsletter.workflows.setup import carrier
from newsletter.workflows.setup.asking import SetupQuestion
from newsletter.workflows.setup.carrier import CARRIER_QUESTIONS
from newsletter.workflows.setup.first_people import LIST_QUESTIONS
from newsletter.workflows.setup.first_test import TEST_QUESTIONS, send_first_test
from newsletter.workflows.setup.identity import ADDRESS_QUESTIONS, SENDER_QUESTIONS
from newsletter.workflows.setup.look import LOOK_QUESTIONS, least_contrast
from newsletter.workflows.setup.situation import Situation


class StepMark(StrEnum):
    """The state of a step."""

    DONE = "done"
    TO_DO = "to do"  # without it, no email can be sent or reach its readers
    OPTIONAL = "optional"  # it works as it is


class StepState(Struct, frozen=True, kw_only=True):
    """The state of a step, and why, in a few words."""

    mark: StepMark
    says: str


class Act(Struct, frozen=True, kw_only=True):
    """What a step does once its questions are answered."""

    label: str  # verb first, for a button or a question
    run: Callable[[Situation], str]  # returns what was done, and raises NewsletterError


class SetupStep(Struct, frozen=True, kw_only=True):
    """One step."""

    name: str
    title: str
    about: str
    questions: tuple[SetupQuestion, ...]
    state: Callable[[Situation], StepState]
    guide: Callable[[Situation], tuple[str, ...]] = lambda _: ()  # advice; a line to copy is in backticks
    check: Callable[[Situation], tuple[HealthItem, ...]] | None = None  # asks other machines, and changes nothing
    act: Act | None = None

    def asked(self, situation: Situation) -> tuple[SetupQuestion, ...]:
        """Return the questions that apply."""
        return tuple(question for question in self.questions if question.applies(situation))


def first_unfinished(situation: Situation) -> SetupStep | None:
    """Return the first step that is still to do, or None if none is."""
    return next((step for step in STEPS if step.state(situation).mark is StepMark.TO_DO), None)


def _unanswered(step_questions: tuple[SetupQuestion, ...], situation: Situation) -> str:
    missing = [
        question.asks[0].lower() + question.asks[1:]
        for question in step_questions
        if question.applies(situation) and not question.is_optional and not question.current(situation)
    ]
    return f"missing: {missing[0]}{f', and {len(missing) - 1} more' if len(missing) > 1 else ''}" if missing else ""


def _answered(
    questions: tuple[SetupQuestion, ...], says: Callable[[Situation], str]
) -> Callable[[Situation], StepState]:
    """Return the state of a step that is done once each of its questions has an answer that is not the starter's."""

    def state(situation: Situation) -> StepState:
        if missing := _unanswered(questions, situation):
            return StepState(mark=StepMark.TO_DO, says=missing)
        return StepState(mark=StepMark.DONE, says=says(situation))

    return state


def _look(situation: Situation) -> StepState:
    brand = situation.config.settings.brand
    logo = f"logo {brand.logo}" if brand.logo else "no logo"
    contrast = least_contrast(situation.config)
    return StepState(mark=StepMark.OPTIONAL, says=f"{logo}, color {brand.light.accent} (contrast {contrast:.1f}:1)")


def _carrier(situation: Situation) -> StepState:
    if not situation.sends:
        return StepState(mark=StepMark.TO_DO, says="emails are only written to files")
    if missing := _unanswered(CARRIER_QUESTIONS, situation):
        return StepState(mark=StepMark.TO_DO, says=missing)
    if carrier.is_secret_missing(situation):
        return StepState(mark=StepMark.TO_DO, says=f"{carrier.secret_needed(situation)} is not set in the environment")
    provider = situation.config.settings.provider
    smtp = provider.smtp if provider.use == "smtp" else None
    where = f"{smtp.host}, port {smtp.port}" if smtp else "SendGrid"
    proof = "" if situation.tested_at else "; the test email will show whether it works"
    return StepState(mark=StepMark.DONE, says=f"{where}{proof}")


def _domain(situation: Situation) -> StepState:
    if not situation.sends or not situation.sender:
        return StepState(mark=StepMark.OPTIONAL, says="can be checked once the sender and the provider are known")
    return StepState(
        mark=StepMark.OPTIONAL, says=f"for {situation.sender.rpartition('@')[2]}, checked live in this step"
    )


# The examinations are loaded here because they load DNS and HTTP: 37 MB, which the studio needs on these steps only.
def _check_domain(situation: Situation) -> tuple[HealthItem, ...]:
    from newsletter.workflows.doctor.examination import provider_facts
    from newsletter.workflows.doctor.network import sender_items

    facts = provider_facts(situation.config, situation.environ, is_online=True)
    return _apart(sender_items(situation.config, facts, is_online=True))


def _check_carrier(situation: Situation) -> tuple[HealthItem, ...]:
    from newsletter.workflows.doctor.examination import provider_facts

    return _apart(provider_facts(situation.config, situation.environ, is_online=True).items) if situation.sends else ()


def _apart(items: Iterable[HealthItem]) -> tuple[HealthItem, ...]:
    """Return the items, each text once: several checks often fail for the same reason."""
    return tuple({(item.health, item.what, item.remedy): item for item in items}.values())


def _people(situation: Situation) -> StepState:
    if situation.sample_people:
        says = f"{people_of(situation.sample_people)} from the sample list; remove them with `subscribers undo-import`"
        return StepState(mark=StepMark.TO_DO, says=says)
    if not situation.people:
        return StepState(mark=StepMark.TO_DO, says="no one is on the list yet")
    return StepState(mark=StepMark.DONE, says=people_of(situation.people))


def _test(situation: Situation) -> StepState:
    if not situation.testers:
        return StepState(mark=StepMark.TO_DO, says="missing: your address, for test emails")
    if situation.tested_at is None or not situation.sends:
        return StepState(mark=StepMark.TO_DO, says="not sent yet")
    return StepState(mark=StepMark.DONE, says=f"last sent on {_shown(situation.tested_at, situation)}")


def _shown(moment: datetime, situation: Situation) -> str:
    return show_zoned(moment, situation.config.settings.newsletter.timezone)


def _service(situation: Situation) -> StepState:
    if situation.last_run is None:
        return StepState(mark=StepMark.OPTIONAL, says="nothing runs in the background yet; scheduled emails need it")
    return StepState(
        mark=StepMark.DONE, says=f"{situation.last_run.command} last ran on {_shown(situation.last_run.at, situation)}"
    )


def _service_guide(situation: Situation) -> tuple[str, ...]:
    try:
        program = str(place_of(situation.config).command)
    except KeyError:  # the owner of the folder has no name on this machine
        program = "newsletter"
    root = situation.config.root
    return (
        "On a server: `newsletter serve --install` writes a unit for systemd. The service shows your subscribers' "
        "pages and sends what is due (docs/service.md).",
        "On a computer that is on when emails are due: a timer. Run `crontab -e`, and add this line (docs/timer.md):",
        f"`*/5 * * * * cd {quote(str(root))} && {quote(program)} run-due`",
        "If you send at once and your website handles the unsubscribe links, you need neither.",
    )


STEPS: tuple[SetupStep, ...] = (
    SetupStep(
        name="sender",
        title="Sender",
        about="Readers see these names and addresses in every email.",
        questions=SENDER_QUESTIONS,
        state=_answered(SENDER_QUESTIONS, lambda situation: situation.config.settings.newsletter.from_),
    ),
    SetupStep(
        name="address",
        title="Postal address",
        about="Anti-spam laws require it in every commercial email.",
        questions=ADDRESS_QUESTIONS,
        state=_answered(ADDRESS_QUESTIONS, lambda situation: situation.own("newsletter", "address")),
    ),
    SetupStep(
        name="look",
        title="Look",
        about="A logo and one color. The theme chooses everything around them.",
        questions=LOOK_QUESTIONS,
        state=_look,
    ),
    SetupStep(
        name="provider",
        title="Provider",
        about="The service that sends your emails.",
        questions=CARRIER_QUESTIONS,
        state=_carrier,
        guide=carrier.guide,
        check=_check_carrier,
    ),
    SetupStep(
        name="domain",
        title="DNS records",
        about="Records at your domain (SPF, DKIM and DMARC) prove that an email is yours. Publish what is missing "
        "where you manage the domain.",
        questions=(),
        state=_domain,
        check=_check_domain,
    ),
    SetupStep(
        name="list",
        title="List",
        about="The people who asked for your newsletter.",
        questions=LIST_QUESTIONS,
        state=_people,
    ),
    SetupStep(
        name="test",
        title="Test email",
        about="The newest issue as it is now, to yourself. Look at it on your phone too.",
        questions=TEST_QUESTIONS,
        state=_test,
        act=Act(label="Send the test email", run=send_first_test),
    ),
    SetupStep(
        name="service",
        title="Service or timer",
        about="What shows your subscribers' pages, and what sends at a scheduled time.",
        questions=(),
        state=_service,
        guide=_service_guide,
    ),
)
