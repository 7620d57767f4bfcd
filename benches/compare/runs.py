"""Runs processes and says what each took.

CPU is user and system time of the one process, as wait4 reports it. Peak memory is VmHWM, looked at every 2 ms: what
wait4 reports as the largest resident set is never less than that of the Python that started the process.
"""

import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

MIB = 1024 * 1024
_folder = tempfile.TemporaryDirectory()
scratch = _folder.name


class Run(NamedTuple):
    wall: float
    cpu: float
    memory: float  # MiB


def scrubbed(**more):
    """Nothing of the caller's environment: credentials, proxies and settings would change what is measured."""
    return {"PATH": os.environ["PATH"], "HOME": scratch, "TZ": "UTC", "PYTHONDONTWRITEBYTECODE": "1", **more}


def high_water(pid):
    """The largest resident set so far, in MiB; 0 once the process has ended."""
    try:
        with open(f"/proc/{pid}/status") as status:
            return next((int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM")), 0)
    except OSError:
        return 0


def once(command, env, watched=False):
    """One run, stdout thrown away: how long, how much."""
    with open("/dev/null", "wb") as sink, open(f"{scratch}/stderr", "wb") as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=sink, stderr=errors)
        memory, ended = 0, 0
        while watched and not ended:
            memory = max(memory, high_water(process.pid))
            time.sleep(0.002)
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if not ended:
            _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command}: exit {process.returncode}: {Path(scratch, 'stderr').read_text()}")
    return Run(wall, usage.ru_utime + usage.ru_stime, memory)


def lines(command, env):
    """How many lines it prints."""
    with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        count = sum(block.count(b"\n") for block in iter(lambda: process.stdout.read(MIB), b""))
    if process.returncode:
        sys.exit(f"{command}: exit {process.returncode}")
    return count


def in_turn(times, *commands, watched=False):
    """Medians of each command, run in turn."""
    runs = [[] for _ in commands]
    for _ in range(times):
        for command, seen in zip(commands, runs):
            seen.append(once(*command, watched=watched))
    return [Run(*(statistics.median(column) for column in zip(*seen))) for seen in runs]


@contextlib.contextmanager
def serving(*command):
    """A server that prints its address first."""
    process = subprocess.Popen(command, env=scrubbed(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("http") or "READY" in line:
                break
        yield lines
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def instructions(command, env=None):
    """What a process takes, counted by valgrind; none without it."""
    if not shutil.which("valgrind"):
        return None
    file = f"{scratch}/callgrind"
    told = subprocess.run(
        ["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", *command],
        env=env or scrubbed(), capture_output=True, text=True,
    ).stderr  # fmt: skip
    return int(re.search(r"Collected : (\d+)", told)[1])


def listing(scanq, address, *flags, **more):
    """A listing of scanq: command and environment."""
    keys = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "access-key-id",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "access-key-secret",
    }
    command = [scanq, "aliyun", "agentless-tasks", "--endpoint", address, "-r", "cn-shanghai", *flags]
    return (command, scrubbed(**keys, **more))


def ms(seconds):
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:,.2f} s"
