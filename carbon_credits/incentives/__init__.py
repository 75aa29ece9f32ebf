"""Green finance: what banks and insurers give for grams, and statements that tell them a tier and nothing else."""
