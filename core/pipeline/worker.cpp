// Prepares data, device and threads exactly as the run did, and applies one technique.
#include "pipeline/worker.hpp"

#include "base/error.hpp"
#include "config/load.hpp"
#include "pipeline/apply.hpp"
#include "pipeline/checks.hpp"
#include "pipeline/measure.hpp"
#include "pipeline/run_data.hpp"
#include "pipeline/worker_files.hpp"
#include "plugin/host_fingerprint.hpp"
#include "plugin/host_library.hpp"
#include "train/device.hpp"
#include "zoo/zoo.hpp"

#include <algorithm>
#include <optional>

namespace topress::pipeline {
namespace {

config::RunConfig load_config(const WorkerFolder& folder) {
    config::LoadOptions options;
    options.architectures = zoo::families();
    config::LoadResult loaded = config::load(folder.config_file(), {}, options);
    if (!loaded.ok()) {
        throw DiagnosticError(loaded.diagnostics);
    }
    return std::move(loaded.config);
}

const config::TechniqueEntry& entry_of(const config::RunConfig& config, const std::string& label) {
    const auto found = std::ranges::find(config.techniques, label, &config::TechniqueEntry::label);
    TOPRESS_ASSERT(found != config.techniques.end());
    return *found;
}

/// Opens the libraries in order and makes the technique of the stage's own one.
plugin::TechniqueObject make_technique(const WorkerJob& job, const config::TechniqueEntry& entry) {
    TOPRESS_ASSERT(!job.libraries.empty());
    std::optional<plugin::TechniqueObject> technique;
    for (const std::filesystem::path& path : job.libraries) {
        const plugin::CatalogEntry plugin =
            plugin::examine_plugin(path, plugin::host_fingerprint());
        const plugin::Library library = plugin::load_plugin(plugin);
        if (path == job.own_library) {
            technique.emplace(library, entry.use);
            const auto& techniques = plugin.metadata->techniques;
            const auto metadata =
                std::ranges::find(techniques, entry.use, &plugin::TechniqueMetadata::id);
            TOPRESS_ASSERT(metadata != techniques.end());
            technique->configure(config::fill_defaults(entry.parameters, metadata->parameters));
        }
    }
    TOPRESS_ASSERT(technique.has_value());
    return std::move(*technique);
}

plugin::StageServices make_services(train::Trainer& trainer,
                                    const WorkerJob& job,
                                    std::uint64_t seed,
                                    EventWriter& events,
                                    const train::Cancelled& cancelled) {
    plugin::StageServices services;
    services.trainer = &trainer;
    services.label = job.label;
    services.seed = seed;
    services.artefact_directory = job.artefact_directory;
    services.cancelled = cancelled;
    services.progress = [&events](const train::ProgressEvent& event) { events.progress(event); };
    return services;
}

WorkerResult work(const WorkerFolder& folder, EventWriter& events, const train::Cancelled& stop) {
    const WorkerJob job = folder.read_job();
    const config::RunConfig config = load_config(folder);
    const at::Device device = train::open_device(config.device);  // before the first tensor
    train::set_threads(config.threads);
    plugin::TechniqueObject technique = make_technique(job, entry_of(config, job.label));
    const std::string technique_id = technique.technique_id();
    WorkerResult result;
    if (job.only_configure) {
        return result;
    }
    train::TrainingData data = load_run_data(config.data, job.normalisation);
    data.test = {};  // no stage has any business with it
    train::Trainer trainer(data, training_defaults(config.train), device);
    network::Network input = folder.read_input();
    network::Network original = folder.read_original();
    input.to(device);
    original.to(device);
    plugin::StageServices services = make_services(trainer, job, config.seed, events, stop);
    StageOutcome outcome = apply_technique(technique, input, original, services);
    result.row = std::move(outcome.row);
    result.leaks = std::move(outcome.leaks);
    // The run checks all else, but only a network that holds together can be handed over.
    result.diagnostics = check_whole({job.label, technique_id, {}}, outcome.network);
    if (!result.diagnostics.empty()) {
        return result;
    }
    result.network = std::move(outcome.network);
    return result;
}

WorkerResult failed(const Diagnostics& diagnostics) {
    WorkerResult result;
    result.diagnostics = diagnostics;
    return result;
}

/// Every failure is a result with the same words as in the run's own process.
WorkerResult try_to_work(const WorkerFolder& folder,
                         EventWriter& events,
                         const train::Cancelled& cancelled) {
    try {
        return work(folder, events, cancelled);
    } catch (const DiagnosticError& error) {
        return failed(error.diagnostics());
    } catch (const Error& error) {
        return failed({to_diagnostic(error)});
    } catch (const std::exception& error) {
        return failed({to_diagnostic(Error("internal/exception", error.what()))});
    }
}

}  // namespace

void run_worker(const std::filesystem::path& folder,
                EventWriter& events,
                const train::Cancelled& cancelled) {
    const WorkerFolder files(folder);
    WorkerResult result = try_to_work(files, events, cancelled);
    result.row.peak_memory_bytes = peak_memory_bytes();
    files.write_result(result);
}

}  // namespace topress::pipeline
