// The table of keys; defaults are those of a default-constructed RunConfig.
#include "config/schema.hpp"

#include <cstdint>
#include <type_traits>
#include <utility>

namespace topress::config {

namespace {

constexpr double kLargestInt = 2147483647;  // what fits into the int fields of RunConfig

enum class Presence : std::uint8_t { HasDefault, Optional, Required };

// What is special about a key; most have little.
struct Traits {
    std::optional<double> minimum = std::nullopt;
    std::optional<double> maximum = std::nullopt;
    std::string unit = {};
    std::vector<std::string> values = {};
    PathKind path = PathKind::None;
    Presence presence = Presence::HasDefault;
};

// ---- members of RunConfig <-> ParameterValue ----------------------------------------------------

template <typename Member>
struct IsOptional : std::false_type {};

template <typename Value>
struct IsOptional<std::optional<Value>> : std::true_type {};

template <typename Member>
std::optional<ParameterValue> to_value(const Member& member) {
    if constexpr (IsOptional<Member>::value) {
        return member ? to_value(*member) : std::nullopt;
    } else if constexpr (std::is_same_v<Member, bool> || !std::is_integral_v<Member>) {
        return ParameterValue(member);
    } else {
        return ParameterValue(static_cast<std::int64_t>(member));
    }
}

template <typename Member>
void from_value(Member& member, const ParameterValue& value) {
    if constexpr (IsOptional<Member>::value) {
        from_value(member.emplace(), value);
    } else if constexpr (std::is_same_v<Member, bool> || !std::is_integral_v<Member>) {
        member = std::get<Member>(value);
    } else {
        member = static_cast<Member>(std::get<std::int64_t>(value));
    }
}

template <typename Member>
constexpr ParameterType type_of_member() {
    if constexpr (IsOptional<Member>::value) {
        return type_of_member<typename Member::value_type>();
    } else if constexpr (std::is_same_v<Member, bool>) {
        return ParameterType::Bool;
    } else if constexpr (std::is_integral_v<Member>) {
        return ParameterType::Integer;
    } else if constexpr (std::is_same_v<Member, std::string>) {
        return ParameterType::String;
    } else if constexpr (std::is_same_v<Member, std::vector<std::string>>) {
        return ParameterType::StringList;
    } else {
        return ParameterType::Number;
    }
}

// Where a key lives: a member of RunConfig, or of one of its sections.
template <typename Member>
struct TopField {
    using Type = Member;
    Member RunConfig::* member;

    const Member& of(const RunConfig& config) const { return config.*member; }

    Member& of(RunConfig& config) const { return config.*member; }
};

template <typename Part, typename Member>
struct SectionField {
    using Type = Member;
    Part RunConfig::* part;
    Member Part::* member;

    const Member& of(const RunConfig& config) const { return (config.*part).*member; }

    Member& of(RunConfig& config) const { return (config.*part).*member; }
};

template <typename Member>
TopField<Member> field(Member RunConfig::* member) {
    return {member};
}

template <typename Part, typename Member>
SectionField<Part, Member> field(Part RunConfig::* part, Member Part::* member) {
    return {part, member};
}

template <typename Field>
Key make_key(std::string name, Field place, std::string doc, Traits traits = {}) {
    const bool optional = traits.presence == Presence::Optional;
    Key key;
    key.path = traits.path;
    key.get = [place, optional](const RunConfig& config) -> std::optional<ParameterValue> {
        const auto value = to_value(place.of(config));
        return optional && value == ParameterValue(std::string()) ? std::nullopt : value;
    };
    key.set = [place](RunConfig& config, const ParameterValue& value) {
        from_value(place.of(config), value);
    };
    ParameterSpec& spec = key.spec;
    spec.name = std::move(name);
    spec.type = type_of_member<typename Field::Type>();
    spec.minimum = traits.minimum;
    spec.maximum = traits.maximum;
    spec.values = std::move(traits.values);
    spec.unit = std::move(traits.unit);
    spec.doc = std::move(doc);
    spec.optional = optional;
    if (traits.presence == Presence::HasDefault) {
        const RunConfig defaults;
        spec.default_value = key.get(defaults);
    }
    return key;
}

// ---- sections -----------------------------------------------------------------------------------

Section top_level() {
    return {"",
            "Keys of the whole run; they stand before the first table.",
            {
                make_key("schema",
                         field(&RunConfig::schema),
                         "Version of this format; this topress reads version 1.",
                         {.presence = Presence::Required}),
                make_key("seed",
                         field(&RunConfig::seed),
                         "Seed of everything random in the run, apart from the validation split.",
                         {.minimum = 0}),
                make_key("threads",
                         field(&RunConfig::threads),
                         "CPU threads; 0 takes one per physical core.",
                         {.minimum = 0, .maximum = 1024}),
                make_key("device",
                         field(&RunConfig::device),
                         "Where the networks run.",
                         {.values = {"cpu", "cuda"}}),
                make_key("output",
                         field(&RunConfig::output),
                         "Folder for the results; empty leaves the choice to the command.",
                         {.path = PathKind::Path}),
            }};
}

Section model() {
    return {
        "model",
        "The network to compress: an architecture to train, or a checkpoint to start from. Depths: "
        "`resnet` 18, 34, 50, 101, 152 or another 6n+2 (CIFAR form: 8, 14, 20, ...), `vgg` 11, 13, "
        "16, 19, `mobilenetv2` 53, `densenet` 6n+4 (DenseNet-BC in CIFAR form: 40, 100, ...; its "
        "width is the growth rate).",
        {
            make_key("architecture",
                     field(&RunConfig::model, &ModelConfig::architecture),
                     "Family of the network; needed unless a checkpoint is given.",
                     {.presence = Presence::Optional}),
            make_key("depth",
                     field(&RunConfig::model, &ModelConfig::depth),
                     "Number of layers as in the name of the network; 0 is the usual one of the "
                     "architecture.",
                     {.minimum = 0, .maximum = 1000, .unit = "layers"}),
            make_key("width",
                     field(&RunConfig::model, &ModelConfig::width),
                     "Channels of the first stage; 0 is the usual number of the architecture.",
                     {.minimum = 0, .maximum = 4096, .unit = "channels"}),
            make_key("stem",
                     field(&RunConfig::model, &ModelConfig::stem),
                     "How the network begins: `small` keeps the size of the picture at first; "
                     "`imagenet` is the published form for 224 x 224 pictures, VGG with its three "
                     "linear layers (not for densenet).",
                     {.values = {"small", "imagenet"}}),
            make_key("checkpoint",
                     field(&RunConfig::model, &ModelConfig::checkpoint),
                     "A saved network (safetensors) to start from; the keys above are then unused.",
                     {.path = PathKind::Path}),
        }};
}

Section data() {
    return {
        "data",
        "The images to train on and to measure with. The test set is used once, at the end.",
        {
            make_key("dataset",
                     field(&RunConfig::data, &DataConfig::dataset),
                     "The data set.",
                     {.values = {"fashion-mnist",
                                 "mnist",
                                 "rotated-fashion-mnist",
                                 "cifar10",
                                 "cifar100",
                                 "svhn",
                                 "image-folder"},
                      .presence = Presence::Required}),
            make_key(
                "path",
                field(&RunConfig::data, &DataConfig::path),
                "Folder of its files; empty looks in the usual places. Needed by image-folder.",
                {.path = PathKind::Path}),
            make_key("validation_ratio",
                     field(&RunConfig::data, &DataConfig::validation_ratio),
                     "Part of the training set set aside for decisions.",
                     {.minimum = 0.01, .maximum = 0.9}),
            make_key("train_samples",
                     field(&RunConfig::data, &DataConfig::train_samples),
                     "Cap on the training set before the split, for quick runs; 0 takes all.",
                     {.minimum = 0, .maximum = kLargestInt, .unit = "images"}),
            make_key("test_samples",
                     field(&RunConfig::data, &DataConfig::test_samples),
                     "Cap on the test set, for quick runs; 0 takes all.",
                     {.minimum = 0, .maximum = kLargestInt, .unit = "images"}),
            make_key(
                "crop_padding",
                field(&RunConfig::data, &DataConfig::crop_padding),
                "Border added before a random crop to the old size; 0 switches cropping off. "
                "Unless given: 4 for cifar10 and cifar100, 0 for image-folder with numbers, else "
                "2.",
                {.minimum = 0, .maximum = 64, .unit = "pixels", .presence = Presence::Optional}),
            make_key(
                "flip",
                field(&RunConfig::data, &DataConfig::flip),
                "Mirror training images at random. Unless given: true, but false for mnist, svhn, "
                "rotated-fashion-mnist, where true is an error, and image-folder with numbers.",
                {.presence = Presence::Optional}),
            make_key("variants",
                     field(&RunConfig::data, &DataConfig::variants),
                     "How many pictures cropping and mirroring make of each, shown in turn; a "
                     "teacher is then asked once for each of them, not once in every epoch. 0: "
                     "another one in every epoch.",
                     {.minimum = 0, .maximum = 1024}),
            make_key("seed",
                     field(&RunConfig::data, &DataConfig::seed),
                     "Seed of the validation split, the caps and the variants; apart from the seed "
                     "of the "
                     "run, so that runs with other seeds see the same pictures.",
                     {.minimum = 0}),
            make_key("map_above_gb",
                     field(&RunConfig::data, &DataConfig::map_above_gb),
                     "Pictures of an image-folder that are larger than this when decoded are kept "
                     "in a file of the user's cache folder (`topress/pictures`), mapped into "
                     "memory, and need no decoding in later runs; 0 does it with all of them. "
                     "Changes no result.",
                     {.minimum = 0, .maximum = 1000000, .unit = "GB"}),
        }};
}

Section train() {
    return {
        "train",
        "Defaults of every training in the run; a technique may have its own learning rate or "
        "number of epochs.",
        {
            make_key("batch_size",
                     field(&RunConfig::train, &TrainConfig::batch_size),
                     "Images per step.",
                     {.minimum = 1, .maximum = 65536, .unit = "images"}),
            make_key(
                "loss",
                field(&RunConfig::train, &TrainConfig::loss),
                "What is minimised: `cross-entropy` where labels are classes; where they are "
                "numbers the `mse`, the `mae` or `huber` (squared up to one standard "
                "deviation, absolute beyond). Unless given: cross-entropy or mse, by the data.",
                {.values = {"cross-entropy", "mse", "mae", "huber"},
                 .presence = Presence::Optional}),
            make_key("optimizer",
                     field(&RunConfig::train, &TrainConfig::optimizer),
                     "`sgd` is with Nesterov momentum, `adamw` has decoupled weight decay.",
                     {.values = {"sgd", "adamw"}}),
            make_key("learning_rate",
                     field(&RunConfig::train, &TrainConfig::learning_rate),
                     "Largest learning rate of the schedule.",
                     {.minimum = 1e-8, .maximum = 100}),
            make_key("momentum",
                     field(&RunConfig::train, &TrainConfig::momentum),
                     "Momentum of sgd.",
                     {.minimum = 0, .maximum = 0.9999}),
            make_key("weight_decay",
                     field(&RunConfig::train, &TrainConfig::weight_decay),
                     "Weight decay of convolution and linear weights.",
                     {.minimum = 0, .maximum = 1}),
            make_key("schedule",
                     field(&RunConfig::train, &TrainConfig::schedule),
                     "Course of the learning rate over one training.",
                     {.values = {"cosine", "one-cycle", "constant"}}),
            make_key("warmup_epochs",
                     field(&RunConfig::train, &TrainConfig::warmup_epochs),
                     "Linear rise of the learning rate at the start.",
                     {.minimum = 0, .maximum = 1000, .unit = "epochs"}),
            make_key("label_smoothing",
                     field(&RunConfig::train, &TrainConfig::label_smoothing),
                     "Part of each label spread over all classes.",
                     {.minimum = 0, .maximum = 0.9}),
            make_key("precision",
                     field(&RunConfig::train, &TrainConfig::precision),
                     "Numbers in which training runs forward and backward: `bfloat16` is for "
                     "devices that are faster with it. Parameters, their gradients, losses and "
                     "every evaluation stay float32.",
                     {.values = {"float32", "bfloat16"}}),
            make_key("cuda_graph",
                     field(&RunConfig::train, &TrainConfig::cuda_graph),
                     "On a CUDA device, forward and backward of a training step are recorded "
                     "once and launched as one graph; the results are the same. Not yet tried on a "
                     "device, so off."),
            make_key("original_weight",
                     field(&RunConfig::train, &TrainConfig::original_weight),
                     "Attaches the original's logits to every stage that trains without a loss "
                     "of its own: their weight beside the labels; 9 is usual, 0 leaves the "
                     "labels alone. A technique's own `original_weight` wins.",
                     {.minimum = 0, .maximum = 1000}),
        }};
}

Section baseline() {
    return {"baseline",
            "Training of the network before anything is compressed.",
            {
                make_key(
                    "epochs",
                    field(&RunConfig::baseline, &BaselineConfig::epochs),
                    "Passes over the training set; fractions count. Unless given: 10, but 0 with a "
                    "checkpoint.",
                    {.minimum = 0,
                     .maximum = 100000,
                     .unit = "epochs",
                     .presence = Presence::Optional}),
                make_key("learning_rate",
                         field(&RunConfig::baseline, &BaselineConfig::learning_rate),
                         "Learning rate of this training. Unless given: that of `[train]`.",
                         {.minimum = 1e-8, .maximum = 100, .presence = Presence::Optional}),
            }};
}

Section order() {
    return {
        "order",
        "What you say about the order of the techniques; it is derived unless you force it.",
        {
            make_key("rules",
                     field(&RunConfig::order, &OrderConfig::rules),
                     "Rule sets: names of shipped ones, or paths of TOML files.",
                     {.path = PathKind::NameOrPath}),
            make_key("evidence",
                     field(&RunConfig::order, &OrderConfig::evidence),
                     "Measured pairs of techniques: names of shipped files, or paths of TOML files "
                     "([evidence.md](evidence.md)).",
                     {.path = PathKind::NameOrPath}),
            make_key("force",
                     field(&RunConfig::order, &OrderConfig::force),
                     "All labels in the order to run them in; empty derives the order."),
            make_key("override",
                     field(&RunConfig::order, &OrderConfig::override_),
                     "Run a forced order even if it breaks a rule."),
            make_key("strict",
                     field(&RunConfig::order, &OrderConfig::strict),
                     "Make it an error if the order of two techniques that touch the same thing is "
                     "not settled."),
        }};
}

Section explore() {
    return {"explore",
            "What `topress explore` compares besides the order; a run does not look at it.",
            {
                make_key("finish",
                         field(&RunConfig::explore, &ExploreConfig::finish),
                         "Label of the technique that ends every order, so that all orders have "
                         "the same training after their last stage; it takes no part in them. "
                         "Empty: none."),
                make_key("seeds",
                         field(&RunConfig::explore, &ExploreConfig::seeds),
                         "How often each order is run, with `seed`, `seed` + 1 and so on.",
                         {.minimum = 1, .maximum = 1000}),
            }};
}

Section plugins() {
    return {"plugins",
            "Where techniques are looked for.",
            {
                make_key("path",
                         field(&RunConfig::plugins, &PluginsConfig::path),
                         "Folders searched before the usual ones.",
                         {.path = PathKind::Path}),
            }};
}

Section cache() {
    return {
        "cache",
        "Finished stages that later runs take over instead of computing them again "
        "([stage-cache.md](stage-cache.md)). Nothing in here changes a result.",
        {
            make_key("directory",
                     field(&RunConfig::cache, &CacheConfig::directory),
                     "Folder for them; empty takes `TOPRESS_STAGE_CACHE`, else `topress/stages` "
                     "in the user's cache folder.",
                     {.path = PathKind::Path}),
            make_key("max_gb",
                     field(&RunConfig::cache, &CacheConfig::max_gb),
                     "Size above which the stages that were not used for longest are removed; "
                     "0 does without a cache.",
                     {.minimum = 0, .maximum = 1e6, .unit = "GB"}),
        }};
}

ParameterSpec string_spec(std::string name, std::string doc) {
    ParameterSpec spec;
    spec.name = std::move(name);
    spec.type = ParameterType::String;
    spec.doc = std::move(doc);
    return spec;
}

std::vector<ParameterSpec> make_edge_specs() {
    ParameterSpec strength =
        string_spec("strength", "`soft` gives way to stronger wishes, `hard` never does.");
    strength.values = {"soft", "hard"};
    strength.default_value = std::string("soft");
    ParameterSpec reason = string_spec("reason", "Why; shown in the plan.");
    reason.default_value = std::string();
    return {string_spec("before", "Label or technique that comes first."),
            string_spec("after", "Label or technique that comes later."),
            std::move(strength),
            std::move(reason)};
}

std::vector<ParameterSpec> make_setting_specs() {
    ParameterSpec set;
    set.name = "set";
    set.type = ParameterType::StringList;
    set.doc = "Changes to the configuration, each as `--set` takes it.";
    return {string_spec("name", "Name of the setting: letters, digits, - and _."), std::move(set)};
}

}  // namespace

const std::vector<Section>& schema() {
    static const std::vector<Section> sections = {
        top_level(), model(), data(), train(), baseline(), order(), explore(), plugins(), cache()};
    return sections;
}

std::vector<ParameterSpec> specs_of(const Section& section,
                                    const std::vector<std::string>& architectures) {
    std::vector<ParameterSpec> specs;
    for (const Key& key : section.keys) {
        specs.push_back(key.spec);
        if (section.name == "model" && key.spec.name == "architecture") {
            specs.back().values = architectures;
        }
    }
    return specs;
}

const std::vector<ParameterSpec>& edge_specs() {
    static const std::vector<ParameterSpec> specs = make_edge_specs();
    return specs;
}

const std::vector<ParameterSpec>& setting_specs() {
    static const std::vector<ParameterSpec> specs = make_setting_specs();
    return specs;
}

std::string_view list_in(const Section& section) {
    return section.name == "order" ? "edge" : section.name == "explore" ? "setting" : "";
}

std::string title_of(const Section& section) {
    return section.name.empty() ? "the top level" : "[" + section.name + "]";
}

}  // namespace topress::config
