"""What runs in the process of a server: `python -m bench.server RIVAL ADDRESS`, started by bench.process alone.

It says where it listens, then its CPU seconds for each line that it reads, and ends when there are no more lines.
"""

import asyncio
import importlib
import sys
import time


async def _serve(name: str, address: str) -> None:
    # By name, so that a process loads the libraries of its own rival and no other's.
    rival = importlib.import_module(f"bench.rivals.{name}")
    async with rival.serving(address) as listening:
        print(listening, flush=True)
        asked = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
        while await asked.readline():
            print(time.process_time(), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2]))
