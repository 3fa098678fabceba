"""Accounts of the services: dicts for ``"accounts"`` of a configuration and for `set_account`.

>>> config = {"v": 1, "accounts": {"ff": hongyan.accounts.fanfou(
...     hongyan.accounts.oauth1("key", "${env:SECRET}", "token", "${env:TOKEN_SECRET}"))}}

Each function only makes the dict. ``${env:NAME}`` and ``${file:PATH}`` stand for credentials that
are kept elsewhere. What every account may have besides: ``base_url``, ``to`` (the recipient of
messages that name none), ``rate`` (``{"count": 30, "per_ms": 60000}`` replaces the documented
limits, `NO_LIMIT` removes them), ``max_in_flight`` and ``proxy``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Optional, TypedDict, Union

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
_To = Optional["Mapping[str, str | Sequence[str]]"]


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _account(service: str, auth: Mapping[str, Any], rate: _Rate, **fields: Any) -> Account:
    account = {"service": service, "auth": dict(auth), **_given(**fields)}
    if rate == NO_LIMIT:
        account["rate"] = None
    elif rate is not None:
        account["rate"] = rate
    return account


# Below: make accounts
__all__ = [
    "NO_LIMIT",
    "Account",
    "Auth",
    "Rate",
    "aliyun_sms",
    "app",
    "app_dingtalk_app",
    "app_wecom_app",
    "bark",
    "basic",
    "bearer",
    "bot",
    "dingtalk_app",
    "dingtalk_bot",
    "discord",
    "fanfou",
    "feishu_app",
    "feishu_bot",
    "googlechat",
    "gotify",
    "header",
    "key",
    "key_tencent_sms",
    "kook",
    "line",
    "mac",
    "mastodon",
    "matrix",
    "mattermost",
    "none",
    "ntfy",
    "oauth1",
    "oauth2",
    "password",
    "pushover",
    "pushplus",
    "qq_bot",
    "renren",
    "rocketchat",
    "serverchan",
    "sina",
    "slack",
    "smtp",
    "standard_webhooks",
    "statusnet",
    "teams",
    "telegram",
    "tencent_im",
    "tencent_sms",
    "token",
    "token_rocketchat",
    "twilio",
    "usersig",
    "webhook",
    "webhook_url",
    "wechat_oa",
    "wecom_app",
    "wecom_bot",
    "weibo",
    "whatsapp_cloud",
    "wxpusher",
    "xoauth2",
    "zulip",
]


def app(
    id: str,
    secret: str,
) -> Auth:
    """An app with a bot, whose token is got and renewed: feishu_app, wechat_oa, qq_bot.

    ``id``: the app's id
    ``secret``: the app's secret
    """
    return {
        "type": "app",
        "id": id,
        "secret": secret,
    }


def app_dingtalk_app(
    key: str,
    secret: str,
) -> Auth:
    """An app with a robot, whose token is got and renewed: dingtalk_app.

    ``key``: the app's AppKey, or Client ID
    ``secret``: its AppSecret, or Client Secret
    """
    return {
        "type": "app",
        "key": key,
        "secret": secret,
    }


def app_wecom_app(
    corp_id: str,
    agent_id: int | str,
    secret: str,
) -> Auth:
    """An app, whose token is got and renewed: wecom_app.

    ``corp_id``: the company's id, ``ww…``
    ``agent_id``: the app's AgentId
    ``secret``: the app's Secret
    """
    return {
        "type": "app",
        "corp_id": corp_id,
        "agent_id": agent_id,
        "secret": secret,
    }


def basic(
    username: str,
    password: str,
) -> Auth:
    """Name and password: fanfou, sina, webhook, zulip, statusnet, ntfy, twilio.

    ``username``: the user, without a colon
    ``password``: his password
    """
    return {
        "type": "basic",
        "username": username,
        "password": password,
    }


def bearer(
    token: str,
) -> Auth:
    """OAuth 2 with a bearer token: renren, webhook, ntfy.

    ``token``: the access token, as it is
    """
    return {
        "type": "bearer",
        "token": token,
    }


def bot(
    token: str,
) -> Auth:
    """The token of a bot, `xoxb-…`: slack, telegram, discord, mattermost, line, kook.

    ``token``: the access token, as it is
    """
    return {
        "type": "bot",
        "token": token,
    }


def header(
    name: str,
    value: str,
) -> Auth:
    """A header field of any name: webhook.

    ``name``: the header field
    ``value``: its value
    """
    return {
        "type": "header",
        "name": name,
        "value": value,
    }


def key(
    key: str,
) -> Auth:
    """A SendKey: serverchan, bark.

    ``key``: the SendKey as its page shows it; one that begins with ``sctp`` is of Server酱³
    """
    return {
        "type": "key",
        "key": key,
    }


def key_tencent_sms(
    id: str,
    secret: str,
) -> Auth:
    """A key, by which each request is signed: tencent_sms, aliyun_sms.

    ``id``: the key's id
    ``secret``: its secret, which is never sent
    """
    return {
        "type": "key",
        "id": id,
        "secret": secret,
    }


def mac(
    token: str,
    mac_key: str,
) -> Auth:
    """OAuth 2 with a signature over each request: renren.

    ``token``: the access token, without quotes
    ``mac_key``: its key, which is never sent
    """
    return {
        "type": "mac",
        "token": token,
        "mac_key": mac_key,
    }


def none() -> Auth:
    """Nothing, or what the URL holds: webhook, ntfy, smtp."""
    return {
        "type": "none",
    }


def oauth1(
    consumer_key: str,
    consumer_secret: str,
    token: str,
    token_secret: str,
) -> Auth:
    """OAuth 1.0a: fanfou, sina, statusnet.

    ``consumer_key``: the app's key
    ``consumer_secret``: the app's secret
    ``token``: the user's token
    ``token_secret``: its secret
    """
    return {
        "type": "oauth1",
        "consumer_key": consumer_key,
        "consumer_secret": consumer_secret,
        "token": token,
        "token_secret": token_secret,
    }


def oauth2(
    token: str,
    *,
    send: Literal["form", "header"] | None = None,
) -> Auth:
    """OAuth 2, the token in the form or in a header: weibo.

    ``token``: the access token, as it is
    ``send``: ``form``: the token is the parameter ``access_token`` of the body. ``header``: it is
        ``Authorization: OAuth2 …``. It is never in the URL
    """
    return {
        "type": "oauth2",
        "token": token,
        **_given(send=send),
    }


def password(
    username: str,
    password: str,
    *,
    device_id: str | None = None,
) -> Auth:
    """A name and a password: smtp, matrix.

    ``username``: the account's name
    ``password``: its password, or one for apps
    ``device_id``: the device that logs in, ``HONGYAN`` if left out; each process needs its own
    """
    return {
        "type": "password",
        "username": username,
        "password": password,
        **_given(device_id=device_id),
    }


def standard_webhooks(
    secret: str,
) -> Auth:
    """A signature as Standard Webhooks has it: webhook.

    ``secret``: ``whsec_`` and the key in base64, as the receiver shows it; while it is exchanged
        for another one, both, the new one first, with a comma between them
    """
    return {
        "type": "standard_webhooks",
        "secret": secret,
    }


def token(
    token: str,
) -> Auth:
    """The access token of an app, with the scopes write:statuses and write:media: mastodon,
    gotify, whatsapp_cloud, pushplus, wxpusher, pushover, matrix.

    ``token``: the access token, as it is
    """
    return {
        "type": "token",
        "token": token,
    }


def token_rocketchat(
    user_id: str,
    token: str,
) -> Auth:
    """A personal access token of a user, and the user's id: rocketchat.

    ``user_id``: the user's id, which is shown with the token
    ``token``: a personal access token of the user
    """
    return {
        "type": "token",
        "user_id": user_id,
        "token": token,
    }


def usersig(
    sdk_app_id: int,
    identifier: str,
    secret_key: str,
    *,
    expire_s: int | None = None,
    userbuf: str | None = None,
) -> Auth:
    """A UserSig that is made from the app's secret key: tencent_im.

    ``sdk_app_id``: the app's number
    ``identifier``: an administrator of the app
    ``secret_key``: the app's secret key, as it is shown
    ``expire_s``: how long a UserSig holds, in seconds; a week by default
    ``userbuf``: signed with it, where an app uses that; rarely needed
    """
    return {
        "type": "usersig",
        "sdk_app_id": sdk_app_id,
        "identifier": identifier,
        "secret_key": secret_key,
        **_given(expire_s=expire_s, userbuf=userbuf),
    }


def webhook_url(
    url: str,
    *,
    secret: str | None = None,
) -> Auth:
    """The URL of an incoming webhook: slack, dingtalk_bot, wecom_bot, feishu_bot, discord,
    mattermost, googlechat, teams, rocketchat.

    ``url``: the URL that the app's page shows, whole
    ``secret``: ``SEC…``, which the same page shows where the robot checks signatures
    """
    return {
        "type": "webhook",
        "url": url,
        **_given(secret=secret),
    }


def xoauth2(
    username: str,
    token: str,
) -> Auth:
    """An access token of OAuth 2: smtp.

    ``username``: the account's address
    ``token``: its access token of OAuth 2
    """
    return {
        "type": "xoauth2",
        "username": username,
        "token": token,
    }


def fanfou(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    format: Literal["json", "xml", "rss"] | None = None,
    signing_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Fanfou direct message, with `basic` or `oauth1`.

    ``base_url``: ``https://api.fanfou.com`` by default; ``http`` is taken for any host
    ``format``: what is asked for, and what a success must come in
    ``signing_url``: what OAuth signatures are made from; see below
    """
    return _account(
        "fanfou",
        auth,
        rate,
        base_url=base_url,
        format=format,
        signing_url=signing_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def sina(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    app_key: str | None = None,
    format: Literal["json", "xml"] | None = None,
    signing_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Old Sina microblog direct message, with `basic` or `oauth1`.

    ``base_url``: ``http://api.t.sina.com.cn`` by default: the service knew no https
    ``app_key``: sent as ``source``; required with Basic. With OAuth it is sent and signed when
        given
    ``format``: what a success must come in
    ``signing_url``: what signatures are made from, where that is not the URL as sent
    """
    return _account(
        "sina",
        auth,
        rate,
        base_url=base_url,
        app_key=app_key,
        format=format,
        signing_url=signing_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def weibo(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    app_key: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Weibo direct message (commercial API), with `oauth2`.

    ``base_url``: ``https://c.api.weibo.com`` by default; http only for this machine
    ``app_key``: sent as ``source`` when given; not needed with a token
    """
    return _account(
        "weibo",
        auth,
        rate,
        base_url=base_url,
        app_key=app_key,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def renren(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    params: Literal["query", "form"] | None = None,
    signing_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Renren talk, with `bearer` or `mac`.

    ``base_url``: ``https://api.renren.com`` by default; http for this machine, and anywhere with a
        MAC
    ``params``: ``query``: the parameters stand in the URL, as the document's example and the
        vendor's clients have it. ``form``: in the body
    ``signing_url``: what a MAC is made from, where that is not the URL as sent
    """
    return _account(
        "renren",
        auth,
        rate,
        base_url=base_url,
        params=params,
        signing_url=signing_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def tencent_im(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    region: Literal["cn", "sgp", "kr", "jpn", "ger", "usa", "idn", "ind", "ksa"] | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Tencent IM message, with `usersig`.

    ``base_url``: instead of a region; http only for this machine
    ``region``: where the app was created. It cannot be told from the SDKAppID and is never
        guessed. ``ind`` is no longer on the pages about sending; ``ksa`` was seen in code only
    """
    return _account(
        "tencent_im",
        auth,
        rate,
        base_url=base_url,
        region=region,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def slack(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Slack message of a bot, or by an incoming webhook, with `bot` or `webhook`.

    ``base_url``: instead of ``https://slack.com``, or of the webhook's own host; http only for
        this machine
    """
    return _account(
        "slack",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def telegram(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Telegram message of a bot (Bot API), with `bot`.

    ``base_url``: ``https://api.telegram.org`` by default, or a server of your own; http only for
        this machine
    """
    return _account(
        "telegram",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def dingtalk_bot(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """DingTalk custom robot, with `webhook`.

    ``base_url``: instead of the URL's own host
    """
    return _account(
        "dingtalk_bot",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def wecom_bot(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """WeCom group robot, with `webhook`.

    ``base_url``: instead of the URL's own host
    """
    return _account(
        "wecom_bot",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def webhook(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    url: str | None = None,
    method: Literal["POST", "PUT"] | None = None,
    headers: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    success: Mapping[str, Any] | None = None,
    message_id: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Webhook of any kind, with `none` or `bearer` or `basic` or `header` or `standard_webhooks`.

    ``base_url``: instead of the URL's scheme, host and port
    ``allow_http``: true: credentials may travel over http beyond this machine
    ``url``: where requests go; a user and a password in it are sent as Basic, and they and the
        query are never shown
    ``method``: the method of requests
    ``headers``: further header fields, each a text
    ``body``: one of ``json``, ``form`` and ``text``, in whose strings ``{{text}}``, ``{{title}}``,
        ``{{id}}``, ``{{key}}``, ``{{to.KIND}}`` and ``{{extra.NAME}}`` stand for what the message
        has
    ``success``: ``status``: ``"2xx"`` (default) or a list; ``pointer`` and ``equals``: where in
        the JSON of the answer which value has to stand
    ``message_id``: where in the JSON of the answer the id of the message stands, as a JSON pointer
    """
    return _account(
        "webhook",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        url=url,
        method=method,
        headers=headers,
        body=body,
        success=success,
        message_id=message_id,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def feishu_bot(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Feishu or Lark custom robot, with `webhook`.

    ``base_url``: instead of the URL's own host
    """
    return _account(
        "feishu_bot",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def discord(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Discord message of a bot, or by a webhook, with `bot` or `webhook`.

    ``base_url``: instead of ``https://discord.com``; http only for this machine
    """
    return _account(
        "discord",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def mattermost(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Mattermost post of a bot, or by an incoming webhook, with `bot` or `webhook`.

    ``base_url``: the server, up to where ``/api/v4`` begins; a bot needs it; http with
        ``allow_http`` only
    ``allow_http``: true: credentials may travel over http beyond this machine
    """
    return _account(
        "mattermost",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def zulip(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Zulip message of a bot, with `basic`.

    ``base_url``: required: the organization's URL, such as ``https://acme.zulipchat.com``; http
        with ``allow_http`` only
    ``allow_http``: true: credentials may travel over http beyond this machine
    """
    return _account(
        "zulip",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def mastodon(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    max_characters: int | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Mastodon direct message, with `token`.

    ``base_url``: required: the server, such as ``https://mastodon.social``; http with
        ``allow_http`` only
    ``allow_http``: true: credentials may travel over http beyond this machine
    ``max_characters``: the longest post that the server takes, where that is not 500: ``GET
        /api/v2/instance`` tells it
    """
    return _account(
        "mastodon",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        max_characters=max_characters,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def statusnet(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    format: Literal["json", "xml"] | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """StatusNet or GNU social direct message, with `basic` or `oauth1`.

    ``base_url``: required: the site, up to where ``/api`` begins; http with ``allow_http`` only
    ``allow_http``: true: credentials may travel over http beyond this machine
    ``format``: what a success must come in
    """
    return _account(
        "statusnet",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        format=format,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def ntfy(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """ntfy notification, with `none` or `bearer` or `basic`.

    ``base_url``: ``https://ntfy.sh`` by default, or a server of your own; http with ``allow_http``
        only
    ``allow_http``: true: credentials may travel over http beyond this machine
    """
    return _account(
        "ntfy",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def gotify(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Gotify message of an application, with `token`.

    ``base_url``: the server, up to where ``/message`` begins: required; http with ``allow_http``
        only
    ``allow_http``: true: credentials may travel over http beyond this machine
    """
    return _account(
        "gotify",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def line(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """LINE message of a bot, with `bot`.

    ``base_url``: instead of ``https://api.line.me``; http only for this machine
    """
    return _account(
        "line",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def whatsapp_cloud(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    phone_number_id: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """WhatsApp message of a business, by the Cloud API, with `token`.

    ``base_url``: instead of ``https://graph.facebook.com``
    ``phone_number_id``: the id of the number that sends, which is not the number itself
    """
    return _account(
        "whatsapp_cloud",
        auth,
        rate,
        base_url=base_url,
        phone_number_id=phone_number_id,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def serverchan(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """ServerChan push (Server酱 Turbo and Server酱³), with `key`.

    ``base_url``: instead of the key's own host
    """
    return _account(
        "serverchan",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def pushplus(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """PushPlus push, with `token`.

    ``base_url``: instead of ``https://www.pushplus.plus``
    """
    return _account(
        "pushplus",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def wxpusher(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """WxPusher message of an app, with `token`.

    ``base_url``: instead of ``https://wxpusher.zjiecode.com``
    """
    return _account(
        "wxpusher",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def kook(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """KOOK message of a bot, with `bot`.

    ``base_url``: instead of ``https://www.kookapp.cn``
    """
    return _account(
        "kook",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def googlechat(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Google Chat message by an incoming webhook, with `webhook`.

    ``base_url``: instead of the URL's own host; http only for this machine
    """
    return _account(
        "googlechat",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def teams(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Microsoft Teams card by a workflow, with `webhook`.

    ``base_url``: instead of the URL's own host; http only for this machine
    """
    return _account(
        "teams",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def rocketchat(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Rocket.Chat message of a user, or by an incoming webhook, with `token` or `webhook`.

    ``base_url``: the server, up to where ``/api/v1`` begins; a token needs it; http with
        ``allow_http`` only
    ``allow_http``: true: credentials may travel over http beyond this machine
    """
    return _account(
        "rocketchat",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def pushover(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Pushover message of an application, with `token`.

    ``base_url``: instead of ``https://api.pushover.net``; http only for this machine
    """
    return _account(
        "pushover",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def bark(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Bark notification, with `key`.

    ``base_url``: ``https://api.day.app`` by default, or a server of your own; http with
        ``allow_http`` only
    ``allow_http``: true: credentials may travel over http beyond this machine
    """
    return _account(
        "bark",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def smtp(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    from_: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Mail by SMTP, with `none` or `password` or `xoauth2`.

    ``base_url``: required: ``smtps://host`` (TLS, port 465), or ``smtp://host`` (STARTTLS, port
        587)
    ``from_``: the sender: an address, or ``Name <address>``
    """
    return _account(
        "smtp",
        auth,
        rate,
        base_url=base_url,
        **{"from": from_},
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def wecom_app(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """WeCom app, with `app`.

    ``base_url``: instead of ``https://qyapi.weixin.qq.com``
    """
    return _account(
        "wecom_app",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def feishu_app(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    region: Literal["feishu", "lark"] | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Feishu or Lark app, with `app`.

    ``base_url``: instead of ``https://open.feishu.cn`` or ``https://open.larksuite.com``
    ``region``: whose app it is
    """
    return _account(
        "feishu_app",
        auth,
        rate,
        base_url=base_url,
        region=region,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def dingtalk_app(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    robot_code: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """DingTalk app, with `app`.

    ``base_url``: instead of ``https://api.dingtalk.com`` and ``https://oapi.dingtalk.com``
    ``robot_code``: the robot's code, mostly the AppKey
    """
    return _account(
        "dingtalk_app",
        auth,
        rate,
        base_url=base_url,
        robot_code=robot_code,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def wechat_oa(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """WeChat official account, with `app`.

    ``base_url``: instead of ``https://api.weixin.qq.com``
    """
    return _account(
        "wechat_oa",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def qq_bot(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """QQ bot, with `app`.

    ``base_url``: instead of ``https://api.bot.qq.com``
    """
    return _account(
        "qq_bot",
        auth,
        rate,
        base_url=base_url,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def twilio(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    from_: str | None = None,
    account_sid: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Twilio text message, with `basic`.

    ``base_url``: instead of ``https://api.twilio.com``
    ``from_``: whom messages come from: a number of the account, a name, or the ``MG…`` of a
        messaging service
    ``account_sid``: the account, where ``username`` is an API key, ``SK…``
    """
    return _account(
        "twilio",
        auth,
        rate,
        base_url=base_url,
        **{"from": from_},
        account_sid=account_sid,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def matrix(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    allow_http: bool | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Matrix, with `token` or `password`.

    ``base_url``: the homeserver, up to where ``/_matrix`` begins: it is required; http with
        ``allow_http`` only
    ``allow_http``: true: credentials may travel over http beyond this machine
    """
    return _account(
        "matrix",
        auth,
        rate,
        base_url=base_url,
        allow_http=allow_http,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def tencent_sms(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    sdk_app_id: int | str | None = None,
    sign_name: str | None = None,
    template: int | str | None = None,
    region: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Tencent Cloud SMS, with `key`.

    ``base_url``: instead of ``https://sms.tencentcloudapi.com``
    ``sdk_app_id``: the SMS application's SdkAppId
    ``sign_name``: the signature of messages, as it was approved; within China it is needed
    ``template``: the template of messages that name none as ``TemplateId`` in ``extra``
    ``region``: ``ap-guangzhou`` by default
    """
    return _account(
        "tencent_sms",
        auth,
        rate,
        base_url=base_url,
        sdk_app_id=sdk_app_id,
        sign_name=sign_name,
        template=template,
        region=region,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


def aliyun_sms(
    auth: Mapping[str, Any],
    *,
    base_url: str | None = None,
    sign_name: str | None = None,
    template: str | None = None,
    text_param: str | None = None,
    to: _To = None,
    rate: _Rate = None,
    max_in_flight: int | None = None,
    proxy: str | None = None,
) -> Account:
    """Alibaba Cloud SMS, with `key`.

    ``base_url``: instead of ``https://dysmsapi.aliyuncs.com``
    ``sign_name``: the signature of messages, as it was approved
    ``template``: the template of messages that name none as ``TemplateCode`` in ``extra``,
        ``SMS_…``
    ``text_param``: the variable of the template that a message's text fills
    """
    return _account(
        "aliyun_sms",
        auth,
        rate,
        base_url=base_url,
        sign_name=sign_name,
        template=template,
        text_param=text_param,
        to=to,
        max_in_flight=max_in_flight,
        proxy=proxy,
    )


# End
