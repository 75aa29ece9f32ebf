"""Groups whose commands are imported when they are asked for: a worker does not wait for the benches."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click
from flask.cli import AppGroup

HOUSE: Final = __package__


class LaterGroup(AppGroup):
    """A group that knows its commands by name and place, `module:attribute` below this package."""

    def __init__(self, *args: Any, places: Mapping[str, str] | None = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.places = dict(places or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, whether imported by now or not."""
        return sorted({*super().list_commands(ctx), *self.places})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, imported if it was not; none where there is no such name."""
        place = self.places.get(cmd_name)
        if place is not None and cmd_name not in self.commands:
            module, _, attribute = place.partition(":")
            self.add_command(getattr(import_module(f"{HOUSE}.{module}"), attribute), cmd_name)
        return super().get_command(ctx, cmd_name)
