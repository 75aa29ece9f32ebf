"""The tables are what the models say, the revisions are one line, and what guards a table is listed here."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, make_url
from sqlalchemy.schema import SchemaItem

from carbon_credits.tables import metadata
from tests.database import alembic_config, create_database, migrate

APPEND_ONLY = {
    "act_key",
    "act_piece",
    "act_version",
    "activity",
    "audit_entry",
    "bank_file",
    "bank_file_line",
    "bonus",
    "campaign_audience",
    "campaign_effect",
    "capture",
    "capture_reversal",
    "clawback",
    "closed_period",
    "consent",
    "coverage_fund",
    "coverage_reading",
    "dossier_figure",
    "drive_answer",
    "drive_criterion",
    "expiry_notice",
    "feed_grace",
    "formula_release",
    "fund_deposit",
    "fund_transfer",
    "group_size",
    "hold_lot",
    "hub_month",
    "hub_month_part",
    "incentive_outcome",
    "indicator_reading",
    "indicator_value",
    "journal",
    "money_tag",
    "point_value",
    "posting",
    "proceeds_reading",
    "provider_line",
    "purse_entry",
    "recycler_purchase",
    "redemption_code",
    "restated",
    "restatement",
    "seal",
    "seal_member",
    "settlement_adjusted",
    "settlement_adjustment",
    "settlement_line",
    "trip_print",
    "trip_verdict",
}


@pytest.fixture
def look(owner_url: str) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(owner_url.replace("+psycopg", "")) as connection:
        yield connection


def test_revisions_are_numbered_files_in_one_line() -> None:
    scripts = ScriptDirectory.from_config(alembic_config())
    assert len(scripts.get_heads()) == 1
    for revision in scripts.walk_revisions():
        assert Path(revision.path).stem == revision.revision
        assert re.fullmatch(r"\d{4}_[a-z_]+", revision.revision)


def test_models_and_tables_agree(owner_url: str) -> None:
    def is_ours(item: SchemaItem, name: str | None, kind: str, reflected: bool, _: object) -> bool:
        # partitions belong to their parents; indexes and constraints are written in the migrations alone
        return kind in ("table", "column") and not re.search(r"_(\d{6}|\d)$", name or "")

    engine = create_engine(owner_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": is_ours, "compare_type": True, "compare_server_default": False},
        )
        found = [str(item) for item in compare_metadata(context, metadata)]
    engine.dispose()
    written_by_migrations_alone = ("monthly_table", "contra_kind", "journal_kind", "task_run")
    assert [item for item in found if not any(f"'{t}'" in item for t in written_by_migrations_alone)] == []


def test_every_revision_can_be_undone_and_done_again(owner_url: str) -> None:
    create_database(owner_url, "up_and_down")
    url = make_url(owner_url).set(database="up_and_down").render_as_string(hide_password=False)
    migrate(url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_OWNER_URL", url)
        command.downgrade(alembic_config(), "base")
    migrate(url)


def test_append_only_tables_refuse_change_from_everyone(look: "psycopg.Connection[Any]") -> None:
    guarded = look.execute("""
        select c.relname from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where t.tgname = 'append_only' and not c.relispartition""").fetchall()
    assert {name for (name,) in guarded} == APPEND_ONLY
    truncate = look.execute("""
        select c.relname from pg_class c
        where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
          and exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'no_truncate')""").fetchall()
    assert {name for (name,) in truncate} >= APPEND_ONLY
    partitions = look.execute("""
        select i.inhrelid::regclass::text from pg_inherits i
        where i.inhparent in ('posting'::regclass, 'activity'::regclass)""").fetchall()
    assert {name for (name,) in partitions} <= {name for (name,) in truncate}


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_the_application_may_only_read_and_add_to_append_only_tables(
    look: "psycopg.Connection[Any]", table: str
) -> None:
    rights = look.execute(
        "select privilege_type from information_schema.role_table_grants"
        " where grantee = 'carbon_app' and table_name = %s",
        (table,),
    ).fetchall()
    assert {right for (right,) in rights} == {"SELECT", "INSERT"}


def test_the_application_owns_nothing_and_cannot_make_tables(database_url: str) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        assert connection.execute(
            # but the temporary tables of connections that are kept
            "select count(*) from pg_class where relowner = (select oid from pg_roles where rolname = current_user)"
            " and relnamespace::regnamespace::text !~ '^pg_(toast_)?temp_'"
        ).fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("create table public.mine (n int)")


def test_partitions_are_made_ahead_by_the_application_which_may_not_write_around_their_parent(
    database_url: str,
) -> None:
    with psycopg.connect(database_url.replace("+psycopg", "")) as connection:
        connection.execute("select make_partitions('2031-01-15', '2031-02-15')")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "insert into posting_203101 (journal_id, resident_id, points, balance_after, line, wallet_seq,"
                " contra_ref, booked_on, effective_on, contra_kind, shard_id)"
                " values (1, 1, 1, 1, 1, 1, 1, '2031-01-20', '2031-01-20', 1, 0)"
            )


def test_a_feeds_secret_is_set_once_and_only_its_end_may_change(look: "psycopg.Connection[Any]") -> None:
    rights = look.execute("""
        select privilege_type, column_name from information_schema.column_privileges
        where grantee = 'carbon_app' and table_name = 'feed_secret' and privilege_type = 'UPDATE'""").fetchall()
    assert rights == [("UPDATE", "ends_at")]
    whole = look.execute("""
        select table_name, privilege_type from information_schema.role_table_grants
        where grantee = 'carbon_app' and table_name in ('feed_secret', 'feed_push_seen')""").fetchall()
    assert set(whole) == {
        ("feed_secret", "SELECT"),
        ("feed_secret", "INSERT"),
        ("feed_push_seen", "SELECT"),
        ("feed_push_seen", "INSERT"),
        ("feed_push_seen", "DELETE"),
    }


def test_a_decision_passes_only_through_the_states_of_the_table(look: "psycopg.Connection[Any]") -> None:
    pairs = set(look.execute("select follows, state from activity_state").fetchall())
    assert ("credited", "reversed") in pairs
    assert ("credited", "rejected") not in pairs
    assert ("replaced", "credited") not in pairs
    states = {row for pair in pairs for row in pair}
    assert states == {"claimed", "held", "awaiting", "credited", "rejected", "replaced", "reversed"}


def test_a_case_passes_only_through_the_states_of_the_table(look: "psycopg.Connection[Any]") -> None:
    pairs = set(look.execute("select follows, state from recon_case_state").fetchall())
    assert {state for follows, state in pairs if follows == "decided"} == {"closed"}
    assert not [state for follows, state in pairs if follows == "closed"]
    assert {follows for follows, state in pairs if state == "decided"} == {
        "open",
        "waiting_for_partner",
        "waiting_for_resident",
    }
    guards = look.execute(
        "select tgname from pg_trigger where tgrelid = 'recon_case'::regclass and not tgisinternal"
    )
    assert {name for (name,) in guards.fetchall()} == {"only_allowed_case_states"}
    rights = look.execute("""
        select privilege_type from information_schema.role_table_grants
        where grantee = 'carbon_app' and table_name = 'recon_case'""").fetchall()
    assert {right for (right,) in rights} == {"SELECT", "INSERT"}
    columns = look.execute("""
        select column_name from information_schema.column_privileges
        where grantee = 'carbon_app' and table_name = 'recon_case' and privilege_type = 'UPDATE'""").fetchall()
    assert not {name for (name,) in columns} & {
        "kind",
        "subject",
        "resident_id",
        "activity_id",
        "opened_at",
        "reason",
    }


def test_groups_pass_only_through_the_states_of_the_table_and_history_stays(
    look: "psycopg.Connection[Any]",
) -> None:
    pairs = set(look.execute("select machine, follows, state from group_state").fetchall())
    assert {(follows, state) for machine, follows, state in pairs if machine == "group"} == {
        ("applied", "active"),
        ("applied", "refused"),
        ("active", "closed"),
    }
    assert {(follows, state) for machine, follows, state in pairs if machine == "drive_request"} == {
        ("asked", "taken_up"),
        ("asked", "declined"),
        ("asked", "withdrawn"),
    }
    assert not [row for row in pairs if row[1] in {"awarded", "refused", "withdrawn", "taken_in", "closed"}]
    guards = look.execute("""
        select c.relname, t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where not t.tgisinternal
          and c.relname in ('resident_group', 'group_request', 'membership', 'drive_application', 'drive_request')""")
    assert set(guards.fetchall()) == {
        ("resident_group", "only_allowed_group_states"),
        ("group_request", "only_allowed_request_states"),
        ("membership", "membership_history_stays"),
        ("drive_application", "only_allowed_application_states"),
        ("drive_request", "only_allowed_drive_request_states"),
        ("drive_request", "answered_drive_requests_stay"),
        ("drive_request", "drive_requests_fit"),
    }
    rights = look.execute("""
        select table_name, column_name from information_schema.column_privileges
        where grantee = 'carbon_app' and privilege_type = 'UPDATE'
          and table_name in ('membership', 'join_code', 'group_request', 'drive_request')""").fetchall()
    assert set(rights) == {
        ("membership", "to_on"),
        ("membership", "sealed_name"),
        ("join_code", "used"),
        ("join_code", "ended_at"),
        ("group_request", "state"),
        ("group_request", "decided_by"),
        ("drive_request", "state"),
        ("drive_request", "decided_by"),
        ("drive_request", "reason"),
        ("drive_request", "application_id"),
        ("drive_request", "changed_at"),
    }
    exclusion = look.execute("select contype from pg_constraint where conname = 'membership_one_of_a_kind'")
    assert exclusion.fetchall() == [("x",)]


def test_a_station_is_of_one_hub_and_counted_months_keep_theirs(look: "psycopg.Connection[Any]") -> None:
    rights = look.execute("""
        select table_name, column_name from information_schema.column_privileges
        where grantee = 'carbon_app' and privilege_type = 'UPDATE'
          and table_name in ('hub_station', 'hub_month', 'hub_month_part', 'feed_station')""").fetchall()
    assert set(rights) == {
        ("hub_station", "to_month"),
        ("hub_station", "ended_by"),
        ("hub_station", "changed_at"),
        ("feed_station", "last_month"),
    }
    guards = look.execute(
        "select tgname from pg_trigger where tgrelid = 'hub_station'::regclass and not tgisinternal"
    )
    assert guards.fetchall() == [("counted_months_keep_their_stations",)]
    exclusion = look.execute("select contype from pg_constraint where conname = 'hub_station_of_one_hub'")
    assert exclusion.fetchall() == [("x",)]


def test_campaigns_pass_only_through_the_states_of_the_table_and_two_never_have_one_act(
    look: "psycopg.Connection[Any]",
) -> None:
    steps = set(look.execute("select follows, state from campaign_state").fetchall())
    assert steps == {
        ("draft", "proposed"),
        ("draft", "withdrawn"),
        ("proposed", "draft"),
        ("proposed", "withdrawn"),
        ("proposed", "approved"),
        ("approved", "running"),
        ("approved", "withdrawn"),
        ("running", "paused"),
        ("paused", "running"),
        ("running", "ended"),
        ("paused", "ended"),
    }
    guards = look.execute("""
        select t.tgname from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where not t.tgisinternal and c.relname = 'campaign'""")
    assert {name for (name,) in guards} == {
        "only_allowed_campaign_states",
        "campaign_terms_stay",
        "campaigns_begin_as_drafts",
        "keep_campaign_scope",
    }
    exclusion = look.execute("select contype from pg_constraint where conname = 'campaign_one_for_an_act'")
    assert exclusion.fetchall() == [("x",)]
    may = look.execute("""
        select table_name, privilege_type from information_schema.table_privileges
        where grantee = 'carbon_app' and table_name in ('campaign', 'campaign_scope', 'campaign_pause')""")
    assert set(may.fetchall()) == {
        ("campaign", "SELECT"),
        ("campaign", "INSERT"),
        ("campaign_scope", "SELECT"),
        ("campaign_pause", "SELECT"),
        ("campaign_pause", "INSERT"),
    }
    changeable = look.execute("""
        select column_name from information_schema.column_privileges
        where grantee = 'carbon_app' and privilege_type = 'UPDATE' and table_name = 'campaign'""")
    assert {"salt", "code", "made_by", "campaign_id", "made_at"} & {name for (name,) in changeable} == set()


def test_what_waits_and_what_is_held_is_found_by_an_index_of_nothing_else(
    look: "psycopg.Connection[Any]",
) -> None:
    rows = look.execute("select indexname, indexdef from pg_indexes where tablename = 'decision'").fetchall()
    partial = {name: definition for name, definition in rows if " WHERE " in definition}
    assert "(state = 'awaiting'::text)" in partial["decision_awaiting"]
    assert "(state = 'held'::text)" in partial["decision_held"]
