"""The least code that does the work: list every page, parse every file, send the bodies. Arguments: see `small`."""

import csv
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import yaml

what, url, directory, changed, parallel = sys.argv[1:]
headers = {"OpenAI-Beta": "assistants=v2"}

ids: list[str] = []
if what in ("list", "plan", "apply"):
    with httpx.Client(headers=headers, timeout=60) as client:
        more, after = True, ""
        while more:
            page = client.get(f"{url}/assistants?limit=100{after}").json()
            ids += [item["id"] for item in page["data"]]
            more, after = page["has_more"], f"&after={ids[-1]}"

if what == "rows":
    text = Path(directory, "fleet.yaml").read_text()
    for row in csv.DictReader(Path(directory, "tenants.csv").read_text().splitlines()):
        json.loads(json.dumps({"text": text, **row}))
elif what != "list":
    for file in Path(directory).rglob("*.yaml"):
        if file.name != "reconciler.yaml":
            yaml.load(file.read_bytes(), yaml.CSafeLoader)

if what == "apply":
    clients = [httpx.Client(headers=headers, timeout=60) for _ in range(int(parallel))]

    def send(job: tuple[int, str]) -> None:
        """One modify request."""
        number, id = job
        clients[number % len(clients)].post(f"{url}/assistants/{id}", json={"temperature": 0.5}).raise_for_status()

    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(send, enumerate(ids[: int(changed)])))
