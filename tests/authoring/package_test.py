# The CMake package on its own: which LibTorch it takes, what it offers, an SDK without the program.
import os
import pathlib
import subprocess
import unittest

from workplace import BUILD, PREFIX, WORK, environment, fresh_folder, run

HEAD = "cmake_minimum_required(VERSION 3.25)\nproject(probe LANGUAGES CXX)\n"


def fake_torch(folder, version):
    """What the finder takes for a LibTorch of that version."""
    major, minor, patch = version.split(".")
    for path, text in (("include/ATen/ATen.h", ""), ("lib/libtorch_cpu.so", ""), ("lib/libc10.so", ""),
                       ("include/torch/headeronly/version.h",
                        f"#define TORCH_VERSION_MAJOR {major}\n#define TORCH_VERSION_MINOR {minor}\n"
                        f"#define TORCH_VERSION_PATCH {patch}\n")):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return folder


class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = fresh_folder("package")

    def configure(self, name, text, prefix=PREFIX, variables=None, **extra):
        """(status, everything printed) of configuring a project with this CMakeLists.txt."""
        source = self.folder / name
        source.mkdir()
        (source / "CMakeLists.txt").write_text(HEAD + text)
        done = subprocess.run(["cmake", "-B", "build", f"-DCMAKE_PREFIX_PATH={prefix}"], cwd=source,
                              env={**environment(self.folder), **(variables or {}), **extra},
                              capture_output=True, text=True, timeout=300)
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def test_it_offers_its_targets_and_functions_and_no_more(self):
        status, text = self.configure("targets", """
find_package(topress REQUIRED)
foreach(target topress::sdk topress::abi topress::program topress::torch)
  if(NOT TARGET ${target})
    message(FATAL_ERROR "no ${target}")
  endif()
endforeach()
foreach(function topress_add_plugin topress_add_kernels topress_add_conformance_test)
  if(NOT COMMAND ${function})
    message(FATAL_ERROR "no ${function}")
  endif()
endforeach()
get_property(imported DIRECTORY PROPERTY IMPORTED_TARGETS)
message(STATUS "imported: ${imported}")
include(TopressKernelTestkit)
if(NOT TARGET topress::testkit OR NOT TOPRESS_KERNEL_INCLUDE_DIR STREQUAL "${TOPRESS_PREFIX}/include")
  message(FATAL_ERROR "the kernel test kit is not the installed one: ${TOPRESS_KERNEL_INCLUDE_DIR}")
endif()
""")
        self.assertEqual(status, 0, text)
        self.assertNotIn("topress_core", text)

    def test_a_libtorch_named_by_hand_is_not_passed_over(self):
        fake = fake_torch(self.folder / "torch by hand", "2.5.1")
        status, text = self.configure("by hand", "find_package(topress REQUIRED)\n",
                                      TOPRESS_TORCH_DIR=str(fake))
        self.assertNotEqual(status, 0)
        self.assertIn(f"topress needs LibTorch {os.environ['TOPRESS_TORCH_VERSION']}", text)
        self.assertIn(f"found 2.5.1 in {fake}", text)

    def test_a_libtorch_of_another_version_in_python_is_passed_over(self):
        fake = fake_torch(self.folder / "torch in python", "2.5.1")
        shim = self.folder / "shim"
        shim.mkdir()
        (shim / "python3").write_text(f"#!/bin/sh\necho '{fake}'\n")
        (shim / "python3").chmod(0o755)
        variables = environment(self.folder)
        variables.pop("TOPRESS_TORCH_DIR", None)
        text = "find_package(topress REQUIRED)\nmessage(STATUS \"takes ${TopressTorch_DIR_USED}|\")\n"
        status, text = self.configure("in python", text, PATH=f"{shim}:{variables['PATH']}")
        self.assertEqual(status, 0, text)
        self.assertNotIn(f"takes {fake}|", text)

    def test_the_sdk_alone_is_enough_to_build_but_not_to_test(self):
        prefix = self.folder / "sdk alone"
        run("cmake", "--install", BUILD, "--component", "sdk", "--prefix", prefix)
        self.assertFalse((prefix / "bin/topress").exists())
        # The installed program is not on this PATH, or its package would be found beside it.
        status, text = self.configure("alone", """
find_package(topress REQUIRED NO_SYSTEM_ENVIRONMENT_PATH)
message(STATUS "from ${TOPRESS_PREFIX}|")
add_library(plugin MODULE plugin.cpp)
topress_add_conformance_test(plugin)
file(WRITE ${CMAKE_CURRENT_SOURCE_DIR}/plugin.cpp "")
""", prefix=prefix, PATH=os.environ["PATH"])
        self.assertEqual(status, 0, text)
        self.assertIn(f"from {prefix}|", text)
        self.assertIn("has no program bin/topress", text)


if __name__ == "__main__":
    unittest.main(argv=["package_test", "-v"])
