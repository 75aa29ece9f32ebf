"""The workers' door: RQ carries names and numbers only; what there is to do stands in PostgreSQL."""
