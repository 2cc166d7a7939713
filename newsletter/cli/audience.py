"""`subscribers`: who is on the list; the commands, in the order in which they are met."""

import typer

from newsletter.cli import exporting, importing, listing, people, stats

subscribers = typer.Typer(help="Bring a list in, take it out again, look somebody up.", no_args_is_help=True)
subscribers.command("import")(importing.import_)
subscribers.command("export")(exporting.export)
subscribers.command("list")(listing.list_subscribers)
subscribers.command("show")(people.show)
subscribers.command("add")(people.add)
subscribers.command("forget")(people.forget)
subscribers.command("stats")(stats.stats)
