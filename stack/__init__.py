"""The whole system as processes on one machine: what `make run` and `make test` start.

Nothing here knows what a brand or a budget is. `python -m stack --help` lists the commands.
"""
