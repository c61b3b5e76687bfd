"""Run by a Python that has openpi-client: its client asks a server of ours. Prints what it got as JSON."""

import json
import sys

import numpy as np
from openpi_client.websocket_client_policy import WebsocketClientPolicy

client = WebsocketClientPolicy(sys.argv[1], api_key=sys.argv[2])
answers = [client.infer({"state": np.array([value, 2.0], np.float32), "prompt": "fold"}) for value in (0.5, -0.25)]
try:
    client.infer({"state": np.array([np.nan, 2.0], np.float32), "prompt": "fail"})
    error = None
except RuntimeError as caught:
    error = str(caught)
found = {
    "metadata": client.get_server_metadata(),
    "actions": [answer["actions"].tolist() for answer in answers],
    "dtype": str(answers[0]["actions"].dtype),
    "timing": [sorted(answer["server_timing"]) for answer in answers],
    "error": error,
}
print(json.dumps(found))
