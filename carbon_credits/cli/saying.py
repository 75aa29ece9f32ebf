"""How commands speak: a refusal is a sentence in both languages and an exit code, never a stack trace."""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

import click
from sqlalchemy.exc import DBAPIError

from carbon_credits.config import WrongSettings
from carbon_credits.core.db import AGAIN, is_away, sqlstate
from carbon_credits.core.errors import InvariantBroken, ProgrammeError

AWAY: Final = "数据库无法连接 / the database cannot be reached"
BUSY: Final = (
    "数据库正忙（程序可能正在启动或升级），此步未执行，请稍后重试"
    " / the database is busy, perhaps with a start or an upgrade: this step was not taken, try again shortly"
)
NOT_OURS: Final = (
    "数据库的表与本程序版本不符：正在启动或升级，请稍后重试；否则请执行 flask db upgrade"
    " / the database does not have this programme's tables: it is being started or upgraded, try again shortly;"
    " otherwise run flask db upgrade"
)
# undefined table, undefined column
_MISSING: Final = frozenset({"42P01", "42703"})
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
            words = _of_database(error)
            if words is None:
                raise
            raise click.ClickException(words) from error

    return said


def _of_database(error: DBAPIError) -> str | None:
    """What an operator can do about a failure of the database; None where that is for whoever wrote the programme."""
    if is_away(error):
        return AWAY
    state = sqlstate(error)
    return BUSY if state in AGAIN else NOT_OURS if state in _MISSING else None
