"""Which peer knows which service, and how it is told to send: a line each.

A service that is new in the corpus is an endpoint and a route for each peer that knows it.
"""

from __future__ import annotations

import dataclasses
import urllib.parse
from collections.abc import Callable
from typing import Any

import corpus
from corpus import Case

PEERS = ["apprise", "notifiers", "onepush", "push-all-in-one"]


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """Where a message goes, and which cases may be answered there."""

    service: str
    # A part of the target of the request that sends: any other is none of the message.
    target: str
    # The cases, where they are not just those of the service.
    cases: Callable[[], list[Case]] | None = None
    # Cases that cannot come to the peers: they send under no key, and not by an older interface.
    without: tuple[str, ...] = ()
    # What further steps of a peer are answered, by the path that they ask for.
    prepares: dict[str, str] = dataclasses.field(default_factory=dict)

    def all(self) -> list[Case]:
        """The cases, by name."""
        if self.cases is not None:
            return self.cases()
        cases = corpus.cases(self.service)
        assert set(self.without) <= {case.name for case in cases}, self.without
        return [case for case in cases if not case.particular and case.name not in self.without]


@dataclasses.dataclass(frozen=True)
class Route:
    """How a peer sends to an endpoint."""

    endpoint: str
    peer: str
    # What its worker makes of it: see worker.py and worker.mjs.
    how: Any


def _of_slack_webhook() -> list[Case]:
    """A webhook's success is the word `ok`; the words of the API's errors are not its."""
    cases = corpus.cases("slack", b"ok")
    return [case for case in cases if case.file.startswith(corpus.TEMPLATES)]


def _of_discord_webhook() -> list[Case]:
    """A webhook that nobody told to wait says success by 204, and shows no message."""
    cases = []
    for case in corpus.cases("discord"):
        if case.name == "no-content-204":
            cases.append(dataclasses.replace(case, delivery="sent"))
        elif case.answer.status != 200 or case.name == "html-200":
            cases.append(case)
    return cases


def _of_webhook() -> list[Case]:
    """Peers know no field of an answer that says success: the cases that the status decides."""
    by_field = {"account", "nothing-there", "other-success", "taken-in-500", "twice"}
    by_field |= {"blank-200", "empty-200", "html-200", "no-content-204", "not-utf8"}
    return [
        case
        for case in corpus.cases("webhook")
        if case.name not in by_field and not case.name.startswith(("not-taken", "signed-"))
    ]


ENDPOINTS = {
    "bark": Endpoint("bark", "/push"),
    "dingtalk_bot": Endpoint("dingtalk_bot", "/robot/send?"),
    "discord (webhook)": Endpoint("discord", "/api/webhooks/", _of_discord_webhook),
    "feishu_bot": Endpoint("feishu_bot", "/open-apis/bot/v2/hook/"),
    "feishu_app": Endpoint("feishu_app", "/open-apis/im/v1/messages"),
    "googlechat": Endpoint("googlechat", "/v1/spaces/", without=("message-id-taken",)),
    "gotify": Endpoint("gotify", "/message"),
    "kook": Endpoint("kook", "/api/v3/message/create"),
    "line": Endpoint("line", "/v2/bot/message/push", without=("replayed",)),
    "mastodon": Endpoint("mastodon", "/api/v1/statuses"),
    "matrix": Endpoint(
        "matrix",
        "/send/m.room.message/",
        prepares={
            "/_matrix/client/v3/account/whoami": '{"user_id": "@goose:matrix.example"}',
            "/_matrix/client/v3/join/!general:matrix.example": (
                '{"room_id": "!general:matrix.example"}'
            ),
        },
    ),
    "mattermost": Endpoint("mattermost", "/api/v4/posts", without=("still-saving",)),
    "ntfy": Endpoint("ntfy", "/"),
    "pushover": Endpoint("pushover", "/1/messages.json"),
    "pushplus": Endpoint("pushplus", "/send"),
    "rocketchat": Endpoint("rocketchat", "/api/v1/chat.postMessage"),
    "serverchan": Endpoint("serverchan", ".send", without=("older-key", "older-repeated")),
    "slack (webhook)": Endpoint("slack", "/services/T", _of_slack_webhook),
    "slack": Endpoint("slack", "/api/chat.postMessage"),
    # A mail is sent with its dot.
    "smtp": Endpoint("smtp", "."),
    "teams": Endpoint(
        "teams",
        "/triggers/manual/paths/invoke",
        without=("connector", "connector-refused", "connector-too-fast", "connector-too-large"),
    ),
    "telegram": Endpoint("telegram", "/sendMessage"),
    "twilio": Endpoint("twilio", "/Messages.json"),
    "webhook": Endpoint("webhook", "/in/plain", _of_webhook),
    "wecom_app": Endpoint("wecom_app", "/cgi-bin/message/send?"),
    "wecom_bot": Endpoint("wecom_bot", "/cgi-bin/webhook/send?"),
    "whatsapp_cloud": Endpoint("whatsapp_cloud", "/106540352242922/messages"),
    "wxpusher": Endpoint("wxpusher", "/api/send/message"),
    "zulip": Endpoint("zulip", "/api/v1/messages"),
}

TELEGRAM = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
SLACK = "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
SLACK_WEBHOOK = "T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
DISCORD = "223704706495545344/3d89bb7572e0fb30d8128367b3b1b44fecd1726de135cbe28a41f8b2f777c372"
DINGTALK = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
WECOM = "693a91f6-7e4a-4bc4-97a0-0ec2b1fa5aaa"
FEISHU = "2c8f1b3a-6a3f-4c1e-9d0b-5f0e7a1d2c3b"
MATTERMOST = "xt5b3pqm1jrn8kfz6w9yd4hgc7"
CHANNEL = "4xp9fdt77pncbef59f4k1qe83o"
ZULIP = "a0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5"
GOTIFY = "AbCdEf123456789"
LINE = "bGluZS1ib3QtdG9rZW4tb2YtaG9uZ3lhbg=="
KOOK = "1/MTAwMDA=/h0NgYaNtokenOfABot=="
PUSHPLUS = "9f86d081884c7d659a2feaa0c55ad015"
SERVERCHAN = "SCT1234TabcdefGHIJ"
WXPUSHER, WXPUSHER_USER = "AT_h0NgYaNtokenOfAnApp", "UID_anna"
ROCKETCHAT = "9HqLlyZOugoStsXCUfD:8h2mPE8C9wTEqWVi3xkXeZ5QzPqVxM4rTNnVb"
GOOGLECHAT = "AAAAMpdlehY/AIzaSyDdI0hCZtE6vySjMm/kH9sBqD1"
TEAMS = "prod-01.westus.logic.azure.com/0f1e2d3c4b5a/kH9sBqD1f2e3"
BARK = "ynJ5Ft4atkMkWeo2PAvFhF"
FEISHU_APP, FEISHU_SECRET = "cli_a1b2c3d4e5f60718", "feishu-app-secret0123456789abcdef"
FEISHU_USER = "ou_7d8a6e6df7621556ce0d21922b676706"
MASTODON = "Zx8h4nKq2vTf7LwPb3RgYd6Ms1Jc9Ua5EoXi0NkQtWz"
MATRIX = "syt_aG9uZ3lhbg_secret"
TWILIO, TWILIO_TOKEN = "AC70817e64c2a14f0b9d3e5a6b7c8d9e0f", "2f8c4e6a0b1d3f5e7a9c8b6d4e2f0a1c"
WECOM_CORP, WECOM_SECRET = "ww0123456789abcdef", "wecom-app-secret_0123456789abcdefghijklm"
WHATSAPP = "EAAGm0PX4ZCpsBAhongyanJ7ZCcarriesZBletters2Kd9QZDZD"
PUSHOVER, PUSHOVER_USER = "azGDORePK8gMaC0QOYAMyEEuzJnyUi", "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"

ROUTES = [
    Route("bark", "apprise", f"barks://api.day.app/{BARK}/"),
    Route("bark", "onepush", ["bark", {"key": BARK}]),
    Route("dingtalk_bot", "apprise", f"dingtalk://{DINGTALK}/"),
    Route("dingtalk_bot", "notifiers", ["dingtalk", {"access_token": DINGTALK}]),
    Route("dingtalk_bot", "onepush", ["dingtalk", {"token": DINGTALK}]),
    Route(
        "dingtalk_bot",
        "push-all-in-one",
        ["Dingtalk", {"DINGTALK_ACCESS_TOKEN": DINGTALK}, {"msgtype": "text"}],
    ),
    Route("discord (webhook)", "apprise", f"discord://{DISCORD}/"),
    Route(
        "discord (webhook)",
        "onepush",
        ["discord", {"webhook": f"https://discord.com/api/webhooks/{DISCORD}"}],
    ),
    Route(
        "discord (webhook)",
        "push-all-in-one",
        ["Discord", {"DISCORD_WEBHOOK": f"https://discord.com/api/webhooks/{DISCORD}"}],
    ),
    Route("feishu_bot", "apprise", f"feishu://{FEISHU}/"),
    Route(
        "feishu_bot",
        "onepush",
        [
            "lark",
            {
                "webhook": f"https://open.feishu.cn/open-apis/bot/v2/hook/{FEISHU}",
                "keyword": "",
                "sign": "",
            },
        ],
    ),
    Route(
        "feishu_app",
        "push-all-in-one",
        [
            "Feishu",
            {"FEISHU_APP_ID": FEISHU_APP, "FEISHU_APP_SECRET": FEISHU_SECRET},
            {"receive_id_type": "open_id", "receive_id": FEISHU_USER},
        ],
    ),
    Route("googlechat", "apprise", f"gchat://{GOOGLECHAT}/"),
    Route("gotify", "apprise", f"gotifys://push.example/{GOTIFY}"),
    Route("gotify", "onepush", ["gotify", {"url": "https://push.example", "token": GOTIFY}]),
    Route("kook", "apprise", f"kook://{KOOK}/5551234567890/"),
    Route("line", "apprise", f"line://{LINE}/U4af4980629d85f9c1d3a1b4c5e6f7a8b/"),
    Route(
        "mastodon",
        "apprise",
        f"mastodons://{MASTODON}@social.example/@anna@far.example?visibility=direct",
    ),
    Route(
        "matrix",
        "apprise",
        f"matrixs://{MATRIX}@matrix.example/!general:matrix.example?discovery=no&e2ee=no",
    ),
    Route("mattermost", "apprise", f"mmosts://chat.example/{MATTERMOST}/?mode=bot&to={CHANNEL}"),
    Route("ntfy", "apprise", "ntfys://ntfy.example/alerts/"),
    Route("ntfy", "onepush", ["ntfy", {"url": "https://ntfy.example", "topic": "alerts"}]),
    Route(
        "ntfy",
        "push-all-in-one",
        ["Ntfy", {"NTFY_URL": "https://ntfy.example", "NTFY_TOPIC": "alerts"}, {}],
    ),
    Route("pushover", "apprise", f"pover://{PUSHOVER_USER}@{PUSHOVER}/"),
    Route("pushover", "notifiers", ["pushover", {"token": PUSHOVER, "user": PUSHOVER_USER}]),
    Route("pushplus", "apprise", f"pushplus://{PUSHPLUS}/"),
    Route("pushplus", "onepush", ["pushplus", {"token": PUSHPLUS}]),
    Route("pushplus", "push-all-in-one", ["PushPlus", {"PUSH_PLUS_TOKEN": PUSHPLUS}]),
    Route(
        "rocketchat",
        "apprise",
        f"rockets://{ROCKETCHAT}@chat.example/ByehQjC44FwMeiLbX/?mode=token",
    ),
    Route("serverchan", "apprise", f"schan://{SERVERCHAN}/"),
    Route("serverchan", "onepush", ["serverchanturbo", {"sctkey": SERVERCHAN, "title": "hello"}]),
    Route(
        "serverchan",
        "push-all-in-one",
        ["ServerChanTurbo", {"SERVER_CHAN_TURBO_SENDKEY": SERVERCHAN}],
    ),
    Route(
        "smtp",
        "apprise",
        "mailtos://goose:mail-p4ssword@example.org:465/anna@example.org"
        "?smtp=mx.example.org&mode=ssl&from=goose@example.org",
    ),
    Route(
        "smtp",
        "notifiers",
        [
            "email",
            {
                "to": "anna@example.org",
                "from": "goose@example.org",
                "host": "mx.example.org",
                "port": 465,
                "ssl": True,
                "username": "goose",
                "password": "mail-p4ssword",
            },
        ],
    ),
    Route(
        "smtp",
        "onepush",
        [
            "smtp",
            {
                "host": "mx.example.org",
                "port": 465,
                "user": "goose",
                "password": "mail-p4ssword",
                "From": "goose@example.org",
                "To": "anna@example.org",
            },
        ],
    ),
    Route(
        "smtp",
        "push-all-in-one",
        [
            "CustomEmail",
            {
                "EMAIL_TYPE": "text",
                "EMAIL_TO_ADDRESS": "anna@example.org",
                "EMAIL_AUTH_USER": "goose@example.org",
                "EMAIL_AUTH_PASS": "mail-p4ssword",
                "EMAIL_HOST": "mx.example.org",
                "EMAIL_PORT": 465,
            },
        ],
    ),
    Route("slack", "apprise", f"slack://{SLACK}/C024BE91L"),
    Route("slack (webhook)", "apprise", f"slack://{SLACK_WEBHOOK}/"),
    Route(
        "slack (webhook)",
        "notifiers",
        ["slack", {"webhook_url": f"https://hooks.slack.com/services/{SLACK_WEBHOOK}"}],
    ),
    Route("teams", "apprise", f"workflows://{TEAMS}/"),
    Route("telegram", "apprise", f"tgram://{TELEGRAM}/4711/"),
    Route("telegram", "notifiers", ["telegram", {"token": TELEGRAM, "chat_id": "4711"}]),
    Route("telegram", "onepush", ["telegram", {"token": TELEGRAM, "userid": "4711"}]),
    Route(
        "telegram",
        "push-all-in-one",
        ["Telegram", {"TELEGRAM_BOT_TOKEN": TELEGRAM, "TELEGRAM_CHAT_ID": 4711}],
    ),
    Route("twilio", "apprise", f"twilio://{TWILIO}:{TWILIO_TOKEN}@15005550006/15005550010/"),
    Route(
        "twilio",
        "notifiers",
        [
            "twilio",
            {
                "account_sid": TWILIO,
                "auth_token": TWILIO_TOKEN,
                "from": "+15005550006",
                "to": "+15005550010",
            },
        ],
    ),
    Route("webhook", "apprise", "jsons://hooks.example.com/in/plain"),
    Route("webhook", "onepush", ["custom", {"url": "https://hooks.example.com/in/plain"}]),
    Route("wecom_app", "apprise", f"wechat://{WECOM_CORP}:{WECOM_SECRET}@1000002/@anna"),
    Route(
        "wecom_app",
        "onepush",
        [
            "wechatworkapp",
            {
                "corpid": WECOM_CORP,
                "corpsecret": WECOM_SECRET,
                "agentid": "1000002",
                "touser": "anna",
            },
        ],
    ),
    Route(
        "wecom_app",
        "push-all-in-one",
        [
            "WechatApp",
            {
                "WECHAT_APP_CORPID": WECOM_CORP,
                "WECHAT_APP_SECRET": WECOM_SECRET,
                "WECHAT_APP_AGENTID": 1000002,
            },
            {"touser": "anna"},
        ],
    ),
    Route("wecom_bot", "apprise", f"wecombot://{WECOM}/"),
    Route("wecom_bot", "onepush", ["wechatworkbot", {"key": WECOM}]),
    Route("wecom_bot", "push-all-in-one", ["WechatRobot", {"WECHAT_ROBOT_KEY": WECOM}]),
    Route("whatsapp_cloud", "apprise", f"whatsapp://{WHATSAPP}@106540352242922/8613800138000/"),
    Route("wxpusher", "apprise", f"wxpusher://{WXPUSHER}/{WXPUSHER_USER}/"),
    Route(
        "wxpusher",
        "push-all-in-one",
        ["WxPusher", {"WX_PUSHER_APP_TOKEN": WXPUSHER, "WX_PUSHER_UID": WXPUSHER_USER}, {}],
    ),
    Route("zulip", "apprise", f"zulip://hongyan@acme/{ZULIP}/general"),
    Route(
        "zulip",
        "notifiers",
        [
            "zulip",
            {
                "email": "hongyan-bot@acme.zulipchat.com",
                "api_key": ZULIP,
                "domain": "acme",
                "type": "stream",
                "to": "general",
                "subject": "Disk space",
            },
        ],
    ),
]


def is_the_send(endpoint: Endpoint, target: str) -> bool:
    """Whether a request is the one that sends."""
    return urllib.parse.unquote(target).find(endpoint.target) >= 0
