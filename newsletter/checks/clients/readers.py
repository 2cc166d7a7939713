"""The email apps that readers use, and the share of each: `[checks.clients]`."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from newsletter.checks.clients.table import Feature, Support, Table, load_table
from newsletter.config import CONFIG_FILE, Config, line_of_key
from newsletter.errors import Mistake, MistakesError
from newsletter.settings.mistakes import suggestion

# These are hardly used, so they get no part of their family's weight. Microsoft ended Windows Mail in 2024, and phones
# have the Gmail app.
_RARE = frozenset({"outlook.windows-mail", "gmail.mobile-webmail"})


class Readers(Struct, frozen=True, kw_only=True):
    """The share of readers who use each email app, in percent. The rest use other apps."""

    table: Table
    shares: Mapping[str, float]
    columns: Mapping[str, int]  # the index of each of these email apps in a feature's answers

    def answering(self, feature: Feature, support: Support) -> tuple[str, ...]:
        """Return the readers' email apps that have this level of support for a feature."""
        return tuple(client for client, column in self.columns.items() if feature.answers[column] == support)

    def share(self, clients: Sequence[str]) -> float:
        """Return the share of readers who use one of these email apps, in percent."""
        return sum(self.shares[client] for client in clients)

    def named(self, clients: Sequence[str]) -> str:
        """Return the names of email apps: `Gmail, Outlook (Windows, macOS)`.

        If these are all the apps of a family that readers use, only the family's name is given.
        """
        words: list[str] = []
        for family, name in self.table.families.items():
            used = [client for client in self.table.members(family) if client in self.shares]
            meant = [self.table.clients[client] for client in used if client in clients]
            if len(meant) > 1:
                platforms = (whole.removeprefix(f"{name} ").removeprefix("on ") for whole in meant)
                words.append(name if len(meant) == len(used) else f"{name} ({', '.join(platforms)})")
            else:
                words += meant
        return ", ".join(words)


def readers_of(table: Table, weights: Mapping[str, float]) -> Readers:
    """Compute the readers' shares from the weights of families (`gmail`) and of single apps (`outlook.windows`).

    The weight of a family is spread evenly over those of its apps that have no weight of their own.
    """
    shares = {name: weight for name, weight in weights.items() if name in table.clients}
    for family, weight in weights.items():
        others = [client for client in table.members(family) if client not in weights and client not in _RARE]
        shares |= {client: weight / len(others) for client in others}
    columns = {client: column for column, client in enumerate(table.clients) if shares.get(client)}
    return Readers(table=table, shares={client: shares[client] for client in columns}, columns=columns)


def mistakes_in_clients(config: Config) -> tuple[Mistake, ...]:
    """Return the mistakes in the email apps and in the accepted features of the settings."""
    try:
        table = load_table(config.root)
    except MistakesError as err:
        return err.mistakes
    return (*_unknown_clients(config, table), *_unknown_features(config, table))


def _unknown_clients(config: Config, table: Table) -> Iterator[Mistake]:
    known = [*table.families, *table.clients]
    for name in config.settings.checks.clients:
        if name not in known:
            family = name.partition(".")[0]
            near = table.members(family) if family in table.families else known
            hint = suggestion(name, near if len(near) < len(known) else list(table.families))
            line = line_of_key(config, "checks", "clients", *name.split("."))
            what = f"clients › {name!r} is not an email app that caniemail lists"
            remedy = f"{hint} (`newsletter clients` lists all of them)"
            yield Mistake(path=CONFIG_FILE, line=line, what=what, remedy=remedy)


def _unknown_features(config: Config, table: Table) -> Iterator[Mistake]:
    known = [feature.slug for feature in table.features]
    for slug in config.settings.checks.accept:
        if slug not in known:
            line = line_of_key(config, "checks", "accept", slug)
            what = f"accept › {slug} is not a feature that caniemail lists"
            remedy = "write the last part of its address at caniemail.com, such as css-display-grid or image-webp"
            yield Mistake(path=CONFIG_FILE, line=line, what=what, remedy=remedy)
