#!/usr/bin/env python3
"""Slack's own Python SDK reads the blocks, checks its limits, and writes the same blocks."""

import json
import sys

from slack_sdk.models.blocks import Block

with open(sys.argv[1]) as file:
    messages = json.load(file)
for number, message in enumerate(messages):
    blocks = Block.parse_all(message["blocks"])
    assert len(blocks) == len(message["blocks"]) <= 50, number
    for block, sent in zip(blocks, message["blocks"]):
        # Checks lengths and counts on the way; an element that it does not know would be missing.
        assert block.to_dict() == sent, (number, sent, block.to_dict())
print(f"interop: slack_sdk read {len(messages)} messages")
