"""Options that say what money is when it comes in: of which loan, bond, special fund or own budget."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from carbon_credits.ledger import money_tags

Command = TypeVar("Command", bound=Callable[..., Any])


def tagged(command: Command) -> Command:
    """The options that say what money is; `tag_of` takes them together."""
    for option in (
        click.option("--document", help="contract, prospectus or notice, with its number"),
        click.option("--matures-on", help="of a loan or a bond, such as 2029-06-30"),
        click.option("--issuer", help="who lends, or whose budget it is"),
        click.option("--instrument", help="its name or number"),
        click.option(
            "--tag", "tag_kind", type=click.Choice(list(money_tags.KINDS)), help="what the money is"
        ),
    ):
        command = option(command)
    return command


def tag_of(given: dict[str, Any]) -> dict[str, Any]:
    """A payload of these options, its tag under `tag` where one is named; the options themselves are taken out."""
    names = ("instrument", "issuer", "matures_on", "document")
    told = {name: given.pop(name, None) for name in names}
    kind = given.pop("tag_kind", None)
    if kind is None:
        if any(told.values()):
            raise click.UsageError("--tag says what the money is")
        return given
    return {**given, "tag": {"kind": kind, **told}}
