"""Runs scanq beside curl, the vendor's SDK and a bare client on this machine, and writes RESULTS.md. Called by `run`.

Every figure that is compared is a median of runs in turn, so that what else the machine does hits all sides alike.
"""

import argparse
import datetime
import os
import platform
import re
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path

from runs import MIB, in_turn, instructions, lines, listing as listing_of, ms, once, scratch, scrubbed, serving

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

rows = []


def row(what, measured, target, met):
    """One line of the table; `met` is true, false, or none where there is no target."""
    verdict = "" if met is None else "yes" if met else "**no**"
    rows.append((what, measured, target, verdict))
    print(f"{what}: {measured} ({target}) {verdict}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binaries", type=Path, help="folder of scanq, and below it examples/")
    parser.add_argument("python", help="a Python that has the vendor's SDK")
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    scanq = str(args.binaries / "scanq")
    server = str(args.binaries / "examples/static_server")
    bare = str(args.binaries / "examples/bare_client")
    sdk = str(HERE / "sdk.py")
    listing = partial(listing_of, scanq)

    def curl(address, pages, size):
        span = f"[1-{pages}]" if pages > 1 else "1"
        return (["curl", "-s", f"{address}/?CurrentPage={span}&PageSize={size}"], scrubbed())

    def script(address, pages, size):
        return ([args.python, sdk, address, str(pages), str(size)], scrubbed())

    # Start-up.
    version, true = in_turn(41, ([scanq, "--version"], scrubbed()), (["/bin/true"], scrubbed()))
    ratio = version.wall / true.wall
    row("`scanq --version`, start to exit", f"{ms(version.wall)}, {ratio:.1f} × `/bin/true`", "≤ 3 ×", ratio <= 3)
    if count := instructions([scanq, "--version"]):
        row("the same, instructions", f"{count / 1e6:.2f} M", "< 2.0 M", count < 2e6)

    # One query.
    with serving(server, "20") as [address]:
        query = listing(address, "-o", "jsonl", "--page-size", "20")
        ours, theirs = in_turn(31, query, curl(address, 1, 20))
        ratio = ours.wall / theirs.wall
        row("one query of 20 items, jsonl, beside curl", f"{ms(ours.wall)}, {ratio:.2f} × curl; CPU {ms(ours.cpu)}, {ratio_of(ours.cpu, theirs.cpu)} × curl", "≤ 0.5 × curl", ratio <= 0.5)
        once(*script(address, 1, 20))
        ours, theirs = in_turn(3, query, script(address, 1, 20))
        ratio = theirs.wall / ours.wall
        row("the same beside the vendor's SDK", f"{ratio:.0f} × faster ({ms(theirs.wall)})", "≥ 150 ×", ratio >= 150)

    # 20,000 items.
    with serving(server, "20000") as [address]:
        everything = listing(address, "-o", "jsonl")
        for command in (everything, script(address, 200, 100)):
            assert lines(*command) == 20_000
        ours, naked, theirs = in_turn(15, everything, ([bare, address, "200"], scrubbed()), curl(address, 200, 100))
        ratio = ours.cpu / naked.cpu
        row("20,000 items, jsonl, beside a bare client that fetches and discards", f"CPU {ms(ours.cpu)}, {ratio:.2f} × ({ms(naked.cpu)})", "≤ 1.5 × its CPU", ratio <= 1.5)
        row("the same beside curl", f"CPU {ratio_of(ours.cpu, theirs.cpu)} × ({ms(theirs.cpu)}), wall {ratio_of(ours.wall, theirs.wall)} × ({ms(theirs.wall)})", "", None)
        ours, theirs = in_turn(3, everything, script(address, 200, 100), watched=True)
        ratio = theirs.cpu / ours.cpu
        row("the same beside the vendor's SDK", f"{ratio:.0f} × less CPU ({ms(theirs.cpu)}), {theirs.memory / ours.memory:.1f} × less memory", "≥ 20 ×", ratio >= 20)

    # Growth.
    small, large = 100_000, 1_000_000
    for form in ("jsonl", "csv"):
        flags = ("-o", form, "--no-header") if form == "csv" else ("-o", form)
        with serving(server, str(small)) as [few], serving(server, str(large)) as [many]:
            for address, items in ((few, small), (many, large)):
                assert lines(*listing(address, *flags)) == items
            # As many items each: processors slow down under load, so a short run can't stand for a tenth of a long one.
            *tenths, more = in_turn(3, *[listing(few, *flags)] * 10, listing(many, *flags), watched=True)
            less = tenths[0]._replace(cpu=sum(run.cpu for run in tenths) / 10)
        ids = 8 * (large - small) / MIB
        times, memory = more.cpu / less.cpu, more.memory / less.memory
        without = (more.memory - ids) / less.memory
        row(f"1,000,000 items, {form}", f"peak {more.memory:.1f} MiB; CPU {ms(more.cpu)}, wall {ms(more.wall)}", "≤ 48 MiB", more.memory <= 48)
        row(f"growth from 100,000 to 1,000,000 items, {form}: CPU", f"{times:.2f} × that of a tenth of them", "≤ 10.5 ×", times <= 10.5)
        each = (more.memory - less.memory) * MIB / (large - small)
        row(f"growth, {form}: memory", f"{memory:.2f} × ({less.memory:.1f} to {more.memory:.1f} MiB): {each:.1f} bytes an id; {without:.2f} × without 8 bytes an id", "≤ 1.1 × but for the ids", without <= 1.1)

    # The same growth without the clock, which other work on the machine disturbs.
    if shutil.which("valgrind"):
        with serving(server, "10000") as [few], serving(server, "100000") as [many]:
            less, more = (instructions(*listing(address, "-o", "jsonl")) for address in (few, many))
        row("growth from 10,000 to 100,000 items, jsonl: instructions", f"{more / less:.2f} × ({less / 10_000:,.0f} to {more / 100_000:,.0f} an item)", "≤ 10.5 ×", more <= 10.5 * less)

    # Latency.
    with serving(server, "10000", "50") as [address]:
        [seen] = in_turn(3, listing(address, "-o", "jsonl", "--concurrency", "8"))
        best = 13 * 0.05
        row("100 pages at 50 ms, 8 at once", f"{ms(seen.wall)}, {seen.wall / best:.2f} × ⌈100/8⌉ × 50 ms", "≤ 1.25 ×", seen.wall <= 1.25 * best)

    # A table.
    with serving(server, "100000") as [address]:
        table, raw = in_turn(5, listing(address, "-o", "table"), listing(address, "-o", "jsonl"), watched=True)
        row("100,000 rows, table", f"CPU {ms(table.cpu)} in all, {ms(table.cpu - raw.cpu)} more than as jsonl; peak {table.memory:.1f} MiB", "≤ 0.5 s, ≤ 48 MiB", table.cpu <= 0.5 and table.memory <= 48)
        command, env = listing(address, "-o", "table")
        began = time.perf_counter()
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.read(1)
        first = time.perf_counter() - began
        process.stdout.read()
        process.wait()
        whole = time.perf_counter() - began
        row("the same, first rows in a pipe", f"after {ms(first)} of {ms(whole)}", "at once", first < whole / 10)

    # Profiles.
    with serving(scanq, "sandbox", "--tasks", "10", "--print-env") as printed:
        sandbox = dict(re.match(r"export (\w+)='(.*)'", line).groups() for line in printed)
        config = Path(scratch, "config.toml")
        names = [f"account-{number:03}" for number in range(200)]
        config.write_text("".join(f'[profiles.{name}]\ncloud = "aliyun"\nregions = ["cn-shanghai"]\ncredentials = {{ env = true }}\n' for name in names))
        command = ([scanq, "tasks", "--config", str(config), "-o", "jsonl"], scrubbed(**sandbox))
        [seen] = in_turn(3, command, watched=True)
        row("200 profiles at once, three listings each, the sandbox answering", f"{lines(*command):,} tasks; wall {ms(seen.wall)}, CPU {ms(seen.cpu)}, peak {seen.memory:.1f} MiB", "", None)

    size = os.path.getsize(scanq) / MIB
    row("binary, stripped", f"{size:.1f} MiB", "≤ 10 MiB", size <= 10)
    write(args, scanq)


def ratio_of(ours, theirs):
    return f"{ours / theirs:.2f}"


def write(args, scanq):
    def told(*command):
        return subprocess.run(command, capture_output=True, text=True).stdout.split("\n")[0]

    now = datetime.datetime.now(datetime.timezone.utc)
    versions = ", ".join(
        (
            told(scanq, "--version"),
            told("rustc", "--version").split(" (")[0],
            " ".join(told("curl", "--version").split()[:2]),
            told(args.python, "--version"),
            "alibabacloud-sas20181203 " + told(args.python, "-c", "import importlib.metadata as m; print(m.version('alibabacloud-sas20181203'))"),
        )
    )
    lines = [
        f"Measured on {now:%Y-%m-%d} by `benches/compare/run`: {os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}; {versions}.",
        "",
        "| what | measured | target | met |",
        "| --- | --- | --- | --- |",
        *(f"| {' | '.join(line)} |" for line in rows),
        "",
    ]  # fmt: skip
    head = "# scanq beside curl, the vendor's SDK and a bare client\n\nWritten by `benches/compare/run`; `benches/README.md` says what each line means.\n\n"
    args.out.write_text(head + "\n".join(lines))
    readme = ROOT / "README.md"
    text = readme.read_text()
    begin, end = "<!-- speed: written by benches/compare/run -->\n", "<!-- speed ends -->\n"
    if begin in text:
        before, rest = text.split(begin)
        _, after = rest.split(end)
        readme.write_text(before + begin + "\n".join(lines) + end + after)


main()
