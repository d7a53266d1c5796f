// The typed description of a run: what a configuration file says, with every default filled in.
#pragma once

#include "base/diagnostic.hpp"
#include "config/parameter.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace topress::config {

/// The only value of `schema` that this version reads.
inline constexpr int kSchemaVersion = 1;

/// [model]: the network to compress; a checkpoint replaces the architecture and the baseline
/// training.
struct ModelConfig {
    std::string architecture;  ///< one of LoadOptions::architectures; empty only with a checkpoint
    int depth = 0;             ///< layers; 0 = the architecture's default
    int width = 0;             ///< channels of the first stage; 0 = the architecture's default
    std::string stem = "small";  ///< small | imagenet
    std::string checkpoint;      ///< absolute path of a saved network, or empty

    bool operator==(const ModelConfig&) const = default;
};

/// [data]: what is trained and measured on. What changes pictures is left open where only the files
/// tell the task: then it is crops of 2 and mirroring for classes, nothing for numbers.
struct DataConfig {
    std::string dataset;  ///< fashion-mnist | mnist | rotated-fashion-mnist | cifar10 | ...
    std::string path;     ///< absolute folder, or empty: the data set's usual places
    double validation_ratio = 0.1;    ///< part of the training set kept for decisions
    int train_samples = 0;            ///< 0 = all; a cap for quick runs
    int test_samples = 0;             ///< 0 = all
    std::optional<int> crop_padding;  ///< pixels added around before the random crop; 0 = no crop
    std::optional<bool> flip;         ///< random horizontal mirroring
    int variants = 0;                 ///< pictures made of each by crop and flip; 0 = no end
    std::uint64_t seed = 0;           ///< of the validation split and the caps, not of the training
    double map_above_gb = 4;          ///< decoded pictures above this size are kept in a file

    bool operator==(const DataConfig&) const = default;
};

/// [train]: defaults of every training in the run.
struct TrainConfig {
    int batch_size = 128;
    std::string loss;               ///< cross-entropy | mse | mae | huber; empty = by the task
    std::string optimizer = "sgd";  ///< sgd | adamw
    double learning_rate = 0.1;
    double momentum = 0.9;
    double weight_decay = 5e-4;
    std::string schedule = "cosine";  ///< cosine | one-cycle | constant
    double warmup_epochs = 0;
    double label_smoothing = 0;
    std::string precision = "float32";  ///< float32 | bfloat16
    bool cuda_graph = false;            ///< on a CUDA device: a step is one launch
    double original_weight = 0;  ///< of the original's logits in fits without a loss of their own

    bool operator==(const TrainConfig&) const = default;
};

/// [baseline]: training of the network before anything is compressed.
struct BaselineConfig {
    double epochs = 10;                   ///< 0 with a checkpoint, unless given
    std::optional<double> learning_rate;  ///< none: that of [train]

    bool operator==(const BaselineConfig&) const = default;
};

/// [[order.edge]]: `before` runs before `after`; both are labels or technique ids.
struct UserEdge {
    std::string before;
    std::string after;
    std::string strength = "soft";  ///< soft | hard
    std::string reason;
    Location location;
};

/// [order]: what the user says about the order.
struct OrderConfig {
    std::vector<std::string> rules = {"order-of-compression"};  ///< names, or absolute paths
    std::vector<std::string> evidence;  ///< names, or absolute paths, of measured pairs
    std::vector<std::string> force;     ///< labels; empty: order is derived
    bool override_ = false;  ///< key `override`: accept a forced order that breaks a rule
    bool strict = false;     ///< ambiguities are errors
    std::vector<UserEdge> edges;
};

/// [[explore.setting]]: how strongly the techniques are applied in one of several rounds.
struct ExploreSetting {
    std::string name;                    ///< names folders
    std::vector<std::string> overrides;  ///< as of --set, on top of those of the command
    Location location;
};

/// [explore]: what `topress explore` compares; a run does not look at it.
struct ExploreConfig {
    std::string finish;  ///< label of the technique that ends every order; empty: none
    int seeds = 3;
    std::vector<ExploreSetting> settings;  ///< empty: one, as the configuration says
};

/// [plugins]: where to look for techniques besides the usual places.
struct PluginsConfig {
    std::vector<std::string> path;  ///< absolute folders

    bool operator==(const PluginsConfig&) const = default;
};

/// [cache]: finished stages that later runs take over; changes no result.
struct CacheConfig {
    std::string directory;  ///< absolute folder, or empty: the user's cache folder
    double max_gb = 4;      ///< 10^9 bytes; 0 = no cache

    bool operator==(const CacheConfig&) const = default;
};

/// Where a technique runs, and how long and how large it may get there.
struct IsolationConfig {
    std::string mode;  ///< "process", "in-process", or empty: as the technique and its plugin say
    double timeout_s = 0;     ///< 0 = no limit; a limit asks for a process
    int memory_limit_mb = 0;  ///< 0 = no limit; MiB

    bool operator==(const IsolationConfig&) const = default;
};

/// [technique.LABEL]: one use of a technique.
struct TechniqueEntry {
    std::string label;
    std::string use;        ///< technique id or its last component; the label unless given
    Location location;      ///< of the label in the table header
    Location use_location;  ///< of the value of `use`, or of the label
    Parameters parameters;  ///< as written; the pipeline validates them and fills defaults
    IsolationConfig isolation = {};
    std::optional<double> intensity = {};  ///< how many times fewer BitOps it leaves by itself
};

/// A whole configuration.
struct RunConfig {
    int schema = kSchemaVersion;
    std::uint64_t seed = 1;
    int threads = 0;             ///< 0 = physical cores
    std::string device = "cpu";  ///< cpu | cuda
    std::string output;          ///< absolute folder, or empty: the caller chooses
    ModelConfig model;
    DataConfig data;
    TrainConfig train;
    BaselineConfig baseline;
    OrderConfig order;
    ExploreConfig explore;
    PluginsConfig plugins;
    CacheConfig cache;
    std::vector<TechniqueEntry> techniques;  ///< in file order
    std::string file;                        ///< as the caller named it

    /// Where each host-owned key was written, by dotted name ("model.depth"); absent = default.
    std::map<std::string, Location> origins;
};

/// True if both describe the same run; file name and places do not count.
[[nodiscard]] bool same_settings(const RunConfig& a, const RunConfig& b);

/// The resolved configuration as a TOML file that loads to the same settings.
[[nodiscard]] std::string to_toml(const RunConfig& config);

}  // namespace topress::config
