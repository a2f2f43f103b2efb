"""Sends statements in one go and waits once for all their answers, in libpq's pipeline mode.

psycopg's own pipeline gives other threads a turn with each statement that it sends, and whoever
waits for the lock that is held meanwhile waits for all of those turns.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import AdaptersMap, Transformer
from psycopg.errors import (
    DuplicatePreparedStatement,
    FeatureNotSupported,
    InvalidSqlStatementName,
    error_from_result,
)
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.types.string import TextLoader
from psycopg.waiting import Ready, Wait

if TYPE_CHECKING:
    from psycopg.pq.abc import PGresult

Row = tuple[Any, ...]
# A text with `%s` for each of its values, and whether it may be prepared.
Sent = tuple[str, Sequence[Any], bool]
_FAILURES = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED, ExecStatus.BAD_RESPONSE)
_NOT_AS_PREPARED = (InvalidSqlStatementName, DuplicatePreparedStatement, FeatureNotSupported)
_BEGIN = b"BEGIN ISOLATION LEVEL READ COMMITTED"
# Instants are read by psycopg itself, in C and in UTC: Django's own way takes 3 µs for each.
# Documents stay texts, as with Django.
_ADAPTERS = AdaptersMap(psycopg.adapters)
_ADAPTERS.register_loader("jsonb", TextLoader)
# So many texts are kept prepared on a connection; there are about twenty.
MOST_PREPARED = 100


class Prepared:
    """What one connection's server has prepared, by its text, and what it has seen once or more."""

    def __init__(self) -> None:
        self.names: dict[bytes, bytes] = {}
        self._seen: dict[bytes, int] = {}

    def name(self, text: bytes, threshold: int | None) -> bytes | None:
        """The name under which the text is to be prepared now; none if it isn't time yet.

        It says which text that is: in whoever's session, a name can't mean another statement.
        """
        if threshold is None or len(self.names) >= MOST_PREPARED:
            return None
        seen = self._seen[text] = self._seen.get(text, 0) + 1
        return b"bm_" + sha256(text).hexdigest()[:32].encode() if seen > threshold else None


class Pipeline:
    """One round trip on a connection: what is sent, in order, and what each was answered."""

    def __init__(self, connection: "psycopg.Connection[Any]", prepared: Prepared) -> None:
        self._connection, self._prepared = connection, prepared
        self._pgconn = connection.pgconn
        # Of each command its text if it prepares, and whether its rows are wanted.
        self._commands: list[tuple[bytes | None, bool]] = []
        self._new: dict[bytes, bytes] = {}

    def run(self, statements: Sequence[Sent], *, commits: bool) -> list[list[Row]]:
        """The rows of each statement. Raises psycopg's errors, after all has been answered.

        Outside of autocommit a transaction begins with the first, and with `commits` it ends.
        """
        with self._connection.lock:
            self._pgconn.enter_pipeline_mode()
            try:
                results = self._connection.wait(self._exchange(statements, commits))
            except BaseException as error:
                # Nobody knows which answers are still on their way, or whether it was committed.
                self._pgconn.finish()
                if isinstance(error, psycopg.Error) or not isinstance(error, Exception):
                    raise
                raise psycopg.OperationalError("the outcome isn't known") from error
            self._pgconn.exit_pipeline_mode()
        return self._rows(results)

    def _exchange(self, statements: Sequence[Sent], commits: bool) -> "PQGen[list[PGresult]]":
        if not self._connection.autocommit:
            self._begin()
        for text, values, may_prepare in statements:
            self._send(_with_numbers(text), [_dumped(value) for value in values], may_prepare)
        if commits:
            self._command(b"COMMIT")
        self._pgconn.pipeline_sync()
        while self._pgconn.flush():
            if (yield Wait.RW) & Ready.R:
                self._pgconn.consume_input()
        return (yield from self._answers())

    def _begin(self) -> None:
        if self._pgconn.transaction_status == TransactionStatus.IDLE:
            self._command(_BEGIN)

    def _command(self, text: bytes) -> None:
        self._pgconn.send_query_params(text, None)
        self._commands.append((None, False))

    def _send(self, text: bytes, values: list[bytes | None], may_prepare: bool) -> None:
        name = self._prepared.names.get(text) or self._new.get(text)
        threshold = self._connection.prepare_threshold if may_prepare else None
        if name is None and (name := self._prepared.name(text, threshold)):
            self._pgconn.send_prepare(name, text)
            self._commands.append((text, False))
            self._new[text] = name
        if name is None:
            self._pgconn.send_query_params(text, values)
        else:
            self._pgconn.send_query_prepared(name, values)
        self._commands.append((None, True))

    def _answers(self) -> "PQGen[list[PGresult]]":
        """One result for each command; the last is the end of the pipeline."""
        results: list[PGresult] = []
        while True:
            while self._pgconn.is_busy():
                yield Wait.R
                self._pgconn.consume_input()
            result = self._pgconn.get_result()
            if result is None:
                # What a command ends with; of a connection that is lost nothing else ever comes.
                if self._pgconn.status != ConnStatus.OK:
                    raise psycopg.OperationalError("the connection is lost")
            elif result.status == ExecStatus.PIPELINE_SYNC:
                return results
            else:
                results.append(result)

    def _rows(self, results: "list[PGresult]") -> list[list[Row]]:
        rows: list[list[Row]] = []
        for (prepares, is_wanted), result in zip(self._commands, results, strict=True):
            if result.status in _FAILURES:
                # The first of them: the server has passed over what came after it.
                raise self._error(result)
            if prepares is not None:
                self._prepared.names[prepares] = self._new[prepares]
            elif is_wanted:
                rows.append(self._loaded(result))
        return rows

    def _error(self, result: "PGresult") -> psycopg.Error:
        error = error_from_result(result, self._connection.info.encoding)
        if isinstance(error, _NOT_AS_PREPARED):
            # Somebody between us and the server gave us another one's session, or had it discarded;
            # or a migration has changed a column since. What else it knows by our names is unsure.
            self._pgconn.finish()
            return psycopg.OperationalError(f"{error}; set DATABASE_PREPARED_STATEMENTS=0")
        return error

    @staticmethod
    def _loaded(result: "PGresult") -> list[Row]:
        if result.status != ExecStatus.TUPLES_OK:
            return []
        transformer = Transformer(_ADAPTERS)
        transformer.set_pgresult(result)
        return transformer.load_rows(0, result.ntuples, tuple)


@lru_cache(maxsize=1_000)
def _with_numbers(text: str) -> bytes:
    """The text with `$1`, `$2` … in place of its `%s`."""
    first, *rest = text.split("%s")
    numbered = (f"${number}{part}" for number, part in enumerate(rest, start=1))
    return (first + "".join(numbered)).encode()


def _dumped(value: str | int | bool | None) -> bytes | None:
    """A value as text, whose type the server finds in the statement."""
    return None if value is None else str(value).encode()
