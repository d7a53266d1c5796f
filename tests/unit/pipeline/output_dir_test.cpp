// Checkpoints: written, found again under the same key only, and safe file names.
#include "pipeline/output_dir.hpp"

#include "base/error.hpp"
#include "network/serialize.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <fstream>

using namespace topress;

TEST_CASE("output dir: a checkpoint comes back under its key with network and row") {
    const test::TemporaryFolder folder;
    const pipeline::OutputDir output(folder.path() / "run");
    const pipeline::Checkpoint checkpoint{test::small_network(), test::full_row()};
    output.write_checkpoint(2, "key", checkpoint, {});
    const auto found = output.read_checkpoint(2, checkpoint.row.stage, "key");
    REQUIRE(found);
    CHECK(network::to_bytes(found->network) == network::to_bytes(checkpoint.network));
    CHECK(pipeline::to_json(found->row) == pipeline::to_json(checkpoint.row));
    CHECK_FALSE(output.read_checkpoint(2, checkpoint.row.stage, "other key"));
    CHECK_FALSE(output.read_checkpoint(1, checkpoint.row.stage, "key"));
}

TEST_CASE("output dir: a damaged checkpoint is not used") {
    const test::TemporaryFolder folder;
    const pipeline::OutputDir output(folder.path() / "run");
    output.write_checkpoint(0, "key", {test::small_network(), test::full_row()}, {});
    const std::filesystem::path base = output.stage_path(0, test::full_row().stage);
    std::ofstream(base.string() + ".safetensors") << "damaged";
    CHECK_FALSE(output.read_checkpoint(0, test::full_row().stage, "key"));
}

TEST_CASE("output dir: labels cannot leave the folder") {
    const test::TemporaryFolder folder;
    const pipeline::OutputDir output(folder.path() / "run");
    CHECK(output.stage_path(7, "../../etc/x y").filename() == "07-______etc_x_y");
    CHECK(output.stage_path(7, "../a").parent_path() == output.root() / "stages");
}

TEST_CASE("output dir: results of an earlier run are removed and checkpoints kept for resuming") {
    const test::TemporaryFolder folder;
    const pipeline::OutputDir output(folder.path() / "run");
    output.write_network(test::small_network(), {});
    output.write_checkpoint(0, "key", {test::small_network(), test::full_row()}, {});
    output.clear(true);
    CHECK_FALSE(std::filesystem::exists(output.root() / "network.safetensors"));
    CHECK(output.read_checkpoint(0, test::full_row().stage, "key"));
    output.clear(false);
    CHECK_FALSE(output.read_checkpoint(0, test::full_row().stage, "key"));
}

TEST_CASE("output dir: a path that cannot be a folder is an error with a hint") {
    const test::TemporaryFolder folder;
    std::ofstream(folder.path() / "file") << "x";
    try {
        const pipeline::OutputDir output(folder.path() / "file" / "run");
        FAIL("was accepted");
    } catch (const Error& error) {
        CHECK(error.code() == "file/cannot-write");
        CHECK_FALSE(error.hint().empty());
    }
}
