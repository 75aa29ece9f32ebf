"""The demonstration district: residents, partners, money and rules to try the programme with, and one day of acts.

Nothing of it exists outside demonstration mode.
"""

import click

from carbon_credits.cli.later import LaterGroup


@click.group(
    "demo",
    cls=LaterGroup,
    places={"code": "demo.seed:code", "play": "demo.play:play", "seed": "demo.seed:seed"},
)
def group() -> None:
    """演示区 / The demonstration district."""
