"""Run by a Python that has openpi-client: a server that speaks as openpi's, with its packer. Prints its port.

Metadata first; a map for every map, with the times; a text with the traceback and code 1011 after an error.
"""

import asyncio
import time
import traceback

import numpy as np
import websockets
from openpi_client import msgpack_numpy
from websockets.asyncio.server import serve


def infer(observation):
    if observation["prompt"] == "fail":
        raise KeyError("no such task")
    actions = np.full((8, 2), observation["state"][0], np.float64)
    return {"actions": actions, "state": observation["state"], "keys": sorted(observation)}


async def converse(connection):
    packer = msgpack_numpy.Packer()
    await connection.send(packer.pack({"name": "pi0", "mean": np.float32(0.5), "shape": np.array([8, 2])}))
    previous = None
    while True:
        try:
            started = time.monotonic()
            answer = infer(msgpack_numpy.unpackb(await connection.recv()))
            answer["server_timing"] = {"infer_ms": 1e3 * (time.monotonic() - started)}
            if previous is not None:
                answer["server_timing"]["prev_total_ms"] = previous
            await connection.send(packer.pack(answer))
            previous = 1e3 * (time.monotonic() - started)
        except websockets.ConnectionClosed:
            return
        except Exception:
            await connection.send(traceback.format_exc())
            await connection.close(1011, "Internal server error. Traceback included in previous frame.")
            return


async def main():
    async with serve(converse, "127.0.0.1", 0, compression=None, max_size=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
