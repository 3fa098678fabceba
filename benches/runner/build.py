"""Builds all that the benchmarks need, below the target folder."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
OUT = TARGET / "bench"
CARGO = os.environ.get("CARGO", "cargo")
LIBRARY = ["build", "--locked", "-p", "libhongyan"]
# Services that the goal for a service's code is not about: the first five, and mail, which has a protocol.
OTHERS = ("fanfou", "renren", "sina", "smtp", "tencent_im", "weibo")
# Where Debian has the authorities that libcurl trusts when it is told nothing.
SYSTEM_AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")


def run(command, **env):
    command = [str(word) for word in command]
    subprocess.run(command, cwd=ROOT, check=True, env={**os.environ, **env})


def library():
    """The library, optimised for speed as it is released."""
    run([CARGO, *LIBRARY, "--release"], CARGO_TARGET_DIR=str(TARGET))


def size_library():
    """The library, as small as it gets: where it is built."""
    command = [str(ROOT / "tools/size-build")]
    env = {**os.environ, "CARGO": CARGO, "CARGO_TARGET_DIR": str(TARGET)}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=env)
    return Path(done.stdout.strip())


def stripped_sizes():
    """The sizes in bytes of both libraries without their symbols."""
    return {
        "speed": stripped_size(TARGET / "release/libhongyan.so"),
        "size": stripped_size(size_library()),
    }


def chat_services():
    """The services of chats, which came after the first five."""
    features = tomllib.loads((ROOT / "Cargo.toml").read_text())["features"]["services"]
    names = [name.removeprefix("service-") for name in features]
    return [name for name in names if name not in OTHERS]


def service_code():
    """The bytes of code of each of these services, by build.

    It is what the symbol table says of functions whose name has the service's module in it: its own, and
    what is made of others for its types alone. Tables of verdicts and of fields are data.
    """
    libraries = {"speed": TARGET / "release/libhongyan.so", "size": size_library()}
    return {build: code_by_service(library) for build, library in libraries.items()}


def code_by_service(library):
    code = dict.fromkeys(chat_services(), 0)
    command = ["nm", "--demangle", "--print-size", str(library)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    for line in done.stdout.splitlines():
        symbol = re.match(r"[0-9a-f]+ ([0-9a-f]+) [tTwW] .*?hongyan::service::(\w+)", line)
        if symbol and symbol[2] in code:
            code[symbol[2]] += int(symbol[1], 16)
    return code


def programs(*names, library=TARGET / "release"):
    """These programs in C, or all of them, with the library of a folder."""
    OUT.mkdir(parents=True, exist_ok=True)
    targets = [OUT / f"bench-{name}" for name in names]
    where = [f"OUT={OUT}", f"LIB={library}"]
    run(["make", "-s", "-C", ROOT / "benches/c", *where, *targets])


def peers():
    run(
        [CARGO, "build", "--locked", "--release", "--manifest-path", "benches/peers/Cargo.toml"],
        CARGO_TARGET_DIR=str(OUT / "peers"),
    )
    for name in ("reqwest", "hyper"):
        shutil.copy2(OUT / "peers/release" / name, OUT / f"bench-{name}")


def certificates():
    """A throw-away authority and the server's certificate, made anew."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    extensions = OUT / "server.ext"
    extensions.write_text(
        "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
        "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1,DNS:localhost\n"
    )
    for command in (
        ["req", "-x509", *key, "-days", "2", "-subj", "/CN=hongyan benchmark authority"]
        + ["-addext", "keyUsage=critical,keyCertSign", "-keyout", "ca.key", "-out", "ca.pem"],
        ["req", *key, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"],
        ["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2"]
        + ["-CAcreateserial", "-extfile", "server.ext", "-out", "server.pem"],
    ):
        subprocess.run(["openssl", *command], cwd=OUT, check=True, capture_output=True)


def system_authorities():
    """The system's authorities and the throw-away one in a file."""
    authorities = SYSTEM_AUTHORITIES.read_bytes() + (OUT / "ca.pem").read_bytes()
    (OUT / "system-and-ca.pem").write_bytes(authorities)


def stripped_size(library):
    """The size in bytes of a library without its symbols."""
    stripped = OUT / "stripped.so"
    run(["strip", "-o", stripped, library])
    size = stripped.stat().st_size
    stripped.unlink()
    return size
