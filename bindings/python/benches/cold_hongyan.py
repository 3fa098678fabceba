"""From nothing to the first message answered."""

import sys

import hongyan

config = {
    "v": 1,
    "accounts": {
        "weibo": {
            "service": "weibo",
            "auth": {"type": "oauth2", "token": "2.00BENCHmarkTokenOfAccount"},
            "base_url": sys.argv[1],
        }
    },
}
hongyan.Client(config).send("weibo", to={"user": "2125034703"}, text="first")
