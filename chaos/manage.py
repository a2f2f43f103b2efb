"""The product's management commands on a host of the rig: `python -m chaos.manage COMMAND …`."""

import os
import sys

from django.core.management import execute_from_command_line

from chaos.host import enter_rig

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "budget_manager.settings")
    enter_rig()
    execute_from_command_line(["manage.py", *sys.argv[1:]])
