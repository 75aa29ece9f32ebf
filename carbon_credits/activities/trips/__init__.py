"""Trip evidence: what a phone's trace can prove, and what it refutes. Pure: no web, no database.

`trace` reads it, `cleaning` makes it honest, `legs` finds the trip in it, `features` measures it, `fingerprint` makes
it comparable without keeping it, `rules` says what each finding is worth, and `judging` decides.
"""
