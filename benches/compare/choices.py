"""Runs several binaries (NAME=PATH), and the first of them with other allocators (paths of libraries to preload), on the
same listings in turn. Called by `choices`.
"""

import os
import sys

from runs import MIB, in_turn, instructions, listing, ms, scrubbed, serving

server, *choices = sys.argv[1:]
binaries = dict(choice.split("=") for choice in choices if "=" in choice)
libraries = {os.path.basename(path).split(".")[0]: path for path in choices if "=" not in path}
first = next(iter(binaries.values()))
tried = {name: (path, {}) for name, path in binaries.items()}
tried |= {name: (first, {"LD_PRELOAD": path}) for name, path in libraries.items()}

with serving(server, "20") as [few], serving(server, "100000") as [many]:
    started = in_turn(21, *(([path, "--version"], scrubbed(**env)) for path, env in tried.values()))
    queried = in_turn(11, *(listing(path, few, "-o", "jsonl", **env) for path, env in tried.values()), watched=True)
    forms = ("jsonl", "csv", "table")
    listed = [in_turn(3, *(listing(path, many, "-o", form, **env) for path, env in tried.values()), watched=True) for form in forms]

print("| | binary | start-up | one query, peak | " + " | ".join(f"100,000 as {form}" for form in forms) + " | instructions of start-up |")
print("| --- " * 8 + "|")
for index, (name, (path, env)) in enumerate(tried.items()):
    counted = None if env else instructions([path, "--version"])
    cells = [
        name,
        f"{os.path.getsize(path) / MIB:.1f} MiB",
        ms(started[index].wall),
        f"{queried[index].memory:.1f} MiB",
        *(f"{ms(runs[index].cpu)}, {runs[index].memory:.1f} MiB" for runs in listed),
        f"{counted / 1e6:.2f} M" if counted else "",
    ]
    print(f"| {' | '.join(cells)} |", flush=True)
