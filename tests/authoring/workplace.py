# What the tests of an author's work share: the installed topress, a clean environment, running commands.
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

WORK = pathlib.Path(os.environ["TOPRESS_AUTHORING_WORK"])      # in the build folder, with a space
BUILD = pathlib.Path(os.environ["TOPRESS_BUILD"])
SOURCE = pathlib.Path(os.environ["TOPRESS_SOURCE"])
FIRST_PREFIX = WORK / "first prefix"
PREFIX = WORK / "moved prefix"
PROGRAM = PREFIX / "bin/topress"
DATASET = pathlib.Path("/usr/share/datasets/fashion-mnist")


def environment(home, **extra):
    """An author's shell: the installed program on PATH, nothing of this user's plugins or caches."""
    kept = {key: os.environ[key] for key in ("LD_LIBRARY_PATH", "TMPDIR", "TOPRESS_TORCH_DIR", "CXX")
            if key in os.environ}
    kept.update(PATH=f"{PREFIX}/bin:{os.environ['PATH']}", HOME=str(home), TERM="dumb",
                LC_ALL="C.UTF-8", OMP_NUM_THREADS="1")
    if shutil.which("ninja"):
        kept["CMAKE_GENERATOR"] = "Ninja"
    return {**kept, **extra}


def with_compiler_cache(variables):
    """Compiles again only what changed since the last time this test ran."""
    if not shutil.which("ccache"):
        return variables
    folder = os.environ.get("CCACHE_DIR", os.path.expanduser("~/.cache/ccache"))
    return {**variables, "CMAKE_CXX_COMPILER_LAUNCHER": "ccache", "CCACHE_DIR": folder,
            "CCACHE_NOHASHDIR": "1", "CCACHE_SLOPPINESS": "time_macros"}


def run(*command, folder=WORK, variables=None, status=0):
    """The standard output; fails with everything that was printed unless it ends with `status`."""
    done = subprocess.run([str(part) for part in command], cwd=folder, env=variables,
                          capture_output=True, text=True, timeout=900)
    if done.returncode != status:
        sys.exit(f"{command} ended with {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def run_json(*command, **options):
    return json.loads(run(*command, "--json", **options))


class Stopwatch:
    """Seconds of this process and of all its children: wall clock, and of processors."""

    def __init__(self):
        self.wall = time.monotonic()
        self.cpu = self._cpu()

    @staticmethod
    def _cpu():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def seconds(self):
        return time.monotonic() - self.wall

    def cpu_seconds(self):
        return self._cpu() - self.cpu


def fresh_folder(name):
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def require(condition, message):
    if not condition:
        sys.exit(f"failed: {message}")
