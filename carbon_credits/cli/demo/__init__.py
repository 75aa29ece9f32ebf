"""The demonstration district: residents, partners, money and rules to try the programme with, and one day of acts.

Nothing of it exists outside demonstration mode.
"""

import click

from carbon_credits.cli.demo.play import play
from carbon_credits.cli.demo.seed import seed


@click.group("demo")
def group() -> None:
    """演示区 / The demonstration district."""


group.add_command(seed)
group.add_command(play)
