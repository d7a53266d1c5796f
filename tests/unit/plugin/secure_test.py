#!/usr/bin/env python3
"""AT_SECURE for real: a copy of a program that gets more rights than its caller ignores the environment.

Usage: secure_test.py PROGRAM   (as root; else it is skipped, as it is where the folder for temporary files is
mounted without set-user-id)"""
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tempfile

CALLER, OWNER = 1, 2  # any two users but root; they need no entry in /etc/passwd
FOLDERS = ("TOPRESS_PLUGIN_PATH", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")


def ask(program, folder):
    """What the program says to CALLER, whose environment names places in `folder`."""
    variables = {name: str(folder / name.lower()) for name in FOLDERS} | {"HOME": str(folder / "home")}
    done = subprocess.run([program], env=variables, user=CALLER, group=CALLER, extra_groups=[], capture_output=True,
                          text=True, timeout=60)
    return done.returncode, done.stdout


def check_believed(program, folder):
    """The control: with the rights of its caller every variable counts."""
    status, said = ask(program, folder)
    assert status == 3 and "secure 0" in said and "config/" in said, (status, said)  # its rules are no TOML
    os.rename(folder / "xdg_config_home", folder / "elsewhere")
    status, said = ask(program, folder)
    os.rename(folder / "elsewhere", folder / "xdg_config_home")
    assert status == 0 and "ignored" not in said, said
    for place in ("topress_plugin_path", "xdg_data_home/topress/plugins"):
        assert f"place {folder}/{place}\n" in said, said
    assert f"cache {folder}/xdg_cache_home\n" in said, said


def check_ignored(program, folder, how):
    """True if the kernel gave further rights, and nothing of the environment counted."""
    status, said = ask(program, folder)
    if "secure 0" in said:
        print(f"{how}: not tried, the kernel gave no further rights (a mount with nosuid?)")
        return False
    assert status == 0, f"{how}: it read rules of its caller\n{said}"
    assert "secure 1" in said, f"{how}: {said}"
    for name in FOLDERS:
        assert f"plugin/environment-ignored the environment variable {name} is ignored" in said, f"{how}: {said}"
        assert f"{folder}/{name.lower()}" not in said, f"{how}: {said}"
    assert str(folder / "home") not in said and "cache \n" in said, f"{how}: {said}"
    print(f"{how}: the environment is ignored")
    return True


def make_capable(program):
    """The capability that a file gives most harmlessly; False where there are none."""
    setcap = shutil.which("setcap", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return setcap is not None and subprocess.run([setcap, "cap_net_raw=ep", program]).returncode == 0


def copy(program, folder, name, mode=0o755, owner=0):
    target = folder / name
    shutil.copyfile(program, target)
    os.chown(target, owner, owner)
    target.chmod(mode)  # after chown, which takes the bits away
    return target


def main():
    if os.geteuid() != 0:
        print("[SKIP] only root can give a file more rights than its caller has")
        return
    with tempfile.TemporaryDirectory(prefix="topress-secure-") as temporary:
        folder = pathlib.Path(temporary)
        folder.chmod(0o755)
        rules = folder / "xdg_config_home/topress"
        rules.mkdir(parents=True)
        (rules / "config.toml").write_text("this is no TOML")
        for path in (rules.parent, rules, rules / "config.toml"):
            os.chown(path, CALLER, CALLER)
        check_believed(copy(sys.argv[1], folder, "plain"), folder)
        tried = check_ignored(copy(sys.argv[1], folder, "set_user", 0o755 | stat.S_ISUID, OWNER), folder, "set-user-id")
        tried |= check_ignored(copy(sys.argv[1], folder, "set_group", 0o755 | stat.S_ISGID, OWNER), folder, "set-group-id")
        capable = copy(sys.argv[1], folder, "capable")
        tried |= make_capable(capable) and check_ignored(capable, folder, "file capabilities")
        if not tried:
            print("[SKIP] no file can be given more rights here")


if __name__ == "__main__":
    main()
