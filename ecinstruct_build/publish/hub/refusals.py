"""What went wrong between us and the Hub, in words for the person who can mend it."""

import json
import re
from collections.abc import Iterator

import httpx2
from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

from ecinstruct_build.errors import UserError

_LONGEST_MESSAGE = 300
_QUOTA_STATUS = (402, 413, 507)
_QUOTA_WORDS = ("storage limit", "quota", "storage space", "upgrade your plan")
_XET_STATUS = re.compile(r"HTTP status (?:client|server) error \((\d{3}) ")
"""How hf_xet, which raises errors of Python's own kinds, tells of an answer."""

_XET_CALL = "/xet-write-token/"
_AGAIN = "Nothing that was uploaded is lost: run the same command again, and it goes on from where it stopped."


def status_of(error: BaseException) -> int | None:
    """Return the status that the Hub answered with, or None if there was no answer."""
    if answered := _answered(error):
        return int(answered.response.status_code)
    found = (_XET_STATUS.search(str(one)) for one in _chain(error) if isinstance(one, OSError))
    return next((int(match[1]) for match in found if match), None)


def is_lost_connection(error: BaseException) -> bool:
    """Return whether there was no whole answer: no way to the Hub, or a connection that broke."""
    broken = any(isinstance(one, (httpx2.TransportError, ConnectionError, TimeoutError)) for one in _chain(error))
    return broken and status_of(error) is None and not _is_offline(error)


def is_no_answer_of_a_hub(error: BaseException) -> bool:
    """Return whether something answered that does not speak as the Hub does."""
    return status_of(error) is None and any(isinstance(one, json.JSONDecodeError) for one in _chain(error))


def in_words(error: Exception, doing: str, repo: str, endpoint: str, token: str) -> UserError | None:
    """Say what happened and what to do about it; None for an error that is nobody's at the keyboard.

    Parameters
    ----------
    error
        What huggingface_hub raised.
    doing
        What was being done, as in "listing the files".
    repo, endpoint
        Where.
    token
        The token, so that no message shows it.
    """
    for one in _chain(error):
        if isinstance(one, UserError):
            return one
    said = _said(error, token)
    status = status_of(error)
    if status == 404 and _XET_CALL in said:
        text = (
            f"The Hub at {endpoint} does not offer Xet, by which files are sent where hf_xet is installed. Set the "
            "environment variable HF_HUB_DISABLE_XET to 1 and run the same command again."
        )
    elif status is not None:
        text = _refusal(status, said, doing, repo, endpoint)
    elif _is_offline(error):
        text = "The Hub cannot be asked because HF_HUB_OFFLINE is set. Unset it to publish."
    elif is_lost_connection(error):
        text = (
            f"The connection to the Hub at {endpoint} failed while {doing}{said}. See that the network is there, and "
            f"that HF_ENDPOINT, if set, is right. {_AGAIN}"
        )
    elif is_no_answer_of_a_hub(error):
        text = (
            f"What answered at {endpoint} while {doing} is not the Hub, or it is out of order. See that HF_ENDPOINT, "
            f"if set, is right, and that no sign-in page of the network stands between. {_AGAIN}"
        )
    elif isinstance(error, ValueError):
        text = _quota(repo, said) if _is_quota(None, said) else f"{doing.capitalize()} failed at the Hub{said}."
    else:
        return None
    return UserError(text)


def concurrent(repo: str) -> str:
    """Say that somebody else was faster."""
    return (
        f"Somebody else has committed to {repo} since this publish looked at it, so nothing was committed. Run the "
        "same command again: it looks at what is there now, and what was uploaded already is not sent again."
    )


def _refusal(status: int, said: str, doing: str, repo: str, endpoint: str) -> str:
    owner = repo.partition("/")[0]
    if _is_quota(status, said):
        return _quota(repo, said)
    if status >= 500:
        return f"The Hub at {endpoint} is out of order ({doing}, {status}){said}. Try again later. {_AGAIN}"
    known = {
        401: f"The Hub at {endpoint} does not accept the token (401){said}: it is wrong, has expired or was revoked. "
        f"Make one with write access at {endpoint}/settings/tokens, then set HF_TOKEN to it (which comes first) or run "
        "'hf auth login'.",
        403: f"The token may not do this on the Hub ({doing}, 403){said}. Use one that may write to '{owner}' (a "
        f"fine-grained one needs write access to its repositories), made at {endpoint}/settings/tokens by a member of "
        f"'{owner}' who may write.",
        404: f"The Hub at {endpoint} does not find it ({doing}, 404){said}. See that '{repo}' is right, that '{owner}' "
        "exists, and that the token may see it.",
        412: concurrent(repo),
        429: f"The Hub takes no more requests from this account for now ({doing}, 429){said}. Wait some minutes. "
        f"{_AGAIN}",
    }
    return known.get(status, f"The Hub at {endpoint} refused ({doing}, {status}){said}.")


def _quota(repo: str, said: str) -> str:
    owner = repo.partition("/")[0]
    return (
        f"There is no room left for {repo} on the Hub{said}. Free some storage of '{owner}', ask for more, or publish "
        "to another place; then run the same command again."
    )


def _is_quota(status: int | None, said: str) -> bool:
    return status in _QUOTA_STATUS or any(word in said.casefold() for word in _QUOTA_WORDS)


def _said(error: Exception, token: str) -> str:
    """Return ``: <the Hub's own words>`` in one line and without the token, or "" if it said nothing."""
    answered = _answered(error)
    text = (answered.server_message or "") if answered else str(list(_chain(error))[-1])
    text = " ".join(text.split()).rstrip(".")
    if token:
        text = text.replace(token, "***")
    return f": {text[:_LONGEST_MESSAGE]}" if text else ""


def _is_offline(error: BaseException) -> bool:
    return any(isinstance(one, OfflineModeIsEnabled) for one in _chain(error))


def _answered(error: BaseException) -> HfHubHTTPError | None:
    return next((one for one in _chain(error) if isinstance(one, HfHubHTTPError)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and those that it came from."""
    seen: list[BaseException] = []
    while error is not None and error not in seen:
        yield error
        seen.append(error)
        error = error.__cause__ or error.__context__
