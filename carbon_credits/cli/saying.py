"""How commands speak: a refusal is a sentence in both languages and an exit code, never a stack trace."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import click
from sqlalchemy.exc import DBAPIError

from carbon_credits.config import WrongSettings
from carbon_credits.core.db import is_away
from carbon_credits.core.errors import InvariantBroken, ProgrammeError

P = ParamSpec("P")
R = TypeVar("R")


def plainly(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what a service refuses into words on the terminal."""

    @wraps(command)
    def said(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except ProgrammeError as error:
            lines = [f"{error.detail.zh} / {error.detail.en} ({error.code})"]
            lines += [f"  {f.pointer}: {f.detail.zh} / {f.detail.en}" for f in error.faults]
            raise click.ClickException("\n".join(lines)) from error
        except InvariantBroken as error:
            raise click.ClickException(
                f"账目不平，未作任何更改 / the books would not balance: {error}"
            ) from error
        except WrongSettings as error:
            raise click.ClickException(str(error)) from error
        except DBAPIError as error:
            if not is_away(error):
                raise
            raise click.ClickException("数据库无法连接 / the database cannot be reached") from error

    return said
