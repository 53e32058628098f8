"""A process with everything imported, which starts the project's command line as forks of itself.

It reads a JSON object a line, and answers each by one:

- `{"start": [ARGUMENT, ...], "folder": FOLDER, "log": FILE}` starts `kedro ARGUMENT ...` in a
  session of its own and gives its `pid`. With `"die_at": N, "below": FOLDER` it is killed
  just before it, or a process of its, makes the N-th change of a file below a folder.
- `{"wait": PID}` gives the `status`: the exit code, or minus the signal that ended it.
"""

import importlib
import json
import os
import pkgutil
import signal
import sys
import threading
import traceback
from multiprocessing import RawValue, util

CHANGES = {"open", "os.mkdir", "os.remove", "os.rename", "os.rmdir"}
WRITING = os.O_WRONLY | os.O_RDWR


def import_all() -> None:
    """What any run of the project imports; it takes most of the time of a short one."""
    for name in ("kedro.framework.cli.cli", "kedro.runner", "sentence_transformers", "msf_kedro"):
        importlib.import_module(name)
    package = sys.modules["msf_kedro"]
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def start(order: dict) -> int:
    if not (pid := os.fork()):
        leave(work(order))
    return pid


def work(order: dict) -> int:
    """Run the command in this process; its exit code."""
    try:
        os.setsid()
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.chdir(order["folder"])
        if "die_at" in order:
            die_at(order["die_at"], order["below"])
        sys.argv = ["kedro", *order["start"]]
        from kedro.framework.cli.cli import main

        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def leave(code: int) -> None:
    """End as the interpreter does, but for what is the launcher's to do at its own end."""
    threading._shutdown()
    util._exit_function()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def die_at(number: int, below: str) -> None:
    main, seen = os.getpid(), RawValue("i", 0)

    def watch(event: str, args: tuple) -> None:
        if event in CHANGES and str(args[0]).startswith(below):
            if event == "open" and not (args[2] or 0) & WRITING:
                return
            seen.value += 1
            if seen.value == number:
                os.kill(main, signal.SIGKILL)

    sys.addaudithook(watch)


def serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what else is printed is no answer
    import_all()
    print(json.dumps({"ready": os.getpid()}), file=answers, flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            answer = {"pid": start(order)}
        else:
            answer = {"status": os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    serve()
