"""Clients of others at the sandbox's mail server, and our command at the servers of others."""

from __future__ import annotations

import contextlib
import email.policy
import json
import os
import pwd
import shutil
import smtplib
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from sandbox import HONGYAN, Sandbox, running

SERVICE = "smtp"
#: Far longer than any of this takes.
GUARD = 120.0
POSTFIX = "/usr/sbin/postfix"


@pytest.fixture
def server() -> Iterator[tuple[Sandbox, str, int]]:
    """A sandbox, and where it takes mail."""
    with running() as sandbox:
        place = urlsplit(sandbox.accounts["smtp"]["base_url"])
        assert place.hostname and place.port
        yield sandbox, place.hostname, place.port


def letter(**fields: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message["Date"] = "Sun, 29 Nov 2026 08:00:00 +0000"
    message["Message-ID"] = "<4711@example.org>"
    message.set_content("鸿雁 carries letters\n.and dots\n")
    return message


def test_the_standard_library_speaks_to_the_sandbox(server: tuple[Sandbox, str, int]) -> None:
    sandbox, host, port = server
    account = sandbox.accounts["smtp"]["auth"]
    message = letter(From="goose@example.org", To="anna@example.org", Subject="温度")
    message.add_attachment(b"a,b\n", maintype="text", subtype="csv", filename="温度.csv")
    with smtplib.SMTP(host, port, timeout=GUARD) as client:
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.send_message(message)
        client.login(account["username"], account["password"])
        refused = client.send_message(message, to_addrs=["anna@example.org", "nobody@example.org"])
    assert refused["nobody@example.org"][0] == 550
    mail = sandbox.last
    assert (mail["title"], mail["text"]) == ("温度", "鸿雁 carries letters\n.and dots")
    assert (mail["recipient"], mail["id"]) == ("anna@example.org", "<4711@example.org>")
    assert mail["attachments"][0]["name"] == "温度.csv"
    with smtplib.SMTP(host, port, timeout=GUARD) as client:
        client.ehlo()
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login(account["username"], "wrong")


def test_apprise_speaks_to_the_sandbox(
    server: tuple[Sandbox, str, int], notify: Callable[..., bool]
) -> None:
    sandbox, host, port = server
    account = sandbox.accounts["smtp"]["auth"]
    user, secret = account["username"].replace("@", "%40"), account["password"]
    url = f"mailto://{user}:{secret}@{host}:{port}/anna@example.org?from=goose@example.org"
    assert notify(url, "90 %", title="Disk")
    assert sandbox.last["title"] == "Disk"
    assert not notify(url.replace(secret, "wrong"), "90 %")


def send(url: str, message: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Sends by the command, and returns what it says."""
    auth = more.pop("auth", {"type": "none"})
    account = {
        "service": "smtp",
        "base_url": url,
        "from": "Goose <goose@example.org>",
        "auth": auth,
    }
    config = {"v": 1, "accounts": {"mail": account}, "retry": {"max_attempts": 1}, **more}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "hongyan.json")
        file.write_text(json.dumps(config))
        whole = json.dumps({"v": 1, "account": "mail", **message})
        command = [HONGYAN, "--config", str(file), "--json", "send", "-m", "-"]
        done = subprocess.run(command, input=whole, capture_output=True, text=True, timeout=GUARD)
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


class Keeper:
    """What aiosmtpd hands a mail to."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        parser = BytesParser(policy=email.policy.default)
        self.mails.append((envelope.rcpt_tos, parser.parsebytes(envelope.content)))
        return "250 2.0.0 queued"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def aiosmtpd(**options: Any) -> Iterator[tuple[Keeper, str]]:
    keeper = Keeper()
    port = free_port()
    controller = Controller(keeper, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield keeper, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """A certificate for this machine, and its key."""
    paths = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    command += ["-out", paths[0], "-keyout", paths[1]]
    subprocess.run(command, check=True, capture_output=True)
    return paths


LETTER = {
    "to": {"emails": ["王芳 <fang@example.org>", "nobody@example.org"], "bcc": ["eve@example.org"]},
    "title": "服务器温度过高，请立即检查机房的空调系统，谢谢",
    "format": "markdown",
    "text": "**90** °C\n.\n[map](https://example.org/)",
    "attachments": [{"name": "温度 1.csv", "type": "text/csv", "data_base64": "YSxiCjEsMgo="}],
}


def read(mail: EmailMessage) -> tuple[str, str, list[tuple[str | None, bytes]]]:
    """The texts, and the files."""
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    files = [
        (file.get_filename(), file.get_payload(decode=True)) for file in mail.iter_attachments()
    ]
    return plain.get_content() if plain else "", html.get_content() if html else "", files  # type: ignore[misc]


def check(mail: EmailMessage, receipt: dict[str, Any]) -> None:
    """The mail is the letter that was sent."""
    assert mail["Subject"] == LETTER["title"]
    assert mail["To"].addresses[0].display_name == "王芳"
    assert mail["Bcc"] is None and "eve" not in str(mail)
    assert mail["Message-ID"] == receipt["message_id"]
    plain, html, files = read(mail)
    assert plain.split() == ["90", "°C", ".", "map", "(https://example.org/)"]
    assert "<strong>90</strong>" in html and 'href="https://example.org/"' in html
    assert files == [("温度 1.csv", b"a,b\n1,2\n")]
    assert not mail.defects


def test_aiosmtpd_understands_what_is_sent() -> None:
    with aiosmtpd(enable_SMTPUTF8=True) as (keeper, url):
        receipt = send(url, LETTER)
        assert receipt["delivery"] == "partly_sent", receipt
        assert [one["delivery"] for one in receipt["recipients"]] == ["sent", "not_sent", "sent"]
        [(to, mail)] = keeper.mails
        assert to == ["fang@example.org", "eve@example.org"]
        check(mail, receipt)
        for name in ["jürgen@example.org", "anna@example.org"]:
            assert send(url, {"to": {"emails": [name]}, "text": "hi"})["delivery"] == "sent"
            assert keeper.mails[-1][0] == [name]


def test_aiosmtpd_is_logged_in_to_over_tls(certificate: tuple[str, str]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def authenticate(
        _server: Any, _session: Any, _envelope: Any, _way: str, data: Any
    ) -> AuthResult:
        wanted = LoginPassword(b"goose", "pä55".encode())
        return AuthResult(success=data == wanted, handled=False)

    options = {"authenticator": authenticate, "auth_required": True}
    with aiosmtpd(tls_context=context, require_starttls=True, **options) as (keeper, url):
        auth = {"type": "password", "username": "goose", "password": "pä55"}
        message = {"to": {"emails": ["anna@example.org"]}, "text": "hi"}
        trusted = {"ca_file": certificate[0]}
        assert send(url, message, auth=auth)["error"]["name"] == "tls"
        assert send(url, message, auth=auth, **trusted)["delivery"] == "sent"
        wrong = {**auth, "password": "wrong"}
        refused = send(url, message, auth=wrong, **trusted)
        assert (refused["delivery"], refused["error"]["name"]) == ("not_sent", "auth"), refused
        assert len(keeper.mails) == 1


@pytest.fixture
def postfix(certificate: tuple[str, str]) -> Iterator[tuple[Path, str]]:
    """Postfix with a queue of its own: the folder of its mailboxes, and where it takes mail."""
    if os.geteuid() != 0:
        pytest.skip("postfix can be started by root only")
    assert os.access(POSTFIX, os.X_OK), f"{POSTFIX} is missing: tools/test-tools installs it"
    folder = Path(tempfile.mkdtemp(prefix="hongyan-postfix."))
    folder.chmod(0o755)
    port = free_port()
    owner = pwd.getpwnam("postfix")
    boxes = folder / "boxes"
    for path in [folder / "queue", folder / "data", boxes, folder / "conf"]:
        path.mkdir()
    for path in [folder / "data", boxes]:
        os.chown(path, owner.pw_uid, owner.pw_gid)
    names = ", ".join(f"{{r{n}@example.org=r{n}/}}" for n in range(120))
    conf = folder / "conf"
    (conf / "main.cf").write_text(
        f"""compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mydestination =
virtual_mailbox_domains = example.org
virtual_mailbox_base = {boxes}
virtual_mailbox_maps = inline:{{ {names} }}
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
virtual_minimum_uid = 1
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_limit = 50
smtpd_recipient_overshoot_limit = 1000
smtpd_tls_cert_file = {certificate[0]}
smtpd_tls_key_file = {certificate[1]}
smtpd_tls_security_level = encrypt
message_size_limit = 100000
maillog_file_prefixes = {folder}
maillog_file = {folder}/maillog
alias_maps =
"""
    )
    (conf / "master.cf").write_text(
        f"""127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
tlsmgr unix - - n 1000? 1 tlsmgr
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
"""
    )
    command = [POSTFIX, "-c", str(conf)]
    try:
        started = subprocess.run([*command, "start"], capture_output=True, text=True)
        assert started.returncode == 0, started.stderr
        yield boxes, f"smtp://127.0.0.1:{port}"
    finally:
        subprocess.run([*command, "stop"], capture_output=True)
        shutil.rmtree(folder, ignore_errors=True)


def arrived(boxes: Path, names: list[str]) -> dict[str, Path]:
    """Waits until every one of these mailboxes has a mail."""
    ends = time.monotonic() + GUARD
    while True:
        found = {name: next(iter((boxes / name / "new").glob("*")), None) for name in names}
        if all(found.values()):
            return {name: path for name, path in found.items() if path}
        assert time.monotonic() < ends, [name for name, path in found.items() if not path]
        time.sleep(0.05)


def test_postfix_delivers_what_is_sent(
    postfix: tuple[Path, str], certificate: tuple[str, str]
) -> None:
    boxes, url = postfix
    trusted = {"ca_file": certificate[0]}
    to = {"emails": ["王芳 <r1@example.org>", "nobody@example.org"], "bcc": ["r2@example.org"]}
    receipt = send(url, {**LETTER, "to": to}, **trusted)
    assert receipt["delivery"] == "partly_sent", receipt
    assert [one["delivery"] for one in receipt["recipients"]] == ["sent", "not_sent", "sent"]
    assert receipt["recipients"][1]["error"]["name"] == "not_found"
    for path in arrived(boxes, ["r1", "r2"]).values():
        check(BytesParser(policy=email.policy.default).parsebytes(path.read_bytes()), receipt)
    # It takes 50 at once, and says so of the others.
    names = [f"r{n}" for n in range(3, 120)]
    all_of_them = {"emails": ["r1@example.org"], "bcc": [f"{name}@example.org" for name in names]}
    receipt = send(url, {"to": all_of_them, "text": "to all"}, **trusted)
    assert receipt["delivery"] == "sent", receipt["error"]
    arrived(boxes, names)
    long = send(url, {"to": {"emails": ["r1@example.org"]}, "text": "x" * 200_000}, **trusted)
    assert (long["delivery"], long["error"]["name"]) == ("not_sent", "too_large")
    stranger = send(url, {"to": {"emails": ["a@elsewhere.example"]}, "text": "hi"}, **trusted)
    assert stranger["delivery"] == "not_sent", stranger
    assert send(url, {"to": {"emails": ["r1@example.org"]}, "text": "hi"})["error"]["name"] == "tls"
