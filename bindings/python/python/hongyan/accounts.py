"""Accounts of the services: dicts for ``"accounts"`` of a configuration and for `set_account`.

>>> config = {"v": 1, "accounts": {"ff": hongyan.accounts.fanfou(
...     hongyan.accounts.oauth1("key", "${env:SECRET}", "token", "${env:TOKEN_SECRET}"))}}

Each function only makes the dict. ``${env:NAME}`` and ``${file:PATH}`` stand for credentials that
are kept elsewhere. What every account may have besides: ``base_url``, ``rate`` (``{"count": 30,
"per_ms": 60000}`` replaces the documented limits, `NO_LIMIT` removes them) and ``max_in_flight``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Union

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "NO_LIMIT",
    "Account",
    "Auth",
    "Rate",
    "basic",
    "bearer",
    "fanfou",
    "mac",
    "oauth1",
    "oauth2",
    "renren",
    "sina",
    "tencent_im",
    "usersig",
    "weibo",
]


Account = dict[str, Any]
"""An account, as a configuration has it."""
Auth = dict[str, Any]
"""The credentials of an account."""


class Rate(TypedDict):
    """At most ``count`` requests in any stretch of ``per_ms`` milliseconds."""

    count: int
    per_ms: int


#: For ``rate=``: the documented limits do not hold.
NO_LIMIT: Literal["no limit"] = "no limit"

_Rate = Union[Rate, Literal["no limit"], None]


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _account(service: str, auth: Mapping[str, Any], rate: _Rate, **fields: Any) -> Account:
    account = {"service": service, "auth": dict(auth), **_given(**fields)}
    if rate == NO_LIMIT:
        account["rate"] = None
    elif rate is not None:
        account["rate"] = rate
    return account


def basic(username: str, password: str) -> Auth:
    """Name and password: fanfou, sina."""
    return {"type": "basic", "username": username, "password": password}


def oauth1(consumer_key: str, consumer_secret: str, token: str, token_secret: str) -> Auth:
    """OAuth 1.0a: fanfou, sina."""
    return {
        "type": "oauth1",
        "consumer_key": consumer_key,
        "consumer_secret": consumer_secret,
        "token": token,
        "token_secret": token_secret,
    }


def oauth2(token: str, *, send: Literal["form", "header"] = "form") -> Auth:
    """OAuth 2, the token in the form or in a header: weibo."""
    return {"type": "oauth2", "token": token, "send": send}


def bearer(token: str) -> Auth:
    """OAuth 2 with a bearer token: renren."""
    return {"type": "bearer", "token": token}


def mac(token: str, mac_key: str) -> Auth:
    """OAuth 2 with a signature over each request: renren."""
    return {"type": "mac", "token": token, "mac_key": mac_key}


def usersig(
    sdk_app_id: int,
    identifier: str,
    secret_key: str,
    *,
    expire_s: int | None = None,
    userbuf: str | None = None,
) -> Auth:
    """A UserSig that is made from the app's secret key: tencent_im."""
    return {
        "type": "usersig",
        "sdk_app_id": sdk_app_id,
        "identifier": identifier,
        "secret_key": secret_key,
        **_given(expire_s=expire_s, userbuf=userbuf),
    }


def fanfou(
    auth: Mapping[str, Any],
    *,
    format: Literal["json", "xml", "rss"] | None = None,
    base_url: str | None = None,
    signing_url: str | None = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
) -> Account:
    """Fanfou, with `basic` or `oauth1`."""
    return _account(
        "fanfou",
        auth,
        rate,
        format=format,
        base_url=base_url,
        signing_url=signing_url,
        max_in_flight=max_in_flight,
    )


def sina(
    auth: Mapping[str, Any],
    *,
    app_key: str | None = None,
    format: Literal["json", "xml"] | None = None,
    base_url: str | None = None,
    signing_url: str | None = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
) -> Account:
    """Sina, with `basic` (then ``app_key`` is required) or `oauth1`."""
    return _account(
        "sina",
        auth,
        rate,
        app_key=app_key,
        format=format,
        base_url=base_url,
        signing_url=signing_url,
        max_in_flight=max_in_flight,
    )


def weibo(
    auth: Mapping[str, Any],
    *,
    app_key: str | None = None,
    base_url: str | None = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
) -> Account:
    """Weibo, with `oauth2`."""
    return _account(
        "weibo", auth, rate, app_key=app_key, base_url=base_url, max_in_flight=max_in_flight
    )


def renren(
    auth: Mapping[str, Any],
    *,
    params: Literal["query", "form"] | None = None,
    base_url: str | None = None,
    signing_url: str | None = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
) -> Account:
    """Renren, with `bearer` or `mac`."""
    return _account(
        "renren",
        auth,
        rate,
        params=params,
        base_url=base_url,
        signing_url=signing_url,
        max_in_flight=max_in_flight,
    )


def tencent_im(
    auth: Mapping[str, Any],
    *,
    region: Literal["cn", "sgp", "kr", "jpn", "ger", "usa", "idn", "ind", "ksa"] | None = None,
    base_url: str | None = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
) -> Account:
    """Tencent IM, with `usersig`; ``region`` or ``base_url`` is required."""
    return _account(
        "tencent_im", auth, rate, region=region, base_url=base_url, max_in_flight=max_in_flight
    )
