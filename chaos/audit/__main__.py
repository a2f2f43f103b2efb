"""`python -m chaos.audit FOLDER`: the table on stdout, `audit.json` in the folder.

The exit status is 0 when nothing is broken, 1 when something is, and 2 when it can't be told.
"""

import os
import sys
import traceback
from pathlib import Path

from chaos.audit.findings import is_clean
from chaos.audit.judgement import audit
from chaos.audit.report import keep, table

BROKEN = 1
MISUSED = 2


def main(words: list[str]) -> int:
    """Audit the folder that the words name."""
    database_url = os.environ.get("DATABASE_URL", "")
    if len(words) != 1 or not database_url.startswith("postgres"):
        sys.stderr.write("Say the folder of a run, with its PostgreSQL as DATABASE_URL.\n")
        return MISUSED
    folder = Path(words[0])
    try:
        rows = audit(folder, database_url)
    except Exception:  # Whatever it is, it judges nobody.
        traceback.print_exc()
        return MISUSED
    keep(rows, folder / "audit.json")
    sys.stdout.write(table(rows) + "\n")
    return 0 if is_clean(rows) else BROKEN


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
