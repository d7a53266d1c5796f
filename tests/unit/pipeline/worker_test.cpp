// What a run and its worker exchange: events, files, and who gets a worker at all.
#include "base/error.hpp"
#include "base/files.hpp"
#include "pipeline/isolation.hpp"
#include "pipeline/worker_events.hpp"
#include "pipeline/worker_files.hpp"
#include "unit/pipeline/fixtures.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <unistd.h>

using namespace topress;
using pipeline::EventWriter;
using pipeline::WorkerFolder;

namespace {

/// Lines that `write` wrote, as a reader hears them.
struct Heard {
    std::vector<std::string> log;
    std::vector<train::ProgressEvent> progress;
    int strange = 0;

    void hear(const std::string& text) {
        const pipeline::EventListeners listeners{
            [this](log::Level level, std::string_view line) {
                log.push_back(std::string(log::name_of(level)).append(" ").append(line));
            },
            [this](const train::ProgressEvent& event) { progress.push_back(event); }};
        std::size_t start = 0;
        while (start < text.size()) {
            const std::size_t end = text.find('\n', start);
            strange += pipeline::read_event(text.substr(start, end - start), listeners) ? 0 : 1;
            start = end + 1;
        }
    }
};

std::string written(const std::function<void(EventWriter&)>& write) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe(ends) == 0);
    EventWriter writer(ends[1]);
    write(writer);
    ::close(ends[1]);
    std::string text(65536, '\0');
    const ssize_t count = ::read(ends[0], text.data(), text.size());
    ::close(ends[0]);
    text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return text;
}

pipeline::WorkerResult some_result() {
    pipeline::WorkerResult result;
    result.row = test::full_row();
    result.network = test::small_network();
    return result;
}

std::string code_of_reading(const WorkerFolder& folder) {
    try {
        static_cast<void>(folder.read_result());
    } catch (const Error& error) {
        return error.code();
    }
    return "none";
}

pipeline::StageIsolation chosen(const config::IsolationConfig& asked,
                                const std::string& where_from,
                                const std::string& own) {
    plugin::CatalogEntry plugin;
    plugin.where_from = where_from;
    plugin::TechniqueMetadata technique;
    technique.isolation = own;
    return pipeline::choose_isolation(asked, plugin, technique);
}

}  // namespace

TEST_CASE("worker: log lines and progress arrive as they were") {
    train::ProgressEvent event;
    event.phase = "fine-tune";
    event.epoch = 1.5;
    event.step = 3;
    event.steps = 10;
    event.loss = std::numeric_limits<double>::quiet_NaN();
    event.epoch_end = true;
    Heard heard;
    heard.hear(written([&](EventWriter& writer) {
        writer.log(log::Level::Warn, "a \"quoted\"\tline");
        writer.log(log::Level::Debug, "not UTF-8: \xff");
        writer.progress(event);
    }));
    CHECK(heard.strange == 0);
    REQUIRE(heard.log.size() == 2);
    CHECK(heard.log.front() == "warn a \"quoted\"\tline");
    REQUIRE(heard.progress.size() == 1);
    CHECK(heard.progress.front().phase == "fine-tune");
    CHECK(heard.progress.front().step == 3);
    CHECK(heard.progress.front().epoch == 1.5);
    CHECK(std::isnan(heard.progress.front().loss));
    CHECK(heard.progress.front().epoch_end);
}

TEST_CASE("worker: steps between epochs are told a few times a second only") {
    Heard heard;
    heard.hear(written([](EventWriter& writer) {
        train::ProgressEvent event;
        for (int step = 0; step < 50; ++step) {
            writer.progress(event);
        }
        event.epoch_end = true;
        writer.progress(event);
    }));
    CHECK(heard.progress.size() < 10);
    CHECK(heard.progress.back().epoch_end);
}

TEST_CASE("worker: lines of somebody else are no events") {
    Heard heard;
    heard.hear(
        "text\n{}\n[1]\n{\"event\": \"log\"}\n{\"event\": \"other\"}\n"
        "{\"event\": \"log\", \"level\": \"loud\", \"text\": \"x\"}\n"
        "{\"event\": \"progress\", \"phase\": 3}\n");
    CHECK(heard.strange == 7);
}

TEST_CASE("worker: job and result come back as they were written") {
    const test::TemporaryFolder temporary;
    const WorkerFolder folder(temporary.path() / "stage" / "worker");
    folder.create();
    pipeline::WorkerJob job;
    job.label = "label";
    job.libraries = {"/a.so", "/b c.so"};
    job.own_library = "/b c.so";
    job.artefact_directory = "/somewhere";
    job.normalisation = {{0.1, 1.0 / 3}, {0.2, 2.0 / 3}};
    folder.write_job(job, "schema = 1\n");
    const pipeline::WorkerJob read = folder.read_job();
    CHECK(read.label == job.label);
    CHECK(read.libraries == job.libraries);
    CHECK(read.own_library == job.own_library);
    CHECK(read.artefact_directory == job.artefact_directory);
    CHECK(read.normalisation.mean == job.normalisation.mean);
    CHECK(read.normalisation.deviation == job.normalisation.deviation);

    CHECK_FALSE(folder.has_result());
    folder.write_result(some_result());
    REQUIRE(folder.has_result());
    const pipeline::WorkerResult result = folder.read_result();
    CHECK(result.row.metrics == test::full_row().metrics);
    REQUIRE(result.network.has_value());
    CHECK(result.network->nodes().size() == test::small_network().nodes().size());
    folder.remove();
    CHECK_FALSE(std::filesystem::exists(temporary.path() / "stage"));
}

TEST_CASE("worker: nobody else can enter its folder") {
    const test::TemporaryFolder temporary;
    const WorkerFolder folder(temporary.path() / "worker");
    folder.create();
    CHECK(std::filesystem::status(folder.root()).permissions() ==
          std::filesystem::perms::owner_all);
}

TEST_CASE("worker: a result that is missing, cut off or exchanged is refused") {
    const test::TemporaryFolder temporary;
    const WorkerFolder folder(temporary.path() / "worker");
    const auto output = folder.root() / "output.safetensors";
    const auto document = folder.root() / "result.json";
    folder.create();
    CHECK(code_of_reading(folder) == "run/worker-bad-result");
    folder.write_result(some_result());
    CHECK(code_of_reading(folder) == "none");
    const std::string network = read_file(output);
    for (const std::size_t size : {std::size_t{0}, std::size_t{4}, network.size() - 1}) {
        write_file_atomically(output, network.substr(0, size));
        CHECK(code_of_reading(folder) == "run/worker-bad-result");
    }
    std::string changed = network;
    changed.back() = static_cast<char>(changed.back() + 1);
    write_file_atomically(output, changed);
    CHECK(code_of_reading(folder) == "run/worker-bad-result");
    std::filesystem::remove(output);
    CHECK(code_of_reading(folder) == "run/worker-bad-result");
    write_file_atomically(output, network);
    const std::string text = read_file(document);
    for (const std::string& broken : {std::string(), std::string("{}"), text.substr(0, 100)}) {
        write_file_atomically(document, broken);
        CHECK(code_of_reading(folder) == "run/worker-bad-result");
    }
}

TEST_CASE("worker: a result with findings has no network") {
    const test::TemporaryFolder temporary;
    const WorkerFolder folder(temporary.path() / "worker");
    folder.create();
    pipeline::WorkerResult failed;
    failed.diagnostics = {to_diagnostic(Error("plugin/apply-failed", "no", "where", "hint"))};
    folder.write_result(failed);
    const pipeline::WorkerResult read = folder.read_result();
    REQUIRE(read.diagnostics.size() == 1);
    CHECK(read.diagnostics.front().code == "plugin/apply-failed");
    CHECK(read.diagnostics.front().hint == "hint");
    CHECK_FALSE(read.network.has_value());
}

TEST_CASE("worker: who decides whether a stage gets one") {
    const config::IsolationConfig silent;
    CHECK_FALSE(chosen(silent, plugin::kBesideTheProgram, "").is_process);
    CHECK(chosen(silent, "--plugin-path", "").is_process);
    CHECK(chosen(silent, plugin::kBesideTheProgram, "process").is_process);
    CHECK(chosen(silent, "--plugin-path", "in-process").is_process);
    CHECK_FALSE(chosen({"in-process", 0, 0}, "--plugin-path", "process").is_process);
    CHECK(chosen({"process", 0, 0}, plugin::kBesideTheProgram, "in-process").is_process);
    CHECK(chosen({"", 5, 0}, plugin::kBesideTheProgram, "").is_process);
    CHECK(chosen({"", 0, 100}, plugin::kBesideTheProgram, "") ==
          pipeline::StageIsolation{true, 0, 100});
}
