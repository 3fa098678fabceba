"""From nothing to the first message answered."""

import sys

import requests

form = {"access_token": "2.00BENCHmarkTokenOfAccount", "text": "first", "uid": "2125034703"}
answer = requests.post(sys.argv[1] + "/2/direct_messages/send.json", data=form)
answer.raise_for_status()
answer.json()["idstr"]
