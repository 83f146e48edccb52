"""A straight script with the official SDK: retrieve each assistant, compare it with its file. Takes URL, directory."""

import sys
from pathlib import Path

import openai
import yaml

url, directory = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key="none")
ids = {assistant.name: assistant.id for assistant in client.beta.assistants.list(limit=100)}
for file in Path(directory).rglob("*.yaml"):
    if file.name != "reconciler.yaml":
        wanted = yaml.safe_load(file.read_bytes())
        live = client.beta.assistants.retrieve(ids[wanted["name"]])
        if live.instructions != wanted["instructions"] or live.temperature != wanted["temperature"]:
            client.beta.assistants.update(live.id, **wanted)
