"""What can be said of the Dockerfile without Docker."""

import json
import re
import subprocess

from support.sessions import ROOT

TEXT = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
LINES = [line for line in TEXT.splitlines() if line.strip() and not line.startswith("#")]
STEPS = [tuple(line.split(maxsplit=1)) for line in LINES]
WORDS = "ARG CMD COPY ENTRYPOINT ENV FROM HEALTHCHECK LABEL RUN STOPSIGNAL USER VOLUME WORKDIR"


def of(word: str) -> list[str]:
    return [rest for first, rest in STEPS if first == word]


def sources() -> list[str]:
    """What is copied from the project."""
    given = [[word for word in rest.split() if not word.startswith("--")] for rest in of("COPY")]
    return [word for words in given for word in words[:-1]]


def test_every_instruction_is_one():
    assert {first for first, _ in STEPS} <= set(WORDS.split())
    assert STEPS[0][0] == "FROM"


def test_the_base_image_is_slim_and_pinned_by_a_tag_that_the_project_supports():
    (base,) = of("FROM")
    version = re.fullmatch(r"python:3\.(\d+)-slim-[a-z]+", base)
    assert version
    assert int(version[1]) in (11, 12, 13)


def test_all_that_is_copied_is_there_committed_and_not_ignored():
    assert len(sources()) > 5
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    for source in sources():
        assert (ROOT / source).exists(), source
        tracked = ["git", "ls-files", "--cached", "--others", "--exclude-standard", source]
        listed = subprocess.run(tracked, cwd=ROOT, capture_output=True, text=True)
        assert listed.returncode or listed.stdout, source  # where this is no clone, nothing is said
        assert f"!{source.split('/')[0]}" in ignored, source


def test_versions_are_locked_and_no_secret_is_baked_in():
    (install,) = [run for run in of("RUN") if "pip install" in run]
    assert "--constraint requirements.lock" in install
    assert not re.search(r"(?i)(password|secret|token)", TEXT)
    assert "conf/local" in (ROOT / ".dockerignore").read_text().splitlines()


def test_it_does_not_run_as_root():
    user = of("USER")[-1]
    assert user not in ("root", "0")
    assert any("useradd" in run and user in run for run in of("RUN"))
    last = max(place for place, (first, _) in enumerate(STEPS) if first == "USER")
    assert {first for first, _ in STEPS[last + 1 :]} <= {"ENTRYPOINT", "CMD"}


def test_it_runs_the_job_of_make_run():
    command = json.loads(of("ENTRYPOINT")[0]) + json.loads(of("CMD")[0])
    dry = ["make", "--dry-run", "--no-print-directory", "run"]
    made = subprocess.run(dry, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert made.strip().splitlines()[-1].split() == [f".venv/bin/{command[0]}", *command[1:]]
