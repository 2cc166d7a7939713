"""A simulated audience: what people and machines do with an issue, and the truth about it.

People are not the coins that the intervals assume: colleagues do the same, fans read every issue, and who agrees to
tracking depends on the language and the mailbox.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from newsletter.model.broadcast import Broadcast
from newsletter.model.event import Event, EventType
from newsletter.model.machines import MachineVerdict

DOMAINS = {"gmail.com": 0.4, "outlook.com": 0.15, "yahoo.com": 0.1, "icloud.com": 0.1, "example.org": 0.25}
LANGUAGES = {"en": 0.6, "es": 0.25, "": 0.15}
CAUSES = {"no-such-address": 0.6, "disabled": 0.2, "spam": 0.2}
CONSENTS = {"gmail.com": 0.5, "outlook.com": 0.3, "yahoo.com": 0.35, "icloud.com": 0.6, "example.org": 0.2}
READS = {"gmail.com": 0.35, "outlook.com": 0.4, "yahoo.com": 0.25, "icloud.com": 0.5, "example.org": 0.45}


@dataclass(frozen=True, slots=True)
class Person:
    """Someone on the list."""

    id: int
    email: str
    language: str
    agrees: bool

    @property
    def domain(self) -> str:
        """The domain of their address."""
        return self.email.rpartition("@")[2]


@dataclass(slots=True)
class Truth:
    """What really happened, counted while it happens."""

    fates: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    opened: set[int] = field(default_factory=set)  # all who really opened, whether or not we may know
    clicked: set[int] = field(default_factory=set)
    links: Counter[str] = field(default_factory=Counter)  # people who let us know, by the link that they clicked
    delivered: Counter[tuple[str, str]] = field(default_factory=Counter)  # by language and domain
    complaints: set[int] = field(default_factory=set)
    left: set[int] = field(default_factory=set)
    silent_machines: set[int] = field(default_factory=set)  # people with opens of machines only


def people(count: int, seed: int, *, first: int = 1) -> list[Person]:
    """Invented people. Whether they agree to tracking depends on their mailbox and their language."""
    numbers = Random(seed)
    domains = numbers.choices(tuple(DOMAINS), tuple(DOMAINS.values()), k=count)
    languages = numbers.choices(tuple(LANGUAGES), tuple(LANGUAGES.values()), k=count)
    return [
        Person(
            first + place,
            f"reader{first + place}@{domain}",
            language,
            numbers.random() < CONSENTS[domain] * (0.8 if language == "es" else 1.1),
        )
        for place, (domain, language) in enumerate(zip(domains, languages, strict=True))
    ]


class Simulation:
    """One issue. `events` yields everything that is reported, in any order, some of it twice."""

    def __init__(self, broadcast: Broadcast, links: tuple[str, ...], *, sent_at: datetime, seed: int) -> None:
        self.truth = Truth()
        self._numbers = Random(seed)
        self._broadcast = broadcast
        self._links = links
        self._sent_at = sent_at
        self._mood = self._numbers.betavariate(60, 40) / 0.6  # this issue is read more, or less, than others

    def events(self, recipients: list[Person]) -> Iterator[Event]:
        """Yield the events about these people. Neighbors in the list are colleagues, and often do the same."""
        reads = False
        for person in recipients:
            numbers = self._numbers
            if numbers.random() > 0.15:
                is_fan = numbers.random() < 0.3
                reads = numbers.random() < min(0.95, READS[person.domain] * self._mood * (1.6 if is_fan else 0.75))
            found = list(self._of(person, reads=reads))
            yield from found
            if found and numbers.random() < 0.02:
                yield numbers.choice(found)

    def _of(self, person: Person, *, reads: bool) -> Iterator[Event]:
        numbers, truth = self._numbers, self.truth
        at = self._sent_at + timedelta(seconds=numbers.randrange(1200))
        yield self._event(person, EventType.PROCESSED, at)
        chance = numbers.random()
        if chance < 0.012:
            cause = numbers.choices(tuple(CAUSES), tuple(CAUSES.values()))[0]
            is_late = numbers.random() < 0.2  # the server accepts it, and returns it later
            if is_late:
                yield self._event(person, EventType.DELIVERED, at)
            truth.fates["blocked" if cause == "spam" and not is_late else "bounced"] += 1
            if cause == "spam" and is_late:
                cause = "no-such-address"
            truth.causes[cause] += 1
            yield self._event(person, EventType.BOUNCED, at + timedelta(seconds=90), cause=cause)
            return
        if chance < 0.017:
            truth.fates["waiting"] += 1
            yield self._event(person, EventType.DEFERRED, at)
            return
        if chance < 0.019:
            truth.fates["silent"] += 1
            return
        if chance < 0.05:
            truth.fates["delayed"] += 1
            yield self._event(person, EventType.DEFERRED, at)
            at += timedelta(minutes=20)
        truth.fates["delivered"] += 1
        truth.delivered[person.language, person.domain] += 1
        yield self._event(person, EventType.DELIVERED, at)
        yield from self._reactions(person, at, reads=reads)
        if numbers.random() < 0.0008:
            truth.complaints.add(person.id)
            if person.domain != "gmail.com":
                yield self._event(person, EventType.COMPLAINED, at + timedelta(hours=numbers.randrange(1, 30)))
        elif numbers.random() < 0.003:
            truth.left.add(person.id)
            yield self._event(person, EventType.UNSUBSCRIBED, at + timedelta(minutes=numbers.randrange(1, 900)))

    def _reactions(self, person: Person, at: datetime, *, reads: bool) -> Iterator[Event]:
        """Yield opens and clicks. The webhook may report those of people who never agreed; they must not be saved."""
        numbers, truth = self._numbers, self.truth
        has_proxy = person.domain == "icloud.com" and numbers.random() < 0.7
        if has_proxy:
            loaded_at = at + timedelta(minutes=2)
            yield self._event(person, EventType.OPENED, loaded_at, verdict=MachineVerdict.PRIVACY.value)
        if person.domain == "example.org" and numbers.random() < 0.2:  # a scanner follows all links at once
            for place, link in enumerate(self._links[:4], 1):
                yield self._event(person, EventType.CLICKED, at + timedelta(seconds=40), link=link, number=place)
        clicks = reads and numbers.random() < 0.2
        shows_pictures = not has_proxy and (not clicks or numbers.random() < 0.95)
        opened_at = at + timedelta(minutes=15 + numbers.lognormvariate(4.5, 1.4))
        if reads and (clicks or shows_pictures):
            truth.opened.add(person.id)
        elif has_proxy and person.agrees:
            truth.silent_machines.add(person.id)  # perhaps read, but no one can know
        if reads and shows_pictures:
            yield self._event(person, EventType.OPENED, opened_at)
            if numbers.random() < 0.3:
                yield self._event(person, EventType.OPENED, opened_at + timedelta(hours=3))
        if clicks:
            truth.clicked.add(person.id)
            yield from self._clicks(person, opened_at)

    def _clicks(self, person: Person, opened_at: datetime) -> Iterator[Event]:
        """Yield clicks on one or two links, slower than a machine's."""
        for place in {self._numbers.randrange(len(self._links)) for _ in range(2)}:
            self.truth.links[self._links[place]] += person.agrees
            at = opened_at + timedelta(seconds=60 * place + 30)
            yield self._event(person, EventType.CLICKED, at, link=self._links[place], number=place + 1)

    def _event(
        self,
        person: Person,
        type_: EventType,
        at: datetime,
        *,
        cause: str = "",
        link: str = "",
        number: int = -1,
        verdict: str = "",
    ) -> Event:
        return Event(
            at=at.replace(microsecond=0),
            type=type_,
            broadcast=self._broadcast.id,
            nonce=self._broadcast.nonce,
            chunk=1,
            attempt=1,
            subscriber=person.id,
            url=link,
            url_offset=number,
            cause=cause,
            verdict=verdict,
        )
