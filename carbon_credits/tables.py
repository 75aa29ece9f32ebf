"""Every room's tables in one metadata, for migrations and for the test that compares the two."""

from carbon_credits.activities import models as _activities
from carbon_credits.activities import version_models as _versions
from carbon_credits.core import approvals as _approvals
from carbon_credits.core import audit as _audit
from carbon_credits.core import idempotency as _idempotency
from carbon_credits.core import outbox as _outbox
from carbon_credits.core import signing as _signing
from carbon_credits.core.db import Base
from carbon_credits.crediting import models as _crediting
from carbon_credits.groups import drive_models as _drives
from carbon_credits.groups import hub_models as _hubs
from carbon_credits.groups import models as _groups
from carbon_credits.incentives import models as _incentives
from carbon_credits.ledger import models as _ledger
from carbon_credits.ledger import money_tags as _money
from carbon_credits.partners import models as _partners
from carbon_credits.partners import stations as _stations
from carbon_credits.programme import campaign_models as _campaigns
from carbon_credits.programme import models as _programme
from carbon_credits.reconciliation import balance_models as _balance
from carbon_credits.reconciliation import models as _reconciliation
from carbon_credits.reporting import effect_models as _effects
from carbon_credits.reporting import export_models as _exports
from carbon_credits.reporting import indicators_models as _indicators
from carbon_credits.reporting import models as _reporting
from carbon_credits.reporting import proceeds_readings as _proceeds
from carbon_credits.residents import models as _residents
from carbon_credits.rewards import coverage_models as _coverage
from carbon_credits.rewards import merchant_models as _merchants
from carbon_credits.rewards import offer_models as _offers
from carbon_credits.rewards import redemption_models as _redemptions
from carbon_credits.rewards import settlement_models as _settlement
from carbon_credits.staff import models as _staff

ROOMS = (
    _activities,
    _approvals,
    _audit,
    _campaigns,
    _coverage,
    _crediting,
    _drives,
    _exports,
    _effects,
    _groups,
    _hubs,
    _idempotency,
    _incentives,
    _indicators,
    _proceeds,
    _outbox,
    _signing,
    _ledger,
    _merchants,
    _money,
    _offers,
    _partners,
    _programme,
    _balance,
    _reconciliation,
    _redemptions,
    _reporting,
    _residents,
    _settlement,
    _staff,
    _stations,
    _versions,
)
metadata = Base.metadata
