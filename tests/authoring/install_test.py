# Installs topress to a path with spaces and moves it; the result is complete, and forgot where it came from.
import re
import shutil
import subprocess

from workplace import BUILD, FIRST_PREFIX, PREFIX, PROGRAM, SOURCE, WORK, environment, require, run, run_json

EXPECTED = (
    "bin/topress",
    "bin/topress-metadata",
    "include/topress/abi.h",
    "include/topress/plugin.hpp",
    "include/topress/kernel/launch.cuh",
    "lib/cmake/topress/topressConfig.cmake",
    "lib/cmake/topress/TopressAddKernels.cmake",
    "lib/cmake/topress/TopressKernelTestkit.cmake",
    "lib/topress/plugins/topress_pruning.so",
    "share/topress/rules/order-of-compression.toml",
    "share/topress/templates/common/LICENSE",
    "share/topress/templates/weights/plugin.toml",
    "share/topress/testkit/fibre.cpp",
)
BUNDLED = {"org.topress.distillation", "org.topress.early-exit", "org.topress.pruning",
           "org.topress.quantization"}


def check_only_the_sdk_is_exported():
    strangers = [path.relative_to(PREFIX).as_posix() for path in sorted(PREFIX.rglob("*"))
                 if path.is_file() and not re.match(
                     r"bin/topress[a-z-]*$|include/topress/|lib/cmake/topress/|lib/topress/plugins/[^/]+\.so$|"
                     r"lib/topress/topress_cuda_graph\.so$|share/topress/", path.relative_to(PREFIX).as_posix())]
    require(not strangers, f"installed, but no part of program, SDK or plugins: {strangers}")


def check_no_text_remembers_the_build():
    """The LibTorch of the build is the one path that may be in the package: its last guess."""
    places = {str(BUILD), str(SOURCE), str(FIRST_PREFIX)}
    for path in sorted(PREFIX.rglob("*")):
        if path.is_file() and path.suffix not in (".so", "") and path.parent.name != "bin":
            text = path.read_text(encoding="utf-8")
            found = [place for place in places if place in text]
            require(not found, f"{path} remembers {found}")


def check_the_program_loads_without_the_build():
    if shutil.which("readelf"):
        header = subprocess.run(["readelf", "-d", PROGRAM], capture_output=True, text=True, check=True).stdout
        paths = [line for line in header.splitlines() if "RPATH" in line or "RUNPATH" in line]
        for place in (str(BUILD), str(FIRST_PREFIX)):
            require(not any(place in line for line in paths), f"{PROGRAM} looks for libraries in {place}")


def check_what_belongs_to_the_program_is_found_beside_it(variables):
    document = run_json(PROGRAM, "plugin", "list", variables=variables)
    plugins = {plugin["id"]: plugin for plugin in document["plugins"]}
    require(BUNDLED <= set(plugins), f"bundled plugins: {sorted(plugins)}")
    for plugin in plugins.values():
        require(plugin["verdict"] == "loadable", f"{plugin['path']} is refused")
        require(plugin["path"].startswith(str(PREFIX)), f"{plugin['path']} is not below {PREFIX}")
    config = WORK / "plan.toml"
    config.write_text('schema = 1\n[model]\narchitecture = "resnet"\ndepth = 8\n[data]\n'
                      'dataset = "mnist"\n[technique.qat]\n[technique.channel]\n')
    plan = run_json(PROGRAM, "plan", config, variables=variables)
    require(plan["order"] == ["channel", "qat"], f"order {plan['order']}")
    files = {edge["file"] for edge in plan["edges"] if edge["origin"] == "rule set"}
    require(all(file.startswith(str(PREFIX)) for file in files) and files, f"rules came from {files}")


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    run("cmake", "--install", BUILD, "--prefix", FIRST_PREFIX)
    FIRST_PREFIX.rename(PREFIX)
    missing = [path for path in EXPECTED if not (PREFIX / path).is_file()]
    require(not missing, f"not installed: {missing}")
    check_only_the_sdk_is_exported()
    check_no_text_remembers_the_build()
    check_the_program_loads_without_the_build()
    check_what_belongs_to_the_program_is_found_beside_it(environment(WORK / "home"))
    print(f"installed to {FIRST_PREFIX}, moved to {PREFIX}")


if __name__ == "__main__":
    main()
