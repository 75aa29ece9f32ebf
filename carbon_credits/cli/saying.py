"""How commands speak: a refusal is a sentence in both languages and an exit code, never a stack trace."""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

import click
from sqlalchemy.exc import DBAPIError

from carbon_credits.config import WrongSettings
from carbon_credits.core.db import AGAIN, is_away, sqlstate
from carbon_credits.core.errors import InvariantBroken, ProgrammeError

BUSY: Final = (
    "数据库正忙（程序可能正在启动或升级），未作任何更改，请稍后重试"
    " / the database is busy, perhaps with a start or an upgrade: nothing was changed, try again shortly"
)
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
            if is_away(error):
                raise click.ClickException("数据库无法连接 / the database cannot be reached") from error
            if sqlstate(error) in AGAIN:
                raise click.ClickException(BUSY) from error
            raise

    return said
