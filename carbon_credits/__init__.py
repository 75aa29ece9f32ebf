"""The programme, floor by floor, from the doors down to the ground.

app            the factory that puts the house together
cli            `flask` commands
local          the supervisor of the servers and processes on one machine
api            DOOR for residents and partners: JSON over HTTP
jobs           DOOR for the workers: crediting, maturing, expiry, sealing, deliveries, the sweeper
crediting      the batch: claimed acts become decisions, grams and points; receipts
activities     acts as they were told, the states they pass, who may claim what once
ledger         journals, postings, wallets, lots, holds, funds and their slots; the invariants
programme      dated policy: earning rates, caps, funds, each approved by a second person
residents      identity, sign-in, consent
partners       the socket partners plug into, their clients, feeds, bindings and files
staff          who works for the programme
methodologies  pure science: formulas, factors, the catalogue
config         settings, read once
core           the ground: database, errors, clock, keys, audit, approvals; knows nothing of carbon

Imports go down only and never sideways; import-linter holds it.
"""
