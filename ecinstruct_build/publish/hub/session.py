"""Ask the Hub with patience: what is worth asking again is asked again, and no wait is without end."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from logging import ERROR
from typing import TypeVar

import httpx2
from huggingface_hub import HfApi, get_session, get_token
from huggingface_hub.utils import disable_progress_bars, logging, parse_ratelimit_headers  # type: ignore[attr-defined]

from ecinstruct_build import __version__
from ecinstruct_build.errors import UserError
from ecinstruct_build.progress import Progress
from ecinstruct_build.publish.hub.refusals import in_words, is_lost_connection, is_no_answer_of_a_hub, status_of
from ecinstruct_build.publish.hub.target import Target

MAX_WAIT_SECONDS = 900.0
"""How long one publish waits for the Hub in all; its windows of counted requests are five minutes long."""

_TRIES = 5
_FIRST_WAIT_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 16.0
_PASSING = (408, 429, 500, 502, 503, 504)
_CONNECT_SECONDS = 30.0
_ANSWER_SECONDS = 600.0

Answer = TypeVar("Answer")


class Session:
    """Calls to one Hub with one token.

    Attributes
    ----------
    api
        huggingface_hub's client.
    repo
        The dataset that it is about.
    """

    def __init__(self, target: Target, token: str, progress: Progress, sleep: Callable[[float], None]) -> None:
        self.api = HfApi(
            endpoint=target.endpoint, token=token, library_name="ecinstruct-build", library_version=__version__
        )
        self.repo = target.repo
        self._token = token
        self._progress = progress
        self._sleep = sleep
        self._left = MAX_WAIT_SECONDS
        self._told_wait: float | None = None

    @property
    def endpoint(self) -> str:
        """Address of the Hub."""
        return str(self.api.endpoint).rstrip("/")

    def ask(
        self,
        doing: str,
        call: Callable[[], Answer],
        *,
        expected: tuple[type[Exception], ...] = (),
        again: bool = True,
    ) -> Answer:
        """Call the Hub.

        Parameters
        ----------
        doing
            What the call does, for messages: "listing the files".
        call
            Asks through `api`.
        expected
            Errors that are let through: the caller knows what they mean.
        again
            Whether to ask again when the Hub is busy, out of order or out of reach for a moment; False for what
            huggingface_hub repeats itself, and for what must not be done twice.

        Raises
        ------
        UserError
            If the Hub refuses, cannot be reached, or the waiting is over.
        """
        tries = _TRIES if again else 0
        for number in range(tries + 1):
            try:
                with self._listening():
                    return call()
            except expected:
                raise
            except Exception as error:
                if number == tries or not _is_passing(error):
                    raise self.told(error, doing) from error
                self._wait(number)
        raise AssertionError

    def told(self, error: Exception, doing: str) -> Exception:
        """Return an error in words for the user, or as it is if there are none."""
        return in_words(error, doing, self.repo, self.endpoint, self._token) or error

    def _wait(self, number: int) -> None:
        seconds = self._told_wait
        if seconds is None:
            seconds = min(_FIRST_WAIT_SECONDS * 2**number, _LONGEST_WAIT_SECONDS)
            self._spend(seconds)
        self._sleep(seconds)

    def _spend(self, seconds: float) -> None:
        if seconds > self._left:
            raise UserError(
                f"The Hub at {self.endpoint} asks to wait {seconds:,.0f} s more, which is longer than a publish waits "
                f"in all ({MAX_WAIT_SECONDS:,.0f} s). Run the same command again later: what was uploaded is kept."
            )
        self._left -= seconds

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hear of every wait that the Hub asks for, those that huggingface_hub obeys of itself as well.

        It obeys any number of seconds, and its client waits for an answer without end.
        """
        self._told_wait = None
        client = get_session()
        hooks, timeout = client.event_hooks, client.timeout
        client.event_hooks = {**hooks, "response": [*hooks["response"], self._hear]}
        client.timeout = httpx2.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS)
        try:
            yield
        finally:
            client.event_hooks, client.timeout = hooks, timeout

    def _hear(self, response: httpx2.Response) -> None:
        if response.status_code not in _PASSING:
            return
        self._told_wait = _seconds_to_wait(response)
        if self._told_wait is not None:
            self._spend(self._told_wait)
            self._progress.note(f"The Hub asks to wait {self._told_wait:,.0f} s ({response.status_code}).")


@contextmanager
def hub_session(target: Target, progress: Progress, sleep: Callable[[float], None] = time.sleep) -> Iterator[Session]:
    """Open a session with the token of the environment or of the Hub's own store; its own bars and logs are silent.

    Raises
    ------
    UserError
        If there is no token.
    """
    token = get_token()
    if not token:
        raise UserError(
            "There is no token for the Hub. Make one with write access at https://huggingface.co/settings/tokens, then "
            "set the environment variable HF_TOKEN to it or run 'hf auth login'."
        )
    verbosity = logging.get_verbosity()
    logging.set_verbosity(ERROR)
    try:
        with disable_progress_bars():
            yield Session(target, token, progress, sleep)
    finally:
        logging.set_verbosity(verbosity)


def _is_passing(error: Exception) -> bool:
    return is_lost_connection(error) or is_no_answer_of_a_hub(error) or status_of(error) in _PASSING


def _seconds_to_wait(response: httpx2.Response) -> float | None:
    limits = parse_ratelimit_headers(response.headers)
    if response.status_code == 429 and limits is not None and limits.remaining == 0:
        return float(limits.reset_in_seconds)
    told = response.headers.get("Retry-After", "").strip()
    return float(told) if told.isascii() and told.isdigit() else None
