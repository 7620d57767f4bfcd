"""What the conformance tests share: the scanq binary, its sandbox, and the judge.

In these tests the vendors' own SDKs decide what is right, because scanq's client and scanq's sandbox could
agree on a mistake. To run them from the root of the source tree:

    python3 -m venv X && X/bin/pip install -q -r tests/conformance/requirements.txt
    SCANQ=path/to/scanq X/bin/pytest -q tests/conformance
"""

import json
import os
import shlex
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import pytest

from judge import Judge

SANDBOX_TASKS = 137  # of each kind: a prime, so no page size ends on a full page


class Result(NamedTuple):
    """How a scanq process ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self):
        assert self.code == 0, self.stderr
        return json.loads(self.stdout)


@pytest.fixture(scope="session", autouse=True)
def no_proxies():
    """Alibaba's SDK sends even loopback through HTTP_PROXY: it never looks at NO_PROXY."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def binary():
    if not os.environ.get("SCANQ"):
        pytest.fail("SCANQ must name the scanq binary to test")
    return str(Path(os.environ["SCANQ"]).resolve())


def scrubbed(home, env):
    """Nothing of the caller's environment: whoever runs the tests may have real credentials in it."""
    return {"HOME": home, "PATH": os.environ["PATH"], **env}


@pytest.fixture(scope="session")
def scanq(binary):
    """Runs scanq: `scanq("aliyun", "once-tasks", env={...})`."""

    def run(*arguments, env):
        with tempfile.TemporaryDirectory() as home:
            done = subprocess.run(
                [binary, *arguments],
                env=scrubbed(home, env),
                cwd=home,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                timeout=60,
            )
        return Result(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def sandbox(binary, tmp_path_factory):
    """Serves `scanq sandbox`; gives the environment that it tells its users to set."""
    world = ["--tasks", str(SANDBOX_TASKS), "--seed", "7"]
    command = [binary, "sandbox", "--listen", "127.0.0.1:0", *world, "--print-env"]
    home = str(tmp_path_factory.mktemp("sandbox"))
    process = subprocess.Popen(command, env=scrubbed(home, {}), cwd=home, stdout=subprocess.PIPE, encoding="utf-8")
    # A sandbox that never gets ready is ended, which ends its output and so the loop below.
    deadline = threading.Timer(30, process.kill)
    deadline.start()
    try:
        env = {}
        for line in process.stdout:
            export, assignment = shlex.split(line)
            assert export == "export", line
            name, value = assignment.split("=", 1)
            if name == "SCANQ_SANDBOX_READY":
                break
            env[name] = value
        else:
            pytest.fail("the sandbox ended before it was ready")
        deadline.cancel()
        yield env
    finally:
        deadline.cancel()
        process.terminate()
        try:
            process.wait(timeout=10)
        finally:
            process.kill()
            process.stdout.close()


@pytest.fixture
def judge():
    with Judge() as judge:
        yield judge
