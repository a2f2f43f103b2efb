"""The rig: attacks the whole system on one machine, and judges it by its clients' own journals.

Not part of the product and not of its tests. `make chaos` runs it; `docs/reliability.md` says what
it does. Nothing here sets Django up but what runs inside a process of the system.
"""
