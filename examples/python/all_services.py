"""Sends through every account of a configuration, and prints a table.

    python all_services.py [CONFIG]

The recipients are those of the sandbox: ``python -m hongyan sandbox --print-config`` makes a
configuration with an account for every service and kind of credentials.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import hongyan
from hongyan import parts

if TYPE_CHECKING:
    from hongyan.types import Message

#: What each service can carry.
MESSAGES: dict[str, Message] = {
    "fanfou": {"account": "", "to": {"user": "lisztli"}, "text": "鸿雁 carries letters"},
    "sina": {"account": "", "to": {"user": "11051"}, "text": "鸿雁 carries letters"},
    "weibo": {"account": "", "to": {"user": "2125034703"}, "text": "鸿雁 carries letters"},
    "renren": {
        "account": "",
        "to": {"users": ["222209506", "222209507"]},
        "parts": [parts.link("http://example.com/", title="an example")],
        "extra": {"messageType": "ANY"},
    },
    "slack": {"account": "", "text": "鸿雁 carries letters"},
    "telegram": {"account": "", "to": {"chat": "4711"}, "text": "鸿雁 carries letters"},
    "webhook": {"account": "", "title": "letters", "text": "鸿雁 carries letters"},
    "tencent_im": {
        "account": "",
        "to": {"group": "@TGS#2C5SZEAEF"},
        "parts": [
            parts.mention_all(),
            parts.mention("tommy", name="Tommy"),
            parts.text("look"),
            parts.face(6, data="abc\0\1"),
            parts.location(22.54, 113.94, address="Shenzhen"),
            parts.custom('{"packet": 1}', desc="a red packet"),
        ],
    },
    "dingtalk_bot": {
        "account": "",
        "parts": [parts.text("look, "), parts.mention("13800138000"), parts.mention_all()],
    },
    "googlechat": {"account": "", "thread": "disks", "text": "90 %"},
    "teams": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "line": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "mattermost": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "rocketchat": {"account": "", "text": "鸿雁 carries letters"},
    "zulip": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "mastodon": {"account": "", "text": "鸿雁 carries letters"},
    "whatsapp_cloud": {"account": "", "text": "鸿雁 carries letters"},
    "statusnet": {"account": "", "text": "鸿雁 carries letters"},
    "discord": {"account": "", "text": "鸿雁 carries letters"},
    "ntfy": {"account": "", "title": "Disk", "text": "90 %", "priority": "high"},
    "gotify": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "pushover": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "bark": {"account": "", "title": "Disk", "text": "90 %", "silent": True},
    "wecom_bot": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "serverchan": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "pushplus": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "wxpusher": {"account": "", "to": {"users": ["UID_anna"]}, "text": "鸿雁 carries letters"},
    "kook": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "smtp": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "feishu_bot": {"account": "", "parts": [parts.text("look, "), parts.mention_all()]},
    "wecom_app": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "feishu_app": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "dingtalk_app": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "wechat_oa": {"account": "", "text": "鸿雁 carries letters"},
    "qq_bot": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "twilio": {"account": "", "title": "Disk", "text": "90 %"},
    "matrix": {"account": "", "title": "Disk", "text": "**90 %**", "format": "markdown"},
    "tencent_sms": {"account": "", "title": "Disk", "text": "90 %"},
    "aliyun_sms": {"account": "", "title": "Disk", "text": "90 %"},
}


def main() -> int:
    config = sys.argv[1] if len(sys.argv) > 1 else "hongyan.json"
    failed = 0
    with hongyan.Client(config) as client:
        accounts = client.stats()["accounts"]
        messages: list[Message] = []
        for name, account in accounts.items():
            message = MESSAGES[account["service"]].copy()
            message["account"] = name
            if "text" in message:
                # Old Sina and Weibo refuse the text that the recipient got last.
                message["text"] += f" for {name}"
            messages.append(message)
        print(f"{'account':20} {'service':12} {'delivery':10} {'id':24} tries  ms")
        for receipt in client.send_many(messages):
            said = receipt.message_id or (receipt.error.name if receipt.error else "-")
            print(
                f"{receipt.account:20} {receipt.service or '-':12} {receipt.delivery:10} "
                f"{said:24} {receipt.attempts:5} {receipt.elapsed * 1000:3.0f}"
            )
            failed += receipt.delivery != "sent"
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
